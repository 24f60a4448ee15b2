import type { UnreadInterface } from '../../core/card/interfaces.js'
import { shortened } from '../wire/text.js'
import { isSuccess, onlyThrottled, type CellRun } from '../run/cell-run.js'
import { titleOf, type Cell } from '../target/cells.js'
import { failed, passed, skipped, type Verdict } from '../report/report.js'

/** What a run was to cover, and what it did. */
export interface Covered {
  readonly cells: readonly Cell[]
  readonly runs: readonly CellRun[]
  /** Interfaces that the cards name and that were too many to test. */
  readonly surplus: number
  /** Interfaces that the cards name and that were not understood. */
  readonly unread: readonly UnreadInterface[]
}

/** Whether each interface that the card names was shown: right credentials were let in, and nothing was left open. */
export function judgeCoverage({ cells, runs, surplus, unread }: Covered): Verdict {
  const gaps = [
    ...(surplus > 0 ? [`the card names ${surplus} interfaces too many, not all were tested`] : []),
    ...notUnderstood(unread),
    ...cells.flatMap(({ untestable, ...cell }) =>
      untestable === undefined ? [] : [`${titleOf(cell)} was not tested: ${untestable}`],
    ),
    ...notShown(runs),
    ...runs.flatMap((run) =>
      onlyThrottled(run).map((check) => `${titleOf(run.cell)}: nothing but throttling came for ${check}`),
    ),
  ]
  const named = cells.filter(({ guessed }) => guessed !== true)
  if (gaps.length > 0) {
    return failed(
      `${gaps.length} ${gaps.length === 1 ? 'gap' : 'gaps'}`,
      `what was not shown may be open: ${gaps.join('; ')}`,
    )
  }
  if (named.length === 0) return skipped('there is no card that names interfaces')
  const remarks = named.flatMap((cell) =>
    (cell.remarks ?? []).map(
      (remark) => `${titleOf(cell)} at ${cell.url.host}${cell.url.pathname}: ${remark}`,
    ),
  )
  return passed(
    named.length === 1 ? 'the one interface' : `all ${named.length} interfaces`,
    remarks.join('; '),
  )
}

/** A card may name any number of them. */
const mostNamed = 12

function notUnderstood(unread: readonly UnreadInterface[]): string[] {
  const named = unread.slice(0, mostNamed).map(({ written, why }) => {
    const { transport, version, address } = written
    // A card with a password in it is no reason to print one.
    const shown = [transport, version, address.replace(/\/\/[^/?#]*@/, '//')].filter((part) => part !== '')
    return `${shortened(shown.join(' ') || 'an interface', 120)} was not understood: ${why}`
  })
  const rest = unread.length - named.length
  return rest > 0 ? [...named, `${rest} more interfaces were not understood`] : named
}

const nothingTested =
  'nothing could be tested: name the endpoint itself as URL, with --binding and --protocol; or --allow-host, where ' +
  'the card names another host'

/**
 * The cells in which no call with right credentials was let in, in words. A cell that no card names was only guessed, so
 * one that the agent does not serve is no gap.
 */
export function notShown(runs: readonly CellRun[]): string[] {
  const tested = runs.filter(
    ({ cell, valid }) => cell.untestable === undefined && !(cell.guessed && valid?.kind === 'unserved'),
  )
  if (tested.length === 0) return [nothingTested]
  return tested
    .filter((run) => run.valid === undefined || !isSuccess(run.valid, run))
    .map(({ cell, valid, whyNotSent }) => {
      const where = `${titleOf(cell)} at ${cell.url.host}${cell.url.pathname}`
      return `${where}: right credentials were not let in (${valid?.summary ?? whyNotSent})`
    })
}
