import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { budgetsFor, defaultBudgets } from '../../src/state/budgets.js'
import type { Attempt } from '../../src/state/state.js'
import { redisState } from '../../src/server/redis.js'
import { inStep, rightCode, someStep, wrongCode } from '../state/attempts.js'
import { Clock, requestWith, schemeFor } from '../support/guarded.js'
import { clients, type TestClient } from '../support/redis-clients.js'
import { hasRedis, RedisServer } from '../support/redis-server.js'

const peers = 100_000
const atOnce = 1000
const now = (): Date => inStep(someStep)

describe('the memory of redisState, in Redis', { skip: !hasRedis() }, () => {
  let server: RedisServer
  let client: TestClient
  beforeAll(async () => {
    server = await RedisServer.start()
    client = await clients.ioredis(server.port)
  })
  afterAll(async () => {
    client.close()
    await server.stop()
  })

  const used = async (): Promise<number> =>
    Number(/used_memory:(\d+)/.exec(String(await client.command('INFO', 'memory')))?.[1])

  const keyCount = async (): Promise<number> => Number(await client.command('DBSIZE'))

  /** Lets a state decide about so many attempts, and gives the bytes that Redis holds for it. */
  async function heldFor(what: string, count: number, attempt: (n: number) => Attempt): Promise<number> {
    await client.command('FLUSHALL')
    const state = redisState(client.port, { prefix: 'long', now, timeoutMs: 10_000 })
    await state.decide(rightCode(someStep))
    const before = await used()
    for (let begin = 0; begin < count; begin += atOnce) {
      await Promise.all(Array.from({ length: atOnce }, async (_, n) => state.decide(attempt(begin + n))))
    }
    const bytes = (await used()) - before
    console.log(`memory in Redis: ${what}: ${(bytes / 1e6).toFixed(1)} MB, ${await keyCount()} keys`)
    return bytes
  }

  it(`is less than 300 bytes for each of ${peers} peers under once`, async () => {
    const bytes = await heldFor(`${peers} claims`, peers, (n) =>
      rightCode(someStep + 2, { seeds: [`seed-${n}`] }),
    )
    expect(bytes / peers).toBeLessThan(300)
    expect(await keyCount()).toBe(peers + 1)
  })

  it('is bounded for one peer of 8 digits, whatever its guesser does for a day', async () => {
    const budgets = budgetsFor(8, defaultBudgets)
    const bytes = await heldFor('100000 guesses at 8 digits in a day', 100_000, (n) =>
      wrongCode(String(n), new Date(now().getTime() + n * 864), { budgets }),
    )
    expect(bytes).toBeLessThan(1_000_000)
    expect(await keyCount()).toBe(2)
  })

  it('is none for strangers, who never reach it', async () => {
    await client.command('FLUSHALL')
    const clock = new Clock()
    const { scheme } = schemeFor(clock, { state: redisState(client.port, { now: clock.now }) })
    for (let n = 0; n < 100_000; n++) {
      const headers = { Authorization: `Bearer stranger-${n}`, 'X-TOTP': String(n).padStart(6, '0') }
      await scheme.authenticate(requestWith(headers, String(n)))
    }
    expect(await keyCount()).toBe(0)
  })
})
