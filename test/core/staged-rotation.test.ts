import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ProvisionOptions } from '../../src/core/provision.js'
import {
  isLive,
  newestLive,
  rotationSteps,
  type Credential,
  type Peer,
  type Roster,
  type RotationStep,
} from '../../src/core/roster.js'
import { finishRotation, rotate } from '../../src/core/rotation.js'
import {
  abandonRotation,
  pendingPeers,
  stageRotation,
  withNewAlone,
  withOldEnding,
  withoutPending,
  withStep,
  type Staging,
} from '../../src/core/staged-rotation.js'
import { codeOf, failureOf } from '../support/failure.js'
import { lookAt, peerOf, rosterOf, seedCredential, tokenCredential } from '../support/roster.js'

const hourMs = 3_600_000
const staging: Staging = { id: 'r-1', seed: true, token: true, overlapMs: 24 * hourMs }
let call = 0
const making = (at: Date = lookAt): ProvisionOptions => ({
  at,
  random: (size) => Uint8Array.from({ length: size }, (_, index) => (index === 0 ? ++call : call >> 8)),
})
const peerIn = (roster: Roster, name = 'alice'): Peer => {
  const peer = roster.peers.get(name)
  if (!peer) throw new Error(`no ${name}`)
  return peer
}
const lives = (credentials: readonly { expiresAt?: Date; staged?: true }[]): string[] =>
  credentials.map(
    ({ expiresAt, staged }) => `${expiresAt?.toISOString() ?? 'open'}${staged ? ' staged' : ''}`,
  )
const stage = (roster = rosterOf([peerOf('alice'), peerOf('bob')]), changes: Partial<Staging> = {}): Roster =>
  stageRotation(roster, ['alice'], { ...staging, ...changes }, making())

describe('a staged rotation', () => {
  it('leaves the old credentials in use, with no other end', () => {
    const before = peerOf('alice')
    const { seeds, tokens, pending } = peerIn(stage(rosterOf([before])))
    expect([lives(seeds), lives(tokens)]).toEqual([
      ['open', 'open staged'],
      ['open', 'open staged'],
    ])
    expect(newestLive(seeds, lookAt)).toBe(before.seeds[0])
    expect(pending).toMatchObject({ id: 'r-1', step: 'staged', seed: true, token: true })
  })

  it.each([0, 24 * hourMs])('passes the end of a peer on: overlap %i', (overlapMs) => {
    const end = new Date(lookAt.getTime() + 2 * hourMs)
    const before = peerOf('alice', { seeds: [seedCredential('s', 1, end)] })
    const { seeds, tokens } = peerIn(stage(rosterOf([before]), { overlapMs }))
    const staged = `${end.toISOString()} staged`
    expect(lives(seeds)).toEqual([...(overlapMs === 0 ? [] : [end.toISOString()]), staged])
    expect(lives(tokens).at(-1)).toBe('open staged')
    const delivered = withStep(stage(rosterOf([before]), { overlapMs }), 'alice', 'r-1', 'delivered')
    const ending = withOldEnding(delivered, ['alice'], 'r-1', lookAt)
    expect(lives(peerIn(ending).seeds)).toEqual(lives(peerIn(delivered).seeds))
  })

  it('uses the new ones once they are delivered, and ends the old ones with the overlap', () => {
    const admitted = withStep(stage(), 'alice', 'r-1', 'admitted')
    expect(peerIn(admitted).seeds.at(-1)?.staged).toBe(true)
    const delivered = withStep(admitted, 'alice', 'r-1', 'delivered')
    expect(lives(peerIn(delivered).seeds)).toEqual(['open', 'open'])
    const ending = withOldEnding(delivered, ['alice'], 'r-1', lookAt)
    expect(lives(peerIn(ending).tokens)).toEqual(['2026-06-02T00:00:00.000Z', 'open'])
    expect(peerIn(ending).pending).toBeDefined()
    const over = withoutPending(ending, ['alice'], 'r-1')
    expect(peerIn(over)).not.toHaveProperty('pending')
    expect(peerIn(over, 'bob')).toBe(peerIn(admitted, 'bob'))
  })

  it('does a step twice without effect, goes never back, and lengthens no life', () => {
    const delivered = withStep(stage(), 'alice', 'r-1', 'delivered')
    for (const step of ['staged', 'admitted', 'delivered'] as const)
      expect(withStep(delivered, 'alice', 'r-1', step)).toBe(delivered)
    const ending = withOldEnding(delivered, ['alice'], 'r-1', lookAt)
    expect(withOldEnding(ending, ['alice'], 'r-1', new Date(lookAt.getTime() + hourMs))).toBe(ending)
  })

  it('has the new credentials alone for a fragment', () => {
    const staged = peerIn(stage())
    const { seeds, tokens } = withNewAlone(staged)
    expect(seeds).toHaveLength(1)
    expect(seeds[0]?.id).toBe(staged.seeds[1]?.id)
    expect(tokens.map(({ id }) => id)).toEqual([staged.tokens[1]?.id])
    const onlyToken = peerIn(stage(undefined, { seed: false }))
    expect(withNewAlone(onlyToken).seeds).toBe(onlyToken.seeds)
  })

  it('is only of what is renewed, and of the peers that are', () => {
    const before = rosterOf([peerOf('alice'), peerOf('bob')])
    const one = stage(before, { token: false })
    expect(peerIn(one).pending).toMatchObject({ seed: true, token: false })
    expect(peerIn(one).tokens).toEqual(peerIn(before).tokens)
    expect(peerIn(one, 'bob')).toBe(peerIn(before, 'bob'))
    expect(peerIn(stage(before, { seed: false })).pending).toMatchObject({ seed: false, token: true })
    expect(stage(before, { madeBefore: new Date(0) })).toBe(before)
    expect(pendingPeers(one)).toEqual([peerIn(one)])
    expect(pendingPeers(before)).toEqual([])
  })

  it('leaves each of several old tokens its own end, and has the new one alone for a fragment', () => {
    const end = new Date(lookAt.getTime() + hourMs)
    const tokens = [tokenCredential('t1', 'a2at_1', end), tokenCredential('t2', 'a2at_2')]
    const staged = peerIn(stage(rosterOf([peerOf('alice', { tokens })])))
    expect(lives(staged.tokens)).toEqual([end.toISOString(), 'open', 'open staged'])
    expect(staged.tokens.slice(0, 2)).toEqual(tokens)
    const alone = withNewAlone(staged)
    expect([lives(alone.tokens), alone.tokens[0]?.id]).toEqual([['open'], staged.tokens[2]?.id])
    const other = peerOf('bob')
    expect(withNewAlone(other)).toBe(other)
  })

  it.each<[seed: boolean, token: boolean, seeds: string[], tokens: string[]]>([
    [true, false, ['2026-06-02T00:00:00.000Z', 'open'], ['open']],
    [false, true, ['open'], ['2026-06-02T00:00:00.000Z', 'open']],
  ])('ends what it has renewed alone: seed %j, token %j', (seed, token, seeds, tokens) => {
    const delivered = withStep(stage(undefined, { seed, token }), 'alice', 'r-1', 'delivered')
    const ending = peerIn(withOldEnding(delivered, ['alice'], 'r-1', lookAt))
    expect([lives(ending.seeds), lives(ending.tokens)]).toEqual([seeds, tokens])
  })

  it('uses the new ones, too, where they are proved without a step between', () => {
    expect(lives(peerIn(withStep(stage(), 'alice', 'r-1', 'proved')).seeds)).toEqual(['open', 'open'])
  })

  it('is not for a canary, nor for a seed that all peers share', () => {
    const trap = { name: 'trap', createdAt: lookAt, tokens: [tokenCredential('c', 'a2at_bait')] }
    const roster = rosterOf([peerOf('alice')], { canaries: new Map([['trap', trap]]) })
    expect(failureOf(() => stageRotation(roster, ['alice', 'trap'], staging, making()))).toMatchObject({
      code: 'ERR_USAGE',
      message:
        '"trap" is a canary, which nobody uses; rotate it without a delivery, and plant its new fragment by hand',
    })
    expect(pendingPeers(stageRotation(roster, 'all', staging, making()))).toHaveLength(1)
    const shared = rosterOf([peerOf('alice', { seeds: [] })], { sharedSeeds: [seedCredential('s', 7)] })
    expect(failureOf(() => stageRotation(shared, 'all', staging, making()))).toMatchObject({
      code: 'ERR_USAGE',
      message:
        'this store has one seed for all peers, so it cannot be handed out peer by peer; pass --token, or run ' +
        '`a2a-totp rotate --all --seed` and hand the new seed to all peers within the overlap',
    })
    expect(lives(peerIn(stage(shared, { seed: false })).tokens)).toEqual(['open', 'open staged'])
  })

  it('is known by its id', () => {
    const other = stage(undefined, { id: 'r-2' })
    expect(codeOf(() => withStep(other, 'alice', 'r-1', 'admitted'))).toBe('ERR_NOTHING_PENDING')
    expect(codeOf(() => withOldEnding(other, ['alice'], 'r-1', lookAt))).toBe('ERR_NOTHING_PENDING')
    expect(withoutPending(other, ['alice'], 'r-1')).toBe(other)
  })

  it('is over where the peer is in no rotation, or gone', () => {
    const roster = stage()
    for (const name of ['bob', 'nobody']) {
      expect(failureOf(() => withStep(roster, name, 'r-1', 'admitted'))).toMatchObject({
        code: 'ERR_NOTHING_PENDING',
        message: `another command ended this rotation of "${name}"; \`a2a-totp list\` shows what is`,
      })
      expect(withoutPending(roster, [name], 'r-1')).toBe(roster)
    }
  })

  it('refuses another rotation, but one that ends everything', () => {
    const staged = stage()
    const plain = { seed: true, token: true, overlapMs: hourMs }
    for (const attempt of [
      () => rotate(staged, ['alice'], plain, making()),
      () => stageRotation(staged, 'all', staging, making()),
      () => finishRotation(staged, ['alice'], plain, lookAt),
    ])
      expect(failureOf(attempt)).toMatchObject({
        code: 'ERR_ROTATION_PENDING',
        message:
          'a rotation of alice is not finished (staged); run `a2a-totp rotate alice --resume`, or --abandon, ' +
          'or pass --now after a leak',
      })
    const ended = peerIn(rotate(staged, ['alice'], { ...plain, overlapMs: 0 }, making()))
    expect([ended.seeds.length, ended.tokens.length, ended.pending]).toEqual([1, 1, undefined])
  })

  it('leaves what is in use when only the token leaks, and nothing that is staged', () => {
    const leak = { seed: false, token: true, overlapMs: 0 }
    const staged = stage()
    const early = peerIn(rotate(staged, ['alice'], leak, making()))
    expect(early.seeds).toEqual(peerIn(rosterOf([peerOf('alice')])).seeds)
    const delivered = withStep(staged, 'alice', 'r-1', 'delivered')
    const late = peerIn(rotate(delivered, ['alice'], leak, making()))
    expect(late.seeds.map(({ id }) => id)).toEqual([peerIn(delivered).seeds.at(-1)?.id])
    expect([early.tokens.length, late.tokens.length]).toEqual([1, 1])
  })

  it('of a token leaves the seeds in their overlap when that token leaks', () => {
    const end = new Date(lookAt.getTime() + hourMs)
    const seeds = [seedCredential('s1', 1, end), seedCredential('s2', 2)]
    const roster = stage(rosterOf([peerOf('alice', { seeds })]), { seed: false })
    const delivered = withStep(roster, 'alice', 'r-1', 'delivered')
    const leak = { seed: false, token: true, overlapMs: 0 }
    expect(peerIn(rotate(delivered, ['alice'], leak, making())).seeds).toEqual(seeds)
  })

  it.each<[step: RotationStep, left: string[]]>([
    ['staged', ['t1', 't2']],
    ['admitted', ['t1', 't2']],
    ['delivered', ['new']],
    ['proved', ['new']],
  ])('leaves the tokens in use when the seed leaks after it was %s', (step, left) => {
    const end = new Date(lookAt.getTime() + hourMs)
    const tokens = [tokenCredential('t1', 'a2at_1', end), tokenCredential('t2', 'a2at_2')]
    const roster = withStep(stage(rosterOf([peerOf('alice', { tokens })])), 'alice', 'r-1', step)
    const after = peerIn(rotate(roster, ['alice'], { seed: true, token: false, overlapMs: 0 }, making()))
    expect(after.tokens.map(({ id }) => (tokens.some((one) => one.id === id) ? id : 'new'))).toEqual(left)
    expect([after.seeds.length, after.pending]).toEqual([1, undefined])
  })

  it('leaves its new token in use when the seed leaks and no old token is left', () => {
    const atOnce = stage(undefined, { overlapMs: 0 })
    const after = peerIn(rotate(atOnce, ['alice'], { seed: true, token: false, overlapMs: 0 }, making()))
    expect(after.tokens.map(({ id }) => id)).toEqual(peerIn(atOnce).tokens.map(({ id }) => id))
    expect(lives(after.tokens)).toEqual(['open'])
  })

  it('is abandoned before it is delivered, and while an old credential is live', () => {
    const before = rosterOf([peerOf('alice')])
    expect(peerIn(abandonRotation(stage(before), ['alice'], lookAt))).toEqual(peerIn(before))
    const delivered = withStep(stage(before), 'alice', 'r-1', 'delivered')
    const atOnce = stage(before, { overlapMs: 0 })
    for (const roster of [delivered, atOnce])
      expect(codeOf(() => abandonRotation(roster, ['alice'], lookAt))).toBe('ERR_ROTATION_PENDING')
    expect(failureOf(() => abandonRotation(delivered, ['alice'], lookAt)).message).toBe(
      'the new credentials of alice are delivered and in use, so they cannot be abandoned; ' +
        'run `a2a-totp rotate alice --resume`, or rotate again after it',
    )
    expect(failureOf(() => abandonRotation(atOnce, ['alice'], lookAt)).message).toBe(
      'the old credentials of alice have ended, so only the new ones are left; run `a2a-totp rotate alice --resume`',
    )
    expect(failureOf(() => abandonRotation(before, ['alice'], lookAt))).toMatchObject({
      code: 'ERR_NOTHING_PENDING',
      message: 'no rotation of "alice" is pending; `a2a-totp list` shows what is',
    })
  })

  it.each<[seed: boolean, token: boolean, dead: 'seed' | 'token', isAbandoned: boolean]>([
    [true, true, 'seed', false],
    [true, true, 'token', false],
    [true, false, 'seed', false],
    [true, false, 'token', true],
    [false, true, 'seed', true],
    [false, true, 'token', false],
  ])(
    'of seed %j and token %j is abandoned where the old %s has ended: %j',
    (seed, token, dead, isAbandoned) => {
      const end = new Date(lookAt.getTime() + hourMs)
      const old = peerOf('alice', {
        seeds: [seedCredential('s', 1, dead === 'seed' ? end : undefined)],
        tokens: [tokenCredential('t', 'a2at_t', dead === 'token' ? end : undefined)],
      })
      const staged = stage(rosterOf([old]), { seed, token })
      if (isAbandoned) expect(peerIn(abandonRotation(staged, ['alice'], end))).toEqual(old)
      else expect(codeOf(() => abandonRotation(staged, ['alice'], end))).toBe('ERR_ROTATION_PENDING')
    },
  )

  it('has credentials in use at every step, which the agent knows', () => {
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.boolean(),
        fc.constantFrom(...rotationSteps),
        fc.nat(48),
        (seed, token, last, hours) => {
          fc.pre(seed || token)
          let roster = stage(undefined, { seed, token })
          for (const step of rotationSteps.slice(0, rotationSteps.indexOf(last) + 1))
            roster = withStep(roster, 'alice', 'r-1', step)
          if (last === 'proved') roster = withOldEnding(roster, ['alice'], 'r-1', lookAt)
          const at = new Date(lookAt.getTime() + hours * hourMs)
          for (const credentials of [peerIn(roster).seeds, peerIn(roster).tokens]) {
            const used = newestLive<Credential>(credentials, at)
            expect(used && isLive(used, at)).toBe(true)
            expect(credentials.filter((one) => isLive(one, at)).length).toBeLessThanOrEqual(2)
          }
        },
      ),
    )
  })
})
