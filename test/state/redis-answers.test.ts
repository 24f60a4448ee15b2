import { afterEach, describe, expect, it, vi } from 'vitest'
import { redisState, type RedisPort, type RedisStateOptions } from '../../src/server/redis.js'
import { failureOf } from '../support/failure.js'
import { rejectionOf } from '../support/store-folder.js'
import { inStep, rightCode, someStep } from './attempts.js'

afterEach(() => {
  vi.useRealTimers()
})

interface Asked {
  readonly how: 'evalSha' | 'eval'
  readonly restarted?: boolean
  readonly begin?: { readonly at: number; readonly lostAt: number; readonly withinMs: number }
}

const noScript = new Error('NOSCRIPT No matching script. Please use EVAL.')

/** A Redis that replies to one question after the other with the next of these, and then with the last one. */
function replying(...replies: readonly unknown[]): { port: RedisPort; asked: Asked[] } {
  const asked: Asked[] = []
  const answer = (how: Asked['how'], argument: string): Promise<unknown> => {
    const reply = replies[Math.min(asked.length, replies.length - 1)]
    asked.push({ ...(JSON.parse(argument) as object), how })
    return reply instanceof Error ? Promise.reject(reply) : Promise.resolve(reply)
  }
  const port: RedisPort = {
    evalSha: (_sha, _keys, argument) => answer('evalSha', argument),
    eval: (_text, _keys, argument) => answer('eval', argument),
  }
  return { port, asked }
}

const decide = async (port: RedisPort, options: RedisStateOptions = {}): Promise<unknown> =>
  redisState(port, { timeoutMs: 5000, ...options }).decide(rightCode(someStep))

const failed = (cause: string): object => ({ code: 'ERR_STATE_UNAVAILABLE', failure: { cause } })

describe('redisState', () => {
  it.each([
    ['nothing', null],
    ['a number', 1],
    ['a word', 'accepted'],
    ['an unheard-of answer', ['yes', 0]],
    ['no number', ['accepted', '0']],
    ['a token that is no text', ['throttled', 1, 't1', 2]],
  ])('says that a reply was unexpected: %s', async (_what, reply) => {
    const error = await rejectionOf(decide(replying(reply).port))
    expect(error).toMatchObject({
      ...failed('unexpected-reply'),
      cause: { message: 'the script returned something unexpected' },
    })
  })

  it('is too late to begin a memory where Redis says so, and where it has lost it again', async () => {
    for (const reply of [
      ['late', 0],
      ['lost', 7],
    ]) {
      const { port, asked } = replying(['lost', 7], reply)
      expect(await rejectionOf(decide(port))).toMatchObject(failed('timeout'))
      expect(asked).toHaveLength(2)
    }
  })

  it('begins a lost memory later than now, by its own clock unless it is given one', async () => {
    const begun = async (options: RedisStateOptions): Promise<Asked['begin']> => {
      const { port, asked } = replying(['lost', 7], ['accepted', 0])
      expect(await decide(port, options)).toEqual({ kind: 'accepted' })
      expect(asked.map(({ begin }) => begin !== undefined)).toEqual([false, true])
      return asked[1]?.begin
    }
    const at = inStep(someStep)
    expect(await begun({ now: () => at, timeoutMs: 300, clockSkewMs: 700 })).toEqual({
      at: at.getTime() + 1000,
      lostAt: 7,
      withinMs: 300,
    })
    vi.useFakeTimers({ toFake: ['Date'], now: at })
    expect(await begun({ timeoutMs: 300 })).toMatchObject({ at: at.getTime() + 1300 })
  })

  it('tells a server that took over since the last answer that it did, also while a memory begins', async () => {
    const lost = replying(noScript, ['lost', 7], noScript, ['unknown', 0])
    await decide(lost.port)
    expect(lost.asked).toMatchObject([
      { how: 'evalSha' },
      { how: 'eval', restarted: true },
      { how: 'evalSha', begin: { lostAt: 7 } },
      { how: 'eval', restarted: true, begin: { lostAt: 7 } },
    ])
    expect(lost.asked.map(({ restarted }) => restarted)).toEqual([undefined, true, undefined, true])
  })

  it('leaves no timer behind, which would keep a process from ending', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    await decide(replying(['accepted', 0]).port)
    await rejectionOf(decide(replying(null).port))
    expect(vi.getTimerCount()).toBe(0)
  })

  it('names the option that is out of its bounds', () => {
    const { port } = replying(null)
    expect(failureOf(() => redisState(port, { mostNonces: 0 })).message).toMatch(/^mostNonces /)
  })
})
