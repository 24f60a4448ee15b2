import { isSuccess, onlyThrottled, type CellRun } from '../cell-run.js'
import { titleOf, type Cell } from '../cells.js'
import { failed, passed, skipped, type Verdict } from '../report.js'

/** What a run was to cover, and what it did. */
export interface Covered {
  readonly cells: readonly Cell[]
  readonly runs: readonly CellRun[]
  /** Interfaces that the cards name and that were too many to test. */
  readonly surplus: number
}

/** Whether each interface that the card names was shown: right credentials were let in, and nothing was left open. */
export function judgeCoverage({ cells, runs, surplus }: Covered): Verdict {
  const gaps = [
    ...cells.flatMap(({ untestable, ...cell }) =>
      untestable === undefined ? [] : [`${titleOf(cell)} was not tested: ${untestable}`],
    ),
    ...notShown(runs),
    ...runs.flatMap((run) =>
      onlyThrottled(run).map((check) => `${titleOf(run.cell)}: nothing but throttling came for ${check}`),
    ),
    ...(surplus > 0 ? [`the card names ${surplus} interfaces too many, not all were tested`] : []),
  ]
  const named = cells.filter(({ guessed }) => guessed !== true)
  if (gaps.length > 0) {
    return failed(
      `${gaps.length} ${gaps.length === 1 ? 'gap' : 'gaps'}`,
      `what was not shown may be open: ${gaps.join('; ')}`,
    )
  }
  if (named.length === 0) return skipped('there is no card that names interfaces')
  return passed(named.length === 1 ? 'the one interface' : `all ${named.length} interfaces`)
}

const nothingTested =
  'nothing could be tested: name the endpoint itself as URL, with --binding and --protocol; or --allow-host, where ' +
  'the card names another host'

/**
 * The cells in which no call with right credentials was let in, in words. Where there is no card, cells that the agent
 * does not serve were only guessed, unless no other was let in either.
 */
export function notShown(runs: readonly CellRun[]): string[] {
  const tested = runs.filter(({ cell }) => cell.untestable === undefined)
  const isServed = ({ valid }: CellRun): boolean => valid !== undefined && valid.kind !== 'unserved'
  if (!tested.some(isServed) && tested.every(({ valid }) => valid !== undefined)) return [nothingTested]
  const isShown = (run: CellRun): boolean => run.valid !== undefined && isSuccess(run.valid, run)
  const anyShown = tested.some(isShown)
  return tested
    .filter((run) => !isShown(run) && !(anyShown && run.cell.guessed && run.valid?.kind === 'unserved'))
    .map(({ cell, valid, whyNotSent }) => {
      const where = `${titleOf(cell)} at ${cell.url.host}${cell.url.pathname}`
      return `${where}: right credentials were not let in (${valid?.summary ?? whyNotSent})`
    })
}
