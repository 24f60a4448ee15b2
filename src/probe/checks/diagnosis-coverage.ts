import { isShown } from '../run/reading.js'
import { isSaid, unreadOf } from '../target/cells.js'
import type { Rule } from './diagnosis-claim.js'

export const notNamed: Rule = ({ evidence: { cells, discovery, options }, failed }) => {
  if (!failed('coverage')) return undefined
  const open = cells.filter((one) => one.cell.guessed !== true && !isShown(one))
  const count = open.length + unreadOf(discovery.interfaces, options).length
  if (count === 0) return undefined
  const what = count === 1 ? 'an interface that was not shown' : `${count} interfaces that were not shown`
  return {
    text: `the card names ${what}`,
    addresses: open.map(({ cell }) => cell.url.href),
    ids: ['coverage', 'auth.valid', 'tls'],
    explain: 'coverage',
  }
}

/** Without a card nothing shows which interfaces there are, even if those that were guessed hold. */
export const cardless: Rule = ({ evidence: { discovery, options }, failed }) => {
  if (!failed('coverage') || discovery.interfaces.length > 0 || isSaid(options)) return undefined
  const what = discovery.cards.length === 0 ? 'no agent card was read' : 'the card names no interface'
  return {
    text: `${what}, so other interfaces than those tested may be open`,
    ids: ['coverage', 'card.fetch'],
    explain: 'coverage',
  }
}
