import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { redisState, type RedisPort, type RedisStateOptions } from '../../src/server/redis.js'
import { decideScript } from '../../src/state/decide-script.js'
import type { Attempt, State } from '../../src/state/state.js'
import { failureOf } from '../support/failure.js'
import { clientNames, clients, type TestClient } from '../support/redis-clients.js'
import { hasRedis, RedisServer } from '../support/redis-server.js'
import { inStep, period, rightCode, secondOf, signed, someStep } from './attempts.js'

/** The time-out is not what these tests are about, and the machine may be busy. */
const patient = { timeoutMs: 5000 }
const unavailable = { code: 'ERR_STATE_UNAVAILABLE' }
const policies = ['once', 'reuse'] as const
/** When the clocks of all replicas are past the bucket of a nonce that was just spent. */
const overMs = (3 * period + 60 + 1) * 1000

describe.each(clientNames)('signed requests over %s', { skip: !hasRedis() }, (name) => {
  let server: RedisServer
  let client: TestClient
  beforeAll(async () => {
    server = await RedisServer.start()
    client = await clients[name](server.port)
    await client.command('SCRIPT', 'LOAD', decideScript.text)
  })
  afterAll(async () => {
    client.close()
    await server.stop()
  })

  const run = async (...commands: string[][]): Promise<unknown> => {
    let answer: unknown
    for (const words of commands) answer = await client.command(...(words as [string, ...string[]]))
    return answer
  }

  /** A state with an empty memory of its own, which has seen everything. */
  async function freshState(options: RedisStateOptions = {}): Promise<{ state: State; prefix: string }> {
    const prefix = randomUUID()
    await run(['SET', `{${prefix}}:begun`, '0'])
    return { state: redisState(client.port, { prefix, ...patient, ...options }), prefix }
  }

  const keysOf = async (prefix: string): Promise<string[]> =>
    ((await run(['KEYS', `*${prefix}*`])) as string[]).sort()
  const indexOf = async (prefix: string): Promise<string> =>
    (await keysOf(prefix)).find((key) => /:nonces:[\w-]{22}$/.test(key)) ?? ''
  const bucketsOf = async (prefix: string): Promise<string[]> =>
    (await keysOf(prefix)).filter((key) => /:nonces:[\w-]{22}:\d+$/.test(key))

  /** As if all real time that buckets are kept for had passed. */
  async function realTimePasses(prefix: string): Promise<void> {
    const index = await indexOf(prefix)
    for (const bucket of await bucketsOf(prefix)) {
      await run(['HSET', index, bucket.split(':').at(-1) ?? '', '1'])
    }
  }

  const kindsOf = async (state: State, attempts: readonly Attempt[]): Promise<string[]> => {
    const kinds: string[] = []
    for (const attempt of attempts) kinds.push((await state.decide(attempt)).kind)
    return kinds
  }
  const many = (count: number, given: Parameters<typeof signed>[1] = {}): Attempt[] =>
    Array.from({ length: count }, () => signed(someStep, given))
  const later = (attempt: Attempt, ms: number): Attempt => ({
    ...attempt,
    at: new Date(attempt.at.getTime() + ms),
  })

  describe('a nonce is forgotten', () => {
    it('when the clocks of all replicas and that of Redis are past its end: nothing of it is left', async () => {
      const { state, prefix } = await freshState()
      const first = signed(someStep)
      expect(await kindsOf(state, [first, ...many(20)])).not.toContain('replayed')
      const before = await bucketsOf(prefix)
      expect(before).toHaveLength(1)
      await realTimePasses(prefix)
      const { at } = later(first, overMs)
      expect(await kindsOf(state, [signed(someStep, { at })])).toEqual(['accepted'])
      const after = await bucketsOf(prefix)
      expect(after).toHaveLength(1)
      expect(after).not.toEqual(before)
    })

    it('not while a replica may still be behind', async () => {
      const { state, prefix } = await freshState()
      const first = signed(someStep)
      await state.decide(first)
      await realTimePasses(prefix)
      const end = Number((await bucketsOf(prefix))[0]?.split(':').at(-1))
      const ahead = signed(someStep, { at: new Date((end + 60) * 1000 + 999) })
      expect(await kindsOf(state, [ahead, first])).toEqual(['accepted', 'replayed'])
      await realTimePasses(prefix)
      const past = signed(someStep, { at: new Date((end + 61) * 1000) })
      expect(await kindsOf(state, [past, first])).toEqual(['accepted', 'unknown'])
    })

    it('not while the clock is an hour ahead: when it is set back, the nonce is spent, and others are let in', async () => {
      const { state } = await freshState()
      const first = signed(someStep)
      const ahead = signed(someStep, { at: later(first, 3_600_000).at })
      expect(await kindsOf(state, [first, ahead, first, signed(someStep)])).toEqual([
        ...['accepted', 'accepted', 'replayed', 'accepted'],
      ])
    })

    it('not while the clock stands still, however far that of Redis goes', async () => {
      const { state, prefix } = await freshState()
      const first = signed(someStep)
      await state.decide(first)
      await realTimePasses(prefix)
      expect(await kindsOf(state, [...many(3), first])).toEqual([
        ...['accepted', 'accepted', 'accepted', 'replayed'],
      ])
    })

    it('and then what expires no later is not known: a clock that was ahead for long was set back', async () => {
      const { state, prefix } = await freshState()
      const first = signed(someStep)
      await state.decide(first)
      await realTimePasses(prefix)
      await state.decide(signed(someStep, { at: later(first, overMs).at }))
      const answer = await state.decide(first)
      expect(answer.kind).toBe('unknown')
      const { retryAfter = 0 } = answer as { retryAfter?: number }
      const then = later(first, retryAfter * 1000).at
      const before = new Date(then.getTime() - 1000)
      expect(await kindsOf(state, [...many(1, { at: before }), ...many(1, { at: then })])).toEqual([
        ...['unknown', 'accepted'],
      ])
    })

    it('but not unnoticed, when Redis has ended a bucket after a day', async () => {
      const { state, prefix } = await freshState()
      const first = signed(someStep)
      await state.decide(first)
      await run(['DEL', ...(await bucketsOf(prefix))])
      expect(await kindsOf(state, [first, first])).toEqual(['unknown', 'unknown'])
      expect(await kindsOf(state, many(1, { at: later(first, overMs).at }))).toEqual(['accepted'])
    })
  })

  describe('the memory of nonces', () => {
    it('is in one slot of a cluster, and has a time to live', async () => {
      const { state, prefix } = await freshState()
      for (const given of [{}, { expires: secondOf(inStep(someStep)) + 4 * period }]) {
        await state.decide(signed(someStep, { ...given, seeds: ['}{s{'], nonce: `-_${'x'.repeat(62)}` }))
        await state.decide(signed(someStep, { ...given, seeds: ['}{s{'] }))
      }
      const keys = await keysOf(prefix)
      expect(
        keys.map((key) =>
          key
            .replace(/:[\w-]{22}(?=:|$)/, '')
            .split(':')
            .slice(1, 3)
            .join(' '),
        ),
      ).toEqual([
        'begun',
        'claim',
        'nonces',
        expect.stringMatching(/^nonces \d+$/),
        expect.stringMatching(/^nonces \d+$/),
      ])
      for (const key of keys) expect(key).toMatch(/^\{[^{}]+\}:[a-z]+(:[\w-]{22}(:\d+)?)?$/)

      const day = 24 * 3600
      for (const bucket of await bucketsOf(prefix)) {
        const seconds = Number(await run(['TTL', bucket]))
        expect(seconds).toBeGreaterThan(day)
        expect(seconds).toBeLessThan(day + 7 * period)
      }
      const month = 31 * day + 3 * period
      for (const key of [await indexOf(prefix), keys.find((one) => one.includes('claim')) ?? '']) {
        expect(Math.abs(Number(await run(['TTL', key])) - month)).toBeLessThan(10)
      }
    })

    it('keeps the claim for as long as a signed request of an older step may come', async () => {
      const { state, prefix } = await freshState()
      await state.decide(rightCode(someStep))
      const claim = (await keysOf(prefix)).find((key) => key.includes('claim')) ?? ''
      await run(['EXPIRE', claim, '100'])
      await state.decide(signed(someStep - 1))
      expect(Number(await run(['TTL', claim]))).toBeGreaterThan(30 * 24 * 3600)
    })

    it('takes one round trip a decision, under either policy, and few commands', async () => {
      const { state } = await freshState()
      await state.decide(signed(someStep))
      await run(['CONFIG', 'RESETSTAT'])
      for (const policy of policies) {
        for (let n = 0; n < 10; n++) await state.decide(signed(someStep, { policy }))
      }
      const stats = String(await run(['INFO', 'commandstats']))
      expect(stats).toContain('cmdstat_evalsha:calls=20,')
      expect(stats).not.toMatch(/cmdstat_(eval|script)[:|]/)
      const calls = Array.from(stats.matchAll(/cmdstat_(\w+):calls=(\d+)/g), ([, , count]) => Number(count))
      expect(calls.reduce((sum, count) => sum + count, 0)).toBeLessThan(20 * 14)
    })

    it('is not written by a refusal', async () => {
      const { state, prefix } = await freshState({ mostNonces: 2 })
      const [first, second] = many(2)
      if (!first || !second) throw new Error('no requests')
      await kindsOf(state, [first, second])
      const dump = async (): Promise<string> => {
        const values = []
        for (const key of await keysOf(prefix)) {
          const type = String(await run(['TYPE', key]))
          const read = { string: 'GET', hash: 'HGETALL', set: 'SMEMBERS' }[type] ?? ''
          values.push(key, JSON.stringify(await run([read, key])))
        }
        return values.join('\n')
      }
      const before = await dump()
      const old = signed(someStep, { created: -1 })
      const ahead = signed(someStep + 1, { at: first.at })
      expect(await kindsOf(state, [first, old, ahead])).toEqual(['replayed', 'unknown', 'full'])
      expect(await dump()).toBe(before)
    })

    it('refuses further nonces of a seed at its bound, of no other, forgets none, and says when there is room', async () => {
      const { state, prefix } = await freshState({ mostNonces: 50 })
      const sent = many(50)
      const answers = await Promise.all(sent.map(async (one) => state.decide(one)))
      expect(new Set(answers.map(({ kind }) => kind))).toEqual(new Set(['accepted']))
      const answer = await state.decide(signed(someStep))
      expect(answer).toEqual({ kind: 'full', retryAfter: expect.any(Number) as number })
      expect(new Set(await kindsOf(state, sent))).toEqual(new Set(['replayed']))
      expect(
        await kindsOf(state, [signed(someStep, { seeds: ['another'] }), rightCode(someStep + 1)]),
      ).toEqual([...['accepted', 'accepted']])

      const { retryAfter = 0 } = answer as { retryAfter?: number }
      expect(retryAfter).toBeLessThanOrEqual(overMs / 1000)
      await realTimePasses(prefix)
      const at = new Date(inStep(someStep).getTime() + retryAfter * 1000)
      const before = new Date(at.getTime() - 1000)
      expect(await kindsOf(state, [...many(1, { at: before }), ...many(1, { at })])).toEqual([
        'full',
        'accepted',
      ])
    })

    it('takes a bound that is a whole number above 0', () => {
      for (const mostNonces of [0, -1, 0.5, NaN, Infinity]) {
        expect(failureOf(() => redisState(client.port, { mostNonces })).code).toBe('ERR_CONFIG_INVALID')
      }
    })
  })

  describe.each(policies)('under %s, what was lost is not accepted again', (policy) => {
    const begin = (at: Date): RedisStateOptions => ({ now: () => at })
    const soon = { policy, at: new Date(inStep(someStep).getTime() + 3000) }

    it('after Redis was flushed', async () => {
      const { state, prefix } = await freshState(begin(inStep(someStep)))
      const used = signed(someStep, { policy })
      expect(await kindsOf(state, [used])).toEqual(['accepted'])
      await run(['DEL', ...(await keysOf(prefix))])
      const brief = redisState(client.port, { prefix, ...begin(inStep(someStep)) })
      expect(await brief.decide(used)).toEqual({ kind: 'unknown', retryAfter: 1 })
      expect(await kindsOf(brief, [used, { ...used, at: soon.at }, signed(someStep, soon)])).toEqual([
        ...['unknown', 'unknown', 'accepted'],
      ])
    })

    it('after a server that does not know the script took over', async () => {
      const prefix = randomUUID()
      const state = redisState(client.port, { prefix, ...begin(inStep(someStep)) })
      await state.decide(rightCode(someStep - 10))
      const used = signed(someStep, soon)
      expect(await kindsOf(state, [used])).toEqual(['accepted'])
      await run(['DEL', ...(await bucketsOf(prefix)), await indexOf(prefix)], ['SCRIPT', 'FLUSH'])
      const after = redisState(client.port, { prefix, ...begin(soon.at) })
      expect(await kindsOf(after, [used, used])).toEqual(['unknown', 'unknown'])
      const later = { policy, at: new Date(soon.at.getTime() + 3000) }
      expect(await kindsOf(after, [signed(someStep, later)])).toEqual(['accepted'])
    })

    it('and no memory begins with an instant that reached Redis too late', async () => {
      const slow: RedisPort = {
        ...client.port,
        evalSha: async (sha, keys, argument) => {
          if (argument.includes('"begin"')) await new Promise((done) => setTimeout(done, 40))
          return client.port.evalSha(sha, keys, argument)
        },
      }
      const prefix = randomUUID()
      const state = redisState(slow, { prefix, timeoutMs: 20 })
      await expect(state.decide(signed(someStep, { policy }))).rejects.toMatchObject(unavailable)
      await new Promise((done) => setTimeout(done, 60))
      expect(await keysOf(prefix)).toEqual([])
    })
  })

  it.each<[why: string, way: string[][], back: string[][]]>([
    [
      'is full',
      [
        ['CONFIG', 'SET', 'maxmemory-policy', 'noeviction'],
        ['CONFIG', 'SET', 'maxmemory', '1'],
      ],
      [['CONFIG', 'SET', 'maxmemory', '0']],
    ],
    ['is a replica', [['REPLICAOF', '127.0.0.1', '1']], [['REPLICAOF', 'NO', 'ONE']]],
    [
      'has too few replicas',
      [['CONFIG', 'SET', 'min-replicas-to-write', '1']],
      [['CONFIG', 'SET', 'min-replicas-to-write', '0']],
    ],
    [
      'lets its user not write sets',
      [['ACL', 'SETUSER', 'default', '-sadd']],
      [['ACL', 'SETUSER', 'default', '+sadd']],
    ],
    [
      'lets its user not read hashes',
      [['ACL', 'SETUSER', 'default', '-hgetall']],
      [['ACL', 'SETUSER', 'default', '+hgetall']],
    ],
  ])('refuses, because Redis %s', async (_, way, back) => {
    const { state } = await freshState()
    expect(await kindsOf(state, [signed(someStep)])).toEqual(['accepted'])
    const next = signed(someStep)
    await run(...way)
    try {
      await expect(state.decide(next)).rejects.toMatchObject(unavailable)
    } finally {
      await run(...back)
    }
    expect(await kindsOf(state, [next, next])).toEqual(['accepted', 'replayed'])
  })

  it('refuses where others use its keys', async () => {
    const { state, prefix } = await freshState()
    await state.decide(signed(someStep))
    const index = await indexOf(prefix)
    await run(['DEL', index], ['SET', index, 'x'])
    await expect(state.decide(signed(someStep))).rejects.toMatchObject(unavailable)
  })
})
