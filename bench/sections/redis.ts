import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { defaultProfile } from '../../src/core/profile.js'
import { defaultBudgets } from '../../src/guards/budgets.js'
import type { Attempt } from '../../src/guards/guard.js'
import { redisGuard } from '../../src/guards/redis-guard.js'
import { fromIoredis } from '../../src/guards/redis-port.js'
import { inFolder, isThere } from '../processes.js'
import { bytes, cost, microseconds, type Row, type Section, type Unit } from '../report.js'
import { cpuNanoseconds, takeRounds } from '../rounds.js'

const peers = 2000
const atOnce = 50
const count: Unit = (value) => value.toFixed(2)

/** What a decision of the guard over Redis costs, on either side, to the least that such a claim can be. */
export const redisSection: Section = {
  title: 'Redis (policy once, one server, 50 decisions under way)',
  async run({ rounds }) {
    if (!isThere('redis-server', ['--version'])) {
      console.error('no redis-server here: its section is left out')
      return []
    }
    return inFolder(async (folder) => {
      const socket = join(folder, 'redis.sock')
      const args = [
        '--port',
        '0',
        '--unixsocket',
        socket,
        '--save',
        '',
        '--appendonly',
        'no',
        '--dir',
        folder,
      ]
      const server = spawn('redis-server', args, { stdio: 'ignore' })
      const client = new Redis({ path: socket, retryStrategy: () => 50 })
      client.on('error', () => undefined)
      try {
        while ((await client.ping().catch(() => '')) !== 'PONG') await sleep(50)
        return await measure(client, rounds)
      } finally {
        client.disconnect()
        const exit = once(server, 'exit')
        server.kill()
        await exit
      }
    })
  },
}

async function measure(client: Redis, rounds: number): Promise<readonly Row[]> {
  const guard = redisGuard(fromIoredis(client), { timeoutMs: 10_000 })
  // A guard that has just begun cannot know about the steps around it.
  let step = Math.floor(Date.now() / 30_000) + 3
  await guard.decide(attempt(0, step))
  step += 3
  const own = new Meter(client, 'evalsha')
  const plain = new Meter(client, 'set')
  await takeRounds(
    {
      guard: () =>
        own.over(async (peer) => {
          const { outcome } = await guard.decide(attempt(peer, step))
          if (outcome !== 'accepted') throw new Error(outcome)
        }),
      plain: () => plain.over((peer) => client.set(`plain:${peer}:${step}`, '1', 'PX', 90_000, 'NX')),
    },
    rounds,
    () => step++,
  )
  const against = 'SET NX with a time to live'
  const limit = (name: string, value: number): { name: string; samples: number[] } => ({
    name,
    samples: own.trips.map(() => value),
  })
  return [
    cost({ name: 'round trips a decision', samples: own.trips }, limit('one', 1), count, 1),
    cost(
      { name: 'a decision: CPU of the agent', samples: own.client },
      { name: against, samples: plain.client },
      microseconds,
    ),
    cost(
      { name: 'a decision: time in Redis', samples: own.server },
      { name: against, samples: plain.server },
      microseconds,
    ),
    cost(
      { name: 'memory of a claim in Redis', samples: [await claimSize(client)] },
      limit('256 B', 256),
      bytes,
    ),
  ]
}

/** Sums up what a batch cost on both sides; Redis itself tells its part. */
class Meter {
  readonly client: number[] = []
  readonly server: number[] = []
  readonly trips: number[] = []
  readonly #redis: Redis
  readonly #command: string

  constructor(redis: Redis, command: string) {
    this.#redis = redis
    this.#command = command
  }

  async over(task: (peer: number) => Promise<unknown>): Promise<number> {
    const before = await this.#statistics()
    const start = cpuNanoseconds()
    for (let peer = 0; peer < peers; peer += atOnce) {
      await Promise.all(Array.from({ length: atOnce }, (_, place) => task(peer + place)))
    }
    const cpu = (cpuNanoseconds() - start) / 1000 / peers
    const after = await this.#statistics()
    this.client.push(cpu)
    this.server.push((after.microseconds - before.microseconds) / peers)
    this.trips.push((after.calls - before.calls) / peers)
    return cpu
  }

  async #statistics(): Promise<{ calls: number; microseconds: number }> {
    const info = await this.#redis.info('commandstats')
    const [, calls, usec] = new RegExp(`cmdstat_${this.#command}:calls=(\\d+),usec=(\\d+)`).exec(info) ?? []
    return { calls: Number(calls ?? 0), microseconds: Number(usec ?? 0) }
  }
}

/** What Redis says that one claim takes, its key included. */
async function claimSize(client: Redis): Promise<number> {
  const [, keys] = await client.scan(0, 'MATCH', '*:claim:*', 'COUNT', 1000)
  return (await client.memory('USAGE', keys[0] ?? '')) ?? NaN
}

function attempt(peer: number, timeStep: number): Attempt {
  const { period, window } = defaultProfile
  return {
    peer: `peer-${peer}`,
    tokenHash: `sha256:${String(peer).padStart(64, '0')}`,
    policy: 'once',
    budgets: defaultBudgets,
    at: new Date(timeStep * period * 1000),
    timeStep,
    period,
    window,
    finding: { kind: 'match', seedId: 's-0123456789', timeStep },
  }
}
