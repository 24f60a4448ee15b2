import { randomInt, randomUUID } from 'node:crypto'
import { describe, expect, it, onTestFinished } from 'vitest'
import { redisState } from '../../src/server/redis.js'
import { memoryState } from '../../src/state/memory-state.js'
import type { State } from '../../src/state/state.js'
import { clients } from '../support/redis-clients.js'
import { hasRedis, RedisServer } from '../support/redis-server.js'
import { allAnswers, runSchedule } from './schedule.js'

/** 10^5 steps: fifty schedules of two thousand. Elsewhere than in CI, Redis gets a fifth of each. */
const schedules = 50
const steps = 2000
const redisSteps = process.env['CI'] === 'true' ? steps : steps / 5

/** Another one in each run; a failure names it. `SCHEDULE=n` runs it again. */
const first = Number(process.env['SCHEDULE'] ?? randomInt(2 ** 30))

/** Runs all schedules side by side, each with a state of its own, and returns the answers that came. */
async function runAll(make: () => Promise<State> | State, steps: number): Promise<string[]> {
  const runs = Array.from({ length: schedules }, async (_, n) =>
    runSchedule(await make(), { seed: first + n, steps }),
  )
  const answers = (await Promise.all(runs)).flatMap((met) => [...met.keys()])
  return [...new Set(answers)].sort()
}

describe('a state decides as the reference does, whatever comes in whatever order', () => {
  it('memoryState', async () => {
    expect(await runAll(() => memoryState({ since: new Date(0) }), steps)).toEqual(allAnswers)
  })

  it('redisState', { skip: !hasRedis() }, async () => {
    const server = await RedisServer.start()
    const client = await clients.ioredis(server.port)
    onTestFinished(async () => {
      client.close()
      await server.stop()
    })
    const make = async (): Promise<State> => {
      const prefix = randomUUID()
      await client.command('SET', `{${prefix}}:begun`, '0')
      return redisState(client.port, { prefix, timeoutMs: 20_000 })
    }
    // The first question to a new Redis begins its memory anew.
    await (
      await make()
    ).decide({
      peer: 'alice',
      seeds: ['s1'],
      policy: 'reuse',
      budgets: [],
      at: new Date(),
      timeStep: 1,
      period: 30,
      window: 1,
      comparison: { kind: 'match', seed: 's1', timeStep: 1 },
    })
    expect(await runAll(make, redisSteps)).toEqual(allAnswers)
  })
})
