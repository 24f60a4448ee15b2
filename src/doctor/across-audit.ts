import type { Roster } from '../core/roster.js'
import type { Finding } from './finding.js'

interface Examined {
  readonly path: string
  readonly roster: Roster
}

/** Seeds that several peers or agents have, and tokens that several agents take. */
export function auditAcross(stores: readonly Examined[]): Finding[] {
  const seeds = new Map<string, string[]>()
  const tokens = new Map<string, string[]>()
  for (const { path, roster } of stores) {
    const name = (peer: string): string => (stores.length > 1 ? `${peer} in ${path}` : peer)
    for (const { seed } of roster.sharedSeeds ?? []) note(seeds, seed.base32, name('all peers'))
    for (const peer of roster.peers.values()) {
      for (const { seed } of peer.seeds) note(seeds, seed.base32, name(peer.name))
      for (const { token } of peer.tokens) note(tokens, token.hash, name(peer.name))
    }
  }
  return [
    ...repeated(seeds, 'seed', 'whoever verifies codes with it can pass for the other'),
    ...repeated(tokens, 'token', 'whoever is shown it at one agent can use it at the other'),
  ]
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
      message: `they have the same ${kind}: ${why}`,
      fix: `a2a-totp rotate NAME --${kind} --now, for all but one of them`,
    }))
}
