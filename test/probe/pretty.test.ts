import { describe, expect, it } from 'vitest'
import { renderPretty } from '../../src/probe/index.js'
import { probeAgent } from '../support/probing.js'

const plain = { color: false, symbols: false }

describe('the report for a person', () => {
  it('shows checks by cells, and ends in the verdict with its numbers', async () => {
    const { report, agent } = await probeAgent({})
    const lines = renderPretty(report, plain).trimEnd().split('\n')
    expect(lines[0]).toBe(`Test agent at ${agent.url}`)
    expect(lines.find((line) => line.includes('JSON-RPC 1.0'))).toContain('REST 0.3')
    expect(lines.find((line) => line.includes('auth.bearer-only'))?.match(/\bok\b/g)).toHaveLength(4)
    const address = `  JSON-RPC 1.0, JSON-RPC 0.3  ${agent.url}/rpc`
    expect(lines.filter((line) => line === address)).toHaveLength(1)
    expect(lines.at(-1)).toMatch(
      /^PASS {2}84 passed, 0 failed, 0 warned, 41 skipped {2}\(\d+ requests, 4 guesses, /,
    )
  })

  it('says a finding once for all its cells: what was expected, what came, and why that is bad', async () => {
    const { report } = await probeAgent({ drifts: Array.from({ length: 22 }, (_, index) => 1 - index) })
    const text = renderPretty(report, plain)
    expect(text).toContain(
      [
        'FAIL auth.expired-code  JSON-RPC 1.0, JSON-RPC 0.3, REST 1.0, REST 0.3',
        '    expected  refused',
        '    actual    HTTP 200, -32001 "Task not found: ID"  (JSON-RPC 1.0, JSON-RPC 0.3)',
        '              HTTP 404, NOT_FOUND "Task not found: ID"  (REST 1.0)',
        '              HTTP 404, -32001 "Task not found: ID"  (REST 0.3)',
        '    let in: a code of minutes ago',
        '    a2a-totp probe --explain auth.expired-code',
      ].join('\n'),
    )
    expect(text.match(/FAIL auth\.expired-code/g)).toHaveLength(1)
    expect(text).toMatch(/^FAIL {2}80 passed, 4 failed/m)
  })

  it('says in its verdict that warnings count as failures', async () => {
    const { report } = await probeAgent({})
    expect(renderPretty({ ...report, strict: true }, plain)).toMatch(/^PASS .*, warnings count as failures /m)
  })

  it('has colours and symbols only where they are wanted', async () => {
    const { report } = await probeAgent({ header: 'X-OTP' })
    expect(renderPretty(report, plain)).toMatch(/^[\x20-\x7e\n]*$/)
    expect(renderPretty(report, { color: false, symbols: true })).toContain('✖ auth.valid')
    expect(renderPretty({ ...report, agent: '1 ± 1 ∞' }, plain)).toContain('1 +/- 1 ? at')
    const escape = '\u001b['
    expect(renderPretty(report, { color: false, symbols: true })).not.toContain(escape)
    expect(renderPretty(report, { color: true, symbols: true })).toContain(`${escape}31m✖`)
  })
})
