import { describe, expect, it } from 'vitest'
import { fromIoredis, fromNodeRedis, type IoredisClient } from '../../src/state/redis-port.js'
import { failureOf } from '../support/failure.js'

const nothing = (): Promise<unknown> => Promise.resolve(null)

/** A client of ioredis in so far as it is used. */
const ioredis = (fields: object = {}): IoredisClient => ({ evalsha: nothing, eval: nothing, ...fields })

describe('a port for ioredis', () => {
  it.each([
    { keyPrefix: '' },
    { keyPrefix: 'app:' },
    { keyPrefix: '{app}' },
    { keyPrefix: '{app}{}' },
    { keyPrefix: Buffer.from('{app}') },
    {},
    undefined,
  ])('takes a client with the options %j', (options) => {
    expect(fromIoredis(ioredis({ options }))).toHaveProperty('evalSha')
  })

  it.each(['{}', 'app{}:', Buffer.from('{}app'), '{}{app}'])(
    'refuses the keyPrefix %s, whose hash tag is empty',
    (keyPrefix) => {
      const error = failureOf(() => fromIoredis(ioredis({ options: { keyPrefix } })))
      expect(error).toMatchObject({ code: 'ERR_CONFIG_INVALID' })
      expect(error.message).toContain('{}, which ends the hash tag')
    },
  )

  it('reads numbers that the client returns as text, and leaves any other text', async () => {
    const texts = ['7', '-3', '0', '999999999999999', '1000000000000000', 't7', '7t', '7.5', '', '-', 'x7']
    const reply = ['throttled', 5, null, [['12']], ...texts]
    const port = fromIoredis(
      ioredis({ evalsha: () => Promise.resolve(reply), eval: () => Promise.resolve('12') }),
    )
    expect(await port.evalSha('digest', [], '')).toEqual([
      ...['throttled', 5, null, [[12]]],
      ...[7, -3, 0, 999_999_999_999_999, '1000000000000000', 't7', '7t', '7.5', '', '-', 'x7'],
    ])
    expect(await port.eval('script', [], '')).toBe(12)
  })

  it.each([
    ['ready', true],
    ['reconnecting', false],
    ['end', false],
    [undefined, undefined],
  ])('knows of a client whose status is %s: connected %s', (status, connected) => {
    expect(fromIoredis(ioredis({ status })).isConnected?.()).toBe(connected)
  })

  it('names itself where it refuses another client', () => {
    const refusal = failureOf(() => fromIoredis({ eval: nothing } as never))
    expect(refusal.message).toMatch(/^fromIoredis cannot use this client; /)
  })
})

describe('a port for node-redis', () => {
  it('asks a client that has no type mapping', async () => {
    const asked: unknown[] = []
    const answer = (...words: unknown[]): Promise<unknown> => Promise.resolve(asked.push(words))
    const port = fromNodeRedis({ evalSha: answer, eval: answer })
    await port.evalSha('digest', ['a', 'b'], '{}')
    await port.eval('script', ['c'], '[]')
    expect(asked).toEqual([
      ['digest', { keys: ['a', 'b'], arguments: ['{}'] }],
      ['script', { keys: ['c'], arguments: ['[]'] }],
    ])
  })

  it.each([
    [true, true],
    [false, false],
    [undefined, undefined],
    [() => true, undefined],
  ])('knows of a client that is ready, %s: connected %s', (isReady, connected) => {
    const client = { evalSha: nothing, eval: nothing, isReady }
    expect(fromNodeRedis(client).isConnected?.()).toBe(connected)
  })

  it('names itself where it refuses another client', () => {
    const refusal = failureOf(() => fromNodeRedis({ eval: nothing } as never))
    expect(refusal.message).toMatch(/^fromNodeRedis cannot use this client; /)
  })
})
