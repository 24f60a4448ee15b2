import { canariesOf, type Roster } from '../core/roster.js'
import type { Finding } from './finding.js'

interface Store {
  readonly path: string
  readonly roster: Roster
}

/** Finds seeds and tokens that several peers or agents share. */
export function auditAcross(stores: readonly Store[]): Finding[] {
  const seeds = new Map<string, string[]>()
  const tokens = new Map<string, string[]>()
  for (const { path, roster } of stores) {
    const ownerOf = (peer: string): string => (stores.length > 1 ? `${peer} in ${path}` : peer)
    for (const { seed } of roster.sharedSeeds ?? []) note(seeds, seed.base32, ownerOf('all peers'))
    for (const peer of roster.peers.values()) {
      for (const { seed } of peer.seeds) note(seeds, seed.base32, ownerOf(peer.name))
      for (const { token } of peer.tokens) note(tokens, token.hash, ownerOf(peer.name))
    }
  }
  noteCanaries(stores, tokens)
  return [
    ...repeated(seeds, 'seed', 'each of them can generate the codes of the others'),
    ...repeated(tokens, 'token', 'an agent that receives it can use it at the other agents'),
  ]
}

/** One canary may be planted for several agents, but a peer with its token would raise the alarm. */
function noteCanaries(stores: readonly Store[], tokens: Map<string, string[]>): void {
  const ofPeers = new Set(tokens.keys())
  for (const { path, roster } of stores) {
    for (const { name, tokens: planted } of canariesOf(roster)) {
      for (const { token } of planted) {
        if (ofPeers.has(token.hash)) note(tokens, token.hash, `the canary ${name} in ${path}`)
      }
    }
  }
}

function note(owners: Map<string, string[]>, secret: string, owner: string): void {
  owners.set(secret, [...(owners.get(secret) ?? []), owner])
}

function repeated(
  owners: ReadonlyMap<string, readonly string[]>,
  kind: 'seed' | 'token',
  why: string,
): Finding[] {
  return [...owners.values()]
    .filter((several) => several.length > 1)
    .map((several) => ({
      id: `${kind}-repeated`,
      severity: 'serious',
      subject: several.join(', '),
      message: `they share one ${kind}: ${why}`,
      fix: `a2a-totp rotate NAME --${kind} --now, for all but one of them`,
    }))
}
