import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
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

/** The port of a gate that was started as a user starts it. */
async function gatePort(cwd: string, upstream: string): Promise<number> {
  const address = ['--listen', '127.0.0.1:0', '--redis', `redis://127.0.0.1:${redis.port}`]
  const child = startBinary(['gate', '--upstream', upstream, ...address], { cwd })
  const [line] = (await once(child.stdout ?? child, 'data')) as [Buffer]
  return Number(new URL(line.toString().trim()).port)
}

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
