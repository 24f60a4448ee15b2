import { lstatSync, readFileSync } from 'node:fs'
import { isTOTPError } from '../core/errors.js'
import { count } from '../core/text.js'
import { hashToken } from '../core/token.js'
import type { Roster } from '../core/roster.js'
import { previousPath } from '../store/previous.js'
import { isEncrypted } from '../store/protection.js'
import { removeCommand, type Finding, type Severity } from './finding.js'
import { readHead } from './small-file.js'

const dayMs = 86_400_000
const staleDays = 7
/** As much tells whether a file is encrypted. */
const headBytes = 4096

/** A store whose previous version is audited. */
export interface PreviousUnderTest {
  readonly path: string
  readonly roster: Roster
  readonly tool: string
  /** Reads the previous store with the keys of the store. Rejects if they do not open it. */
  readonly openPrevious: () => Promise<Roster>
}

/** Audits the previous store, which `undo` puts back. */
export async function auditPrevious(store: PreviousUnderTest, at: Date): Promise<Finding[]> {
  const { path, roster, tool } = store
  const previous = previousPath(path)
  const stats = lstatSync(previous, { throwIfNoEntry: false })
  if (!stats?.isFile()) return []
  const fix = removeCommand([previous])
  const joint = { noun: 'files', fix: removeCommand } as const
  const bytes = readHead(previous, headBytes)
  if (bytes && !isEncrypted(bytes) && isEncrypted(readFileSync(path))) {
    const message =
      'the previous store, in plain text beside the encrypted one; its seeds and tokens may still be valid'
    return [{ id: 'previous-plaintext', severity: 'serious', subject: previous, message, fix, joint }]
  }
  const stale = (severity: Severity, why: string): Finding[] => [
    {
      id: 'previous-stale',
      severity,
      subject: previous,
      message: `the previous store ${why}; the next change replaces it`,
      fix,
      joint,
    },
  ]
  const before = await opened(store)
  const revoked = before ? revokedSince(before, roster) : 0
  if (revoked > 0) {
    const credentials = count(revoked, 'revoked credential')
    return stale('warning', `holds ${credentials}, which ${tool} undo would make valid again`)
  }
  const days = Math.floor((at.getTime() - stats.mtimeMs) / dayMs)
  if (days >= staleDays) return stale('warning', `is ${days} days old, so nobody needs it for ${tool} undo`)
  return before ? [] : stale('note', 'cannot be read here, so it may hold revoked credentials')
}

async function opened({ openPrevious }: PreviousUnderTest): Promise<Roster | undefined> {
  try {
    return await openPrevious()
  } catch (error) {
    if (isTOTPError(error)) return undefined
    throw error
  }
}

/** How many seeds and tokens of an older version of the store are in it no more. */
function revokedSince(before: Roster, after: Roster): number {
  const now = new Set(credentialsOf(after))
  return credentialsOf(before).filter((one) => !now.has(one)).length
}

const credentialsOf = ({ sharedSeeds = [], peers }: Roster): string[] => [
  ...sharedSeeds.map(({ seed }) => hashToken(seed.base32)),
  ...[...peers.values()].flatMap(({ seeds, tokens }) => [
    ...seeds.map(({ seed }) => hashToken(seed.base32)),
    ...tokens.map(({ token }) => token.hash),
  ]),
]
