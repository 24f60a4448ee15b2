import { describe, expect, it } from 'vitest'
import { coverage } from '../../src/probe/checks/coverage.js'
import type { Evidence } from '../../src/probe/run/evidence.js'
import { midStep, probeOptions, stillClock } from '../support/probing.js'

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
})
