import { count } from '../../core/text.js'
import { isShown } from '../run/reading.js'
import { isSaid, surplusOf, unreadOf } from '../target/cells.js'
import { gapsIn } from './coverage.js'
import type { Rule } from './diagnosis-claim.js'

/** Interfaces that the card names and that were not shown: one by its reason, more by their number. */
export const notNamed: Rule = ({ evidence, failed }) => {
  const { cells, discovery, options } = evidence
  if (!failed('coverage')) return undefined
  const open = cells.filter((one) => one.cell.guessed !== true && !isShown(one))
  const missing = open.length + unreadOf(discovery.interfaces, options).length
  const [gap = ''] = gapsIn(evidence)
  if (missing === 0) return undefined
  return {
    text:
      missing === 1
        ? `the card names an interface that was not shown: ${gap}`
        : `the card names ${missing} interfaces that were not shown`,
    addresses: open.map(({ cell }) => cell.url.href),
    ids: ['coverage', 'auth.valid', 'tls'],
    explain: 'coverage',
  }
}

/** What else `coverage` fails for: no card, too many interfaces, a limiter, a deadline. */
export const notTested: Rule = ({ evidence, failed }) => {
  const { discovery, options } = evidence
  const [gap, ...others] = gapsIn(evidence)
  if (!failed('coverage') || gap === undefined) return undefined
  if (discovery.interfaces.length === 0 && !isSaid(options)) {
    const explain = discovery.cards.length === 0 ? 'card.fetch' : 'coverage'
    return { text: gap, ids: ['coverage', 'card.fetch'], explain }
  }
  if (surplusOf(discovery.interfaces, options).length > 0) {
    return { text: 'the card names more interfaces than one run tests', ids: ['coverage'] }
  }
  const more = others.length === 0 ? '' : `, and ${count(others.length, 'more gap')}`
  return { text: `not everything was tested: ${gap}${more}`, ids: ['coverage'] }
}
