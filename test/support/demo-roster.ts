import type { Peer, Roster } from '../../src/core/roster.js'
import { defaultProfile, type ReplayPolicy } from '../../src/core/profile.js'
import { Token } from '../../src/core/token.js'
import { alice, bob } from './probing.js'

/** The peers of the probe's tests as a store would have them. */
export function demoRoster(createdAt: Date, replay: ReplayPolicy = 'reuse'): Roster {
  const peers = [alice, bob].map(({ name, token, seed }): Peer => ({
    ...defaultProfile,
    name,
    createdAt,
    seeds: [{ id: `${name}-seed`, createdAt, seed }],
    tokens: [{ id: `${name}-token`, createdAt, token: Token.parse(token) }],
  }))
  return {
    agent: 'demo',
    profile: defaultProfile,
    replay,
    peers: new Map(peers.map((peer) => [peer.name, peer])),
  }
}
