import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Attempt, State } from '../../src/state/state.js'
import { decideScript } from '../../src/state/decide-script.js'
import { redisState, type RedisStateOptions, type RedisPort } from '../../src/server/redis.js'
import { clientNames, clients, type TestClient } from '../support/redis-clients.js'
import { failureOf } from '../support/failure.js'
import { rejectionOf } from '../support/store-folder.js'
import { hasRedis, RedisServer } from '../support/redis-server.js'
import { inStep, period, rightCode, someStep, wrongCode } from './attempts.js'
import { stateContract } from './state-contract.js'

const redisPresent = hasRedis()

/** The time-out is not what most of these tests are about, and the machine may be busy. */
const patient = { timeoutMs: 5000 }

describe.each(clientNames)('with %s', { skip: !redisPresent }, (name) => {
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

  /** A state with an empty memory of its own. */
  const freshState = (options: RedisStateOptions = {}): { state: State; prefix: string } => {
    const prefix = randomUUID()
    return { state: redisState(client.port, { prefix, ...patient, ...options }), prefix }
  }

  stateContract('redisState', async (since) => {
    const { state, prefix } = freshState()
    await client.command('SET', `{${prefix}}:begun`, String(since.getTime()))
    return state
  })

  describe('redisState', () => {
    const budgets = [{ limit: 3, seconds: 30 }]
    const begin = (at = inStep(someStep)): RedisStateOptions => ({ now: () => at })
    const keysOf = async (prefix: string): Promise<string[]> =>
      (await client.command('KEYS', `*${prefix}*`)) as string[]

    it('begins an empty memory later than now by all that clocks and answers may lag', async () => {
      const turn = inStep(someStep, 30).getTime()
      const beginning = (msBeforeTheTurn: number): State =>
        freshState({ ...begin(new Date(turn - msBeforeTheTurn)), clockSkewMs: 700, timeoutMs: 300 }).state
      const next = rightCode(someStep + 2, { at: new Date(turn) })
      expect(await beginning(1000).decide(next)).toEqual({ kind: 'accepted' })
      expect(await beginning(999).decide(next)).toEqual({ kind: 'unknown', retryAfter: 60 })
    })

    it('keeps the beginning that the first attempt has set', async () => {
      const { state, prefix } = freshState(begin())
      const late = redisState(client.port, { prefix, ...patient, ...begin(inStep(someStep + 10)) })
      await state.decide(rightCode(someStep))
      expect(await late.decide(rightCode(someStep + 3))).toEqual({ kind: 'accepted' })
    })

    it('does not believe a beginning that only a wrong clock can have set', async () => {
      const { state, prefix } = freshState(begin())
      const ahead = redisState(client.port, { prefix, ...patient, ...begin(inStep(someStep + 1_000_000)) })
      await ahead.decide(rightCode(someStep + 1_000_000))
      await state.decide(rightCode(someStep))
      expect(await state.decide(rightCode(someStep + 2))).toEqual({ kind: 'accepted' })
    })

    it('knows nothing from before it was flushed', async () => {
      const { state, prefix } = freshState(begin())
      await state.decide(rightCode(someStep - 10))
      const used = rightCode(someStep + 2)
      expect(await state.decide(used)).toEqual({ kind: 'accepted' })
      await client.command('DEL', ...((await keysOf(prefix)) as [string]))
      const after = redisState(client.port, { prefix, ...patient, ...begin(used.at) })
      expect(await after.decide(used)).toMatchObject({ kind: 'unknown' })
      expect(await after.decide(rightCode(someStep + 4))).toEqual({ kind: 'accepted' })
    })

    it('knows nothing from before a server that does not know the script', async () => {
      let at = inStep(someStep)
      const { state } = freshState({ now: () => at })
      await state.decide(rightCode(someStep))
      const used = rightCode(someStep + 2)
      expect(await state.decide(used)).toEqual({ kind: 'accepted' })
      const known = rightCode(someStep + 2, { seeds: ['seed-2'] })
      expect(await state.decide(known)).toEqual({ kind: 'accepted' })

      at = inStep(someStep + 2)
      await client.command('SCRIPT', 'FLUSH')
      expect(await state.decide(used)).toMatchObject({ kind: 'replayed' })
      // Nobody has used it as far as this Redis knows, but what it was told last may be lost.
      const perhapsUsed = rightCode(someStep + 2, { seeds: ['seed-3'] })
      expect(await state.decide(perhapsUsed)).toMatchObject({ kind: 'unknown' })
      expect(await state.decide(rightCode(someStep + 4))).toEqual({ kind: 'accepted' })
    })

    it('begins no memory with an instant that reached Redis too late', async () => {
      const slow: RedisPort = {
        ...client.port,
        evalSha: async (sha, keys, argument) => {
          if (argument.includes('"begin"')) await new Promise((done) => setTimeout(done, 40))
          return client.port.evalSha(sha, keys, argument)
        },
      }
      const prefix = randomUUID()
      const state = redisState(slow, { prefix, timeoutMs: 20 })
      await expect(state.decide(rightCode(someStep))).rejects.toMatchObject({ code: 'ERR_STATE_UNAVAILABLE' })
      await new Promise((done) => setTimeout(done, 60))
      expect(await keysOf(prefix)).toEqual([])
    })

    it('asks once a decision', async () => {
      const { state } = freshState(begin())
      await state.decide(rightCode(someStep))
      await client.command('CONFIG', 'RESETSTAT')
      for (let step = someStep; step < someStep + 10; step++) {
        await state.decide(rightCode(step, { budgets }))
        await state.decide(rightCode(step, { policy: 'reuse', budgets }))
        await state.decide(wrongCode(String(step), inStep(step), { budgets }))
      }
      const stats = String(await client.command('INFO', 'commandstats'))
      expect(stats).toContain('cmdstat_evalsha:calls=30,')
      expect(stats).not.toMatch(/cmdstat_(eval|script)[:|]/)
    })

    it('does no more work for a full log of a dead token', async () => {
      const { state } = freshState(begin())
      const many = [500, 1000, 2000].map((limit, n) => ({ limit, seconds: [30, 3600, 86_400][n] ?? 0 }))
      const stolen = { budgets: many, token: 'sha256:stolen', liveTokens: () => ['sha256:stolen'] }
      const at = inStep(someStep)
      await Promise.all(
        Array.from({ length: 500 }, async (_, n) => state.decide(wrongCode(String(n), at, stolen))),
      )
      const fresh = { ...stolen, token: 'sha256:new', liveTokens: () => ['sha256:new'] }
      const callsFor = async (given: Partial<Attempt>): Promise<number> => {
        await client.command('CONFIG', 'RESETSTAT')
        await state.decide(rightCode(someStep, { policy: 'reuse', ...given }))
        const stats = String(await client.command('INFO', 'commandstats'))
        const calls = Array.from(stats.matchAll(/cmdstat_z\w+:calls=(\d+)/g), ([, count]) => Number(count))
        return calls.reduce((sum, count) => sum + count, 0)
      }
      expect(await callsFor(stolen)).toBeLessThan(100)
      await callsFor(fresh)
      expect(await callsFor(fresh)).toBe(0)
    })

    it('has all keys of a decision in one slot of a cluster, also for names with braces', async () => {
      const { state, prefix } = freshState(begin())
      const given = { peer: '}{a{b}', seeds: ['}{s{'], token: '}{t{', liveTokens: () => [], budgets }
      await state.decide(rightCode(someStep, given))
      await state.decide(rightCode(someStep + 2, given))
      const wrong = wrongCode('1', inStep(someStep), given)
      await state.decide(wrong)
      await state.takeBack?.(wrongCode('2', inStep(someStep), given), { timeStep: someStep + 5, drift: 5 })
      const keys = await keysOf(prefix)
      expect(keys.map((key) => key.split(':')[1]).sort()).toEqual([
        'ahead',
        'begun',
        'claim',
        'guesses',
        'seen',
        'tokens',
      ])
      for (const key of keys) expect(key).toMatch(/^\{[^{}]+\}:[a-z]+(:[\w-]{22}(:[\w*-]{8})?)?$/)
    })

    it('shows Redis no code, no peer, no token hash and no digest of a seed', async () => {
      const asked: string[] = []
      const watched: RedisPort = {
        ...client.port,
        evalSha: (sha, keys, argument) => {
          asked.push(...keys, argument)
          return client.port.evalSha(sha, keys, argument)
        },
      }
      const state = redisState(watched, { prefix: randomUUID(), ...patient, ...begin() })
      const given = { peer: 'alice', token: 'sha256:abcdef', liveTokens: () => ['sha256:abcdef'], budgets }
      const wrong = wrongCode('918273', inStep(someStep), given)
      await state.decide(wrong)
      await state.takeBack?.(wrong, { timeStep: someStep + 5, drift: 5 })
      await state.decide(rightCode(someStep, given))
      expect(asked.length).toBeGreaterThan(3)
      expect(asked.join('\n')).not.toMatch(/918273|alice|abcdef/)
    })

    it('keeps nothing for longer than it can matter, but the beginning', async () => {
      const { state, prefix } = freshState(begin())
      await state.decide(rightCode(someStep))
      await state.decide(rightCode(someStep + 2))
      await state.decide(wrongCode('1', inStep(someStep), { budgets: [{ limit: 3, seconds: 3600 }] }))
      const lives: Record<string, number> = {}
      for (const key of await keysOf(prefix)) {
        lives[key.split(':')[1] ?? ''] = Number(await client.command('PTTL', key))
      }
      expect(lives['begun']).toBe(-1)
      expect(Math.ceil((lives['claim'] ?? 0) / 1000)).toBe(31 * 24 * 3600 + 3 * period)
      expect(Math.ceil((lives['seen'] ?? 0) / 1000)).toBe(2 * period)
      expect(Math.ceil((lives['guesses'] ?? 0) / 1000)).toBe(3600)
    })

    it('holds no more guesses with a token than the largest budget', async () => {
      const { state, prefix } = freshState(begin())
      const loose = [{ limit: 5, seconds: 1 }]
      for (let n = 0; n < 50; n++) {
        const at = new Date(inStep(someStep, 0).getTime() + n * 1000)
        await state.decide(wrongCode(String(n), at, { budgets: loose }))
      }
      const [guesses = ''] = (await keysOf(prefix)).filter((key) => key.includes(':guesses:'))
      expect(await client.command('ZCARD', guesses)).toBe(5)
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
    ])('accepts nothing where a guess could not be counted, because Redis %s', async (_, way, back) => {
      const { state } = freshState(begin())
      const run = async (commands: string[][]): Promise<void> => {
        for (const words of commands) await client.command(...(words as [string, ...string[]]))
      }
      const right = { policy: 'reuse', budgets } as const
      expect(await state.decide(rightCode(someStep, right))).toEqual({ kind: 'accepted' })
      await run(way)
      try {
        const unavailable = { code: 'ERR_STATE_UNAVAILABLE' }
        await expect(state.decide(wrongCode('1', inStep(someStep), { budgets }))).rejects.toMatchObject(
          unavailable,
        )
        await expect(state.decide(rightCode(someStep, right))).rejects.toMatchObject(unavailable)
      } finally {
        await run(back)
      }
      expect(await state.decide(rightCode(someStep, right))).toEqual({ kind: 'accepted' })
    })

    it('keeps agents with prefixes of their own apart', async () => {
      const used = rightCode(someStep + 2)
      for (const { state } of [freshState(begin()), freshState(begin())]) {
        await state.decide(rightCode(someStep))
        expect(await state.decide(used)).toEqual({ kind: 'accepted' })
      }
    })
  })
})

describe('redisState', () => {
  const silent: RedisPort = {
    eval: () => new Promise(() => undefined),
    evalSha: () => new Promise(() => undefined),
  }

  it('gives up on a client that never answers', async () => {
    const state = redisState(silent, { timeoutMs: 20 })
    await expect(state.decide(rightCode(someStep))).rejects.toMatchObject({ code: 'ERR_STATE_UNAVAILABLE' })
  })

  it('refuses at once when ten thousand decisions wait for an answer', async () => {
    const state = redisState(silent, { timeoutMs: 50 })
    const waiting = Array.from({ length: 10_001 }, () =>
      Promise.resolve(state.decide(rightCode(someStep))).then(JSON.stringify, String),
    )
    const said = await Promise.all(waiting)
    expect(said.filter((one) => one.includes('in time'))).toHaveLength(10_000)
    expect(said.at(-1)).toContain('too many')
  })

  it.each([
    { prefix: '' },
    { prefix: 'a{b}' },
    { prefix: 'a b' },
    { timeoutMs: 0 },
    { timeoutMs: Infinity },
    { clockSkewMs: -1 },
    { clockSkewMs: 0.5 },
  ])('refuses %j', (options) => {
    expect(failureOf(() => redisState(silent, options)).code).toBe('ERR_CONFIG_INVALID')
  })

  it.each([{ prefix: 'a' }, { prefix: 'a'.repeat(64) }, { timeoutMs: 1 }, { clockSkewMs: 0 }])(
    'takes %j',
    (options) => {
      expect(redisState(silent, options).supports).toEqual({ once: true, proofs: true })
    },
  )

  it('says why it cannot answer, and teaches a server the script only when that asks for it', async () => {
    const cause = new Error('READONLY You cannot write against a read only replica.')
    const taught: string[] = []
    const readOnly: RedisPort = {
      eval: (text) => Promise.resolve(taught.push(text)),
      evalSha: () => Promise.reject(cause),
    }
    const error = await rejectionOf(Promise.resolve(redisState(readOnly).decide(rightCode(someStep))))
    expect(error).toMatchObject({ code: 'ERR_STATE_UNAVAILABLE', cause })
    expect(String(error)).toContain('Redis cannot answer')
    expect(taught).toEqual([])
  })
})
