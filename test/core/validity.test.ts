import { describe, expect, it } from 'vitest'
import type { Peer } from '../../src/core/roster.js'
import { validityChange } from '../../src/core/validity.js'
import { future, lookAt, past, peerOf, rosterOf, seedCredential, tokenCredential } from '../support/roster.js'

const later = new Date('2026-07-01T00:00:00Z')
const none = { again: [], ended: [] }

/** What a change of alice's credentials does; she has no others. */
function change(before: Partial<Peer>, after: Partial<Peer>) {
  const rosters = [before, after].map((own) => rosterOf([peerOf('alice', { seeds: [], tokens: [], ...own })]))
  const [old, now] = rosters as [(typeof rosters)[0], (typeof rosters)[0]]
  return validityChange(old, now, lookAt)
}

describe('what a change makes of the credentials that an agent accepts', () => {
  it('is nothing where all stays as it is, or only what expired differs', () => {
    const roster = rosterOf([peerOf('alice'), peerOf('bob')], { sharedSeeds: [seedCredential('s', 7)] })
    expect(validityChange(roster, roster, lookAt)).toEqual(none)
    const seeds = [seedCredential('s', 1, later)]
    expect(change({ seeds }, { seeds })).toEqual(none)
    expect(change({ seeds: [seedCredential('s', 1, past)] }, { seeds: [] })).toEqual(none)
    expect(change({ seeds: [] }, { seeds: [seedCredential('s', 1, past)] })).toEqual(none)
  })

  it('names the peer, the kind and the id of what comes and goes', () => {
    const back = change({}, { seeds: [seedCredential('s', 1)], tokens: [tokenCredential('t', 'a2at_x')] })
    const both = [
      { peer: 'alice', kind: 'seed', id: 's' },
      { peer: 'alice', kind: 'token', id: 't' },
    ]
    expect(back).toStrictEqual({ again: both, ended: [] })
    const gone = change({ seeds: [seedCredential('s', 1)], tokens: [tokenCredential('t', 'a2at_x')] }, {})
    expect(gone).toStrictEqual({ again: [], ended: both })
  })

  it('names no peer for a seed that all of them share', () => {
    const seeds = [seedCredential('s1', 1), seedCredential('s2', 2)]
    const [bare, shared] = [rosterOf([]), rosterOf([], { sharedSeeds: seeds })]
    const both = [
      { kind: 'seed', id: 's1' },
      { kind: 'seed', id: 's2' },
    ]
    expect(validityChange(bare, shared, lookAt)).toStrictEqual({ again: both, ended: [] })
    expect(validityChange(shared, bare, lookAt)).toStrictEqual({ again: [], ended: both })
  })

  it('goes by what a credential is, whatever its id and its peer', () => {
    const [one, other] = [seedCredential('s', 1), seedCredential('s', 2)]
    expect(change({ seeds: [one] }, { seeds: [{ ...one, id: 'imported' }] })).toEqual(none)
    expect(change({ seeds: [one] }, { seeds: [other] })).toMatchObject({
      again: [{ id: 's' }],
      ended: [{ id: 's' }],
    })
    const robert = rosterOf([{ ...peerOf('bob'), name: 'robert' }])
    expect(validityChange(rosterOf([peerOf('bob')]), robert, lookAt)).toEqual(none)
  })

  it('takes no notice of canaries, which no agent accepts', () => {
    const trap = { name: 'trap', createdAt: past, tokens: [tokenCredential('c', 'a2at_bait')] }
    const withTrap = rosterOf([], { canaries: new Map([['trap', trap]]) })
    expect(validityChange(rosterOf([]), withTrap, lookAt)).toEqual(none)
    expect(validityChange(withTrap, rosterOf([]), lookAt)).toEqual(none)
  })
})

describe('the end of a credential', () => {
  const seedUntil = (end?: Date): Partial<Peer> => ({ seeds: [seedCredential('s', 1, end)] })
  const seed = { peer: 'alice', kind: 'seed', id: 's' }

  it.each<[string, Date | undefined, Date | undefined]>([
    ['has been reached', past, undefined],
    ['has just been reached', lookAt, later],
    ['is removed', future, undefined],
    ['is put off', future, later],
  ])('makes it valid again where it %s before', (_, before, after) => {
    expect(change(seedUntil(before), seedUntil(after))).toEqual({ again: [seed], ended: [] })
  })

  it('that comes earlier, but not yet, changes nothing', () => {
    expect(change(seedUntil(later), seedUntil(future))).toEqual(none)
    expect(change(seedUntil(), seedUntil(later))).toEqual(none)
  })

  it('ends it once it is reached', () => {
    expect(change(seedUntil(), seedUntil(lookAt))).toEqual({ again: [], ended: [seed] })
  })

  it('may be put off for one that a newer one has replaced, which goes when that is undone', () => {
    const tokens = [tokenCredential('old', 'a2at_1', future), tokenCredential('new', 'a2at_2')]
    const undone = change({ tokens }, { tokens: [tokenCredential('old', 'a2at_1')] })
    expect(undone).toEqual({ again: [], ended: [{ peer: 'alice', kind: 'token', id: 'new' }] })
  })

  it('counts for one whose newer one has expired', () => {
    const expired = tokenCredential('new', 'a2at_2', past)
    const before = [tokenCredential('old', 'a2at_1', future), expired]
    const after = [tokenCredential('old', 'a2at_1', later), expired]
    expect(change({ tokens: before }, { tokens: after })).toEqual({
      again: [{ peer: 'alice', kind: 'token', id: 'old' }],
      ended: [],
    })
  })
})
