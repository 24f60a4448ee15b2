import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Attempt, Decision } from '../../src/state/state.js'
import { inStep, period, rightCode, secondOf, signed, someNonce, someStep, wrongCode } from './attempts.js'
import type { MakeState } from './state-contract.js'

const longAgo = new Date(0)
const policies = ['once', 'reuse'] as const
const accepted: Decision = { kind: 'accepted' }
const replayed: Decision = { kind: 'replayed' }

/** What every state promises of signed requests. */
export function proofContract(name: string, make: MakeState): void {
  describe.each(policies)(`${name} as a State, for signed requests under %s`, (policy) => {
    const given = { policy }

    it('accepts exactly one of many simultaneous requests with one nonce', async () => {
      const state = await make(longAgo)
      const nonce = someNonce()
      const answers = await Promise.all(
        Array.from({ length: 64 }, async () => state.decide(signed(someStep, { ...given, nonce }))),
      )
      expect(answers.filter(({ kind }) => kind === 'accepted')).toHaveLength(1)
      expect(answers.filter((answer) => JSON.stringify(answer) === '{"kind":"replayed"}')).toHaveLength(63)
    })

    it('accepts any number of requests in a time step, each with a nonce of its own', async () => {
      const state = await make(longAgo)
      const answers = await Promise.all(
        Array.from({ length: 200 }, async () => state.decide(signed(someStep, given))),
      )
      expect(new Set(answers.map(({ kind }) => kind))).toEqual(new Set(['accepted']))
    })

    it.each<[what: string, again: Partial<Attempt> & { created?: number; expires?: number }]>([
      ['another peer and token', { peer: 'bob', token: 'sha256:bb' }],
      [
        'other lifetimes',
        { created: secondOf(inStep(someStep)) - 20, expires: secondOf(inStep(someStep)) + 100 },
      ],
      ['another code', rightCode(someStep + 1, { at: inStep(someStep) })],
      ['another policy', { policy: policy === 'once' ? 'reuse' : 'once' }],
      ['further seeds', { seeds: ['another', 'seed-of-alice'] }],
    ])('refuses a spent nonce with %s', async (_what, again) => {
      const state = await make(longAgo)
      const nonce = someNonce()
      expect(await state.decide(signed(someStep, { ...given, nonce }))).toEqual(accepted)
      const repeated = signed(someStep, { ...given, seed: 'seed-of-alice', ...again, nonce })
      expect(await state.decide(repeated)).toEqual(replayed)
    })

    it('keeps the nonces of seeds apart, and tells nonces apart by their text', async () => {
      const state = await make(longAgo)
      const nonces = ['A'.repeat(22), 'a'.repeat(22), `${'A'.repeat(21)}B`, 'A'.repeat(23), 'A'.repeat(64)]
      const digits = ['0'.repeat(22), '0'.repeat(23), `1${'0'.repeat(21)}`, `-${'1'.repeat(21)}`]
      for (const nonce of [...nonces, ...digits]) {
        expect(await state.decide(signed(someStep, { ...given, nonce }))).toEqual(accepted)
      }
      const other = { ...given, seeds: ['another'], nonce: nonces[0] ?? '' }
      expect(await state.decide(signed(someStep, other))).toEqual(accepted)
      for (const nonce of [...nonces, ...digits]) {
        expect(await state.decide(signed(someStep, { ...given, nonce }))).toEqual(replayed)
      }
    })

    it('remembers a nonce in the last moment in which its proof is valid, and while clocks are wrong', async () => {
      const state = await make(longAgo)
      const first = signed(someStep, given)
      expect(await state.decide(first)).toEqual(accepted)
      const { expires } = first.proof ?? { expires: NaN }
      const moments = [expires * 1000 + 999, expires * 1000 + 3_600_000, first.at.getTime() - 3_600_000]
      for (const moment of [...moments, first.at.getTime()]) {
        const at = new Date(moment)
        // So that a state looks for what it can forget.
        await state.decide(signed(someStep, { ...given, at, seed: 'another', seeds: ['another'] }))
        await state.decide(signed(someStep, { ...given, at }))
        expect(await state.decide({ ...first, at })).toEqual(replayed)
      }
    })

    it('accepts while budgets are exhausted, and counts nothing', async () => {
      const state = await make(longAgo)
      const budgets = [{ limit: 1, seconds: 30 }]
      await state.decide(wrongCode('1', inStep(someStep), { budgets }))
      expect(await state.decide(rightCode(someStep, { ...given, budgets }))).toMatchObject({
        kind: 'throttled',
      })
      const first = signed(someStep, { ...given, budgets })
      expect(await state.decide(first)).toEqual(accepted)
      expect(await state.decide(first)).toEqual(replayed)
      const later = rightCode(someStep + 1, { ...given, budgets })
      expect(await state.decide(later)).toEqual(accepted)
    })

    it('knows no proof from before the second in which its memory began', async () => {
      const since = new Date(inStep(someStep).getTime() + 700)
      const at = new Date(since.getTime() + 100)
      const state = await make(since)
      const second = secondOf(since)
      expect(await state.decide(signed(someStep, { ...given, at, created: second - 1 }))).toEqual({
        kind: 'unknown',
        retryAfter: 1,
      })
      // A peer whose clock is a minute behind.
      const behind = { ...given, at, created: second - 60, expires: second }
      expect(await state.decide(signed(someStep, behind))).toMatchObject({ kind: 'unknown' })
      expect(await state.decide(signed(someStep, { ...given, at, created: second }))).toEqual(accepted)
    })

    it('says when a proof will be known', async () => {
      const at = inStep(someStep)
      const state = await make(new Date(at.getTime() + 20_300))
      expect(await state.decide(signed(someStep, { ...given, at }))).toEqual({
        kind: 'unknown',
        retryAfter: 20,
      })
    })

    it('writes nothing for a proof that it does not know', async () => {
      const since = inStep(someStep + 1)
      const state = await make(since)
      const old = signed(someStep, given)
      expect(await state.decide(old)).toMatchObject({ kind: 'unknown' })
      expect(await state.decide({ ...old, at: since })).toMatchObject({ kind: 'unknown' })
      const { nonce } = old.proof ?? { nonce: '' }
      expect(await state.decide(signed(someStep + 1, { ...given, nonce }))).toEqual(accepted)
    })
  })

  describe(`${name} as a State, for signed requests beside plain ones`, () => {
    it('spends the time step for plain requests', async () => {
      const state = await make(longAgo)
      expect(await state.decide(signed(someStep))).toEqual(accepted)
      expect(await state.decide(rightCode(someStep))).toMatchObject({ kind: 'replayed', retryAfter: 15 })
      expect(await state.decide(rightCode(someStep - 1, { at: inStep(someStep) }))).toMatchObject({
        kind: 'replayed',
      })
      expect(await state.decide(rightCode(someStep + 1))).toEqual(accepted)
    })

    it('raises a claim that a plain request made before', async () => {
      const state = await make(longAgo)
      const at = inStep(someStep)
      expect(await state.decide(rightCode(someStep - 1, { at }))).toEqual(accepted)
      expect(await state.decide(signed(someStep, { at }))).toEqual(accepted)
      expect(await state.decide(rightCode(someStep, { at }))).toMatchObject({ kind: 'replayed' })
      expect(await state.decide(rightCode(someStep + 1, { at }))).toEqual(accepted)
    })

    it('accepts a code that a plain request has spent', async () => {
      const state = await make(longAgo)
      expect(await state.decide(rightCode(someStep))).toEqual(accepted)
      expect(await state.decide(signed(someStep))).toEqual(accepted)
      expect(await state.decide(rightCode(someStep))).toMatchObject({ kind: 'replayed' })
    })

    it('never lowers the claim of a seed', async () => {
      const state = await make(longAgo)
      const at = inStep(someStep)
      expect(await state.decide(rightCode(someStep + 1, { at }))).toEqual(accepted)
      expect(await state.decide(signed(someStep - 1, { at }))).toEqual(accepted)
      expect(await state.decide(rightCode(someStep + 1, { at }))).toMatchObject({ kind: 'replayed' })
      expect(await state.decide(signed(someStep, { at, policy: 'reuse' }))).toEqual(accepted)
      expect(await state.decide(rightCode(someStep + 1, { at }))).toMatchObject({ kind: 'replayed' })
    })

    it('raises no claim for a spent nonce', async () => {
      const state = await make(longAgo)
      const nonce = someNonce()
      const at = inStep(someStep)
      await state.decide(signed(someStep, { nonce }))
      expect(await state.decide(signed(someStep + 1, { nonce, at }))).toEqual(replayed)
      expect(await state.decide(rightCode(someStep + 1, { at }))).toEqual(accepted)
    })

    it('raises only the claim of the seed that matched', async () => {
      const state = await make(longAgo)
      await state.decide(signed(someStep, { seeds: ['old', 'new'], seed: 'new' }))
      expect(await state.decide(rightCode(someStep, { seeds: ['old'] }))).toEqual(accepted)
      expect(await state.decide(rightCode(someStep, { seeds: ['new'] }))).toMatchObject({ kind: 'replayed' })
    })

    it('accepts a plain code exactly when its step is newer than every accepted one, however they mix', async () => {
      const request = fc.record({ step: fc.integer({ min: 0, max: 20 }), isSigned: fc.boolean() })
      await fc.assert(
        fc.asyncProperty(fc.array(request, { maxLength: 30 }), async (requests) => {
          const state = await make(longAgo)
          const at = inStep(someStep + 10)
          let newest = -1
          for (const { step, isSigned } of requests) {
            const attempt = (isSigned ? signed : rightCode)(someStep + step, { at })
            const { kind } = await state.decide(attempt)
            expect(kind).toBe(isSigned || step > newest ? 'accepted' : 'replayed')
            newest = Math.max(newest, step)
          }
        }),
        { numRuns: 50 },
      )
    })

    it('knows a proof of now before it knows the code of the same time step', async () => {
      const since = inStep(someStep, 10)
      const state = await make(since)
      const at = inStep(someStep, 11)
      expect(await state.decide(rightCode(someStep, { at }))).toMatchObject({ kind: 'unknown' })
      expect(await state.decide(signed(someStep, { at }))).toEqual(accepted)
      expect(await state.decide(rightCode(someStep, { at }))).toMatchObject({ kind: 'replayed' })
      expect(await state.decide(rightCode(someStep + 2, { at: inStep(someStep + 1, period - 1) }))).toEqual(
        accepted,
      )
    })
  })
}
