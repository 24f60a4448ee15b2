import { describe, expect, it } from 'vitest'
import { coverage } from '../../src/probe/checks/coverage.js'
import type { Evidence } from '../../src/probe/run/evidence.js'
import { sendJson } from '../support/broken-agent.js'
import { midStep, probeAgent, probeOptions, stillClock } from '../support/probing.js'

describe('coverage', () => {
  it('names each gap of a cell with its URL', () => {
    const cell = { binding: 'rest', protocol: '1.0', url: new URL('http://127.0.0.1:1/rest') } as const
    const gaps = ['the method ListTasks was not tried', 'auth.leak was not reached']
    const evidence = {
      options: probeOptions('http://127.0.0.1:1', stillClock(midStep)),
      discovery: { interfaces: [], cards: [{}] },
      cells: [{ cell, gaps, exchanges: [], whyNotSent: 'nothing was sent' }],
    } as unknown as Evidence
    const { status, detail } = coverage.judge(evidence)
    expect(status).toBe('fail')
    for (const gap of gaps) expect(detail).toContain(`REST 1.0 at 127.0.0.1:1/rest: ${gap}`)
  })

  it('does not say that an agent refused which knows no GetTask, and says so to anyone', async () => {
    const unknown = { jsonrpc: '2.0', id: 1, error: { code: -32601, message: 'Method not found' } }
    const { report } = await probeAgent({
      answers: (response, { door }) => {
        if (door !== 'get') return false
        sendJson(response, 200, unknown)
        return true
      },
    })
    expect(report.ok).toBe(false)
    const { detail } = report.checks.find(({ id }) => id === 'coverage') ?? {}
    expect(detail).toMatch(/says so without credentials too: what it does serve may be open to everyone/)
    expect(detail).not.toContain('right credentials were not let in')
  })
})
