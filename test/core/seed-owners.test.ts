import { describe, expect, it } from 'vitest'
import { ownerOf, repeatedSeedWarning, SeedOwners } from '../../src/core/seed-owners.js'
import type { Peer } from '../../src/core/roster.js'
import { codeOf } from '../support/failure.js'
import { future, lookAt, past, peerOf, rosterOf, seedCredential } from '../support/roster.js'

const roster = rosterOf([
  peerOf('alice', { seeds: [seedCredential('a-old', 1, past), seedCredential('a', 2, future)] }),
  peerOf('carol', { seeds: [seedCredential('c', 3)] }),
])
const add = (name: string, byte: number, overrides: Partial<Peer> = {}): boolean =>
  new SeedOwners(roster, lookAt).add(
    ownerOf(roster, peerOf(name, { seeds: [seedCredential('new', byte)], ...overrides })),
  )

describe('a seed that is brought along', () => {
  it('is nobody else’s where no live seed is the same', () => {
    expect([add('bob', 9), add('bob', 1), add('alice', 2)]).toEqual([false, false, false])
  })

  it('is reported where an agent would take it for two peers', () => {
    expect([add('bob', 2), add('bob', 3)]).toEqual([true, true])
  })

  it('is refused where an agent would refuse the two', () => {
    expect(() => add('bob', 2, { digits: 8 })).toThrow(
      /^"bob" has a seed of peer "alice" with another .*; use a seed of its own$/,
    )
    expect(() => add('bob', 3, { replay: 'once' })).toThrow(
      /^"bob" has a seed of peer "carol": .*of its own$/,
    )
  })

  it('is refused as a seed that is not allowed', () => {
    expect(codeOf(() => add('bob', 2, { digits: 8 }))).toBe('ERR_SEED_INVALID')
  })

  it('counts for those that come after it, unless it was refused', () => {
    const owners = new SeedOwners(roster, lookAt)
    const bob = ownerOf(roster, peerOf('bob', { seeds: [seedCredential('b', 9)] }))
    const dan = ownerOf(roster, peerOf('dan', { seeds: [seedCredential('d', 9)] }))
    expect(() =>
      owners.add({ ...bob, seeds: [seedCredential('b', 9), seedCredential('b2', 2)], replay: 'once' }),
    ).toThrow()
    expect([owners.add(bob), owners.add(dan)]).toEqual([false, true])
  })

  it('is warned of by name', () => {
    expect(repeatedSeedWarning(['bob'])).toMatch(/^bob has a seed that another .*rotate bob$/)
    expect(repeatedSeedWarning(['bob', 'dan'])).toMatch(/^bob, dan have seeds that another .*rotate NAME$/)
  })
})
