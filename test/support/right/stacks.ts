import { memoryState } from '../../../src/state/memory-state.js'
import { startDemoAgent } from '../../../src/demo/index.js'
import { TOTPServerAuthScheme } from '../../../src/server/index.js'
import { agent03 } from '../agent-03.js'
import { demoRoster } from '../demo-roster.js'
import { frameworkAgents } from '../framework-agents.js'
import { alice, bob, stillClock } from '../probing.js'
import { behind, type RightAgent, type Running } from './right-agent.js'

/** Of now, because the agents' Date is the machine's; still, so that a run falls into one time step. */
const nowClock = (): ReturnType<typeof stillClock> => stillClock(new Date())

const schemeAt = (now: () => Date): TOTPServerAuthScheme =>
  new TOTPServerAuthScheme({
    peerSeeds: { alice: alice.seed, bob: bob.seed },
    tokenToPeer: { [alice.token]: 'alice', [bob.token]: 'bob' },
    replay: 'reuse',
    state: memoryState({ since: new Date(0) }),
    now,
  })

async function demo(): Promise<Running> {
  const clock = nowClock()
  const agent = await startDemoAgent({ roster: demoRoster(clock.now()), port: 0, now: clock.now })
  return { url: agent.cardUrl, clock, close: () => agent.close() }
}

async function older(): Promise<Running> {
  const clock = nowClock()
  const agent = await agent03(schemeAt(clock.now))
  return { url: agent.origin, clock, close: async () => agent[Symbol.asyncDispose]() }
}

/** A card whose HTTP interfaces are at the front; its gRPC interface stays where it is. */
const moved = (text: string, from: string, to: string): string => text.replaceAll(from, to)

/** Agents on the SDKs and frameworks, behind our guards. */
export const rightStacks: readonly RightAgent[] = [
  { name: 'is the demo on @a2a-js/sdk 1.3, with three bindings and two versions', start: demo },
  { name: 'is the demo behind a proxy', start: async () => behind(await demo(), {}, moved) },
  { name: 'is the demo after 50 ms', start: async () => behind(await demo(), { delayMs: 50 }, moved) },
  { name: 'is on @a2a-js/sdk 0.3.14, with three bindings', start: older },
  ...Object.entries(frameworkAgents).map(([name, start]): RightAgent => ({
    name: `is behind our guard for ${name}`,
    start: async () => {
      const clock = nowClock()
      const agent = await start(schemeAt(clock.now))
      return { url: agent.origin, clock, close: () => agent.close() }
    },
  })),
]
