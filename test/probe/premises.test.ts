import { describe, expect, it } from 'vitest'
import { sendJson, type Quirks } from '../support/broken-agent.js'
import { findings, probeAgent } from '../support/probing.js'

describe('an agent that refuses nobody is not ok', () => {
  it.each([
    ['auth.after-valid', { 'auth.none': 'fail', 'auth.bearer-only': 'fail', 'auth.totp-only': 'fail' }],
    ['challenge', { 'auth.none': 'fail', 'auth.bearer-only': 'fail' }],
    ['status', { 'auth.none': 'fail', 'auth.bearer-only': 'fail' }],
  ])('where only %s is selected, which compares refusals', async (id, expected) => {
    const { report } = await probeAgent({ waves: () => true }, { only: [id] })
    expect(report.ok).toBe(false)
    expect(findings(report)).toEqual(expected)
  })

  it('where only methods are selected, and it has none but the one that reads a task', async () => {
    const { report } = await probeAgent(
      {
        waves: () => true,
        answers: (response, { door, binding }) => {
          if (door === 'get') return false
          const error = { code: -32601, message: 'Method not found' }
          response.writeHead(binding === 'rest' ? 404 : 200, { 'Content-Type': 'application/json' })
          response.end(JSON.stringify({ jsonrpc: '2.0', id: 1, error }))
          return true
        },
      },
      { only: ['auth.doors'] },
    )
    expect(findings(report)).toEqual({ 'auth.none': 'fail', 'auth.bearer-only': 'fail' })
  })
})

it('reports nothing that was not selected where the selected checks have something to judge', async () => {
  const { report } = await probeAgent({}, { only: ['auth.after-valid', 'status'] })
  expect(new Set(report.checks.map(({ id }) => id))).toEqual(new Set(['auth.after-valid', 'status']))
  expect(report.ok).toBe(true)
})

describe('a server error in place of a refusal', () => {
  const crashes: Quirks = {
    refuse: (response, reason) => {
      if (reason !== 'wrong') return false
      sendJson(response, 500, { error: { code: 500, status: 'INTERNAL', message: 'boom' } })
      return true
    },
  }

  it.each([{ only: ['auth.wrong-code'] }, { skip: ['status'] }])('is reported with %j', async (options) => {
    const { report } = await probeAgent(crashes, options)
    expect(report.ok).toBe(false)
    expect(findings(report)).toMatchObject({ status: 'fail' })
  })

  it('is nothing to a run of checks that did not get it', async () => {
    const { report } = await probeAgent(crashes, { only: ['auth.none', 'auth.valid'] })
    expect([report.ok, findings(report)]).toEqual([true, {}])
  })
})
