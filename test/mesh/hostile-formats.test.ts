import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { MeshReport } from '../../src/mesh/prove/mesh-report.js'
import { meshFormats } from '../../src/mesh/report/index.js'
import { resultsOf } from '../../src/mesh/report/results.js'
import { expectOurTags, hostileTexts } from '../support/hostile-pieces.js'
import { expectHarmlessText } from '../support/hostile-text.js'
import { agentOf, edgeOf, meshChecks, mixedMesh } from '../support/mesh-report.js'
import { parseOpenmetrics } from '../support/openmetrics.js'
import { cellOf, mixedReport, resultOf } from '../support/report.js'
import { parseTap } from '../support/tap.js'

/** A report whose free texts, names included, are all from outside. */
const reports = fc
  .record({
    mesh: hostileTexts,
    name: hostileTexts,
    url: hostileTexts,
    detail: hostileTexts,
    peer: hostileTexts,
  })
  .map(({ mesh, name, url, detail, peer }): MeshReport => {
    const free = { detail, actual: detail, expected: detail }
    const failed = [resultOf({ id: 'auth.cross-peer', ...cellOf(url), ...free, status: 'fail' })]
    const probed = mixedReport({ agent: name, target: url, diagnosis: detail, narrowed: [detail] })
    return mixedMesh({
      mesh,
      diagnosis: detail,
      narrowed: [detail],
      checks: meshChecks({
        'mesh.removed': { ...free, status: 'fail' },
        'mesh.coverage': { ...free, status: 'warn' },
        'mesh.separate': { ...free, status: 'skip' },
      }),
      agents: [
        agentOf(`${name}1`, { url, peer, detail, report: probed }),
        agentOf(`${name}2`, { url, peer, detail, report: null, ok: false, reachable: false }),
      ],
      matrix: [
        edgeOf(peer, `${name}1`, { detail }),
        edgeOf(peer, `${name}2`, { detail, status: 'fail', admitted: false, checks: failed }),
        edgeOf(`${peer}2`, `${name}1`, { detail, status: 'fail', declared: false, admitted: true }),
        edgeOf(`${peer}2`, `${name}2`, { detail, status: 'skip', declared: false, admitted: null }),
      ],
    })
  })

const plain = { color: false, symbols: true, location: 'mesh.yaml' }
const forAll = (check: (report: MeshReport) => void): void =>
  fc.assert(fc.property(reports, check), { numRuns: 100 })

describe('no text in the report of a mesh is more than text', () => {
  it.each(['pretty', 'junit', 'markdown', 'tap', 'sarif', 'html', 'openmetrics', 'json'] as const)(
    'in %s: no command to a runner, and no control character',
    (format) =>
      forAll((report) =>
        expectHarmlessText(meshFormats[format](report, plain).replace(/<style>.*?<\/style>/s, '')),
      ),
  )

  it('in github: each line is one command of ours, some at a line of the mesh file', () => {
    forAll((report) => {
      const lines = meshFormats.github(report, plain).trimEnd().split('\n')
      const ours = /^::(error|warning|notice) (file=mesh\.yaml,line=12,)?title=[^:,]+::/
      for (const line of lines) {
        expect(line).toMatch(ours)
        expectHarmlessText(line.replace(ours, ''))
      }
      expect(lines.some((line) => line.startsWith('::error file='))).toBe(true)
    })
  })

  it('in TAP: the document has our tests, and nothing else is a line of its own', () => {
    forAll((report) => {
      const { planned, tests } = parseTap(meshFormats.tap(report, {}))
      const statuses = resultsOf(report).map(({ status }) => status)
      expect([planned, ...tests.map(({ ok }) => ok)]).toEqual([
        statuses.length,
        ...statuses.map((status) => status !== 'fail'),
      ])
    })
  })

  it('in OpenMetrics: each edge is read back', () => {
    forAll((report) => {
      const samples = parseOpenmetrics(meshFormats.openmetrics(report, {}))
      expect(samples.filter(({ name }) => name.endsWith('_edge_state'))).toHaveLength(4)
    })
  })

  it('in SARIF: no link and no placeholder in a message', () => {
    forAll((report) => {
      const { runs } = JSON.parse(meshFormats.sarif(report, {})) as {
        runs: { results: { message: { text: string } }[] }[]
      }
      for (const { message } of runs[0]?.results ?? []) expect(message.text).not.toMatch(/\]\(|\{\d/)
    })
  })

  it('in HTML: no tag and no attribute but ours', () => {
    forAll((report) => expectOurTags(meshFormats.html(report, {})))
  })

  it('in Markdown: only in code', () => {
    forAll((report) => {
      const marked = meshFormats
        .markdown(report, {})
        .replace(/`[^`\n]*`/g, '')
        .replace('<details><summary>Not tested</summary>', '')
        .replace('</details>', '')
      expect(marked).not.toMatch(/[<`@]|\]\(|&#|script/)
    })
  })

  it('in JUnit: an XML parser takes it', () => {
    const documents = fc.sample(reports, 30).map((report) => meshFormats.junit(report, {}))
    const parse =
      'import sys, json; from xml.dom.minidom import parseString; [parseString(d.encode()) for d in json.load(sys.stdin)]'
    execFileSync('python3', ['-c', parse], { input: JSON.stringify(documents) })
  })
})
