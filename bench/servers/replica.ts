// One replica of an agent, reduced to its state in Redis: decides about so many right codes, 50 at a time.
import { Redis } from 'ioredis'
import { redisState } from '../../src/state/redis-state.js'
import { fromIoredis } from '../../src/state/redis-port.js'
import { attemptOf } from '../attempts.js'

const atOnce = 50

/** Which peers are this replica's, and which time step it is. */
export interface Turn {
  readonly firstPeer: number
  readonly decisions: number
  readonly timeStep: number
}

const state = redisState(
  fromIoredis(new Redis({ path: process.argv[2] ?? '', enableAutoPipelining: true })),
  {
    timeoutMs: 60_000,
  },
)

process.on('message', (turn: Turn) => void decide(turn).then((cpu) => process.send?.(cpu)))
process.on('disconnect', () => process.exit())

/** Gives the CPU time that it took, in microseconds. */
async function decide({ firstPeer, decisions, timeStep }: Turn): Promise<number> {
  const before = process.cpuUsage()
  let next = firstPeer
  const caller = async (): Promise<void> => {
    while (next < firstPeer + decisions) {
      const { kind } = await state.decide(attemptOf(next++, timeStep))
      if (kind !== 'accepted') throw new Error(kind)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, caller))
  const { user, system } = process.cpuUsage(before)
  return user + system
}
