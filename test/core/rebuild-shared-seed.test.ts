import { describe, expect, it } from 'vitest'
import { withKnownAgent, type KnownAgent, type Rebuilt } from '../../src/core/rebuild.js'
import type { Peer, Roster } from '../../src/core/roster.js'
import { knownAgent, knownPeer } from '../support/known-agent.js'
import { peerOf, rosterOf, seedCredential } from '../support/roster.js'

const take = (roster: Roster, file: KnownAgent): Rebuilt => withKnownAgent(roster, file, false)
const [alice, bob] = [peerOf('alice', { note: 'nightly' }), peerOf('bob')]

describe('a seed for all peers', () => {
  const bare = [alice, bob].map((one) => ({ ...one, seeds: [] }))
  const sharing = (ids: [string, number][], peers = bare): Roster =>
    rosterOf(peers, { sharedSeeds: ids.map(([id, byte]) => seedCredential(id, byte)) })
  const sharingFile = (ids: [string, number][], peers: readonly Peer[] = bare): KnownAgent =>
    knownAgent(
      peers.map((one) => knownPeer(one)),
      { sharedSeeds: ids.map(([id, byte]) => seedCredential(id, byte)) },
    )

  it('is that of both, with the ids of the file', () => {
    const { roster, conflicts } = take(
      sharing([['own', 1]]),
      sharingFile([
        ['file', 1],
        ['next', 2],
      ]),
    )
    expect(roster.sharedSeeds).toEqual([seedCredential('file', 1), seedCredential('next', 2)])
    expect([conflicts, roster.peers]).toEqual([[], new Map(bare.map((one) => [one.name, one]))])
  })

  it('is kept where the store has a peer more', () => {
    const { roster, added, conflicts } = take(
      sharing([['own', 1]]),
      sharingFile([['file', 1]], [peerOf('carol', { seeds: [] })]),
    )
    expect(roster.sharedSeeds).toEqual([seedCredential('own', 1)])
    expect([added, conflicts]).toEqual([['carol'], []])
  })

  it('is another’s where it differs', () => {
    const { conflicts } = take(sharing([['own', 1]]), sharingFile([['file', 2]]))
    expect(conflicts).toEqual(
      ['alice', 'bob'].map((name) => ({ name, message: `"${name}" has another seed in the store` })),
    )
  })

  it('takes the place of seeds of their own that are the same', () => {
    const own = rosterOf([{ ...alice, seeds: [seedCredential('s', 1)] }])
    const { roster, completed, conflicts } = take(own, sharingFile([['file', 1]], bare.slice(0, 1)))
    expect(roster.sharedSeeds).toEqual([seedCredential('file', 1)])
    expect(roster.peers.get('alice')).toMatchObject({ note: 'nightly', seeds: [] })
    expect([completed, conflicts]).toEqual([['alice'], []])
  })

  it('is not mixed with seeds of their own', () => {
    const conflict = 'only one of the store and the file has a seed for all peers'
    const one = take(sharing([['own', 1]]), knownAgent([knownPeer(peerOf('carol'))]))
    expect(one.conflicts).toEqual([{ name: 'carol', message: conflict }])
    const other = take(rosterOf([alice, bob]), sharingFile([['file', 1]], [peerOf('carol', { seeds: [] })]))
    expect(other.conflicts).toEqual([{ name: 'carol', message: conflict }])
    expect([one.added, other.added]).toEqual([[], []])
  })

  it('stays with its peers where the file has the same one as their own', () => {
    const roster = sharing([['own', 1]], bare.slice(0, 1))
    const own = knownPeer({ ...alice, seeds: [seedCredential('file', 1)] })
    const after = take(roster, knownAgent([own]))
    expect(after.conflicts).toEqual([
      { name: 'alice', message: 'only one of the store and the file has a seed for all peers' },
    ])
    expect([after.roster.sharedSeeds, after.roster.peers]).toEqual([roster.sharedSeeds, roster.peers])
  })
})
