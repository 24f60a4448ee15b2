import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Attempt, Decision, State } from '../../src/state/state.js'
import { inStep, period, rightCode, someStep, wrongCode } from './attempts.js'

/** Makes a state with an empty memory that begins at that instant. */
export type MakeState = (since: Date) => State | Promise<State>

const longAgo = new Date(0)
const budgets = [
  { limit: 3, seconds: 30 },
  { limit: 5, seconds: 3600 },
]

/** What every state promises. A store signs it in a few lines. */
export function stateContract(name: string, make: MakeState): void {
  const kindsOf = async (state: State, attempts: readonly Attempt[]): Promise<Decision['kind'][]> => {
    const answers: Decision['kind'][] = []
    for (const attempt of attempts) answers.push((await state.decide(attempt)).kind)
    return answers
  }

  describe(`${name} as a State, under once`, () => {
    it('accepts exactly one of many simultaneous uses of a step', async () => {
      const state = await make(longAgo)
      const answers = await Promise.all(
        Array.from({ length: 64 }, async () => state.decide(rightCode(someStep))),
      )
      expect(answers.filter(({ kind }) => kind === 'accepted')).toHaveLength(1)
      expect(answers.filter(({ kind }) => kind === 'replayed')).toHaveLength(63)
    })

    it('refuses an older step once a newer one was used, and accepts a still newer one', async () => {
      const state = await make(longAgo)
      const at = inStep(someStep)
      const used = [0, -1, 1, 0].map((drift) => rightCode(someStep + drift, { at }))
      expect(await kindsOf(state, used)).toEqual(['accepted', 'replayed', 'accepted', 'replayed'])
    })

    it('accepts a step exactly when it is newer than every accepted one, in whatever order they come', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 30 }), async (steps) => {
          const state = await make(longAgo)
          let newest = -1
          for (const step of steps) {
            const { kind } = await state.decide(rightCode(someStep + step, { at: inStep(someStep + 20) }))
            expect(kind).toBe(step > newest ? 'accepted' : 'replayed')
            newest = Math.max(newest, step)
          }
        }),
        { numRuns: 50 },
      )
    })

    it('still remembers a used step in the last moment in which its code could be accepted', async () => {
      const state = await make(longAgo)
      await state.decide(rightCode(someStep, { at: inStep(someStep - 1, 0) }))
      const lastMoment = inStep(someStep + 1, period - 0.001)
      expect((await state.decide(rightCode(someStep, { at: lastMoment }))).kind).toBe('replayed')
    })

    it('keeps the claims of peers apart, and of the seeds of one peer, but not of its tokens', async () => {
      const state = await make(longAgo)
      await state.decide(rightCode(someStep))
      expect(
        await kindsOf(state, [
          rightCode(someStep, { peer: 'bob' }),
          rightCode(someStep, { seedId: 'seed-2' }),
          rightCode(someStep, { tokenHash: 'sha256:bb' }),
        ]),
      ).toEqual(['accepted', 'accepted', 'replayed'])
    })

    it('does not mistake one pair of names for another that reads the same when put together', async () => {
      const state = await make(longAgo)
      await state.decide(rightCode(someStep, { peer: 'al', seedId: 'ice' }))
      const other = rightCode(someStep, { peer: 'alice', seedId: '' })
      expect((await state.decide(other)).kind).toBe('accepted')
    })

    it('says to come back when the next step begins', async () => {
      const state = await make(longAgo)
      await state.decide(rightCode(someStep))
      const again = rightCode(someStep, { at: inStep(someStep, 20.5) })
      expect(await state.decide(again)).toEqual({ kind: 'replayed', retryAfter: 10 })
    })

    it('says to come back after the step that was used, for a peer that is ahead or behind', async () => {
      const state = await make(longAgo)
      const at = inStep(someStep, 20)
      await state.decide(rightCode(someStep + 1, { at }))
      for (const step of [someStep + 1, someStep - 1]) {
        expect(await state.decide(rightCode(step, { at }))).toEqual({ kind: 'replayed', retryAfter: 40 })
      }
    })

    it('says that it can do that', async () => {
      expect((await make(longAgo)).supports).toEqual({ once: true })
    })

    it('lets none of 10,000 wrong codes spend a step', async () => {
      const state = await make(longAgo)
      for (let thousand = 0; thousand < 10; thousand++) {
        const codes = Array.from({ length: 1000 }, (_, n) => String(thousand * 1000 + n))
        await Promise.all(codes.map(async (code) => state.decide(wrongCode(code, inStep(someStep)))))
      }
      expect((await state.decide(rightCode(someStep))).kind).toBe('accepted')
    })

    it.each([0, 1, 2])('knows no step that window %i let be used before its memory began', async (window) => {
      const since = inStep(someStep, 10)
      const at = inStep(someStep, 11)
      const state = await make(since)
      const firstKnown = someStep + 1 + window
      for (let step = someStep - window; step < firstKnown; step++) {
        expect(await state.decide(rightCode(step, { at, window }))).toEqual({
          kind: 'unknown',
          retryAfter: (firstKnown - someStep) * period - 11,
        })
      }
      const known = rightCode(firstKnown, { window })
      expect((await state.decide(known)).kind).toBe('accepted')
    })

    it('knows a step whose code became acceptable just when its memory began', async () => {
      const state = await make(inStep(someStep, 0))
      expect((await state.decide(rightCode(someStep + 1))).kind).toBe('accepted')
    })
  })

  describe(`${name} as a State, under reuse`, () => {
    it('accepts a code any number of times, whenever its memory began, and claims nothing', async () => {
      const state = await make(inStep(someStep, 14))
      const uses = Array.from({ length: 10 }, () => rightCode(someStep, { policy: 'reuse' }))
      expect(new Set(await kindsOf(state, uses))).toEqual(new Set(['accepted']))

      const older = await make(longAgo)
      await older.decide(rightCode(someStep, { policy: 'reuse' }))
      expect((await older.decide(rightCode(someStep))).kind).toBe('accepted')
    })
  })

  describe(`${name} as a State against guessing`, () => {
    it('evaluates as many guesses as the budget allows, trips on the last, and then throttles the right code too', async () => {
      const state = await make(longAgo)
      const at = inStep(someStep)
      const answers = []
      for (const code of ['1', '2', '3', '4', '1'])
        answers.push(await state.decide(wrongCode(code, at, { budgets })))
      expect(answers).toEqual([
        { kind: 'wrong', tripped: false },
        { kind: 'wrong', tripped: false },
        { kind: 'wrong', tripped: true },
        { kind: 'throttled', retryAfter: 30 },
        { kind: 'throttled', retryAfter: 30 },
      ])
      expect(await state.decide(rightCode(someStep, { budgets }))).toEqual({
        kind: 'throttled',
        retryAfter: 30,
      })
    })

    it('lets the right code pass once the window has slid past the oldest guess, to the millisecond', async () => {
      const state = await make(longAgo)
      const begin = inStep(someStep, 0).getTime()
      const after = (ms: number): Date => new Date(begin + ms)
      for (const ms of [0, 1000, 2000]) await state.decide(wrongCode(String(ms), after(ms), { budgets }))
      const right = (ms: number): Attempt => rightCode(someStep, { at: after(ms), budgets })
      expect(await state.decide(right(29_999))).toEqual({ kind: 'throttled', retryAfter: 1 })
      expect((await state.decide(right(30_000))).kind).toBe('accepted')
    })

    it('counts the same wrong code once in a time step, and again in the next', async () => {
      const state = await make(longAgo)
      for (let n = 0; n < 20; n++) {
        const answer = await state.decide(wrongCode('123456', inStep(someStep), { budgets }))
        expect(answer).toEqual({ kind: 'wrong', tripped: false })
      }
      const next = inStep(someStep + 1, 0)
      await state.decide(wrongCode('123456', next, { budgets }))
      expect(await state.decide(wrongCode('654321', next, { budgets }))).toEqual({
        kind: 'wrong',
        tripped: true,
      })
    })

    it('takes the same wrong code again for no newer guess', async () => {
      const state = await make(longAgo)
      const guesses = [
        [0, '1'],
        [14, '1'],
        [15, '2'],
        [16, '3'],
      ] as const
      for (const [second, code] of guesses)
        await state.decide(wrongCode(code, inStep(someStep, second), { budgets }))
      const right = rightCode(someStep + 1, { at: inStep(someStep + 1, 0), budgets })
      expect((await state.decide(right)).kind).toBe('accepted')
    })

    it('does not forgive guesses for a success', async () => {
      const state = await make(longAgo)
      const at = inStep(someStep)
      const reuse = { policy: 'reuse', at, budgets } as const
      const answers = await kindsOf(state, [
        wrongCode('1', at, reuse),
        rightCode(someStep, reuse),
        wrongCode('2', at, reuse),
        rightCode(someStep, reuse),
        wrongCode('3', at, reuse),
        rightCode(someStep, reuse),
      ])
      expect(answers).toEqual(['wrong', 'accepted', 'wrong', 'accepted', 'wrong', 'throttled'])
    })

    it('takes no replayed code for a guess', async () => {
      const state = await make(longAgo)
      for (let n = 0; n < 10; n++) await state.decide(rightCode(someStep, { budgets }))
      expect((await state.decide(rightCode(someStep + 1, { budgets }))).kind).toBe('accepted')
    })

    it('keeps the budgets of peers and of tokens apart, so that a new token restores service', async () => {
      const state = await make(longAgo)
      const at = inStep(someStep)
      for (const code of ['1', '2', '3']) await state.decide(wrongCode(code, at, { budgets }))
      const others = [{ tokenHash: 'sha256:bb' }, { peer: 'bob' }]
      for (const other of others) {
        expect((await state.decide(rightCode(someStep, { ...other, budgets }))).kind).toBe('accepted')
      }
    })

    it('never evaluates more guesses in any window than its budget, however they come', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.integer({ min: 0, max: 40_000 }), { minLength: 1, maxLength: 80 }),
          async (gaps) => {
            const state = await make(longAgo)
            const evaluated: number[] = []
            let at = inStep(someStep).getTime()
            for (const [n, gap] of gaps.entries()) {
              at += gap
              const full = budgets.some(
                ({ limit, seconds }) =>
                  evaluated.filter((then) => then > at - seconds * 1000).length >= limit,
              )
              const { kind } = await state.decide(wrongCode(String(n), new Date(at), { budgets }))
              expect(kind).toBe(full ? 'throttled' : 'wrong')
              if (kind === 'wrong') evaluated.push(at)
            }
          },
        ),
        { numRuns: 50 },
      )
    })
  })
}
