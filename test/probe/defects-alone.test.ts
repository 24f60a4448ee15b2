import { describe, expect, it } from 'vitest'
import type { Quirks } from '../support/broken-agent.js'
import { defects, ofCells, telling } from '../support/broken-agents.js'
import { alice, bob, findingsByCell, midStep, probeAgent } from '../support/probing.js'

const table = defects({ peers: [alice, bob], now: () => midStep })

const cells = ['jsonrpc 1.0', 'jsonrpc 0.3', 'rest 1.0', 'rest 0.3']

/** Longer than any answer takes on a busy machine, where several runs share a core. */
const timeoutMs = 20_000

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
  const ofOneCell = table
    .filter(({ quirks }) => Object.keys(quirks).every((key) => local.includes(key as keyof Quirks)))
    .filter(({ quirks, options }) => Object.keys(quirks).length > 0 && options === undefined)
    .map((defect, index) => {
      const having = cells.filter(defect.cells ?? (() => true))
      return { ...defect, cell: having[index % having.length] ?? '' }
    })

  it.concurrent.each(ofOneCell)('names $cell alone where it alone $name', async (defect) => {
    const { quirks, named, cell } = defect
    const { report } = await probeAgent(inOneCell(quirks, cell), { timeoutMs })
    const found = Object.entries(findingsByCell(report)).map(([one, ofIt]) => [one, telling(ofIt, defect)])
    const expected = cells.map((one) => [one, one === cell ? ofCells(named) : {}])
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected))
  })
})
