import { schemeNames } from '../../../core/card/schemes.js'
import type { CardJson } from '../../../core/card/shapes.js'
import { passed, skipped, warned, type Verdict } from '../verdict.js'

export const noCard: Verdict = skipped('there is no card')

/** Whether every card declares a scheme. */
export function judgeScheme(
  cards: readonly CardJson[],
  isIt: (scheme: unknown) => boolean,
  what: string,
): Verdict {
  if (cards.length === 0) return noCard
  const lacking = cards.some((card) => schemeNames(card, isIt).length === 0)
  return lacking
    ? warned('not declared', `the card should declare ${what}; see \`a2a-totp config card\``)
    : passed('declared')
}
