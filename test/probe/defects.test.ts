import { describe, expect, it } from 'vitest'
import { checkIds } from '../../src/probe/index.js'
import type { Quirks } from '../support/broken-agent.js'
import { defects } from '../support/broken-agents.js'
import { ofCells } from '../support/broken-cards.js'
import { alice, bob, findings, findingsByCell, midStep, probeAgent } from '../support/probing.js'

const table = defects({ peers: [alice, bob], now: () => midStep })

const cells = ['jsonrpc 1.0', 'jsonrpc 0.3', 'rest 1.0', 'rest 0.3']

/** Quirks that look at the call, so that they can be those of one cell alone. */
const local: readonly (keyof Quirks)[] = ['waves', 'answers', 'refuse']

function inOneCell({ waves, answers, refuse }: Quirks, cell: string): Quirks {
  const isThere = ({ binding, version }: { binding: string; version: string }): boolean =>
    `${binding} ${version}` === cell
  return {
    ...(waves && { waves: (call, seen) => isThere(call) && waves(call, seen) }),
    ...(answers && { answers: (response, call, seen) => isThere(call) && answers(response, call, seen) }),
    ...(refuse && { refuse: (response, reason, call) => isThere(call) && refuse(response, reason, call) }),
  }
}

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
    const skipped = report.checks.filter(({ status }) => status === 'skip')
    expect(skipped.map(({ id }) => id)).toEqual(['card.signature'])
  })

  it.each(table)('names an agent that $name, in each cell', async ({ quirks, named, path }) => {
    const { report } = await probeAgent(quirks, { path })
    expect(findings(report)).toEqual(named)
    expect(report.ok).toBe(!Object.values(named).includes('fail'))
    for (const found of Object.values(findingsByCell(report))) expect(found).toEqual(ofCells(named))
  })

  const ofOneCell = table
    .filter(({ quirks }) => Object.keys(quirks).every((key) => local.includes(key as keyof Quirks)))
    .map((defect, index) => ({ ...defect, cell: cells[index % cells.length] ?? '' }))

  it.each(ofOneCell)('names $cell alone where it alone $name', async ({ quirks, named, cell }) => {
    const { report } = await probeAgent(inOneCell(quirks, cell))
    const expected = cells.map((one) => [one, one === cell ? ofCells(named) : {}])
    expect(findingsByCell(report)).toEqual(Object.fromEntries(expected))
  })

  it('has a broken agent for each check that can find one', () => {
    const named = new Set(table.flatMap((defect) => Object.keys(defect.named)))
    // Nobody at all, a signed card, plain http beyond loopback, and what is made on demand have tests of their own.
    const elsewhere = ['reach', 'tls', 'card.signature', 'window', 'throttle', 'isolation', 'replay']
    expect(checkIds.filter((id) => !named.has(id))).toEqual(elsewhere)
  })
})
