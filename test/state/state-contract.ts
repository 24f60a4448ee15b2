import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Attempt, Decision, LateCode, State } from '../../src/state/state.js'
import { inStep, period, rightCode, someStep, wrongCode } from './attempts.js'
import { proofContract } from './proof-contract.js'

/** Makes a state with an empty memory that begins at that instant. */
export type MakeState = (since: Date) => State | Promise<State>

const longAgo = new Date(0)
const budgets = [
  { limit: 3, seconds: 30 },
  { limit: 5, seconds: 3600 },
]

/** What every state promises. A store signs it in a few lines. */
export function stateContract(name: string, make: MakeState): void {
  proofContract(name, make)

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

    it('keeps the claims of seeds apart, and those of one seed together, whatever peer or token it comes with', async () => {
      const state = await make(longAgo)
      await state.decide(rightCode(someStep))
      expect(
        await kindsOf(state, [
          rightCode(someStep, { peer: 'bob' }),
          rightCode(someStep, { token: 'sha256:bb' }),
          rightCode(someStep, { seeds: ['another', 'seed-of-alice'], seed: 'seed-of-alice' }),
          rightCode(someStep, { seeds: ['another', 'seed-of-alice'] }),
          rightCode(someStep, { seeds: ['another'] }),
        ]),
      ).toEqual(['replayed', 'replayed', 'replayed', 'accepted', 'replayed'])
    })

    it('remembers a used step while the clock is ahead by an hour and after it was set back', async () => {
      const state = await make(longAgo)
      const hour = 3600 / period
      await state.decide(rightCode(someStep))
      for (const away of [hour, -hour]) {
        await state.decide(
          rightCode(someStep + hour + 1, { seeds: ['another'], at: inStep(someStep + away) }),
        )
        expect((await state.decide(rightCode(someStep))).kind).toBe('replayed')
      }
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
      expect((await make(longAgo)).supports).toEqual({ once: true, proofs: true })
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
    it('accepts a code any number of times, whenever its memory began', async () => {
      const state = await make(inStep(someStep, 14))
      const uses = Array.from({ length: 10 }, () => rightCode(someStep, { policy: 'reuse' }))
      expect(new Set(await kindsOf(state, uses))).toEqual(new Set(['accepted']))
    })

    it('spends the time step all the same, for when the policy becomes once', async () => {
      const state = await make(longAgo)
      expect(
        await kindsOf(state, [
          rightCode(someStep, { policy: 'reuse' }),
          rightCode(someStep - 1, { policy: 'reuse' }),
          rightCode(someStep),
          rightCode(someStep + 1),
          rightCode(someStep, { policy: 'reuse' }),
        ]),
      ).toEqual(['accepted', 'accepted', 'replayed', 'accepted', 'accepted'])
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
        { kind: 'wrong', counted: true, tripped: false },
        { kind: 'wrong', counted: true, tripped: false },
        { kind: 'wrong', counted: true, tripped: true },
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
        expect(answer).toEqual({ kind: 'wrong', counted: n === 0, tripped: false })
      }
      const next = inStep(someStep + 1, 0)
      await state.decide(wrongCode('123456', next, { budgets }))
      expect(await state.decide(wrongCode('654321', next, { budgets }))).toEqual({
        kind: 'wrong',
        counted: true,
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

    it('keeps the budgets of seeds apart, and counts guesses with all tokens and of all peers at the seed', async () => {
      const state = await make(longAgo)
      const at = inStep(someStep)
      const given = [{ token: 'sha256:aa' }, { token: 'sha256:bb' }, { peer: 'bob' }]
      for (const [code, one] of given.entries())
        await state.decide(wrongCode(String(code), at, { budgets, ...one }))
      expect(
        await kindsOf(state, [
          rightCode(someStep, { budgets, token: 'sha256:cc' }),
          rightCode(someStep, { budgets, seeds: ['another'] }),
        ]),
      ).toEqual(['throttled', 'accepted'])
    })

    it('counts a guess at every live seed, and throttles while the budget of one is exhausted', async () => {
      const state = await make(longAgo)
      const at = inStep(someStep)
      await state.decide(wrongCode('1', at, { budgets, seeds: ['old'] }))
      for (const code of ['2', '3'])
        await state.decide(wrongCode(code, at, { budgets, seeds: ['old', 'new'] }))
      const right = (...seeds: string[]): Attempt => rightCode(someStep, { budgets, seeds, policy: 'reuse' })
      expect(
        await kindsOf(state, [right('old', 'new'), right('new', 'old'), right('old'), right('new')]),
      ).toEqual(['throttled', 'throttled', 'throttled', 'accepted'])
      expect(await state.decide(wrongCode('4', at, { budgets, seeds: ['new'] }))).toMatchObject({
        tripped: true,
      })
    })

    it('counts nothing where no seed is live, so that nothing piles up', async () => {
      const state = await make(longAgo)
      const wrong = wrongCode('1', inStep(someStep), { budgets, seeds: [] })
      expect(await state.decide(wrong)).toEqual({ kind: 'wrong', counted: false, tripped: false })
    })

    it('forgets guesses with tokens that are no longer live, so that a new token restores service', async () => {
      const state = await make(longAgo)
      const at = inStep(someStep)
      const stolen = {
        budgets,
        policy: 'reuse',
        token: 'sha256:aa',
        liveTokens: () => ['sha256:aa'],
      } as const
      const both = { ...stolen, token: 'sha256:bb', liveTokens: () => ['sha256:bb', 'sha256:aa'] }
      const fresh = { ...both, liveTokens: () => ['sha256:bb'] }
      for (const code of ['1', '2', '3']) await state.decide(wrongCode(code, at, stolen))
      expect(
        await kindsOf(state, [
          rightCode(someStep, stolen),
          rightCode(someStep, both),
          rightCode(someStep, fresh),
          rightCode(someStep, fresh),
          // A replica that has not read the new rules yet, or a rotation that was undone.
          rightCode(someStep, both),
          rightCode(someStep, stolen),
        ]),
      ).toEqual(['throttled', 'throttled', 'accepted', 'accepted', 'throttled', 'throttled'])
      const answers = []
      for (const code of ['4', '5', '6', '7']) answers.push(await state.decide(wrongCode(code, at, fresh)))
      expect(answers.map(({ kind }) => kind)).toEqual(['wrong', 'wrong', 'wrong', 'throttled'])
    })

    it('counts a guess once and trips nothing, where only dead tokens have used up the rest of the budget', async () => {
      const state = await make(longAgo)
      const at = inStep(someStep)
      const stolen = { budgets, token: 'sha256:aa', liveTokens: () => ['sha256:aa'] }
      for (const code of ['1', '2']) await state.decide(wrongCode(code, at, stolen))
      const fresh = { budgets, token: 'sha256:bb', liveTokens: () => ['sha256:bb'] }
      const answers = []
      for (const code of ['3', '4', '5']) answers.push(await state.decide(wrongCode(code, at, fresh)))
      expect(answers).toEqual([
        { kind: 'wrong', counted: true, tripped: false },
        { kind: 'wrong', counted: true, tripped: false },
        { kind: 'wrong', counted: true, tripped: true },
      ])
    })

    it('trips on the guess that exhausts the budget of one seed, with dead tokens at another', async () => {
      const state = await make(longAgo)
      const at = inStep(someStep)
      const stolen = { budgets, token: 'sha256:aa', liveTokens: () => ['sha256:aa'] }
      await state.decide(wrongCode('1', at, { ...stolen, seeds: ['old'] }))
      const fresh = { budgets, token: 'sha256:bb', liveTokens: () => ['sha256:bb'] }
      for (const code of ['2', '3']) await state.decide(wrongCode(code, at, { ...fresh, seeds: ['new'] }))
      expect(await state.decide(wrongCode('4', at, { ...fresh, seeds: ['old', 'new'] }))).toEqual({
        kind: 'wrong',
        counted: true,
        tripped: true,
      })
    })

    it('leaves no place to a token whose guesses were taken back', async () => {
      const state = await make(longAgo)
      const at = inStep(someStep)
      const late = { timeStep: someStep - 5, drift: -5 }
      const tokens = Array.from({ length: 16 }, (_, n) => `sha256:${n}`)
      for (const [n, token] of tokens.entries()) {
        const attempt = wrongCode(String(n), at, { budgets, token, liveTokens: () => tokens })
        await state.decide(attempt)
        await state.takeBack?.(attempt, late)
      }
      const stolen = { budgets, token: 'sha256:stolen', liveTokens: () => ['sha256:stolen'] }
      for (const code of ['a', 'b', 'c']) await state.decide(wrongCode(code, at, stolen))
      expect((await state.decide(rightCode(someStep, stolen))).kind).toBe('throttled')
      const fresh = { budgets, token: 'sha256:new', liveTokens: () => ['sha256:new'] }
      expect((await state.decide(rightCode(someStep, fresh))).kind).toBe('accepted')
    })

    it('keeps the guesses with a live token, however many were made with dead ones since', async () => {
      const state = await make(longAgo)
      const guessWith = async (token: string, code: string, live: readonly string[]): Promise<string> =>
        (
          await state.decide(
            wrongCode(code, inStep(someStep), { budgets, token, liveTokens: () => [token, ...live] }),
          )
        ).kind
      await guessWith('sha256:b', 'b', [])
      for (let round = 0; round < 5; round++) {
        const token = `sha256:${round}`
        for (const code of ['1', '2']) await guessWith(token, `${round} ${code}`, ['sha256:b'])
      }
      expect([await guessWith('sha256:b', 'x', []), await guessWith('sha256:b', 'y', [])]).toEqual([
        'wrong',
        'wrong',
      ])
      expect(await guessWith('sha256:b', 'z', [])).toBe('throttled')
    })

    it('lets a clock that was far ahead for one guess lock nobody out', async () => {
      const state = await make(longAgo)
      await state.decide(wrongCode('1', inStep(someStep + 86_400), { budgets }))
      for (const code of ['2', '3']) await state.decide(wrongCode(code, inStep(someStep), { budgets }))
      const later = rightCode(someStep + 130, { budgets })
      expect((await state.decide(later)).kind).toBe('accepted')
    })

    it('forgets no guess where tokens are not listed', async () => {
      const state = await make(longAgo)
      const at = inStep(someStep)
      for (const code of ['1', '2', '3']) await state.decide(wrongCode(code, at, { budgets }))
      const listed = { budgets, token: 'sha256:bb', liveTokens: () => ['sha256:bb'] }
      expect((await state.decide(rightCode(someStep, listed))).kind).toBe('throttled')
    })

    it('tells 16 tokens apart, and forgets no guess with any other', async () => {
      const state = await make(longAgo)
      const at = inStep(someStep)
      const loose = [{ limit: 20, seconds: 3600 }]
      const tokens = Array.from({ length: 20 }, (_, n) => `sha256:${n}`)
      for (const [n, token] of tokens.entries()) {
        await state.decide(wrongCode(String(n), at, { budgets: loose, token, liveTokens: () => tokens }))
      }
      const right = (limit: number): Attempt =>
        rightCode(someStep, {
          policy: 'reuse',
          budgets: [{ limit, seconds: 3600 }],
          token: 'sha256:new',
          liveTokens: () => ['sha256:new'],
        })
      expect((await state.decide(right(4))).kind).toBe('throttled')
      expect((await state.decide(right(5))).kind).toBe('accepted')
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

  describe(`${name} as a State, for late codes`, () => {
    const at = inStep(someStep)
    const behind = { timeStep: someStep - 5, drift: -5 }

    /** Counts a guess and looks at it again. */
    const guess = async (
      state: State,
      code: string,
      late: LateCode | undefined,
      given: Partial<Attempt> = {},
    ): Promise<boolean | undefined> => {
      const attempt = wrongCode(code, given.at ?? at, { budgets, ...given })
      expect(await state.decide(attempt)).toMatchObject({ kind: 'wrong', counted: true })
      return late && (await state.takeBack?.(attempt, late))
    }

    /** A code ahead by that many steps, sent that many steps after `someStep`. */
    const ahead = (state: State, after: number, drift: number, given: Partial<Attempt> = {}) =>
      guess(
        state,
        `${after} ${drift}`,
        { timeStep: someStep + after + drift, drift },
        { ...given, at: inStep(someStep + after), budgets: [{ limit: 1000, seconds: 86_400 }] },
      )

    it('takes back a code behind the window, at every seed and with its token', async () => {
      const state = await make(longAgo)
      const given = { seeds: ['old', 'new'], token: 'sha256:aa', liveTokens: () => ['sha256:aa'] }
      for (const code of ['1', '2', '3', '4']) {
        expect(await guess(state, code, behind, given)).toBe(true)
      }
      expect((await state.decide(rightCode(someStep, { budgets, ...given }))).kind).toBe('accepted')
    })

    it('frees the budget that a late code has exhausted', async () => {
      const state = await make(longAgo)
      for (const code of ['1', '2']) await guess(state, code, undefined)
      expect(await guess(state, '3', behind)).toBe(true)
      expect((await state.decide(rightCode(someStep, { budgets, policy: 'reuse' }))).kind).toBe('accepted')
      await guess(state, '4', undefined)
      expect((await state.decide(rightCode(someStep, { budgets }))).kind).toBe('throttled')
    })

    it('does not count a late code again in its time step', async () => {
      const state = await make(longAgo)
      await guess(state, '1', behind)
      const again = wrongCode('1', at, { budgets })
      expect(await state.decide(again)).toEqual({ kind: 'wrong', counted: false, tripped: false })
    })

    it('counts the first code ahead, and takes back the next ones of a clock that is ahead by as much', async () => {
      const state = await make(longAgo)
      expect(await ahead(state, 0, 5)).toBe(false)
      expect([await ahead(state, 1, 5), await ahead(state, 2, 6), await ahead(state, 3, 5)]).toEqual([
        true,
        true,
        true,
      ])
    })

    it('goes on taking back as long as they come, a day long', async () => {
      const state = await make(longAgo)
      const answers = []
      for (let after = 0; after < 24 * 120; after += 20) answers.push(await ahead(state, after, 20))
      expect(answers.filter((one) => one !== true)).toHaveLength(1)
    })

    it.each<[why: string, after: number, drift: number, given: Partial<Attempt>]>([
      ['another drift', 1, 7, {}],
      ['the same time step', 0, 5, { seeds: ['another'] }],
      ['an older time step', 0, 4, {}],
      ['another peer', 1, 5, { peer: 'bob' }],
      ['more than 20 minutes later', 41, 5, {}],
    ])('counts a code ahead of %s', async (_why, after, drift, given) => {
      const state = await make(longAgo)
      await ahead(state, 0, 5)
      expect(await ahead(state, after, drift, given)).toBe(false)
    })
  })
}
