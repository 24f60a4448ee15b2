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
} from '../../src/core/roster.js'
import { finishRotation, rotate } from '../../src/core/rotation.js'
import {
  abandonRotation,
  stageRotation,
  withNewAlone,
  withOldEnding,
  withoutPending,
  withStep,
  type Staging,
} from '../../src/core/staged-rotation.js'
import { codeOf, failureOf } from '../support/failure.js'
import { lookAt, peerOf, rosterOf, seedCredential } from '../support/roster.js'

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

  it('is known by its id', () => {
    const other = stage(undefined, { id: 'r-2' })
    expect(codeOf(() => withStep(other, 'alice', 'r-1', 'admitted'))).toBe('ERR_NOTHING_PENDING')
    expect(codeOf(() => withOldEnding(other, ['alice'], 'r-1', lookAt))).toBe('ERR_NOTHING_PENDING')
    expect(withoutPending(other, ['alice'], 'r-1')).toBe(other)
  })

  it('refuses another rotation, but one that ends everything', () => {
    const staged = stage()
    const plain = { seed: true, token: true, overlapMs: hourMs }
    for (const attempt of [
      () => rotate(staged, ['alice'], plain, making()),
      () => stageRotation(staged, 'all', staging, making()),
      () => finishRotation(staged, ['alice'], plain, lookAt),
    ])
      expect(failureOf(attempt)).toMatchObject({ code: 'ERR_ROTATION_PENDING' })
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

  it('is abandoned before it is delivered, and while an old credential is live', () => {
    const before = rosterOf([peerOf('alice')])
    expect(peerIn(abandonRotation(stage(before), ['alice'], lookAt))).toEqual(peerIn(before))
    const delivered = withStep(stage(before), 'alice', 'r-1', 'delivered')
    const atOnce = stage(before, { overlapMs: 0 })
    for (const roster of [delivered, atOnce])
      expect(codeOf(() => abandonRotation(roster, ['alice'], lookAt))).toBe('ERR_ROTATION_PENDING')
    expect(codeOf(() => abandonRotation(before, ['alice'], lookAt))).toBe('ERR_NOTHING_PENDING')
  })

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
