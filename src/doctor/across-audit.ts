import { canariesOf, type Roster } from '../core/roster.js'
import type { Finding } from './finding.js'

interface Store {
  readonly path: string
  readonly tool: string
  readonly roster: Roster
}

/** A peer or canary with a seed or a token, or all peers. */
interface Owner {
  readonly name: string
  /** Returns the command for a new one; undefined for a canary. */
  readonly rotate: ((kind: 'seed' | 'token') => string) | undefined
}

/** Finds seeds and tokens that several peers or agents share. */
export function auditAcross(stores: readonly Store[]): Finding[] {
  const seeds = new Map<string, Owner[]>()
  const tokens = new Map<string, Owner[]>()
  for (const { path, tool, roster } of stores) {
    const ownerOf = (peer: string, who = peer): Owner => ({
      name: stores.length > 1 ? `${peer} in ${path}` : peer,
      rotate: (kind) => `${tool} rotate ${who} --${kind} --now`,
    })
    for (const { seed } of roster.sharedSeeds ?? []) note(seeds, seed.base32, ownerOf('all peers', '--all'))
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
function noteCanaries(stores: readonly Store[], tokens: Map<string, Owner[]>): void {
  const ofPeers = new Set(tokens.keys())
  for (const { path, roster } of stores) {
    for (const { name, tokens: planted } of canariesOf(roster)) {
      for (const { token } of planted) {
        if (ofPeers.has(token.hash))
          note(tokens, token.hash, { name: `the canary ${name} in ${path}`, rotate: undefined })
      }
    }
  }
}

function note(owners: Map<string, Owner[]>, secret: string, owner: Owner): void {
  owners.set(secret, [...(owners.get(secret) ?? []), owner])
}

function repeated(
  owners: ReadonlyMap<string, readonly Owner[]>,
  kind: 'seed' | 'token',
  why: string,
): Finding[] {
  return [...owners.values()]
    .filter((several) => several.length > 1)
    .map((several) => {
      const rotations = several.flatMap(({ rotate }) => rotate?.(kind) ?? [])
      // One of them can keep it, unless it is a canary's.
      const needed = rotations.slice(rotations.length === several.length ? 1 : 0)
      const fix = [...new Set(needed)].join(' && ')
      return {
        id: `${kind}-repeated`,
        severity: 'serious',
        subject: several.map(({ name }) => name).join(', '),
        message: `they share one ${kind}: ${why}`,
        fix,
      }
    })
}
