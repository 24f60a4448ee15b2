import { describe, expect, it } from 'vitest'
import { formats, type Format } from '../../src/probe/index.js'
import { cellOf, mixedReport, reportOf, resultOf } from '../support/report.js'

const plain = { color: false, symbols: false }
const all = Object.keys(formats) as Format[]
const forPeople = ['pretty', 'markdown', 'github', 'tap'] as const

const linesOf = (format: Format, report = mixedReport()): string[] =>
  formats[format](report, plain).trimEnd().split('\n')

describe('every format', () => {
  it.each(all)('%s says by what the run was narrowed', (format) => {
    expect(formats[format](mixedReport(), plain)).toContain('--skip leak')
    expect(formats[format](mixedReport({ narrowed: [] }), plain)).not.toMatch(/--skip leak|NARROWED/)
  })

  it.each(forPeople)('%s says so in its first and its last line, with a diagnosis and without', (format) => {
    const report = reportOf({ checks: mixedReport().checks, narrowed: ['--skip leak'] })
    for (const one of [mixedReport(), report]) {
      // The first line of TAP is its version, and that of the diagnosis comes before it.
      const lines = linesOf(format, one)
      const first = lines.slice(0, format === 'tap' ? 3 : 1).join('\n')
      expect(first).toContain('NARROWED: --skip leak')
      expect(lines.at(-1)).toContain('NARROWED: --skip leak')
    }
  })

  it.each(all)('%s says what is ignored, until when and why', (format) => {
    const text = 'ignored until 2030-02-01: the proxy is replaced in January'
    expect(formats[format](mixedReport(), plain)).toContain(text)
  })

  it.each(all.filter((format) => format !== 'json' && format !== 'openmetrics'))(
    '%s has the diagnosis, its command, and each interface with its URL',
    (format) => {
      const text = formats[format](mixedReport(), plain).replaceAll('%0A', '\n')
      expect(text).toContain('REST 1.0 is not behind the guard (https://a.example/rest)')
      expect(text).toContain('a2a-totp probe --explain auth.none')
      expect(text).toContain('https://a.example/v2/rest')
      expect(text).toContain('REST 1.0 (2)')
    },
  )
})

describe('GitHub annotations', () => {
  it('are no more than GitHub shows, and the last one names the rest', () => {
    const ids = ['auth.none', 'auth.stream', 'auth.valid', 'leak', 'replay', 'status', 'uniform'] as const
    const checks = [
      ...ids,
      'challenge' as const,
      'auth.wrong-code' as const,
      'auth.totp-only' as const,
      'auth.cross-peer' as const,
    ].map((id) =>
      resultOf({ id, ...cellOf('https://a.example/rest'), status: 'fail', actual: `answer to ${id}` }),
    )
    const lines = linesOf('github', reportOf({ checks, diagnosis: 'this agent is open' }))
    const errors = lines.filter((line) => line.startsWith('::error'))
    expect(errors).toHaveLength(10)
    expect(lines[0]).toBe('::notice title=a2a-totp probe::this agent is open')
    expect(errors[9]).toMatch(/title=and \d more findings::/)
    expect(errors.join('\n')).toContain('auth.cross-peer')
  })
})
