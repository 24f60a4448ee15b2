import { describe, expect, it } from 'vitest'
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
