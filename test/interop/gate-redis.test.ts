import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { makeStore, runCli, startBinary } from '../support/cli.js'
import { ask } from '../support/gate.js'
import { record } from '../support/recording-server.js'
import { hasRedis, RedisServer } from '../support/redis-server.js'

const redisIsHere = hasRedis({ requiredInCi: true })
let redis: RedisServer
beforeAll(async () => {
  if (redisIsHere) redis = await RedisServer.start()
})
afterAll(() => redis.crash())

/** The URLs of a gate that was started as a user starts it. */
async function gateUrls(cwd: string, upstream: string, ...more: string[]): Promise<URL[]> {
  const address = ['--listen', '127.0.0.1:0', '--redis', `redis://127.0.0.1:${redis.port}`]
  const child = startBinary(['gate', '--upstream', upstream, ...address, ...more], { cwd })
  const [lines] = (await once(child.stdout ?? child, 'data')) as [Buffer]
  return (lines.toString().match(/http:\S+/g) ?? []).map((url) => new URL(url))
}

const gatePort = async (cwd: string, upstream: string): Promise<number> =>
  Number((await gateUrls(cwd, upstream))[0]?.port)

describe.skipIf(!redisIsHere)('gates that share a Redis', () => {
  it('accept a code once between them, and answer 503 while Redis is down', async () => {
    const cwd = await makeStore(['alice'], ['--replay', 'once', '--period', '120'])
    await using agent = await record()
    const ports = [await gatePort(cwd, agent.origin), await gatePort(cwd, agent.origin)] as const
    const headers = async (): Promise<Record<string, string>> => {
      const { stdout } = await runCli(['code', 'alice', '--headers'], { cwd })
      return Object.fromEntries(
        stdout
          .trim()
          .split('\n')
          .map((line) => line.split(': ', 2) as [string, string]),
      )
    }
    const call = async (port: number): Promise<number> =>
      (await ask({ port }, { headers: await headers() })).status
    // The memory of an empty Redis begins now: a code of this step may have been used before.
    const first = await call(ports[0])
    expect([200, 503]).toContain(first)
    expect(await call(ports[1])).toBe(first === 200 ? 401 : 503)
    await redis.crash()
    expect(await call(ports[0])).toBe(503)
    expect(agent.requests).toHaveLength(first === 200 ? 1 : 0)
  })

  it('are not ready while Redis is down or hangs, and ready again afterwards', async () => {
    await redis.crash()
    await redis.resume()
    await using agent = await record()
    const [, admin] = await gateUrls(await makeStore(['alice']), agent.origin, '--admin', '127.0.0.1:0')
    const readiness = async (): Promise<string> => {
      const answer = await fetch(new URL('/readyz', admin))
      return `${answer.status} ${await answer.text()}`
    }
    await vi.waitFor(async () => expect(await readiness()).toBe('200 ready\n'), 5000)
    await redis.crash()
    expect(await readiness()).toBe('503 Redis cannot be asked\n')
    await redis.resume()
    await vi.waitFor(async () => expect(await readiness()).toBe('200 ready\n'), 5000)
    await redis.freeze()
    expect(await readiness()).toBe('503 Redis does not answer\n')
    await redis.thaw()
    await vi.waitFor(async () => expect(await readiness()).toBe('200 ready\n'), 5000)
  })

  it('share the limit on guesses', async () => {
    await redis.crash()
    await redis.resume()
    const cwd = await makeStore(['alice'])
    await using agent = await record()
    const [one, other] = [await gatePort(cwd, agent.origin), await gatePort(cwd, agent.origin)]
    const { stdout } = await runCli(['code', 'alice', '--headers'], { cwd })
    const authorization = /Authorization: (.*)/.exec(stdout)?.[1] ?? ''
    const guess = async (port: number, code: number): Promise<number> =>
      (await ask({ port }, { headers: { authorization, 'x-totp': String(code).padStart(6, '0') } })).status
    let code = 1
    while ((await guess(one, code)) !== 429) if (code++ > 100) throw new Error('guesses are not limited')
    expect(await guess(other, 999_999)).toBe(429)
  })
})
