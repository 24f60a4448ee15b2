import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { budgetsFor, defaultBudgets } from '../../src/state/budgets.js'
import type { Attempt } from '../../src/state/state.js'
import { redisState } from '../../src/server/redis.js'
import { inStep, rightCode, secondOf, signed, someStep, wrongCode } from '../state/attempts.js'
import { Clock, requestWith, schemeFor, wrongCodeOf } from '../support/guarded.js'
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

  /** Without the sets of wrong codes of a time step, which a minute of real time ends. */
  const keyCount = async (): Promise<number> => {
    const seen = (await client.command('KEYS', '*:seen:*')) as string[]
    return Number(await client.command('DBSIZE')) - seen.length
  }

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

  it.each([16, 48])('is at most 130 bytes for each nonce of %i bytes', async (size) => {
    const bytes = await heldFor(`100000 nonces of ${size} bytes`, 100_000, () =>
      signed(someStep, { created: secondOf(now()) + 20, nonce: randomBytes(size).toString('base64url') }),
    )
    console.log(`memory in Redis: a nonce of ${size} bytes: ${(bytes / 100_000).toFixed(0)} B`)
    expect(bytes / 100_000).toBeLessThan(130)
    // The beginning, the claim, the index and one bucket.
    expect(await keyCount()).toBe(4)
  })

  it('is bounded for one peer of 8 digits, whatever its guesser does for a day', async () => {
    const budgets = budgetsFor(8, defaultBudgets)
    const bytes = await heldFor('100000 guesses at 8 digits in a day', 100_000, (n) =>
      wrongCode(String(n), new Date(now().getTime() + n * 864), { budgets }),
    )
    expect(bytes).toBeLessThan(2_000_000)
    // The beginning, the log of guesses, and the tokens that they came with.
    expect(await keyCount()).toBe(3)
  })

  /** security.md's figure 22. */
  it('is bounded, and a tripped log stays tripped, whatever a million guesses with other tokens are', async () => {
    await client.command('FLUSHALL')
    const clock = new Clock()
    const state = redisState(client.port, { prefix: 'long', now: clock.now, timeoutMs: 60_000 })
    // An issuer's tokens, of which a peer can have any number.
    const delegate = {
      authenticateToken: (token: string) => ({ peer: token.startsWith('bob') ? 'bob' : 'alice' }),
    }
    const { scheme } = schemeFor(clock, { state, delegate, onEvent: () => undefined })
    const ask = async (token: string, code: string): Promise<string | undefined> => {
      const headers = { Authorization: `Bearer ${token}`, 'X-TOTP': code }
      return (await scheme.authenticate(requestWith(headers, token))).refusal?.reason
    }
    for (let n = 0; n < 5; n++) await ask('alice', wrongCodeOf(clock.at, n))
    expect(await ask('alice', wrongCodeOf(clock.at, 5))).toBe('guesses-exhausted')
    await ask('bob', wrongCodeOf(clock.at))
    const before = await used()
    const keys = await keyCount()
    for (let begin = 0; begin < 1_000_000; begin += atOnce) {
      const guesses = Array.from({ length: atOnce }, async (_, n) =>
        ask(`bob-${begin + n}`, String(begin + n).padStart(6, '0')),
      )
      await Promise.all(guesses)
    }
    const bytes = (await used()) - before
    console.log(
      `figure 22: 10^6 guesses: ${bytes} bytes more in Redis, ${(await keyCount()) - keys} keys more`,
    )
    expect(bytes).toBeLessThan(100_000)
    expect(await keyCount()).toBe(keys)
    expect(await ask('alice', wrongCodeOf(clock.at, 6))).toBe('guesses-exhausted')
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
