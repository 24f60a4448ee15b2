import { describe, expect, it } from 'vitest'
import { defaultProfile } from '../../src/core/profile.js'
import { probe } from '../../src/probe/index.js'
import { startTestAgent } from '../support/broken-agent.js'
import { defects, ofCells, telling } from '../support/broken-agents.js'
import { startGrpcGateway } from '../support/grpc-gateway.js'
import {
  alice,
  bob,
  findings,
  findingsByCell,
  midStep,
  probeAgent,
  probeOptions,
  stillClock,
  skippedIn,
} from '../support/probing.js'

const overGrpc = { grpc: true, binding: 'grpc' } as const

const table = defects({ peers: [alice, bob], now: () => midStep }).filter(
  ({ httpOnly, options }) => !httpOnly && !options,
)

describe('over gRPC, the probe', () => {
  it('finds nothing at an agent that does everything right, in either version', async () => {
    const { report } = await probeAgent({}, { grpc: true, send: 'hello' })
    expect(findings(report)).toEqual({})
    expect(skippedIn(report)).toEqual(['card.signature'])
    const cells = report.checks.filter(({ id }) => id === 'auth.valid')
    expect(cells.map(({ binding, protocolVersion }) => `${binding ?? ''} ${protocolVersion ?? ''}`)).toEqual([
      'jsonrpc 1.0',
      'jsonrpc 0.3',
      'rest 1.0',
      'rest 0.3',
      'grpc 1.0',
      'grpc 0.3',
    ])
  })

  it('sends the same four guesses as the other bindings do', async () => {
    const { report, agent } = await probeAgent({}, { grpc: true })
    expect(findings(report)).toEqual({})
    expect(agent.guesses.size).toBe(4)
  })

  it('needs nothing but the URL of an endpoint that has gRPC alone, and --binding', async () => {
    const clock = stillClock(midStep)
    const agent = await startTestAgent({ peers: [alice, bob], profile: defaultProfile, now: clock.now })
    const gateway = await startGrpcGateway(agent.url)
    try {
      const options = probeOptions(`http://127.0.0.1:${gateway.port}`, clock)
      const report = await probe({ ...options, binding: 'grpc' })
      expect(findings(report)).toEqual({ 'card.fetch': 'warn' })
      expect(report).toMatchObject({ ok: true, reachable: true, guessesSpent: 4 })
      const cells = report.checks.filter(({ id, status }) => id === 'auth.valid' && status === 'pass')
      expect(cells.map(({ binding, protocolVersion }) => `${binding} ${protocolVersion}`)).toEqual([
        'grpc 1.0',
        'grpc 0.3',
      ])
      const without = await probe(options)
      expect(without).toMatchObject({ ok: false, reachable: false })
      expect(without.checks[0]?.detail).toContain('--binding grpc')
    } finally {
      await gateway.close()
      await agent.close()
    }
  })

  it.each(table)('names an agent that $name', async (defect) => {
    const { report } = await probeAgent(defect.quirks, overGrpc)
    expect(telling(findings(report), defect)).toEqual(defect.named)
    const { named, cells: where = () => true } = defect
    for (const [cell, found] of Object.entries(findingsByCell(report)))
      expect({ cell, ...telling(found, defect) }).toEqual({ cell, ...(where(cell) ? ofCells(named) : {}) })
  })
})
