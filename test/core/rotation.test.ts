import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isLive, type Canary, type Peer, type Roster } from '../../src/core/roster.js'
import type { ProvisionOptions } from '../../src/core/provision.js'
import { finishRotation, rotate, type Rotation } from '../../src/core/rotation.js'
import { codeOf, failureOf } from '../support/failure.js'
import { future, lookAt, past, peerOf, rosterOf, seedCredential, tokenCredential } from '../support/roster.js'

const hourMs = 3_600_000
const both: Rotation = { seed: true, token: true, overlapMs: 24 * hourMs }

let call = 0
const making = (at: Date = lookAt): ProvisionOptions => ({
  at,
  random: (size) => Uint8Array.from({ length: size }, (_, index) => (index === 0 ? ++call : call >> 8)),
})

const peerIn = (roster: Roster, name = 'alice') => {
  const peer = roster.peers.get(name)
  if (!peer) throw new Error(`no ${name}`)
  return peer
}
const lives = (credentials: readonly { id: string; expiresAt?: Date }[]): (string | undefined)[] =>
  credentials.map(({ expiresAt }) => expiresAt?.toISOString())

describe('rotating', () => {
  it('puts a new seed and token last, and lets the old ones end with the overlap', () => {
    const before = rosterOf([peerOf('alice', { algorithm: 'SHA256' }), peerOf('bob')])
    const after = rotate(before, ['alice'], both, making())
    const { seeds, tokens } = peerIn(after)
    expect(seeds[0]?.id).toBe('alice-s1')
    expect(lives(seeds)).toEqual(['2026-06-02T00:00:00.000Z', undefined])
    expect(lives(tokens)).toEqual(['2026-06-02T00:00:00.000Z', undefined])
    expect(seeds[1]?.seed.bits).toBe(256)
    expect(seeds[1]?.createdAt).toBe(lookAt)
    expect(peerIn(after, 'bob')).toBe(peerIn(before, 'bob'))
    expect(peerIn(before).seeds).toHaveLength(1)
  })

  it('renews the seed or the token alone', () => {
    const before = rosterOf([peerOf('alice')])
    const seed = peerIn(rotate(before, 'all', { ...both, token: false }, making()))
    expect([seed.seeds.length, seed.tokens.length]).toEqual([2, 1])
    const token = peerIn(rotate(before, 'all', { ...both, seed: false }, making()))
    expect([token.seeds.length, token.tokens.length]).toEqual([1, 2])
  })

  it('leaves only the new ones when there is no overlap', () => {
    const { seeds, tokens } = peerIn(
      rotate(rosterOf([peerOf('alice')]), 'all', { ...both, overlapMs: 0 }, making()),
    )
    expect([lives(seeds), lives(tokens)]).toEqual([[undefined], [undefined]])
    expect(seeds[0]?.id).not.toBe('alice-s1')
  })

  it('never lengthens a life, and drops what has expired', () => {
    const seeds = [seedCredential('dead', 1, past), seedCredential('short', 2, future)]
    const after = peerIn(rotate(rosterOf([peerOf('alice', { seeds })]), 'all', both, making()))
    expect(lives(after.seeds)).toEqual([future.toISOString(), future.toISOString()])
    expect(after.seeds[0]?.id).toBe('short')
  })

  it.each([0, hourMs, 24 * hourMs])(
    'passes the end of a peer on, each kind its own: overlap %i',
    (overlapMs) => {
      const [soon, end] = [new Date(lookAt.getTime() + 2 * hourMs), new Date(lookAt.getTime() + 48 * hourMs)]
      const seeds = [seedCredential('superseded', 1, soon), seedCredential('s', 2, end)]
      const tokens = [tokenCredential('superseded', 'a2at_1', soon), tokenCredential('t', 'a2at_2')]
      const peer = peerOf('alice', { seeds: seeds.slice(overlapMs === 0 ? 0 : 1), tokens })
      const after = peerIn(rotate(rosterOf([peer]), 'all', { ...both, overlapMs }, making()))
      const overlap = new Date(lookAt.getTime() + overlapMs).toISOString()
      expect(lives(after.seeds)).toEqual([...(overlapMs === 0 ? [] : [overlap]), end.toISOString()])
      expect(after.tokens.at(-1)).not.toHaveProperty('expiresAt')
      expect(after.seeds.every(({ expiresAt }) => expiresAt && expiresAt <= end)).toBe(true)
    },
  )

  it('ends the old ones of a peer no later than it would have', () => {
    const end = new Date(lookAt.getTime() + 2 * hourMs)
    const peer = peerOf('alice', {
      seeds: [seedCredential('s', 1, end)],
      tokens: [tokenCredential('t', 'a2at_t', end)],
    })
    const { seeds, tokens } = peerIn(rotate(rosterOf([peer]), ['alice'], both, making()))
    expect(lives([...seeds, ...tokens])).toEqual(Array(4).fill(end.toISOString()))
  })

  it('has no end for what follows credentials that have expired, however long older ones live', () => {
    const tokens = [tokenCredential('old', 'a2at_1', future), tokenCredential('t', 'a2at_2', past)]
    const peer = peerOf('alice', { seeds: [seedCredential('s', 1, past)], tokens })
    const after = peerIn(rotate(rosterOf([peer]), 'all', both, making()))
    expect(lives(after.seeds)).toEqual([undefined])
    expect(lives(after.tokens)).toEqual([future.toISOString(), undefined])
  })

  it('has no end for a shared seed, which no setting could change', () => {
    const sharedSeeds = [seedCredential('shared', 9, new Date(lookAt.getTime() + 48 * hourMs))]
    const after = rotate(rosterOf([peerOf('alice', { seeds: [] })], { sharedSeeds }), 'all', both, making())
    expect(lives(after.sharedSeeds ?? [])).toEqual(['2026-06-02T00:00:00.000Z', undefined])
  })

  it('passes the end of a canary on', () => {
    const tokens = [tokenCredential('t', 'a2at_bait', future)]
    const canaries = new Map([['bait', { name: 'bait', createdAt: lookAt, tokens }]])
    const after = rotate(rosterOf([], { canaries }), ['bait'], { ...both, overlapMs: 0 }, making())
    expect(lives(after.canaries?.get('bait')?.tokens ?? [])).toEqual([future.toISOString()])
  })

  it('leaves a canary alone that is not named, or young enough', () => {
    const canary = (name: string): Canary => ({
      name,
      createdAt: lookAt,
      tokens: [tokenCredential(`${name}-t`, `a2at_${name}`)],
    })
    const canaries = new Map(['bait', 'lure'].map((name) => [name, canary(name)]))
    const roster = rosterOf([], { canaries })
    expect(rotate(roster, ['bait'], both, making()).canaries?.get('lure')).toBe(canaries.get('lure'))
    expect(rotate(roster, ['bait'], { ...both, madeBefore: new Date(0) }, making())).toBe(roster)
    expect(finishRotation(roster, ['bait'], both, lookAt)).toBe(roster)
  })

  it('makes the codes of another profile from the new seed alone, and keeps the overlap of tokens', () => {
    const roster = rosterOf([peerOf('alice')])
    const profile = { algorithm: 'SHA256', digits: 8 } as const
    const alice = peerIn(rotate(roster, 'all', { ...both, profile }, making()))
    expect(alice).toMatchObject({ algorithm: 'SHA256', digits: 8, period: 30 })
    expect(alice.seeds.map(({ seed, expiresAt }) => [seed.bits, expiresAt])).toEqual([[256, undefined]])
    expect(lives(alice.tokens)).toEqual(['2026-06-02T00:00:00.000Z', undefined])
    expect(rotate(roster, 'all', { ...both, profile, madeBefore: new Date(0) }, making())).toBe(roster)
  })

  it('refuses no peer with more live seeds than two that it leaves alone', () => {
    const seeds = [1, 2, 3].map((byte) => seedCredential(`s${byte}`, byte))
    const roster = rosterOf([peerOf('alice', { seeds })])
    expect(rotate(roster, 'all', { ...both, madeBefore: new Date(0) }, making())).toBe(roster)
  })

  it('has another profile for each peer of a shared seed', () => {
    const bare = ['alice', 'bob'].map((name) => peerOf(name, { seeds: [] }))
    const roster = rosterOf(bare, { sharedSeeds: [seedCredential('shared', 9)] })
    const after = rotate(roster, 'all', { ...both, token: false, profile: { digits: 8 } }, making())
    expect([...after.peers.values()]).toEqual(bare.map((peer) => ({ ...peer, digits: 8 })))
    expect(lives(after.sharedSeeds ?? [])).toEqual([undefined])
    expect(after.sharedSeeds?.[0]?.id).not.toBe('shared')
  })

  it('refuses a third live seed for any of its peers, and takes one with no overlap', () => {
    const twice = [seedCredential('one', 1), seedCredential('two', 2)]
    const roster = rosterOf([peerOf('bob'), peerOf('alice', { seeds: twice })])
    const error = failureOf(() => rotate(roster, 'all', both, making()))
    expect(error.code).toBe('ERR_OVERLAP_FULL')
    expect(error.message).toContain('a2a-totp rotate alice --finish')
    expect(peerIn(rotate(roster, 'all', { ...both, overlapMs: 0 }, making())).seeds).toHaveLength(1)
    expect(peerIn(rotate(roster, 'all', { ...both, seed: false }, making())).tokens).toHaveLength(2)
  })

  it('leaves alone what is young enough, each kind on its own', () => {
    const madeBefore = new Date(lookAt.getTime() - 90 * 24 * hourMs)
    const young = { ...seedCredential('young', 3), createdAt: new Date(madeBefore.getTime() + 1) }
    const roster = rosterOf([peerOf('alice', { seeds: [young] })])
    const after = rotate(roster, 'all', { ...both, madeBefore }, making())
    expect(peerIn(after).seeds).toEqual([young])
    expect(peerIn(after).tokens).toHaveLength(2)
    expect(rotate(after, 'all', { ...both, madeBefore }, making())).toBe(after)
  })

  it('renews what is as old as it may be, to the millisecond, and who is old among the young', () => {
    const madeBefore = new Date(lookAt.getTime() - 90 * 24 * hourMs)
    const made = (createdAt: Date): Peer => peerOf('x', { seeds: [{ ...seedCredential('s', 3), createdAt }] })
    const roster = rosterOf([
      { ...made(madeBefore), name: 'alice' },
      { ...made(new Date(madeBefore.getTime() + 1)), name: 'bob' },
    ])
    const after = rotate(roster, 'all', { ...both, token: false, madeBefore }, making())
    expect([peerIn(after).seeds.length, peerIn(after, 'bob').seeds.length]).toEqual([2, 1])
  })

  it('renews what has expired, however young it is', () => {
    const seeds = [{ ...seedCredential('dead', 1, past), createdAt: lookAt }]
    const roster = rosterOf([peerOf('alice', { seeds })])
    const after = rotate(roster, 'all', { ...both, token: false, madeBefore: past }, making())
    expect(peerIn(after).seeds.map(({ id }) => id)).not.toContain('dead')
  })

  it('renews a shared seed alone, and refuses a third of them too', () => {
    const roster = rosterOf([peerOf('alice', { seeds: [] })], { sharedSeeds: [seedCredential('shared', 9)] })
    const after = rotate(roster, 'all', { ...both, token: false }, making())
    expect(after.sharedSeeds).toHaveLength(2)
    expect(peerIn(after)).toBe(peerIn(roster))
    const { message } = failureOf(() => rotate(after, 'all', { ...both, token: false }, making()))
    expect(message).toMatch(/^the store already has 2 live seeds; run `a2a-totp rotate --all --finish`/)
  })

  it('renews a shared seed for all peers or for none', () => {
    const roster = rosterOf([peerOf('alice', { seeds: [] }), peerOf('bob', { seeds: [] })], {
      sharedSeeds: [seedCredential('shared', 9)],
    })
    expect(codeOf(() => rotate(roster, ['alice'], both, making()))).toBe('ERR_USAGE')
    expect(rotate(roster, ['alice'], { ...both, seed: false }, making()).sharedSeeds).toBe(roster.sharedSeeds)
    const after = rotate(roster, 'all', both, making())
    expect(lives(after.sharedSeeds ?? [])).toEqual(['2026-06-02T00:00:00.000Z', undefined])
    expect([...after.peers.values()].map(({ seeds, tokens }) => [seeds.length, tokens.length])).toEqual([
      [0, 2],
      [0, 2],
    ])
    expect(finishRotation(after, 'all', both, lookAt).sharedSeeds).toHaveLength(1)
  })

  it('knows every name, or renews nothing', () => {
    expect(codeOf(() => rotate(rosterOf([peerOf('alice')]), ['alice', 'carol'], both, making()))).toBe(
      'ERR_PEER_UNKNOWN',
    )
  })
})

describe('finishing a rotation', () => {
  it('keeps the newest live credential alone', () => {
    const rotated = rotate(rosterOf([peerOf('alice')]), 'all', both, making())
    const after = finishRotation(rotated, ['alice'], both, lookAt)
    expect(peerIn(after).seeds).toEqual(peerIn(rotated).seeds.slice(1))
    expect(peerIn(after).tokens).toEqual(peerIn(rotated).tokens.slice(1))
    expect(finishRotation(after, 'all', both, lookAt)).toBe(after)
  })

  it('keeps the seeds when only the tokens are meant', () => {
    const rotated = rotate(rosterOf([peerOf('alice')]), 'all', both, making())
    const { seeds, tokens } = peerIn(finishRotation(rotated, 'all', { seed: false, token: true }, lookAt))
    expect([seeds.length, tokens.length]).toEqual([2, 1])
    const other = peerIn(finishRotation(rotated, 'all', { seed: true, token: false }, lookAt))
    expect([other.seeds.length, other.tokens.length]).toEqual([1, 2])
  })

  it('leaves the peers of a shared seed as they are', () => {
    const roster = rosterOf([peerOf('alice', { seeds: [] })], {
      sharedSeeds: [seedCredential('one', 1), seedCredential('two', 2)],
    })
    const after = finishRotation(roster, 'all', both, lookAt)
    expect(after.sharedSeeds?.map(({ id }) => id)).toEqual(['two'])
    expect(peerIn(after)).toBe(peerIn(roster))
  })

  it('leaves a peer whose credentials have all expired its last, so that it can be told apart', () => {
    const tokens = ['a', 'b', 'c'].map((id) => tokenCredential(id, `token-${id}`, past))
    const after = finishRotation(rosterOf([peerOf('alice', { tokens })]), 'all', both, lookAt)
    expect(peerIn(after).tokens.map(({ id }) => id)).toEqual(['c'])
  })
})

it('whatever is rotated when, a peer has one or two live seeds, and what it was handed last is among them', () => {
  const step = fc.record({
    waitMs: fc.integer({ min: 0, max: 48 * hourMs }),
    overlapMs: fc.integer({ min: 0, max: 48 * hourMs }),
    finish: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      let roster = rosterOf([peerOf('alice')])
      let at = lookAt
      for (const { waitMs, overlapMs, finish } of steps) {
        at = new Date(at.getTime() + waitMs)
        const handedOut = peerIn(roster).seeds.at(-1)?.id
        try {
          roster = finish
            ? finishRotation(roster, 'all', both, at)
            : rotate(roster, 'all', { ...both, overlapMs }, making(at))
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_OVERLAP_FULL' })
        }
        const live = peerIn(roster).seeds.filter((seed) => isLive(seed, at))
        expect([1, 2]).toContain(live.length)
        expect(live.at(-1)).toBe(peerIn(roster).seeds.at(-1))
        if (overlapMs > 0 || finish) expect(live.map(({ id }) => id)).toContain(handedOut)
      }
    }),
  )
})
