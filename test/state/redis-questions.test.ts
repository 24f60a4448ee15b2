import { describe, expect, it } from 'vitest'
import { decideKeys, questionOf, takeBackKeys, takeBackQuestionOf } from '../../src/state/redis-questions.js'
import { inStep, rightCode, secondOf, signed, someNonce, someStep, wrongCode } from './attempts.js'

/**
 * Replicas that share a Redis may be of two versions, or one of them in Python. What they call a seed, a time step and a
 * guess has to be the same, or each would count by itself. These names were computed with Python's hashlib and hmac.
 */
describe('replicas of any version ask Redis', () => {
  const at = inStep(someStep)
  const unlisted = { seeds: ['old', 'new'], budgets: [{ limit: 3, seconds: 3600 }] }
  const given = { ...unlisted, token: 'sha256:aa' }
  const guess = wrongCode('123456', at, given)
  const [old, young] = ['y6BrVzb69n5UsHtWHq6UOV', 'EVB6Di9eadXfpApiob17bu']
  const logs = [old, young].flatMap((seed) => [`{app}:tokens:${seed}`, `{app}:guesses:${seed}`])
  const seen = '{app}:seen:QTfDZXAiTzZDQd3fXzlG1u'
  const tag = 'jfyp5rfbKgZYNy'

  it('by the same keys', () => {
    expect(decideKeys('app', guess)).toEqual(['{app}:begun', '{app}:begun', seen, ...logs])
    const right = rightCode(someStep, given)
    expect(decideKeys('app', right)).toEqual(['{app}:begun', `{app}:claim:${old}`, seen, ...logs])
    expect(decideKeys('app', signed(someStep, { ...given, seed: 'new' }))).toEqual([
      ...['{app}:begun', `{app}:claim:${young}`, `{app}:nonces:${young}`],
    ])
    expect(takeBackKeys('app', guess)).toEqual([
      ...['{app}:ahead:sCveE9zt5QdC4WY2s_MIcw', `{app}:guesses:${old}`, `{app}:guesses:${young}`],
    ])
  })

  it('with the same tags of a guess and a token', () => {
    expect(questionOf(guess, 9)).toEqual({
      at: at.getTime(),
      budgets: [{ limit: 3, ms: 3_600_000 }],
      guess: tag,
      token: 't4T2G4Ra',
      seenMs: 60_000,
      keep: 3,
      keepMs: 3_600_000,
    })
    const late = { timeStep: someStep + 5, drift: 5 }
    const question = { at: at.getTime(), step: someStep + 5, drift: 5, recentMs: 1_200_000, guess: tag }
    expect(takeBackQuestionOf(guess, late)).toEqual({ ...question, tokens: ['********', 't4T2G4Ra'] })
    expect(takeBackQuestionOf(wrongCode('123456', at, unlisted), late)).toEqual({
      ...question,
      tokens: ['********'],
    })
  })

  it('without the budgets, which limit no signed request', () => {
    const [nonce, created] = [someNonce(), secondOf(at)]
    expect(questionOf(signed(someStep, { ...given, nonce }), 9)).toMatchObject({
      budgets: [],
      proof: { nonce, created, expires: created + 60, most: 9 },
    })
  })
})
