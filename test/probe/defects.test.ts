import { describe, expect, it } from 'vitest'
import { checkIds } from '../../src/probe/index.js'
import { defects } from '../support/broken-agents.js'
import { alice, bob, findings, midStep, probeAgent } from '../support/probing.js'

const table = defects({ peers: [alice, bob], now: () => midStep })

describe('probe', () => {
  it('finds nothing at an agent that does everything right', async () => {
    const { report } = await probeAgent({})
    expect(findings(report)).toEqual({})
    expect(report).toMatchObject({
      ok: true,
      reachable: true,
      guessesSpent: 4,
      summary: { failed: 0, warned: 0 },
    })
    expect(report.checks.filter(({ status }) => status === 'skip')).toEqual([])
  })

  it.each(table)('names an agent that $name', async ({ quirks, named, path }) => {
    const { report } = await probeAgent(quirks, { path })
    expect(findings(report)).toEqual(named)
    expect(report.ok).toBe(!Object.values(named).includes('fail'))
  })

  it('has a broken agent for each check that can find one', () => {
    const named = new Set(table.flatMap((defect) => Object.keys(defect.named)))
    // Nobody at all, plain http beyond loopback, and what is made on demand have tests of their own.
    const elsewhere = ['reach', 'tls', 'window', 'throttle', 'replay']
    expect(checkIds.filter((id) => !named.has(id))).toEqual(elsewhere)
  })
})
