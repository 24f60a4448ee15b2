import type { Redis } from 'ioredis'
import { redisState } from '../../src/state/redis-state.js'
import { fromIoredis } from '../../src/state/redis-port.js'
import { attemptOf } from '../attempts.js'
import { inFolder } from '../processes.js'
import { hasRedis, statisticsOf, withRedis } from '../redis-process.js'
import { bytes, cost, microseconds, type Row, type Section, type Unit } from '../report.js'
import { cpuNanoseconds, takeRounds } from '../rounds.js'
import { replicaRows } from './replicas.js'

const peers = 2000
const atOnce = 50
const count: Unit = (value) => value.toFixed(2)

/** What a decision of the state over Redis costs, on either side, to the least that such a claim can be. */
export const redisSection: Section = {
  title: 'Redis (policy once, one server, 50 decisions under way)',
  run: (scale) =>
    hasRedis('its section')
      ? inFolder((folder) =>
          withRedis(folder, async (client, socket) => [
            ...(await measure(client, scale.rounds)),
            ...(await replicaRows(client, socket, scale)),
          ]),
        )
      : Promise.resolve([]),
}

async function measure(client: Redis, rounds: number): Promise<readonly Row[]> {
  const state = redisState(fromIoredis(client), { timeoutMs: 10_000 })
  // A state that has just begun cannot know about the steps around it.
  let step = Math.floor(Date.now() / 30_000) + 3
  await state.decide(attemptOf(0, step))
  step += 3
  const own = new Meter(client, 'evalsha')
  const plain = new Meter(client, 'set')
  await takeRounds(
    {
      state: () =>
        own.over(async (peer) => {
          const { kind } = await state.decide(attemptOf(peer, step))
          if (kind !== 'accepted') throw new Error(kind)
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
    const before = await statisticsOf(this.#redis, this.#command)
    const start = cpuNanoseconds()
    for (let peer = 0; peer < peers; peer += atOnce) {
      await Promise.all(Array.from({ length: atOnce }, (_, place) => task(peer + place)))
    }
    const cpu = (cpuNanoseconds() - start) / 1000 / peers
    const after = await statisticsOf(this.#redis, this.#command)
    this.client.push(cpu)
    this.server.push((after.microseconds - before.microseconds) / peers)
    this.trips.push((after.calls - before.calls) / peers)
    return cpu
  }
}

/** What Redis says that one claim takes, its key included. */
async function claimSize(client: Redis): Promise<number> {
  const [, keys] = await client.scan(0, 'MATCH', '*:claim:*', 'COUNT', 1000)
  return (await client.memory('USAGE', keys[0] ?? '')) ?? NaN
}
