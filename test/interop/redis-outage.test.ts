import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { totpGuard } from '../../src/server/express.js'
import { redisState } from '../../src/server/redis.js'
import { bearerOf, Clock, codeOf, schemeFor, wrongCodeOf } from '../support/guarded.js'
import { TestServer } from '../support/guarded-agent.js'
import { clientNames, clients, type TestClient } from '../support/redis-clients.js'
import { hasRedis, RedisServer } from '../support/redis-server.js'

const timeoutMs = 300
/** What a busy machine may add to a time-out. */
const slackMs = 1200

interface Answer {
  readonly status: number
  readonly good: boolean
  readonly sentAt: number
  readonly tookMs: number
}

/** security.md's figure 13 over real sockets, with clients that queue for ever and the clock of the machine. */
describe.each(clientNames)(
  'an agent whose Redis fails, with %s',
  { skip: !hasRedis({ requiredInCi: true }) },
  (name) => {
    let redis: RedisServer
    let client: TestClient
    let agent: TestServer
    let served = 0
    beforeEach(async () => {
      redis = await RedisServer.start()
      client = await clients[name](redis.port)
      agent = await new TestServer().listen()
      served = 0
      const state = redisState(client.port, { timeoutMs })
      const { scheme } = schemeFor(new Clock(), { state, now: () => new Date() })
      agent.app.use(totpGuard(scheme), (_req, res) => {
        served++
        res.end('served')
      })
    })
    afterEach(async () => {
      await agent.close()
      client.close()
      await redis.stop()
    })

    const ask = async (good: boolean): Promise<Answer> => {
      const sentAt = performance.now()
      const code = good ? codeOf('alice', new Date()) : wrongCodeOf(new Date())
      const headers = { Authorization: bearerOf(good ? 'alice' : 'bob'), 'X-TOTP': code }
      const response = await fetch(agent.origin, { method: 'POST', headers })
      await response.arrayBuffer()
      return { status: response.status, good, sentAt, tookMs: performance.now() - sentAt }
    }

    /** Lets four callers send until they are stopped, every other request with a wrong code. */
    const load = (): { stop(): Promise<Answer[]> } => {
      let over = false
      const answers: Answer[] = []
      const callers = Array.from({ length: 4 }, async (_, caller) => {
        for (let n = caller; !over; n++) {
          answers.push(await ask(n % 2 === 0))
          await sleep(5)
        }
      })
      return {
        async stop() {
          over = true
          await Promise.all(callers)
          return answers
        },
      }
    }

    const recovered = async (): Promise<void> => {
      const deadline = performance.now() + 15_000
      while ((await ask(true)).status !== 200) {
        if (performance.now() > deadline) throw new Error('it did not recover')
      }
    }

    it.each([
      ['hangs', () => redis.freeze(), () => redis.thaw()],
      ['is gone', () => redis.crash(), () => redis.resume()],
    ])(
      'answers 503 in time while it %s in mid-load, serves nobody, and recovers',
      async (_what, fail, mend) => {
        const running = load()
        await sleep(300)
        const failsAt = performance.now()
        await fail()
        const downAt = performance.now()
        await sleep(1500)
        const upAt = performance.now()
        const servedBefore = served
        await sleep(300)
        expect(served).toBe(servedBefore)
        await mend()
        await recovered()
        const answers = await running.stop()

        const before = answers.filter(({ sentAt, tookMs }) => sentAt + tookMs < failsAt)
        expect(new Set(before.filter(({ good }) => good).map(({ status }) => status))).toEqual(new Set([200]))
        const during = answers.filter(({ sentAt, tookMs }) => sentAt > downAt && sentAt + tookMs < upAt)
        expect(during.length).toBeGreaterThan(10)
        expect(new Set(during.map(({ status }) => status))).toEqual(new Set([503]))
        expect(Math.max(...answers.map(({ tookMs }) => tookMs))).toBeLessThan(timeoutMs + slackMs)
        expect(answers.filter(({ good, status }) => !good && status === 200)).toEqual([])
        expect(served).toBeGreaterThan(servedBefore)
        console.log(
          `figure 13, ${name}, a Redis that ${_what}: ${during.length} of ${during.length} answered 503, the slowest after ` +
            `${Math.round(Math.max(...during.map(({ tookMs }) => tookMs)))} ms of ${timeoutMs}; served unverified: 0`,
        )
      },
    )
  },
)
