import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formats, type CheckResult, type ProbeReport } from '../../src/probe/index.js'
import { expectHarmlessText, hostile } from '../support/hostile-text.js'
import { parseOpenmetrics } from '../support/openmetrics.js'
import { cellOf, mixedReport, resultOf } from '../support/report.js'
import { parseTap } from '../support/tap.js'

/** What is a directive, an end, a placeholder or a line of its own in one of the formats. */
const pieces = [
  hostile,
  'x:',
  'x#',
  '\n::error::x',
  '##vso[task.setvariable variable=PATH]y',
  'X ##[stop-commands]z',
  '##teamcity[x]',
  '\nBail out!',
  '\nnot ok 1 - x',
  ' # SKIP ',
  ' # TODO ',
  '# Subtest: x',
  '\\',
  '\\#',
  '...',
  '---',
  '"',
  "'",
  '\n',
  '\r\n',
  '# EOF\n',
  '{0}',
  '[a](https://evil.example)',
  '](',
  '|',
  '`',
  '@team',
  '<script>alert(1)</script>',
  '</style><b onclick="x">',
  '<!--',
  '-->',
  ']]>',
  '<?xml ',
  '&amp;',
  '&#0;',
  '\ud800',
  '\udc00',
  '\ufffe',
  '\uffff',
  '\0',
  '\u001b[31m',
  '\u0085',
  '\u2028',
  '\u202e',
  '%0A::error::',
  '::',
  '#',
]
const text = fc
  .array(fc.oneof(fc.constantFrom(...pieces), fc.string({ unit: 'binary', maxLength: 8 })), { maxLength: 6 })
  .map((parts) => parts.join(''))

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

/** Fails for a tag or an attribute that the page does not have where texts are harmless. */
function expectOurTags(text: string): void {
  const tag =
    /^<(?:!doctype html|\/?(?:html|head|body|main|header|footer|section|h[1-4]|p|dl|div|dt|dd|table|thead|tbody|tr|th|td|ul|li|b|code|span|details|summary|title|style|meta|link)(?:\s+(?:lang|charset|name|content|http-equiv|rel|href|class|scope|title|aria-hidden)="[^"<>]*")*\s*\/?)>$/
  for (const [found] of text.replace(/<style>.*?<\/style>/s, '').matchAll(/<[^>]*>?/g))
    expect(found).toMatch(tag)
}

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
