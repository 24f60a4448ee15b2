import { describe, expect, it } from 'vitest'
import { withCanaries } from '../../src/core/canary.js'
import { changesBetween } from '../../src/core/changes.js'
import { withPeers } from '../../src/core/provision.js'
import { removedOf, withForgotten, withRemoved } from '../../src/core/removed.js'
import type { Peer, Roster } from '../../src/core/roster.js'
import { rotate } from '../../src/core/rotation.js'
import { TokenHash } from '../../src/core/token.js'
import { validityChange } from '../../src/core/validity.js'
import { auditAcross } from '../../src/doctor/across-audit.js'
import { needlesOf } from '../../src/doctor/needles.js'
import { makeServerFile } from '../../src/fragments/server-json.js'
import { serverMaps } from '../../src/fragments/server-maps.js'
import { codeOf } from '../support/failure.js'
import {
  future,
  lookAt,
  madeAt,
  past,
  peerOf,
  rosterOf,
  seedCredential,
  tokenCredential,
} from '../support/roster.js'

const [alice, bob] = [peerOf('alice'), peerOf('bob', { digits: 8, signed: 'require' })]
const both = rosterOf([alice, bob], { replay: 'once', signed: 'accept' })
const removedFrom = (peer: Peer, roster: Partial<Roster> = {}) =>
  withRemoved(rosterOf([peer], roster), [peer.name], lookAt).removed

describe('a removed peer', () => {
  it('is no peer any more, and is kept with its last credentials and the policies that applied', () => {
    const after = withRemoved(both, ['bob'], lookAt)
    expect([...after.peers.keys()]).toEqual(['alice'])
    expect(after.removed).toEqual([
      {
        name: 'bob',
        algorithm: 'SHA1',
        digits: 8,
        period: 30,
        replay: 'once',
        signed: 'require',
        removedAt: lookAt,
        seed: bob.seeds[0],
        token: bob.tokens[0],
      },
    ])
  })

  it('keeps the newest live seed and token, not those that expired or that a rotation has not handed out', () => {
    const peer = peerOf('carol', {
      seeds: [seedCredential('old', 1), seedCredential('new', 2, future), seedCredential('past', 3, past)],
      tokens: [
        tokenCredential('told', 'a2at_1'),
        tokenCredential('tnew', 'a2at_2'),
        { ...tokenCredential('staged', 'a2at_3'), staged: true },
      ],
    })
    expect(removedFrom(peer)).toMatchObject([{ seed: { id: 'new' }, token: { id: 'tnew' } }])
  })

  it.each<[string, Partial<Peer>, Partial<Roster>]>([
    [
      'whose token is known by its hash alone',
      {
        tokens: [{ id: 't', createdAt: madeAt, token: TokenHash.parse(`sha256:${'0'.repeat(64)}`) }],
      },
      {},
    ],
    ['without a live seed', { seeds: [seedCredential('s', 1, past)] }, {}],
    ['without a live token', { tokens: [tokenCredential('t', 'a2at_x', past)] }, {}],
    ['whose seed is that of all peers', { seeds: [] }, { sharedSeeds: [seedCredential('all', 7)] }],
  ])('%s is removed and not kept', (_, peer, roster) => {
    const after = withRemoved(rosterOf([peerOf('eve', peer)], roster), ['eve'], lookAt)
    expect([after.peers.size, after.removed]).toEqual([0, undefined])
  })

  it('leaves as remove-peer does otherwise: all names or none, and canaries too', () => {
    const canary = { name: 'trap', createdAt: madeAt, tokens: [tokenCredential('c', 'a2at_bait')] }
    const roster = withCanaries(both, [canary])
    expect(codeOf(() => withRemoved(roster, ['bob', 'nobody'], lookAt))).toBe('ERR_PEER_UNKNOWN')
    const after = withRemoved(roster, ['bob', 'trap', 'bob'], lookAt)
    expect(after.canaries?.size).toBe(0)
    expect(after.removed?.map(({ name }) => name)).toEqual(['bob'])
  })

  it('is forgotten by its name and the instant, and no other of that name', () => {
    const later = new Date(lookAt.getTime() + 1)
    const anew = withPeers(withRemoved(both, ['bob'], lookAt), [
      { ...bob, tokens: [tokenCredential('t2', 'a2at_second')] },
    ])
    const twice = withRemoved(anew, ['bob'], later)
    expect(twice.removed?.map(({ removedAt }) => removedAt)).toEqual([lookAt, later])
    const once = withForgotten(twice, [{ name: 'bob', removedAt: lookAt }])
    expect(once.removed).toMatchObject([{ removedAt: later }])
    const none = withForgotten(once, [{ name: 'bob', removedAt: later }])
    expect(Object.keys(none)).not.toContain('removed')
    expect(withForgotten(once, [{ name: 'bob', removedAt: lookAt }])).toBe(once)
  })

  it('is forgotten with others, and not with those that were removed at the same instant', () => {
    const entries = ['alice', 'bob'].map((name) => ({ name, removedAt: lookAt }))
    const after = withRemoved(both, ['alice', 'bob'], lookAt)
    expect(withForgotten(after, entries.slice(1)).removed?.map(({ name }) => name)).toEqual(['alice'])
    expect(withForgotten(after, entries).removed).toBeUndefined()
    expect(withForgotten(both, entries)).toBe(both)
  })

  it('is not among those to be shown as refused while a peer has its token again', () => {
    const after = withRemoved(both, ['alice', 'bob'], lookAt)
    expect(removedOf(after).map(({ name }) => name)).toEqual(['alice', 'bob'])
    expect(removedOf(withPeers(after, [{ ...bob, name: 'robert' }])).map(({ name }) => name)).toEqual([
      'alice',
    ])
    expect(removedOf(both)).toEqual([])
  })

  it('is in the record of changes when it is removed and when it is forgotten', () => {
    const after = withRemoved(both, ['bob'], lookAt)
    const at = lookAt.toISOString()
    expect(changesBetween(both, after)).toEqual([
      { peer: 'bob', field: 'seed', from: 'bob-s1', to: null },
      { peer: 'bob', field: 'token', from: 'bob-t1', to: null },
      { peer: 'bob', field: 'removed', from: null, to: at },
    ])
    const forgotten = withForgotten(after, [{ name: 'bob', removedAt: lookAt }])
    expect(changesBetween(after, forgotten)).toEqual([{ peer: 'bob', field: 'removed', from: at, to: null }])
  })

  it('is in no server file and no map, and ends and is looked for like one that is gone', () => {
    const after = withRemoved(rosterOf([alice, peerOf('bob')]), ['bob'], lookAt)
    const { removed, ...without } = after
    expect(removed).toHaveLength(1)
    for (const make of [makeServerFile, serverMaps.make]) {
      const texts = [after, without].map((roster) => JSON.stringify(make({ roster, at: lookAt })))
      expect(texts[0]).toBe(texts[1])
    }
    expect(validityChange(both, after, lookAt).ended.map(({ id }) => id)).toEqual(['bob-s1', 'bob-t1'])
    expect(needlesOf(after, lookAt).count).toBe(needlesOf(without, lookAt).count)
  })

  it('stays where it is through a rotation of the others', () => {
    const after = withRemoved(both, ['bob'], lookAt)
    const making = { at: lookAt, random: (size: number) => new Uint8Array(size).fill(9) }
    const rotated = rotate(after, 'all', { seed: true, token: true, overlapMs: 1000 }, making)
    expect(rotated.removed).toBe(after.removed)
  })

  it('repeats no credential, though another store still has it', () => {
    const one = { path: 'a.json', tool: 'a2a-totp', roster: withRemoved(both, ['bob'], lookAt) }
    const other = { path: 'b.json', tool: 'a2a-totp', roster: rosterOf([bob]) }
    expect(auditAcross([one, other])).toEqual([])
    expect(auditAcross([{ ...one, roster: both }, other])).toHaveLength(2)
  })
})
