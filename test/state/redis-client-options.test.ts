import { Redis, type RedisOptions } from 'ioredis'
import { createClient, createClientPool, RESP_TYPES } from 'redis'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { fromIoredis, fromNodeRedis, redisState, type RedisPort } from '../../src/server/redis.js'
import { failureOf } from '../support/failure.js'
import { hasRedis, RedisServer } from '../support/redis-server.js'
import { inStep, rightCode, someStep, wrongCode } from './attempts.js'

let prefixes = 0
let server: RedisServer

const address = (): { host: string; port: number } => ({ host: '127.0.0.1', port: server.port })

async function nodeRedis(options: object): Promise<RedisPort> {
  const client = createClient({ socket: address(), ...options })
  client.on('error', () => undefined)
  await client.connect()
  onTestFinished(() => client.destroy())
  return fromNodeRedis(client)
}

async function nodeRedisPool(options: object): Promise<RedisPort> {
  const pool = createClientPool({ socket: address(), ...options })
  pool.on('error', () => undefined)
  await pool.connect()
  onTestFinished(() => pool.destroy())
  return fromNodeRedis(pool)
}

function ioredis(options: RedisOptions): Promise<RedisPort> {
  const client = new Redis({ ...address(), ...options })
  onTestFinished(() => client.disconnect())
  return Promise.resolve(fromIoredis(client))
}

/** Every type as something else than it usually is. */
const odd = {
  typeMapping: {
    [RESP_TYPES.BLOB_STRING]: Buffer,
    [RESP_TYPES.SIMPLE_STRING]: Buffer,
    [RESP_TYPES.NUMBER]: String,
    [RESP_TYPES.DOUBLE]: String,
    [RESP_TYPES.BIG_NUMBER]: String,
  },
}

describe('a client with unusual options', { skip: !hasRedis() }, () => {
  beforeAll(async () => {
    server = await RedisServer.start()
  })
  afterAll(() => server.stop())

  it.each<[string, () => Promise<RedisPort>]>([
    ['node-redis with RESP 3', () => nodeRedis({ RESP: 3 })],
    ['node-redis with a type mapping', () => nodeRedis({ commandOptions: odd })],
    ['node-redis with a type mapping, RESP 3', () => nodeRedis({ RESP: 3, commandOptions: odd })],
    ['node-redis that queues nothing', () => nodeRedis({ disableOfflineQueue: true })],
    ['a pool of node-redis', () => nodeRedisPool({})],
    ['a pool of node-redis with a type mapping', () => nodeRedisPool({ RESP: 3, commandOptions: odd })],
    ['ioredis with stringNumbers', () => ioredis({ stringNumbers: true })],
    ['ioredis with keyPrefix', () => ioredis({ keyPrefix: 'app:' })],
    ['ioredis with a hash tag as keyPrefix', () => ioredis({ keyPrefix: '{app}' })],
    ['ioredis with enableAutoPipelining', () => ioredis({ enableAutoPipelining: true })],
    ['ioredis with showFriendlyErrorStack', () => ioredis({ showFriendlyErrorStack: true })],
    ['ioredis that connects late', () => ioredis({ lazyConnect: true })],
  ])('decides as usual: %s', async (_, connect) => {
    const state = redisState(await connect(), {
      prefix: `options-${++prefixes}`,
      timeoutMs: 5000,
      now: () => inStep(someStep),
    })
    const budgets = [{ limit: 1, seconds: 30 }]
    expect(await state.decide(rightCode(someStep))).toMatchObject({ kind: 'unknown' })
    expect(await state.decide(rightCode(someStep + 2))).toEqual({ kind: 'accepted' })
    expect(await state.decide(rightCode(someStep + 2))).toMatchObject({ kind: 'replayed' })
    const guess = wrongCode('1', inStep(someStep), { budgets })
    expect(await state.decide(guess)).toEqual({ kind: 'wrong', counted: true, tripped: true })
    expect(await state.decide(guess)).toMatchObject({ kind: 'throttled' })
  })

  it('is refused at the start where it cannot work', async () => {
    const wrong = (call: () => unknown): void => expect(failureOf(call).code).toBe('ERR_CONFIG_INVALID')
    const client = createClient({ socket: address() })
    await client.connect()
    const legacy = client.legacy() as unknown as Parameters<typeof fromNodeRedis>[0]
    wrong(() => fromNodeRedis(legacy))
    wrong(() => fromIoredis(client as never))
    client.destroy()
    const ioredis = new Redis({ ...address(), keyPrefix: 'app{}:' })
    wrong(() => fromNodeRedis(ioredis as never))
    // An empty hash tag: in a cluster, the keys of a decision would be on several nodes.
    wrong(() => fromIoredis(ioredis))
    ioredis.disconnect()
  })
})
