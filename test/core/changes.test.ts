import { describe, expect, it } from 'vitest'
import { changesBetween, namesChanged, type ChangedField } from '../../src/core/changes.js'
import { withRemoved } from '../../src/core/removed.js'
import type { Roster, TokenCredential } from '../../src/core/roster.js'
import { rotate } from '../../src/core/rotation.js'
import { stageRotation, withStep } from '../../src/core/staged-rotation.js'
import { TokenHash } from '../../src/core/token.js'
import { lookAt, peerOf, rosterOf, seedCredential, tokenCredential } from '../support/roster.js'

const [alice, bob, carol] = [peerOf('alice'), peerOf('bob'), peerOf('carol')]
const names = (before: Roster, after: Roster): string[] => namesChanged(changesBetween(before, after))

describe('the peers in which two rosters differ', () => {
  it('are those that were added, removed or changed', () => {
    const before = rosterOf([alice, bob])
    expect(names(before, rosterOf([alice, bob]))).toEqual([])
    expect(names(before, rosterOf([alice, bob, carol]))).toEqual(['carol'])
    expect(names(before, rosterOf([bob]))).toEqual(['alice'])
    expect(names(before, rosterOf([alice, { ...bob, note: 'n' }, carol]))).toEqual(['bob', 'carol'])
  })

  it('are none if only what they share differs', () => {
    const before = rosterOf([alice])
    const after: Roster = { ...before, replay: 'once', sharedSeeds: [seedCredential('s', 1)] }
    expect(changesBetween(before, after)).toEqual<ChangedField[]>([
      { field: 'replay', from: 'reuse', to: 'once' },
      { field: 'seed', from: null, to: 's' },
    ])
    expect(names(before, after)).toEqual([])
  })
})

describe('the changes between two rosters', () => {
  it('name a new peer by the ids of its credentials', () => {
    expect(changesBetween(rosterOf([]), rosterOf([alice]))).toEqual<ChangedField[]>([
      { peer: 'alice', field: 'seed', from: null, to: 'alice-s1' },
      { peer: 'alice', field: 'token', from: null, to: 'alice-t1' },
    ])
  })

  it('name a rename, and nothing else', () => {
    const renamed = { ...alice, name: 'alicia' }
    expect(changesBetween(rosterOf([alice, bob]), rosterOf([renamed, bob]))).toEqual<ChangedField[]>([
      { peer: 'alicia', field: 'name', from: 'alice', to: 'alicia' },
    ])
    const noted = { ...renamed, note: 'new' }
    expect(changesBetween(rosterOf([alice]), rosterOf([noted]))).toContainEqual({
      peer: 'alicia',
      field: 'note',
      from: null,
      to: 'new',
    })
  })

  it('name each field of the agent', () => {
    const before = rosterOf([])
    const profile = { ...before.profile, window: 2, header: 'X-Code' }
    expect(
      changesBetween(before, { ...before, profile, agent: 'mail', url: 'https://mail.example' }),
    ).toEqual([
      { field: 'agent', from: 'agent', to: 'mail' },
      { field: 'url', from: null, to: 'https://mail.example' },
      { field: 'window', from: 1, to: 2 },
      { field: 'header', from: 'X-TOTP', to: 'X-Code' },
    ])
  })

  it('name the credentials of a rotation and when the old ones end, without any secret', () => {
    let call = 0
    const making = { at: lookAt, random: (size: number) => new Uint8Array(size).fill(++call) }
    const before = rosterOf([alice])
    const after = rotate(before, ['alice'], { seed: true, token: true, overlapMs: 1000 }, making)
    const changes = changesBetween(before, after)
    expect(changes.map(({ field, id, from }) => [field, id ?? null, from])).toEqual([
      ['seed', null, null],
      ['seed.expiresAt', 'alice-s1', null],
      ['token', null, null],
      ['token.expiresAt', 'alice-t1', null],
    ])
    const text = JSON.stringify(changes)
    for (const { seeds, tokens } of after.peers.values()) {
      for (const { seed } of seeds) expect(text).not.toContain(seed.base32)
      for (const { token } of tokens) expect(text).not.toContain(token.value)
    }
  })

  it('name what was removed just now, and not what was removed before', () => {
    const [once, twice] = [lookAt, new Date(lookAt.getTime() + 1)].map((at) =>
      withRemoved(rosterOf([bob]), ['bob'], at),
    )
    const [first, second] = [once?.removed ?? [], twice?.removed ?? []]
    const before = rosterOf([alice], { removed: first })
    expect(changesBetween(before, { ...before, removed: [...first, ...second] })).toEqual<ChangedField[]>([
      { peer: 'bob', field: 'removed', from: null, to: '2026-06-01T00:00:00.001Z' },
    ])
  })

  it('name the note of a canary, and each field of one that had been a peer', () => {
    const trap = { name: 'trap', createdAt: lookAt, tokens: [tokenCredential('c1', 'a2at_bait')] }
    const withCanary = (note?: string): Roster =>
      rosterOf([], { canaries: new Map([['trap', { ...trap, ...(note && { note }) }]]) })
    expect(changesBetween(withCanary(), withCanary('in the wiki'))).toEqual<ChangedField[]>([
      { peer: 'trap', field: 'note', from: null, to: 'in the wiki' },
    ])
    const peer = peerOf('trap', { seeds: [], tokens: trap.tokens })
    expect(changesBetween(rosterOf([peer]), withCanary())).toEqual<ChangedField[]>([
      { peer: 'trap', field: 'algorithm', from: 'SHA1', to: null },
      { peer: 'trap', field: 'digits', from: 6, to: null },
      { peer: 'trap', field: 'period', from: 30, to: null },
    ])
  })

  it('name how far a staged rotation has come, and what is in use since', () => {
    let call = 0
    const making = { at: lookAt, random: (size: number) => new Uint8Array(size).fill(++call) }
    const staging = { id: 'r-1', seed: false, token: true, overlapMs: 1000 }
    const before = rosterOf([alice])
    const staged = stageRotation(before, ['alice'], staging, making)
    const [, { id }] = staged.peers.get('alice')?.tokens as [TokenCredential, TokenCredential]
    expect(changesBetween(before, staged)).toEqual<ChangedField[]>([
      { peer: 'alice', field: 'pending', from: null, to: 'staged' },
      { peer: 'alice', field: 'token', from: null, to: id },
    ])
    expect(changesBetween(staged, withStep(staged, 'alice', 'r-1', 'delivered'))).toEqual<ChangedField[]>([
      { peer: 'alice', field: 'pending', from: 'staged', to: 'delivered' },
      { peer: 'alice', field: 'token.staged', from: true, to: false, id },
    ])
  })

  it('take no peer for another that came as it left', () => {
    expect(changesBetween(rosterOf([alice]), rosterOf([bob]))).toEqual<ChangedField[]>([
      { peer: 'alice', field: 'seed', from: 'alice-s1', to: null },
      { peer: 'alice', field: 'token', from: 'alice-t1', to: null },
      { peer: 'bob', field: 'seed', from: null, to: 'bob-s1' },
      { peer: 'bob', field: 'token', from: null, to: 'bob-t1' },
    ])
  })

  it('take nobody for renamed who was there before, or is there still', () => {
    const heir = { ...bob, tokens: alice.tokens }
    const fresh = { ...alice, tokens: [tokenCredential('new', 'a2at_new')] }
    for (const [before, after] of [
      [rosterOf([alice, bob]), rosterOf([heir])],
      [rosterOf([alice]), rosterOf([fresh, heir])],
    ] as const)
      expect(changesBetween(before, after).map(({ field }) => field)).not.toContain('name')
  })

  it('do not take a token that became known for a new one', () => {
    const { token } = tokenCredential('alice-t1', 'a2at_token-of-alice')
    const known = { ...tokenCredential('alice-t1', 'x'), token: TokenHash.parse(token.hash) }
    expect(changesBetween(rosterOf([{ ...alice, tokens: [known] }]), rosterOf([alice]))).toEqual([])
  })
})
