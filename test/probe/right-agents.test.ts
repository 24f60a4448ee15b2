import { describe, expect, it } from 'vitest'
import { probe } from '../../src/probe/index.js'
import { findings, midStep, probeOptions, stillClock } from '../support/probing.js'
import { rightCards } from '../support/right/cards.js'
import { rightFronts } from '../support/right/fronts.js'
import { rightManners } from '../support/right/manners.js'
import type { RightAgent } from '../support/right/right-agent.js'
import { rightStacks } from '../support/right/stacks.js'

const table: readonly RightAgent[] = [...rightStacks, ...rightManners, ...rightCards, ...rightFronts]

describe('an agent that enforces both factors passes, with --strict where nothing is to remark', () => {
  it.concurrent.each(table)('$name', async ({ start, remarked = {}, tolerated = [] }) => {
    const { url, options = {}, clock = stillClock(midStep), close } = await start()
    try {
      const report = await probe({ ...probeOptions(url, clock), timeoutMs: 20_000, ...options })
      const found = findings(report)
      const unexpected = Object.entries(found).filter(
        ([id, status]) => status === 'fail' || !tolerated.includes(id),
      )
      const details = report.checks
        .filter(({ id }) => id in found)
        .map(({ id, detail }) => `${id}: ${detail}`)
      expect(Object.fromEntries(unexpected), details.join('\n')).toEqual(remarked)
      expect(report.ok).toBe(true)
      expect(report.checks.filter(({ id, status }) => id === 'auth.valid' && status === 'skip')).toEqual([])
    } finally {
      await close()
    }
  })

  it('in at least twenty-five kinds', () => {
    expect(new Set(table.map(({ name }) => name)).size).toBe(table.length)
    expect(table.length).toBeGreaterThanOrEqual(25)
  })
})
