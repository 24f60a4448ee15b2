import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formats, type CheckResult, type ProbeReport } from '../../src/probe/index.js'
import { expectOurTags, hostileTexts as text } from '../support/hostile-pieces.js'
import { expectHarmlessText } from '../support/hostile-text.js'
import { parseOpenmetrics } from '../support/openmetrics.js'
import { cellOf, mixedReport, resultOf } from '../support/report.js'
import { parseTap } from '../support/tap.js'

/** A report whose free texts are all the agent's. */
const reports = fc
  .record({
    agent: text,
    target: text,
    diagnosis: text,
    narrowed: text,
    url: text,
    actual: text,
    detail: text,
  })
  .map(({ agent, target, diagnosis, narrowed, url, actual, detail }): ProbeReport => {
    const free = { actual, detail, expected: actual }
    const checks: CheckResult[] = [
      resultOf({ id: 'reach', ...free }),
      resultOf({ id: 'auth.none', ...cellOf(url), ...free, status: 'fail' }),
      resultOf({ id: 'auth.stream', ...cellOf(`${url}/2`), ...free, status: 'fail', actual: `${actual}2` }),
      resultOf({ id: 'card.and', ...free, status: 'warn' }),
      resultOf({ id: 'status', ...cellOf(url), ...free, status: 'skip' }),
      resultOf({ id: 'leak', ...cellOf(url), ...free, status: 'skip', ignored: true }),
    ]
    return mixedReport({ agent, target, diagnosis, narrowed: [narrowed], checks })
  })

const plain = { color: false, symbols: true }
const forAll = (check: (report: ProbeReport) => void): void =>
  fc.assert(fc.property(reports, check), { numRuns: 150 })

describe('no text of an agent is more than text', () => {
  it.each(['pretty', 'junit', 'markdown', 'tap', 'sarif', 'html', 'openmetrics', 'json'] as const)(
    'in %s: no command to a runner, and no control character',
    (format) =>
      forAll((report) =>
        expectHarmlessText(formats[format](report, plain).replace(/<style>.*?<\/style>/s, '')),
      ),
  )

  it('in github: each line is one command of ours', () => {
    forAll((report) => {
      const lines = formats.github(report, plain).trimEnd().split('\n')
      for (const line of lines) {
        expect(line).toMatch(/^::(error|warning|notice) title=[^:,]+::/)
        expectHarmlessText(line.replace(/^::\w+ title=[^:]*::/, ''))
      }
    })
  })

  it('in TAP: the document has our tests, and nothing else is a line of its own', () => {
    forAll((report) => {
      const { planned, tests } = parseTap(formats.tap(report, {}))
      expect([planned, ...tests.map(({ ok }) => ok)]).toEqual([6, true, false, false, true, true, true])
      expect(tests.map(({ directive }) => directive?.word)).toEqual([
        ...[undefined, undefined, undefined, undefined],
        ...['SKIP', 'SKIP'],
      ])
    })
  })

  it('in OpenMetrics: each label is read back as what the report says', () => {
    forAll((report) => {
      const samples = parseOpenmetrics(formats.openmetrics(report, {}))
      expect(samples.filter(({ name }) => name.endsWith('_check'))).toHaveLength(6)
    })
  })

  it('in SARIF: it is JSON, without links and placeholders in a message', () => {
    forAll((report) => {
      const { runs } = JSON.parse(formats.sarif(report, {})) as {
        runs: { results: { message: { text: string } }[] }[]
      }
      for (const { message } of runs[0]?.results ?? []) expect(message.text).not.toMatch(/\]\(|\{\d/)
    })
  })

  it('in HTML: no tag and no attribute but ours', () => {
    forAll((report) => expectOurTags(formats.html(report, {})))
  })

  it('in Markdown: only in code', () => {
    forAll((report) => {
      const marked = formats.markdown(report, {}).replace(/`[^`\n]*`/g, '')
      expect(marked).not.toMatch(/[<`@]|\]\(|&#|script/)
    })
  })

  it('in JUnit: an XML parser takes it', () => {
    const documents = fc.sample(reports, 40).map((report) => formats.junit(report, {}))
    const parse =
      'import sys, json; from xml.dom.minidom import parseString; [parseString(d.encode()) for d in json.load(sys.stdin)]'
    execFileSync('python3', ['-c', parse], { input: JSON.stringify(documents) })
  })

  it('in JSON: it is the report', () => {
    forAll((report) => {
      expect(JSON.parse(formats.json(report, {}))).toEqual(JSON.parse(JSON.stringify(report)))
    })
  })
})
