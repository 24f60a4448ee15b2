import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Redis } from 'ioredis'
import { helper } from '../paths.js'
import { statisticsOf } from '../redis-process.js'
import { cost, microseconds, speed, type Measured, type Row, type Scale } from '../report.js'
import { takeRounds } from '../rounds.js'
import type { Turn } from '../servers/replica.js'

const counts = [1, 4, 16]
/** Of all replicas together, in one turn. */
const decisions = 4800

/** How one Redis bears several replicas at once: the same work, cut into as many parts. */
export async function replicaRows(redis: Redis, socket: string, { quick, rounds }: Scale): Promise<Row[]> {
  const replicas = Array.from({ length: Math.max(...counts) }, () =>
    fork(helper('servers/replica'), [socket]),
  )
  // Beyond all that the state was asked about before.
  let timeStep = Math.floor(Date.now() / 30_000) + 100_000
  const server = new Map(counts.map((count): [number, number[]] => [count, []]))
  const agents = new Map(counts.map((count): [number, number[]] => [count, []]))
  try {
    const samplers = counts.map((count): [string, () => Promise<number>] => [
      String(count),
      async () => {
        timeStep += 3
        const before = await statisticsOf(redis, 'evalsha')
        const start = performance.now()
        const cpu = await share(replicas.slice(0, count), timeStep)
        const wall = performance.now() - start
        const after = await statisticsOf(redis, 'evalsha')
        server.get(count)?.push((after.microseconds - before.microseconds) / decisions)
        agents.get(count)?.push(cpu / decisions)
        return (wall * 1000) / decisions
      },
    ])
    const walls = await takeRounds(Object.fromEntries(samplers), quick ? 5 : Math.min(rounds, 15))
    const wall = (count: number): Measured => ({ name: named(count), samples: walls[String(count)] ?? [] })
    // The round that warms up is the first.
    const of = (samples: ReadonlyMap<number, readonly number[]>, count: number, what: string): Measured => ({
      name: `${named(count)}: ${what}`,
      samples: samples.get(count)?.slice(1) ?? [],
    })
    const [one = 1, ...more] = counts
    return more.flatMap((count) => [
      speed(wall(count), wall(one), microseconds),
      cost(of(server, count, 'time in Redis'), of(server, one, 'time in Redis'), microseconds),
      cost(of(agents, count, 'CPU of the agents'), of(agents, one, 'CPU of the agents'), microseconds),
    ])
  } finally {
    for (const replica of replicas) replica.disconnect()
  }
}

const named = (count: number): string => `${count} ${count === 1 ? 'replica' : 'replicas'}, a decision`

/** Gives the CPU time of all of them, in microseconds. */
async function share(replicas: readonly ChildProcess[], timeStep: number): Promise<number> {
  const each = decisions / replicas.length
  const times = await Promise.all(
    replicas.map(async (replica, place) => {
      const answer = once(replica, 'message')
      const turn: Turn = { firstPeer: place * each, decisions: each, timeStep }
      replica.send(turn)
      const [cpu] = (await answer) as [number]
      return cpu
    }),
  )
  return times.reduce((sum, cpu) => sum + cpu, 0)
}
