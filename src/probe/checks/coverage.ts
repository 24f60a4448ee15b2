import type { RunCheck } from './check.js'
import type { UnreadInterface } from '../../core/card/interfaces.js'
import type { CellEvidence, Evidence } from '../run/evidence.js'
import { isShown, onlyThrottled, validAnswer } from '../run/reading.js'
import { surplusOf, titleOf, unreadOf } from '../target/cells.js'
import { shortened } from '../wire/text.js'
import { failed, passed, skipped, type Verdict } from './verdict.js'

export const coverage: RunCheck = {
  id: 'coverage',
  scope: 'run',
  proves: 'each interface that the card names was tested',
  expects: 'right credentials let in by each',
  judge: judgeCoverage,
  means:
    'PASS has to be shown. The card names an interface in which right credentials were not let in, or that was not tested at all, or nothing but throttling (429) came for a check. A refusal proves nothing at an agent that refuses everyone, and what was not tested may be open. Where a throttled call says when to try again, a run waits for that once, for 60 s at most, and sends no wrong code before right credentials were let in.',
  fix: [
    'See `auth.valid` for why right credentials were not let in.',
    'A card that names an interface which is not served: take it out of the card.',
    'An interface on another host: probe it there, or let credentials go to it with `--allow-host HOST`.',
    'Throttled: probe again when the limit is over, from an address and with a peer that are not limited otherwise.',
  ],
}

/** Whether each interface that the card names was shown: right credentials were let in, and nothing was left open. */
function judgeCoverage({ cells, discovery: { interfaces }, options }: Evidence): Verdict {
  const surplus = surplusOf(interfaces)
  const gaps = [
    ...(surplus > 0 ? [`the card names ${surplus} interfaces too many, not all were tested`] : []),
    ...notUnderstood(unreadOf(interfaces, options)),
    ...cells.flatMap(({ cell }) =>
      cell.untestable === undefined ? [] : [`${titleOf(cell)} was not tested: ${cell.untestable}`],
    ),
    ...notShown(cells),
    ...cells.flatMap((cell) =>
      onlyThrottled(cell).map((check) => `${titleOf(cell.cell)}: nothing but throttling came for ${check}`),
    ),
  ]
  if (gaps.length > 0) {
    return failed(
      `${gaps.length} ${gaps.length === 1 ? 'gap' : 'gaps'}`,
      `what was not shown may be open: ${gaps.join('; ')}`,
    )
  }
  const named = cells.filter(({ cell }) => cell.guessed !== true)
  if (named.length === 0) return skipped('there is no card that names interfaces')
  const remarks = named.flatMap(({ cell }) =>
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
export function notShown(cells: readonly CellEvidence[]): string[] {
  const tested = cells.filter(
    (one) =>
      one.cell.untestable === undefined && !(one.cell.guessed && validAnswer(one)?.kind === 'unserved'),
  )
  if (tested.length === 0) return [nothingTested]
  return tested
    .filter((one) => !isShown(one))
    .map((one) => {
      const { cell, whyNotSent } = one
      const where = `${titleOf(cell)} at ${cell.url.host}${cell.url.pathname}`
      return `${where}: right credentials were not let in (${validAnswer(one)?.summary ?? whyNotSent})`
    })
}
