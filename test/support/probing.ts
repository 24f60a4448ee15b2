import { randomBytes } from 'node:crypto'
import { defaultProfile } from '../../src/core/profile.js'
import { Seed } from '../../src/core/seed.js'
import { Token } from '../../src/core/token.js'
import { probe, type ProbeOptions, type ProbeReport } from '../../src/probe/index.js'
import type { CheckResult } from '../../src/probe/report/report.js'
import { startTestAgent, type AgentPeer, type Quirks, type TestAgent } from './broken-agent.js'

/** A clock that stands still until somebody sleeps. */
export function stillClock(at: Date): { now: () => Date; sleep: (ms: number) => Promise<void> } {
  let time = at.getTime()
  return {
    now: () => new Date(time),
    sleep: (ms) => {
      time += ms
      return Promise.resolve()
    },
  }
}

/** Ten seconds into a time step. */
export const midStep = new Date('2030-01-01T00:00:10Z')

export const alice: AgentPeer = {
  name: 'alice',
  token: 'a2at_alice-0123456789abcdefghijklmnopqrstuvw',
  seed: Seed.fromBytes(Buffer.from('alice-has-a-seed-123')),
}
export const bob: AgentPeer = {
  name: 'bob',
  token: 'a2at_bob-0123456789abcdefghijklmnopqrstuvwxy',
  seed: Seed.fromBytes(Buffer.from('bob-has-another-seed')),
}

export interface Probing {
  readonly report: ProbeReport
  readonly agent: TestAgent
  readonly said: readonly string[]
}

interface ProbedAgent {
  /** Where to probe it, if not at its base. */
  readonly path?: string | undefined
  /** Whether it has gRPC as well. */
  readonly grpc?: boolean
}

/** Probes a test agent as alice, and stops it. */
export async function probeAgent(
  quirks: Quirks,
  { path = '', grpc = false, ...options }: Partial<ProbeOptions> & ProbedAgent = {},
  clock = stillClock(midStep),
): Promise<Probing> {
  const agent = await startTestAgent({
    peers: [alice, bob],
    profile: defaultProfile,
    now: clock.now,
    quirks,
    grpc,
  })
  const said: string[] = []
  try {
    const report = await probe({
      ...probeOptions(agent.url + path, clock),
      announce: (text) => said.push(text),
      ...options,
    })
    return { report, agent, said }
  } finally {
    await agent.close()
  }
}

export function probeOptions(url: string, clock: ReturnType<typeof stillClock>): ProbeOptions {
  return {
    url,
    credentials: { ...defaultProfile, token: Token.parse(alice.token), seed: alice.seed },
    otherPeer: { ...defaultProfile, seed: bob.seed },
    binding: 'auto',
    protocol: 'auto',
    timeoutMs: 10_000,
    now: clock.now,
    sleep: clock.sleep,
    pause: () => Promise.resolve(),
    random: randomBytes,
  }
}

/** The checks of a report that neither passed nor were skipped. */
export function findings({ checks }: Pick<ProbeReport, 'checks'>): Record<string, string> {
  return Object.fromEntries(
    checks
      .filter(({ status }) => status === 'fail' || status === 'warn')
      .map(({ id, status }) => [id, status]),
  )
}

/** The ids that were skipped, but for those about proofs, of which nothing is known to most agents here. */
export function skippedIn({ checks }: Pick<ProbeReport, 'checks'>): string[] {
  return checks.flatMap(({ id, status }) => (status === 'skip' && !id.startsWith('signed.') ? [id] : []))
}

/** The findings of each cell, by its name. */
export function findingsByCell({ checks }: ProbeReport): Record<string, Record<string, string>> {
  const cellOf = ({ binding, protocolVersion }: CheckResult): string => `${binding} ${protocolVersion}`
  const cells = new Set(checks.filter(({ binding }) => binding !== null).map(cellOf))
  return Object.fromEntries(
    [...cells].map((cell) => [cell, findings({ checks: checks.filter((check) => cellOf(check) === cell) })]),
  )
}
