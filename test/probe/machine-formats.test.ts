import { describe, expect, it } from 'vitest'
import { checkIds, formats, type CheckResult, type ProbeReport } from '../../src/probe/index.js'
import { parseOpenmetrics } from '../support/openmetrics.js'
import { probeAgent } from '../support/probing.js'
import { cellOf, mixedReport, reportOf, resultOf } from '../support/report.js'
import { sarifRun, type SarifRun } from '../support/sarif.js'
import { parseTap } from '../support/tap.js'

const tap = (report: ProbeReport): ReturnType<typeof parseTap> => parseTap(formats.tap(report, {}))

describe('the report as TAP', () => {
  it('is a test for each check and cell', () => {
    const { planned, tests, comments } = tap(mixedReport())
    expect(planned).toBe(6)
    expect(tests.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6])
    expect(tests.map(({ ok, name }) => `${String(ok)} ${name}`)).toEqual([
      'true reach',
      'true card.and',
      'false auth.none (REST 1.0)',
      'false auth.none (REST 1.0 (2))',
      'true uniform (REST 1.0)',
      'true status (REST 1.0)',
    ])
    expect(tests[3]?.diagnostics).toEqual({
      severity: 'fail',
      message: 'let in: nothing',
      expected: 'refused',
      actual: 'HTTP 404',
      url: 'https://a.example/v2/rest',
      duration_ms: 7,
      explain: 'a2a-totp probe --explain auth.none',
    })
    expect(tests[4]?.directive).toEqual({ word: 'SKIP', reason: 'nothing was refused' })
    expect(tests[5]?.directive?.reason).toBe('ignored until 2030-02-01: the proxy is replaced in January')
    expect(comments[0]).toContain('diagnosis: REST 1.0 is not behind the guard')
    expect([comments[1], comments.at(-1)]).toEqual(['NARROWED: --skip leak', 'NARROWED: --skip leak'])
  })

  it('has a warning as ok with a diagnostic, and as not ok when strict', () => {
    expect(tap(mixedReport()).tests[1]).toMatchObject({ ok: true, diagnostics: { severity: 'warn' } })
    expect(tap(mixedReport({ strict: true })).tests[1]?.ok).toBe(false)
  })

  it('counts what a real run found', async () => {
    const { report } = await probeAgent({ waves: () => true })
    const { tests } = tap(report)
    expect(tests.filter(({ ok }) => !ok)).toHaveLength(report.summary.failed)
    expect(tests.filter(({ directive }) => directive)).toHaveLength(report.summary.skipped)
  })
})

describe('the report as OpenMetrics', () => {
  it('has the verdict, each check, and what the run cost', () => {
    const samples = parseOpenmetrics(formats.openmetrics(mixedReport(), {}))
    const valueOf = (name: string): number | undefined =>
      samples.find((sample) => sample.name === `a2a_totp_probe_${name}`)?.value
    expect(valueOf('ok')).toBe(0)
    expect(valueOf('narrowed')).toBe(1)
    expect(valueOf('guesses')).toBe(4)
    expect(valueOf('requests')).toBe(99)
    expect(valueOf('duration_seconds')).toBe(1.234)
    expect(valueOf('last_run_timestamp_seconds')).toBe(Date.parse('2030-01-01T00:00:11.234Z') / 1000)
    const failed = samples.filter(({ labels }) => labels['status'] === 'fail')
    expect(failed).toEqual(
      [
        ['REST 1.0', 'https://a.example/rest'],
        ['REST 1.0 (2)', 'https://a.example/v2/rest'],
      ].map(([cell, url]) => ({
        name: 'a2a_totp_probe_check',
        labels: {
          target: 'https://a.example',
          id: 'auth.none',
          cell,
          binding: 'rest',
          protocol_version: '1.0',
          url,
          status: 'fail',
        },
        value: 1,
      })),
    )
    expect(samples.find(({ name }) => name.endsWith('_info'))?.labels['narrowed']).toBe('--skip leak')
  })

  it('has each sample once, even where one URL serves two tenants', () => {
    const twice = resultOf({ id: 'auth.none', ...cellOf('https://a.example/rest') })
    const samples = parseOpenmetrics(formats.openmetrics(reportOf({ checks: [twice, twice] }), {}))
    expect(samples.filter(({ labels }) => labels['id'] === 'auth.none')).toHaveLength(1)
  })
})

const sarif = (report: ProbeReport, location?: string): SarifRun =>
  sarifRun(formats.sarif(report, location === undefined ? {} : { location }))

describe('the report as SARIF', () => {
  it('has every check as a rule in every run, as GitHub wants them', () => {
    const { rules } = sarif(reportOf()).tool.driver
    expect(rules.map(({ id }) => id)).toEqual([...checkIds])
    for (const { properties } of rules) {
      const tags = properties['tags'] as string[]
      expect(tags).toEqual(expect.arrayContaining(['security', 'ASI07']))
      expect(tags.length).toBeLessThanOrEqual(20)
      expect(Number(properties['security-severity'])).toBeGreaterThan(0)
      expect(properties['security-severity']).toMatch(/^\d\.\d$/)
    }
    expect(rules.find(({ id }) => id === 'auth.none')?.properties['tags']).toContain('ASI03')
  })

  it('tells two tenants at one URL apart', () => {
    const failed = (tenant: string): CheckResult =>
      resultOf({ id: 'auth.none', ...cellOf('https://a.example/rest'), tenant, status: 'fail' })
    const { results } = sarif(reportOf({ checks: [failed('red'), failed('blue')] }))
    const prints = results.map(({ partialFingerprints }) => partialFingerprints['a2aTotpProbe/v1'])
    expect(new Set(prints).size).toBe(2)
    expect(results.map(({ message }) => message.text.split(' at ')[0])).toEqual(['REST 1.0', 'REST 1.0 (2)'])
  })

  it('has a result for each failure and warning, and a suppressed one for what is ignored', () => {
    const { results, tool, properties, invocations } = sarif(mixedReport())
    expect(results.map(({ ruleId, level }) => `${level} ${ruleId}`)).toEqual([
      'warning card.and',
      'error auth.none',
      'error auth.none',
      'warning status',
    ])
    for (const { ruleId, ruleIndex } of results) expect(tool.driver.rules[ruleIndex]?.id).toBe(ruleId)
    expect(results[2]?.message.text).toBe(
      'REST 1.0 (2) at https://a.example/v2/rest: expected refused, actual HTTP 404. let in: nothing',
    )
    expect(results.map(({ suppressions }) => suppressions?.[0]?.justification)).toEqual([
      undefined,
      undefined,
      undefined,
      'ignored until 2030-02-01: the proxy is replaced in January',
    ])
    expect(properties).toMatchObject({ narrowed: ['--skip leak'], ok: false })
    expect(invocations[0]).toMatchObject({
      executionSuccessful: true,
      startTimeUtc: '2030-01-01T00:00:10.000Z',
    })
    expect(sarif(mixedReport({ strict: true })).results[0]?.level).toBe('error')
  })

  it('has the same fingerprints in the next run, and others for another check, cell or agent', () => {
    const prints = (report: ProbeReport): string[] =>
      sarif(report).results.map(({ partialFingerprints }) => JSON.stringify(partialFingerprints))
    const now = prints(mixedReport())
    expect(new Set(now).size).toBe(now.length)
    const later = mixedReport({ startedAt: '2031-01-01T00:00:00.000Z', requests: 1 })
    const reworded = { ...later, checks: later.checks.map((check) => ({ ...check, detail: 'other words' })) }
    expect(prints(reworded)).toEqual(now)
    const elsewhere = prints(mixedReport({ target: 'https://b.example' }))
    expect(elsewhere.filter((print) => now.includes(print))).toEqual([])
  })

  it('has the same fingerprints where an agent on loopback has another port, and others for another agent there', () => {
    const of = (target: string, agent: string): string =>
      JSON.stringify(sarif(mixedReport({ target, agent })).results.map((one) => one.partialFingerprints))
    expect(of('http://127.0.0.1:4100', 'billing')).toBe(of('http://127.0.0.1:51234', 'billing'))
    expect(of('http://127.0.0.1:4100', 'billing')).not.toBe(of('http://127.0.0.1:4100', 'shipping'))
    expect(of('https://a.example:4100', 'billing')).not.toBe(of('https://a.example:4200', 'billing'))
  })

  it('is what code scanning accepts of real runs, with the version of the tool and paths from the top', async () => {
    const open = (await probeAgent({ waves: () => true })).report
    const runs = {
      pass: (await probeAgent({})).report,
      fail: open,
      strict: { ...open, strict: true },
      unreachable: (await probeAgent({}, { url: 'http://127.0.0.1:1/' })).report,
    }
    for (const report of Object.values(runs)) {
      const run = sarifRun(formats.sarif(report, { version: '1.2.3' }))
      expect(run.tool.driver).toMatchObject({ version: '1.2.3', semanticVersion: '1.2.3' })
      expect(run.results.length).toBe(report.summary.failed + report.summary.warned)
      for (const { locations } of run.results) {
        expect(locations[0]?.physicalLocation.artifactLocation).toEqual({
          uri: 'a2a-totp.json',
          uriBaseId: '%SRCROOT%',
        })
      }
    }
  })

  it('names a file of the repository for each result, as a relative URI', () => {
    const uriOf = (location?: string): string | undefined =>
      sarif(mixedReport(), location).results[0]?.locations[0]?.physicalLocation.artifactLocation.uri
    expect(uriOf()).toBe('a2a-totp.json')
    expect(uriOf('deploy/my agent#1.json')).toBe('deploy/my%20agent%231.json')
  })

  it.each(['open', 'right', 'unreached'])('is valid for a real run: %s', async (name) => {
    const quirks = name === 'open' ? { waves: () => true } : {}
    const { report } = await probeAgent(quirks, name === 'unreached' ? { url: 'http://127.0.0.1:1/' } : {})
    expect(sarif(report).results).toHaveLength(report.summary.failed + report.summary.warned)
  })
})
