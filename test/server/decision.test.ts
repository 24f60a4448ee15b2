import { describe, expect, it } from 'vitest'
import type { AuthEvent } from '../../src/server/scheme/events.js'
import type { Attempt, Decision, State } from '../../src/state/state.js'
import {
  bearerOf,
  Clock,
  codeOf,
  headersOf,
  requestWith,
  schemeFor,
  secondLooks,
  someInstant,
  wrongCodeOf,
} from '../support/guarded.js'

const withCode = (code: string): Record<string, string> => ({
  Authorization: bearerOf('alice'),
  'X-TOTP': code,
})
const right = headersOf('alice', someInstant)
const wrong = withCode(wrongCodeOf(someInstant))
const late = withCode(codeOf('alice', someInstant, { drift: -10 }))

/** What a request and a second look at it lead to, with a state that always answers the same. */
async function decided(fields: Record<string, string>, decision: unknown) {
  const takenBack: Attempt[] = []
  const state: State = {
    supports: { once: true },
    decide: () => decision as Decision,
    takeBack: (attempt) => {
      takenBack.push(attempt)
      return true
    },
  }
  const { scheme, events } = schemeFor(new Clock(), { state })
  const outcome = await scheme.authenticate(requestWith(fields))
  await secondLooks()
  return { outcome, takenBack, types: events.map(({ type }: AuthEvent) => type) }
}

describe('a state that returns no decision', () => {
  it.each<[what: string, fields: Record<string, string>, decision: unknown]>([
    ['accepts a wrong code', wrong, { kind: 'accepted' }],
    ['returns an empty object', right, {}],
    ['returns a kind that nobody knows', right, { kind: 'fine' }],
    ['returns a yes', right, true],
  ])('is reported as broken where it %s, and nobody is let in', async (_, fields, decision) => {
    const { outcome } = await decided(fields, decision)
    expect(outcome.refusal).toMatchObject({
      kind: 'unavailable',
      reason: 'guard-failed',
      peer: 'alice',
      retryAfter: 5,
      failure: { cause: 'bad-decision', advice: expect.stringContaining('accepted a wrong code') as string },
    })
  })
})

describe('only a guess that was counted is looked at again', () => {
  const counted = { kind: 'wrong', counted: true, tripped: true }

  it('as a late code, which is taken back', async () => {
    const { takenBack, types } = await decided(late, counted)
    expect(types).toEqual(['refused', 'code_stale'])
    expect(takenBack).toMatchObject([{ peer: 'alice', comparison: { kind: 'guess' } }])
  })

  it.each<[what: string, decision: unknown, type: string]>([
    ['an exhausted budget', { kind: 'throttled', retryAfter: 30 }, 'throttled'],
    ['a repetition', { ...counted, counted: false }, 'refused'],
  ])('not a late code that was no guess, because of %s', async (_, decision, type) => {
    const { takenBack, types } = await decided(late, decision)
    expect(types).toEqual([type])
    expect(takenBack).toEqual([])
  })

  it('not the right code that a state calls a wrong one', async () => {
    const { outcome, takenBack, types } = await decided(right, counted)
    expect(outcome.refusal).toMatchObject({ kind: 'unauthenticated', reason: 'code-wrong' })
    expect(types).toEqual(['refused'])
    expect(takenBack).toEqual([])
  })
})

describe('an unknown token from a source with too many of them', () => {
  it('is refused as throttled, with the seconds to wait, and no longer with a challenge', async () => {
    const { scheme } = schemeFor(new Clock(), { throttle: { strangers: { perMinute: 1 } } })
    const ask = async () =>
      (await scheme.authenticate(requestWith({ ...right, Authorization: 'Bearer nobody' }))).refusal
    expect(await ask()).toMatchObject({ kind: 'unauthenticated', reason: 'token-refused' })
    expect(await ask()).toEqual({
      kind: 'throttled',
      reason: 'strangers-exhausted',
      retryAfter: 60,
      challenges: [],
    })
  })
})
