import { describe, expect, it } from 'vitest'
import { meshFormats } from '../../src/mesh/report/index.js'
import type { Format } from '../../src/probe/index.js'
import { agentOf, edgeOf, largeMesh, meshReportOf, mixedMesh } from '../support/mesh-report.js'
import { cellOf, reportOf, resultOf } from '../support/report.js'

const plain = { color: false, symbols: false }
const all = Object.keys(meshFormats) as Format[]
const linesOf = (format: Format, report = mixedMesh()): string[] =>
  meshFormats[format](report, plain).trimEnd().split('\n')

describe('every format of a mesh', () => {
  it.each(all)('%s says by what the run was narrowed', (format) => {
    expect(meshFormats[format](mixedMesh(), plain)).toContain('--only billing')
    expect(meshFormats[format](mixedMesh({ narrowed: [] }), plain)).not.toMatch(/--only billing|NARROWED/)
  })

  it.each(['pretty', 'markdown', 'github', 'tap'] as const)(
    '%s says so in its first lines and its last, and has the diagnosis first',
    (format) => {
      const lines = linesOf(format)
      const first = lines.slice(0, 3).join('\n')
      expect(first).toContain('NARROWED: --only billing')
      expect(lines.at(-1)).toContain('NARROWED: --only billing')
      expect(lines.slice(0, 4).join('\n')).toContain('billing runs with an older server file')
    },
  )

  it.each(all.filter((format) => format !== 'openmetrics'))(
    '%s says what is ignored, until when and why',
    (format) => {
      expect(meshFormats[format](mixedMesh(), plain)).toContain(
        'ignored until 2030-02-01: the proxy is replaced in January',
      )
    },
  )

  it.each(['pretty', 'markdown', 'html', 'github', 'junit', 'tap', 'sarif'] as const)(
    '%s names each edge that is not as declared',
    (format) => {
      const text = meshFormats[format](mixedMesh(), plain).replaceAll('&gt;', '>')
      for (const edge of ['bob -> billing', 'eve -> billing', 'bob -> files', 'alice -> search'])
        expect(text).toContain(edge)
    },
  )

  it.each(['pretty', 'markdown', 'html', 'github'] as const)('%s says what to do about it', (format) => {
    expect(meshFormats[format](mixedMesh(), plain)).toContain('a2a-totp mesh apply')
  })
})

describe('findings for a person', () => {
  const warned = (agent: string) => {
    const { url } = cellOf('https://agent.example/rest')
    const checks = [resultOf({ id: 'signed.stripped', url, status: 'warn', actual: 'HTTP 200' })]
    return agentOf(agent, { report: reportOf({ agent, checks }) })
  }

  it('are said once of agents that show the same', () => {
    const agents = [warned('billing'), warned('stock'), warned('orders')]
    const lines = linesOf('pretty', meshReportOf({ agents }))
    expect(lines).toContain('billing, stock, orders')
    expect(lines.filter((line) => line.startsWith('  warn signed.stripped'))).toHaveLength(1)
  })

  it('of an edge whose agent failed its probe point there', () => {
    const matrix = [edgeOf('alice', 'billing', { status: 'fail', detail: 'no credentials are demanded' })]
    const lines = linesOf('pretty', meshReportOf({ agents: [agentOf('billing')], matrix }))
    expect(lines).toContain('      fix       Fix what the probe of billing found.')
  })
})

describe('an edge that was let in with a warning', () => {
  const detail = 'let in: without credentials it is refused; but the agent does not know how to get a task'

  it('needs nothing of what helps callers who are refused', () => {
    const matrix = [edgeOf('alice', 'billing', { status: 'warn', detail })]
    for (const format of ['pretty', 'markdown', 'html'] as const) {
      const text = meshFormats[format](meshReportOf({ agents: [agentOf('billing')], matrix }), plain)
      expect(text).toContain('Nothing has to be delivered')
      expect(text).toContain('a2a-totp probe --explain auth.valid')
      expect(text).not.toContain('mesh apply')
    }
  })

  it('is what makes a strict run fail, which the verdict says', () => {
    const matrix = [edgeOf('alice', 'billing', { status: 'warn', detail })]
    const report = meshReportOf({ agents: [agentOf('billing')], matrix, strict: true, ok: false })
    expect(linesOf('pretty', report).at(-1)).toMatch(/^FAIL .* 0 failed, .* warnings count as failures/)
  })
})

describe('the matrix for a person', () => {
  it('fits 80 columns with 20 agents, without colours and symbols', () => {
    const lines = linesOf('pretty', largeMesh(20))
    const rows = lines.filter((line) => /^ {2}team-/.test(line))
    expect(rows).toHaveLength(20)
    for (const row of rows) expect(row.length).toBeLessThanOrEqual(80)
    expect(rows[0]).toBe('  team-1-worker   + . . + . . + . . + . . + . . + . . + .')
    expect(lines.join('\n')).toMatch(/^[\n -~]*$/)
  })

  it('goes on below where agents do not fit beside each other', () => {
    const rows = linesOf('pretty', largeMesh(40)).filter((line) => /^ {2}team-40-worker /.test(line))
    expect(rows).toHaveLength(2)
    for (const row of rows) expect(row.length).toBeLessThanOrEqual(80)
    expect(rows.join('').match(/[+.]/g)).toHaveLength(40)
  })

  it('tells each kind of edge apart, in symbols and in ASCII', () => {
    const matrixOf = (symbols: boolean): string[] =>
      meshFormats
        .pretty(mixedMesh(), { symbols })
        .split('\n')
        .filter((line) => /^ {2}(alice|bob|carol|eve) /.test(line))
    expect(matrixOf(true)).toEqual(['  alice  ✔ ? ▲', '  bob    ✖ ? ◆', '  carol  · ○ ◌', '  eve    ●'])
    expect(matrixOf(false)).toEqual(['  alice  + ? !', '  bob    X ? #', '  carol  . o e', '  eve    @'])
  })

  it('names edges that fail alike at one agent together', () => {
    const report = largeMesh(12, (_, column) =>
      column === 0 ? { declared: true, admitted: false, status: 'fail', detail: 'refused' } : {},
    )
    const found = linesOf('pretty', report).filter((line) => line.includes('-> agent-1.eu-west'))
    expect(found).toHaveLength(1)
    expect(found[0]).toContain('and 6 more -> agent-1.eu-west')
  })
})

describe('the page of a mesh', () => {
  it('has the matrix as a picture with the roles of a table, and each cell says what it shows', () => {
    const text = meshFormats.html(mixedMesh(), {})
    const count = (part: RegExp): number => text.match(part)?.length ?? 0
    expect(count(/<svg\s[^>]*role="table"/g)).toBe(1)
    expect(count(/role="row"/g)).toBe(5)
    expect(count(/role="columnheader"/g)).toBe(4)
    expect(count(/role="rowheader"/g)).toBe(4)
    expect(text).toContain('<title>eve -&gt; billing: let in, but it should be refused</title>')
    expect(text).not.toMatch(/<script|<a |<img|src=|href="(?!data:,)/)
  })

  it('has no picture where there is no edge', () => {
    expect(meshFormats.html(meshReportOf(), {})).not.toContain('<svg')
  })
})

describe('annotations of a mesh', () => {
  it('are at the lines of the edges, and no more than GitHub shows', () => {
    const report = largeMesh(14, (row, column) =>
      row === column ? { declared: true, admitted: false, status: 'fail', line: row + 1 } : {},
    )
    const lines = meshFormats.github(report, { location: 'deploy/mesh.yaml' }).trimEnd().split('\n')
    const errors = lines.filter((line) => line.startsWith('::error'))
    expect(errors).toHaveLength(10)
    expect(errors[2]).toMatch(
      /^::error file=deploy\/mesh.yaml,line=3,title=team-3-worker -> agent-3.eu-west::/,
    )
    expect(errors[9]).toMatch(/title=and \d more findings::/)
  })

  it('shows a removed peer that is still let in as the worst of what a cell has', () => {
    const removed = edgeOf('bob', 'billing', {
      declared: false,
      removed: true,
      admitted: true,
      status: 'fail',
    })
    const report = meshReportOf({ matrix: [edgeOf('bob', 'billing'), removed] })
    expect(linesOf('pretty', report).find((line) => line.startsWith('  bob'))).toBe('  bob    @')
  })
})
