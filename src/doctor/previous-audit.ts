import { lstatSync, readFileSync } from 'node:fs'
import { count } from '../core/text.js'
import { hashToken } from '../core/token.js'
import type { Roster } from '../core/roster.js'
import { previousPath } from '../store/previous.js'
import { isEncrypted } from '../store/protection.js'
import { parseStore } from '../store/store-file.js'
import { removeCommand, type Finding } from './finding.js'

const dayMs = 86_400_000
const staleDays = 7

/** Audits the previous store, which `undo` puts back. */
export function auditPrevious(path: string, roster: Roster, at: Date, tool: string): Finding[] {
  const previous = previousPath(path)
  const stats = lstatSync(previous, { throwIfNoEntry: false })
  if (!stats?.isFile()) return []
  const bytes = readFileSync(previous)
  const fix = removeCommand([previous])
  const joint = { noun: 'files', fix: removeCommand } as const
  const plain = !isEncrypted(bytes)
  if (plain && isEncrypted(readFileSync(path))) {
    const message =
      'the previous store, in plain text beside the encrypted one; its seeds and tokens may still be valid'
    return [{ id: 'previous-plaintext', severity: 'serious', subject: previous, message, fix, joint }]
  }
  const stale = (why: string): Finding[] => [
    {
      id: 'previous-stale',
      severity: 'warning',
      subject: previous,
      message: `the previous store ${why}; the next change replaces it`,
      fix,
      joint,
    },
  ]
  const revoked = plain ? revokedSince(bytes, roster) : 0
  if (revoked > 0) {
    return stale(`holds ${count(revoked, 'revoked credential')}, which ${tool} undo would make valid again`)
  }
  const days = Math.floor((at.getTime() - stats.mtimeMs) / dayMs)
  return days >= staleDays ? stale(`is ${days} days old, so nobody needs it for ${tool} undo`) : []
}

/** How many seeds and tokens of an older version of the store are in it no more. */
function revokedSince(bytes: Buffer, roster: Roster): number {
  const now = new Set(credentialsOf(roster))
  try {
    return credentialsOf(parseStore(bytes.toString()).roster).filter((one) => !now.has(one)).length
  } catch {
    return 0
  }
}

const credentialsOf = ({ sharedSeeds = [], peers }: Roster): string[] => [
  ...sharedSeeds.map(({ seed }) => hashToken(seed.base32)),
  ...[...peers.values()].flatMap(({ seeds, tokens }) => [
    ...seeds.map(({ seed }) => hashToken(seed.base32)),
    ...tokens.map(({ token }) => token.hash),
  ]),
]
