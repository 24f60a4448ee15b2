import { defaultProfile, type TOTPProfile } from '../../../src/core/profile.js'
import type { ProbeOptions } from '../../../src/probe/index.js'
import { startTestAgent, type AgentPeer, type Quirks } from '../broken-agent.js'
import { startFront, type FrontHabits } from '../reverse-proxy.js'
import { alice, bob, midStep, stillClock } from '../probing.js'

/** An agent that runs. */
export interface Running {
  readonly url: string
  readonly options?: Partial<ProbeOptions>
  readonly clock?: ReturnType<typeof stillClock>
  readonly close: () => Promise<void>
}

/** An agent that enforces both factors, and what surrounds it. */
export interface RightAgent {
  readonly name: string
  readonly start: () => Promise<Running>
  /** What the contract has the probe remark of it; by default nothing. */
  readonly remarked?: Readonly<Record<string, 'warn'>>
  /** What it may remark besides. */
  readonly tolerated?: readonly string[]
}

export interface Surroundings {
  readonly front?: FrontHabits
  readonly grpc?: boolean
  readonly options?: Partial<ProbeOptions>
  /** The path below the front's or the agent's origin to probe. */
  readonly path?: string
  readonly profile?: TOTPProfile
  readonly peers?: readonly AgentPeer[]
  /** In real time, where something waits that no clock of ours moves. */
  readonly realTime?: boolean
}

const realClock = {
  now: (): Date => new Date(),
  sleep: (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms)),
}

/** The test agent, right but for manners of its own, with or without something in front. */
export const testAgent =
  (quirks: Quirks = {}, surroundings: Surroundings = {}): RightAgent['start'] =>
  async () => {
    const { front: habits, grpc, options, path = '', profile = defaultProfile } = surroundings
    const { peers = [alice, bob], realTime = false } = surroundings
    const clock = realTime ? realClock : stillClock(midStep)
    const agent = await startTestAgent({ peers, profile, now: clock.now, quirks, ...(grpc && { grpc }) })
    const front = habits && (await startFront(agent.url, habits))
    return {
      url: (front?.origin ?? agent.url) + path,
      options: {
        ...options,
        ...(front?.ca !== undefined && { ca: front.ca }),
        ...(realTime && { pause: realClock.sleep }),
      },
      clock,
      close: async () => {
        await front?.close()
        await agent.close()
      },
    }
  }

/** What something in front makes of an agent that was started. */
export async function behind(
  running: Running,
  habits: FrontHabits,
  edit: (text: string, from: string, to: string) => string = (text) => text,
): Promise<Running> {
  const { origin } = new URL(running.url)
  const front: Awaited<ReturnType<typeof startFront>> = await startFront(origin, {
    ...habits,
    // Its card names its own address; a proxy in the field has the name that the card has.
    edit: (body, { url = '' }) =>
      url.endsWith('agent-card.json') ? Buffer.from(edit(body.toString(), origin, front.origin)) : body,
  })
  return {
    ...running,
    url: front.origin,
    close: async () => {
      await front.close()
      await running.close()
    },
  }
}
