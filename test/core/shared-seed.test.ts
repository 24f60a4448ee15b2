import { describe, expect, it } from 'vitest'
import { defaultProfile, type CodeProfile } from '../../src/core/profile.js'
import {
  makeSameCodes,
  mayShareSeed,
  notSharable,
  repeatedSeedProblem,
  requireSharable,
  sharedSeedProblem,
  type SeedUse,
} from '../../src/core/shared-seed.js'
import type { Peer, Roster } from '../../src/core/roster.js'
import { failureOf } from '../support/failure.js'
import { peerOf, rosterOf, seedCredential } from '../support/roster.js'

const why = 'with one seed for all peers, a request of one would spend the codes of the others'
const { algorithm, digits, period } = defaultProfile
const profile: CodeProfile = { algorithm, digits, period }
const others: Partial<CodeProfile>[] = [{ algorithm: 'SHA512' }, { digits: 8 }, { period: 60 }]
const peer = (name: string, changes: Partial<Peer> = {}): Peer => peerOf(name, { seeds: [], ...changes })
const shared = (peers: readonly Peer[], changes: Partial<Roster> = {}): Roster =>
  rosterOf(peers, { sharedSeeds: [seedCredential('all', 7)], ...changes })

describe('two peers', () => {
  it('may share a seed unless a request of one would spend the codes of the other', () => {
    expect(mayShareSeed({ replay: 'reuse' })).toBe(true)
    expect(mayShareSeed({ replay: 'once' })).toBe(false)
    expect(mayShareSeed({ replay: 'once', signed: 'accept' })).toBe(false)
    expect(mayShareSeed({ replay: 'once', signed: 'require' })).toBe(true)
  })

  it('have the same codes of one seed where algorithm, digits and period are the same', () => {
    expect(makeSameCodes(profile, { ...profile })).toBe(true)
    for (const other of others) expect(makeSameCodes(profile, { ...profile, ...other })).toBe(false)
  })

  it('with one seed are refused for what differs, or for what either would spend', () => {
    const reuse: SeedUse = { profile, replay: 'reuse' }
    const once: SeedUse = { profile, replay: 'once' }
    expect(repeatedSeedProblem(reuse, reuse)).toBeUndefined()
    expect(repeatedSeedProblem(reuse, { ...once, signed: 'require' })).toBeUndefined()
    expect(repeatedSeedProblem(once, reuse)).toBe(`: ${why}`)
    expect(repeatedSeedProblem(reuse, once)).toBe(`: ${why}`)
    expect(repeatedSeedProblem(reuse, { ...once, profile: { ...profile, digits: 8 } })).toBe(
      ' with another algorithm, digits or period',
    )
  })
})

it('says whose policy does not go with a shared seed, and what would', () => {
  const rest = `: ${why}; add --signed require, use --replay reuse, or create a store without --shared-seed`
  expect(notSharable('once')).toBe(`policy once${rest}`)
  expect(notSharable('once', ', which the agent has')).toBe(`policy once, which the agent has${rest}`)
})

describe('a roster with a shared seed', () => {
  it('is right where all peers have the same codes and none spends those of another', () => {
    for (const roster of [
      shared([]),
      shared([peer('alice'), peer('bob')]),
      shared([peer('alice'), peer('bob', { replay: 'once', signed: 'require' })]),
      shared([peer('alice'), peer('bob')], { replay: 'once', signed: 'require' }),
      shared([peer('alice', { replay: 'reuse' })], { replay: 'once' }),
      shared([peer('alice', { digits: 8 })]),
    ]) {
      expect(sharedSeedProblem(roster)).toBeUndefined()
      expect(() => requireSharable(roster)).not.toThrow()
    }
  })

  it('is only meant where there is one', () => {
    const own = rosterOf([peerOf('alice', { replay: 'once' }), peerOf('bob', { digits: 8 })], {
      replay: 'once',
    })
    expect(sharedSeedProblem(own)).toBeUndefined()
  })

  it.each(others)('is wrong where peers make other codes of it: %j', (other) => {
    const roster = shared([peer('alice'), peer('bob'), peer('carol', other)])
    expect(sharedSeedProblem(roster)).toEqual({
      kind: 'profile',
      message: '"alice" and "carol" share a seed with different algorithms, digits or periods',
      fix: 'remove "carol" and add it again without --algorithm, --digits and --period',
    })
  })

  it('is wrong under once, its own or a peer’s, and names those peers', () => {
    const roster = shared([peer('alice'), peer('bob', { replay: 'once' })])
    expect(sharedSeedProblem(roster)).toEqual({
      kind: 'once',
      message: `policy once of "bob": ${why}`,
      fix: 'create a store without --shared-seed, or run `a2a-totp set NAME --signed require` or `--replay reuse` for such peers',
    })
    const all = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => peer(name))
    expect(sharedSeedProblem(shared(all, { replay: 'once' }))?.message).toBe(
      `policy once of "a", "b", "c", "d", "e" and 2 more: ${why}`,
    )
  })

  it('is wrong under once of the agent before it has a peer', () => {
    expect(sharedSeedProblem(shared([], { replay: 'once' }))).toEqual({
      kind: 'once',
      message: `policy once of the agent: ${why}`,
      fix: 'create a store without --shared-seed, or run `a2a-totp set --signed require` or `set --replay reuse`',
    })
    expect(sharedSeedProblem(shared([], { replay: 'once', signed: 'require' }))).toBeUndefined()
  })

  it('is refused with what is wrong and what would be right', () => {
    const roster = shared([peer('alice'), peer('bob', { digits: 8 })])
    expect(failureOf(() => requireSharable(roster))).toMatchObject({
      code: 'ERR_CONFIG_INVALID',
      message:
        '"alice" and "bob" share a seed with different algorithms, digits or periods; ' +
        'remove "bob" and add it again without --algorithm, --digits and --period',
    })
  })
})
