import { afterEach, describe, expect, it } from 'vitest'
import { defaultProfile } from '../../src/core/profile.js'
import { startDemoAgent } from '../../src/demo/index.js'
import { memoryState } from '../../src/state/memory-state.js'
import { probe, type ProbeReport } from '../../src/probe/index.js'
import { TOTPServerAuthScheme } from '../../src/server/index.js'
import { agent03 } from '../support/agent-03.js'
import { startTestAgent } from '../support/broken-agent.js'
import { demoRoster } from '../support/demo-roster.js'
import { alice, bob, findings, midStep, probeOptions, stillClock } from '../support/probing.js'

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

const verdicts = ({ checks }: ProbeReport): string[] =>
  checks.map(({ id, binding, protocolVersion, status }) => [id, binding, protocolVersion, status].join(' '))

describe('a correct agent passes without a warning', () => {
  it('on @a2a-js/sdk 0.3.14, over its three bindings', async () => {
    const clock = stillClock(new Date())
    const scheme = new TOTPServerAuthScheme({
      peerSeeds: { alice: alice.seed, bob: bob.seed },
      tokenToPeer: { [alice.token]: 'alice', [bob.token]: 'bob' },
      replay: 'reuse',
      state: memoryState({ since: new Date(0) }),
      now: clock.now,
    })
    const agent = await agent03(scheme)
    closers.push(async () => agent[Symbol.asyncDispose]())
    const report = await probe({ ...probeOptions(agent.origin, clock), timeoutMs: 20_000, send: 'hello' })
    expect(findings(report)).toEqual({})
    expect(report.ok).toBe(true)
    const cells = report.checks.filter(({ id, status }) => id === 'auth.valid' && status === 'pass')
    expect(cells.map(({ binding }) => binding)).toEqual(['jsonrpc', 'rest', 'grpc'])
  })

  it('under policy once: six cells of the demo, after the wait that was announced', async () => {
    const clock = stillClock(new Date())
    const demo = await startDemoAgent({ roster: demoRoster(clock.now(), 'once'), port: 0, now: clock.now })
    closers.push(() => demo.close())
    const options = { ...probeOptions(demo.cardUrl, clock), timeoutMs: 20_000 }
    const said: string[] = []
    const report = await probe({
      ...options,
      credentials: { ...options.credentials, replay: 'once' },
      // Only the guard's clock is ours: the Date of the answers is the machine's.
      skip: ['clock'],
      announce: (text) => said.push(text),
    })
    expect(findings(report)).toEqual({})
    expect(said[0]).toContain('6 valid calls need a time step each, about 120 s')
    const replays = report.checks.filter(({ id }) => id === 'replay')
    expect(replays.map(({ status, actual }) => `${status}: ${actual}`)).toEqual(
      Array.from({ length: 6 }, () => 'pass: refused the second time'),
    )
  })

  it('ten times in a row across time steps, with the same verdict, where budgets are raised', async () => {
    const clock = stillClock(midStep)
    const peers = [alice, bob]
    const agent = await startTestAgent({
      peers,
      profile: defaultProfile,
      now: clock.now,
      quirks: { budget: 1000 },
    })
    closers.push(() => agent.close())
    const first = await probe(probeOptions(agent.url, clock))
    for (let run = 2; run <= 10; run++) {
      await clock.sleep(6_900)
      const report = await probe(probeOptions(agent.url, clock))
      expect(verdicts(report)).toEqual(verdicts(first))
    }
    expect(findings(first)).toEqual({})
  })
})
