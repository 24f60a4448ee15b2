import { describe, expect, it } from 'vitest'
import { checkIds } from '../../src/probe/index.js'
import { defects, ofCells, telling, type Defect } from '../support/broken-agents.js'
import {
  alice,
  bob,
  findings,
  findingsByCell,
  midStep,
  probeAgent,
  probeOptions,
  stillClock,
  skippedIn,
} from '../support/probing.js'

const table = defects({ peers: [alice, bob], now: () => midStep })

/** Longer than any answer takes on a busy machine, where several runs share a core. */
const timeoutMs = 20_000

const optionsOf = ({ options, path }: Defect): Parameters<typeof probeAgent>[1] => ({
  timeoutMs,
  ...options?.(probeOptions('http://127.0.0.1', stillClock(midStep))),
  path,
})

describe('probe', () => {
  it('finds nothing at an agent that does everything right', async () => {
    const { report } = await probeAgent({}, { timeoutMs })
    expect(findings(report)).toEqual({})
    expect(report).toMatchObject({
      ok: true,
      reachable: true,
      guessesSpent: 4,
      summary: { failed: 0, warned: 0 },
    })
    // No key was given.
    expect(skippedIn(report)).toEqual(['card.signature'])
  })

  it('knows at least ninety broken agents, each by a name of its own', () => {
    expect(new Set(table.map(({ name }) => name)).size).toBe(table.length)
    expect(table.length).toBeGreaterThanOrEqual(90)
  })

  it.concurrent.each(table)('names an agent that $name, in each cell', async (defect) => {
    const { quirks, named, cells: where = () => true } = defect
    const { report } = await probeAgent(quirks, optionsOf(defect))
    expect(telling(findings(report), defect)).toEqual(named)
    expect(report.ok).toBe(!Object.values(named).includes('fail'))
    for (const [cell, found] of Object.entries(findingsByCell(report)))
      expect({ cell, ...telling(found, defect) }).toEqual({ cell, ...(where(cell) ? ofCells(named) : {}) })
  })

  it('has a broken agent for each check that can find one', () => {
    const named = new Set(table.flatMap((defect) => Object.keys(defect.named)))
    // Nobody at all, plain http beyond loopback, and what needs a second caller have tests of their own.
    const elsewhere = ['reach', 'tls', 'isolation']
    const isElsewhere = (id: string): boolean => elsewhere.includes(id) || id.startsWith('signed.')
    expect(checkIds.filter((id) => !named.has(id) && !isElsewhere(id))).toEqual([])
  })
})
