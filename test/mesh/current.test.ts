import { describe, expect, it } from 'vitest'
import type { MeshReport } from '../../src/mesh/prove/mesh-report.js'
import { earlierIn, withRun, type Current } from '../../src/mesh/status/current.js'
import { agentOf, edgeOf, meshChecks, meshReportOf } from '../support/mesh-report.js'

const on = (day: number): string => `2030-01-0${day}T00:00:00.000Z`
const down = agentOf('stock', { ok: false, reachable: false, report: null, detail: 'it did not answer' })
const refusedAt = (agent: string) =>
  edgeOf('bob', agent, { admitted: false, status: 'fail', detail: 'refused' })

const whole = meshReportOf({
  startedAt: on(1),
  agents: [agentOf('billing'), down, agentOf('files')],
  matrix: [
    edgeOf('alice', 'billing'),
    edgeOf('alice', 'stock', { admitted: null, status: 'skip' }),
    edgeOf('bob', 'billing'),
    edgeOf('bob', 'files'),
  ],
  checks: meshChecks({
    'mesh.coverage': { status: 'fail', actual: '1 gap', detail: 'stock: it did not answer' },
  }),
  ok: false,
})
const onlyOf = (startedAt: string, only: string, changes: Partial<MeshReport>): MeshReport =>
  meshReportOf({ startedAt, narrowed: [`--only ${only}`], ...changes })

const together = (first: MeshReport, ...others: readonly MeshReport[]): Current =>
  others.reduce<Current>(withRun, withRun(undefined, first))

describe('what runs show together', () => {
  const billing = onlyOf(on(2), 'billing', {
    agents: [agentOf('billing')],
    matrix: [edgeOf('alice', 'billing')],
  })

  it('has what a narrowed run left out, with its time, and the verdict of all', () => {
    const current = together(whole, billing)
    expect(billing.ok).toBe(true)
    expect(current.report).toMatchObject({ ok: false, narrowed: [], startedAt: on(2) })
    expect(current.report.agents.map(({ agent, ok }) => [agent, ok])).toEqual([
      ['billing', true],
      ['stock', false],
      ['files', true],
    ])
    expect(earlierIn(current)).toEqual([{ startedAt: on(1), agents: ['stock', 'files'], edges: [] }])
    expect(current.report.checks.find(({ id }) => id === 'mesh.coverage')).toMatchObject({
      status: 'fail',
      detail: 'stock: it did not answer',
    })
  })

  it('has no edge of an agent that a later run of all its edges does not have', () => {
    const { matrix } = together(whole, billing).report
    expect(matrix.map(({ peer, agent }) => `${peer} ${agent}`)).toEqual([
      'alice billing',
      'alice stock',
      'bob files',
    ])
  })

  it('passes once a narrowed run shows what had failed', () => {
    const stock = onlyOf(on(3), 'stock', { agents: [agentOf('stock')], matrix: [edgeOf('alice', 'stock')] })
    const current = together(whole, billing, stock)
    expect(current.report.ok).toBe(true)
    expect(earlierIn(current).map(({ startedAt, agents }) => [startedAt, agents])).toEqual([
      [on(1), ['files']],
      [on(2), ['billing']],
    ])
  })

  it('fails by an edge that a narrowed run of another one left out', () => {
    const files = onlyOf(on(2), 'bob:files', { agents: [agentOf('files')], matrix: [refusedAt('files')] })
    const stock = onlyOf(on(3), 'alice:stock', {
      agents: [agentOf('stock')],
      matrix: [edgeOf('alice', 'stock')],
    })
    const current = together(whole, files, stock)
    expect(stock.ok).toBe(true)
    expect(current.report.ok).toBe(false)
    expect(current.report.matrix).toHaveLength(4)
  })

  it('is the latest run alone where that was not narrowed', () => {
    const latest = meshReportOf({
      startedAt: on(4),
      agents: [agentOf('billing')],
      matrix: [edgeOf('alice', 'billing')],
    })
    const current = together(whole, billing, latest)
    expect(current.report).toBe(latest)
    expect(earlierIn(current)).toEqual([])
  })

  it('is called narrowed where no run was whole', () => {
    const files = onlyOf(on(3), 'files', { agents: [agentOf('files')], matrix: [edgeOf('bob', 'files')] })
    expect(together(billing, files).report.narrowed).toEqual(['--only billing', '--only files'])
  })
})
