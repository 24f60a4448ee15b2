import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import type { MeshReport } from '../../src/mesh/prove/mesh-report.js'
import { meshFormats } from '../../src/mesh/report/index.js'
import { resultsOf } from '../../src/mesh/report/results.js'
import { ruleIds } from '../../src/mesh/report/rules.js'
import { agentOf, edgeOf, meshReportOf, mixedMesh } from '../support/mesh-report.js'
import { parseOpenmetrics } from '../support/openmetrics.js'
import { sarifRun, type SarifRun } from '../support/sarif.js'
import { parseTap } from '../support/tap.js'

describe('the report of a mesh as JUnit XML', () => {
  const suitesOf = (report: MeshReport): Record<string, unknown>[] => {
    const read = `
import sys, json
from xml.dom.minidom import parseString
document = parseString(sys.stdin.buffer.read())
rows = []
for suite in document.getElementsByTagName('testsuite'):
    cases = suite.getElementsByTagName('testcase')
    rows.append(dict(suite.attributes.items(), cases=len(cases),
        failed=[c.getAttribute('classname') + ' ' + c.getAttribute('name') for c in cases if c.getElementsByTagName('failure')],
        passedOver=len(suite.getElementsByTagName('skipped'))))
print(json.dumps(rows))`
    const rows = execFileSync('python3', ['-c', read], { input: meshFormats.junit(report, {}) })
    return JSON.parse(rows.toString()) as Record<string, unknown>[]
  }

  it('has a suite for the mesh and one for each agent, and each counts what it holds', () => {
    const suites = suitesOf(mixedMesh())
    expect(suites.map(({ name }) => name)).toEqual(['a2a-totp mesh prove', 'billing', 'search', 'files'])
    expect(suites.map(({ id }) => id)).toEqual(['0', '1', '2', '3'])
    for (const { tests, failures, skipped, cases, failed, passedOver, timestamp } of suites) {
      expect([Number(tests), Number(skipped)]).toEqual([cases, passedOver])
      expect(failed).toHaveLength(Number(failures))
      expect(timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/)
    }
    expect(suites.map(({ failed }) => failed)).toEqual([
      ['mesh mesh.removed'],
      [
        'REST 1.0 auth.none',
        'REST 1.0 (2) auth.none',
        'bob -> billing REST 1.0 auth.valid',
        'eve -> billing mesh.edge',
      ],
      ['agent mesh.agent', 'alice -> search mesh.edge'],
      ['bob -> files REST 1.0 auth.cross-peer'],
    ])
  })

  it('has warnings as failures when strict', () => {
    const failures = (report: MeshReport): number =>
      suitesOf(report).reduce((sum, suite) => sum + Number(suite['failures']), 0)
    expect(failures(mixedMesh({ strict: true }))).toBe(failures(mixedMesh()) + 3)
  })
})

describe('the report of a mesh as TAP', () => {
  it('is a test for each result, and fails the ones that fail', () => {
    const { planned, tests, comments } = parseTap(meshFormats.tap(mixedMesh(), {}))
    expect(tests).toHaveLength(planned)
    expect(tests.filter(({ ok }) => !ok).map(({ name }) => name)).toEqual([
      'mesh: mesh.removed',
      'billing: auth.none (REST 1.0)',
      'billing: auth.none (REST 1.0 (2))',
      'bob -> billing: auth.valid (REST 1.0)',
      'eve -> billing: mesh.edge',
      'search: mesh.agent',
      'alice -> search: mesh.edge',
      'bob -> files: auth.cross-peer (REST 1.0)',
    ])
    expect(tests.find(({ name }) => name === 'alice -> search: mesh.edge')?.diagnostics).toEqual({
      severity: 'fail',
      message: 'nothing answered',
      expected: 'let in',
      actual: 'not shown',
      line: 21,
      duration_ms: 0,
    })
    expect(comments[0]).toBe('diagnosis: billing runs with an older server file')
    expect([comments[1], comments.at(-1)]).toEqual(['NARROWED: --only billing', 'NARROWED: --only billing'])
  })
})

describe('the report of a mesh as OpenMetrics', () => {
  const samplesOf = (report: MeshReport) => parseOpenmetrics(meshFormats.openmetrics(report, {}))

  it('has the verdict, each agent and each edge', () => {
    const samples = samplesOf(mixedMesh())
    const valuesOf = (name: string): Record<string, number> =>
      Object.fromEntries(
        samples
          .filter((sample) => sample.name === `a2a_totp_mesh_${name}`)
          .map(({ labels: { peer, agent = '' }, value }) => [
            peer === undefined ? agent : `${peer}:${agent}`,
            value,
          ]),
      )
    expect(valuesOf('ok')).toEqual({ '': 0 })
    expect(valuesOf('narrowed')).toEqual({ '': 1 })
    expect(valuesOf('guesses')).toEqual({ '': 8 })
    expect(valuesOf('agent_ok')).toEqual({ billing: 0, search: 0, files: 1 })
    expect(valuesOf('agent_reachable')).toEqual({ billing: 1, search: 0, files: 1 })
    expect(valuesOf('edge_ok')).toMatchObject({ 'alice:billing': 1, 'bob:billing': 0, 'eve:billing': 0 })
    expect(valuesOf('edge_admitted')).toMatchObject({ 'bob:billing': 0, 'eve:billing': 1 })
    expect(valuesOf('edge_admitted')).not.toHaveProperty('alice:search')
    const states = samples.filter(({ name }) => name.endsWith('_edge_state'))
    expect(states.map(({ labels }) => labels['state'])).toEqual([
      ...['open', 'unknown', 'warned', 'refused', 'unknown', 'unsafe'],
      ...['shut', 'removed', 'expired', 'intruder'],
    ])
  })

  it('has each sample once, and the worse one, where a peer was removed twice', () => {
    const removed = { declared: false, removed: true } as const
    const twice = [
      edgeOf('eve', 'billing', { ...removed, admitted: true, status: 'fail' }),
      edgeOf('eve', 'billing', removed),
    ]
    const ok = samplesOf(meshReportOf({ matrix: twice })).filter(({ name }) => name.endsWith('_edge_ok'))
    expect(ok.map(({ value }) => value)).toEqual([0])
  })
})

const sarif = (report: MeshReport, location?: string): SarifRun =>
  sarifRun(meshFormats.sarif(report, { version: '1.2.3', ...(location === undefined ? {} : { location }) }))

describe('the report of a mesh as SARIF', () => {
  it('has every rule in every run, those of the mesh and those of the probe', () => {
    const { rules } = sarif(meshReportOf()).tool.driver
    expect(rules.map(({ id }) => id)).toEqual([...ruleIds])
    for (const { properties } of rules) expect(properties['security-severity']).toMatch(/^\d\.\d$/)
  })

  it('has a result for what failed, what is warned about and what is ignored, at its line of the mesh file', () => {
    const { results, tool } = sarif(mixedMesh(), 'deploy/mesh.yaml')
    const shown = resultsOf(mixedMesh()).filter(
      ({ status, ignored }) => status === 'fail' || status === 'warn' || ignored === true,
    )
    expect(results.map(({ ruleId }) => ruleId)).toEqual(shown.map(({ id }) => id))
    for (const { ruleId, ruleIndex } of results) expect(tool.driver.rules[ruleIndex]?.id).toBe(ruleId)
    const places = results.map(({ message, locations: [place] }) => [
      message.text.split(':')[0]?.split(',')[0],
      place?.physicalLocation.artifactLocation.uri,
      place?.physicalLocation.region.startLine,
    ])
    expect(places).toContainEqual(['bob -> billing', 'deploy/mesh.yaml', 31])
    // That of the edge as which the agent was probed.
    expect(places).toContainEqual(['billing', 'deploy/mesh.yaml', 20])
    expect(places).toContainEqual(['mesh', 'deploy/mesh.yaml', 1])
    expect(results.filter(({ suppressions }) => suppressions !== undefined)).toHaveLength(1)
  })

  it('has the same fingerprints when lines, words, the day or the peer that an agent is probed as change', () => {
    const prints = (report: MeshReport, location = 'mesh.yaml'): string[] =>
      sarif(report, location).results.map(({ partialFingerprints }) => JSON.stringify(partialFingerprints))
    const now = mixedMesh()
    expect(new Set(prints(now)).size).toBe(prints(now).length)
    const later: MeshReport = {
      ...now,
      mesh: '/home/other/mesh.yaml',
      startedAt: '2031-01-01T00:00:00.000Z',
      agents: now.agents.map((agent) => ({ ...agent, peer: 'bob' })),
      matrix: now.matrix.map((edge) => ({ ...edge, detail: 'other words', line: (edge.line ?? 0) + 7 })),
    }
    expect(prints(later)).toEqual(prints(now))
    expect(prints(now, 'other/mesh.yaml').filter((print) => prints(now).includes(print))).toEqual([])
  })

  it('tells two results apart that concern the same', () => {
    const removed = { declared: false, removed: true, admitted: true, status: 'fail' } as const
    const matrix = [edgeOf('eve', 'billing', removed), edgeOf('eve', 'billing', removed)]
    const prints = sarif(meshReportOf({ matrix })).results.map((one) => one.partialFingerprints)
    expect(new Set(prints.map((print) => print['primaryLocationLineHash'])).size).toBe(2)
  })
})

describe('the report of a mesh as JSON', () => {
  const read = (report: MeshReport): MeshReport => JSON.parse(meshFormats.json(report, {})) as MeshReport

  it('is the report', () => {
    const report = mixedMesh()
    const plain = JSON.parse(JSON.stringify(report)) as MeshReport
    const { matrix, ...rest } = read(report)
    expect(rest).toEqual({ ...plain, matrix: undefined })
    expect(matrix.map((edge) => ({ ...edge, checks: [] }))).toEqual(
      plain.matrix.map((edge) => ({ ...edge, checks: [] })),
    )
  })

  it('has in the matrix what was seen of the edge that its agent was probed in full as', () => {
    const report = meshReportOf({
      agents: [agentOf('billing'), agentOf('files', { report: null })],
      matrix: [edgeOf('alice', 'billing'), edgeOf('bob', 'billing'), edgeOf('alice', 'files')],
    })
    const ids = read(report).matrix.map(({ checks }) => [...new Set(checks.map(({ id }) => id))])
    const full = report.agents[0]?.report?.checks.map(({ id }) => id) ?? []
    const ofEdge = ['auth.none', 'auth.bearer-only', 'auth.valid', 'auth.cross-peer']
    expect(ids).toEqual([[...new Set(full)].filter((id) => ofEdge.includes(id)), [], []])
    expect(ids[0]).toContain('auth.valid')
  })
})
