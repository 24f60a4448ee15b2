import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { formats, type ProbeReport } from '../../src/probe/index.js'
import type { Quirks } from '../support/broken-agent.js'
import { alice, bob, probeAgent } from '../support/probing.js'

const plain = { color: false, symbols: false }

/** Says what would be markup, a command or a closing tag in one of the formats. */
const talkative: Quirks = {
  refuse: (response) => {
    const message = '::error::boo %0A`|<b>@team</b>]]>" \u001b[31m\n::stop-commands::x'
    response.writeHead(403, { 'Content-Type': 'application/json' })
    response.end(JSON.stringify({ error: { code: -1, message } }))
    return true
  },
  peersOf: () => [],
}

const count = (text: string, part: RegExp): number => text.match(part)?.length ?? 0

describe('the report as JUnit XML', () => {
  it('is well-formed and counts what it holds, whatever the agent says', async () => {
    for (const quirks of [{}, talkative]) {
      const { report } = await probeAgent(quirks)
      const text = formats.junit(report, plain)
      const parse =
        'import sys; from xml.dom.minidom import parseString; parseString(sys.stdin.buffer.read())'
      execFileSync('python3', ['-c', parse], { input: text })
      expect(count(text, /<testcase /g)).toBe(report.checks.length)
      expect(count(text, /<failure /g)).toBe(report.summary.failed)
      expect(count(text, /<skipped /g)).toBe(report.summary.skipped)
      expect(text).toContain(`tests="${report.checks.length}" failures="${report.summary.failed}"`)
      expect(text).toMatch(/timestamp="\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"/)
    }
  })

  it('has warnings in its output, and as failures when strict', async () => {
    const { report } = await probeAgent(talkative)
    expect(formats.junit(report, plain)).toMatch(/<system-out>warn status/)
    const { report: strict } = await probeAgent(talkative, { strict: true })
    const { failed, warned } = strict.summary
    expect(count(formats.junit(strict, plain), /<failure /g)).toBe(failed + warned)
  })
})

describe('the report as Markdown', () => {
  it('has the verdict, the findings and a table with a column for each cell', async () => {
    const { report } = await probeAgent({ drifts: Array.from({ length: 22 }, (_, index) => 1 - index) })
    const lines = formats.markdown(report, plain).split('\n')
    expect(lines[0]).toBe('## ❌ a2a-totp probe')
    expect(lines).toContain('| check | JSON-RPC 1.0 | JSON-RPC 0.3 | REST 1.0 | REST 0.3 | agent |')
    expect(lines).toContain('| auth.expired-code | ❌ | ❌ | ❌ | ❌ |  |')
    expect(lines.find((line) => line.startsWith('- ❌ **auth.expired-code**'))).toContain('REST 0.3')
  })

  it('shows what the agent says as code only', async () => {
    const text = formats.markdown((await probeAgent(talkative)).report, plain)
    expect(text.replace(/`[^`\n]*`/g, '')).not.toMatch(/@team|<b>|boo/)
    expect(text).not.toContain('\u001b')
  })
})

describe('the report as GitHub annotations', () => {
  it('is one command a line, an error for a failure and a warning for a warning', async () => {
    const { report } = await probeAgent(talkative)
    const lines = formats.github(report, plain).trimEnd().split('\n')
    for (const line of lines) expect(line).toMatch(/^::(error|warning|notice) title=[^:,]+::/)
    expect(lines.filter((line) => line.startsWith('::error'))).toHaveLength(2)
    expect(lines.some((line) => line.startsWith('::warning title=status'))).toBe(true)
    expect(lines.at(-1)).toMatch(/^::notice title=a2a-totp probe::FAIL \d+ passed/)
    expect(lines.join('\n')).toContain('%250A')
  })

  it('has errors for warnings when strict', async () => {
    const { report } = await probeAgent(talkative, { strict: true })
    expect(formats.github(report, plain)).not.toContain('::warning')
  })
})

describe('every format', () => {
  it('holds no seed, token or code, and JSON is the report', async () => {
    const { report, agent } = await probeAgent({})
    const texts = Object.values(formats).map((render) => render(report, plain))
    for (const text of texts) {
      for (const { token, seed } of [alice, bob]) {
        expect(text).not.toContain(token)
        expect(text).not.toContain(seed.base32)
      }
      for (const guess of agent.guesses) expect(text).not.toContain(guess.split(' ')[1])
    }
    expect(JSON.parse(formats.json(report, plain)) as ProbeReport).toEqual(report)
  })
})
