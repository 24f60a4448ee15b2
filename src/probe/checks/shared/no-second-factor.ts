import { keyHeadersOf } from '../../../core/card/schemes.js'
import type { Evidence } from '../../run/evidence.js'

export const noSecondFactor = 'the agent declares no second factor: its card names no header for a code'

/** Whether there is a card, and none names a header that could carry a code. */
export function declaresNoCode({ discovery: { cards } }: Pick<Evidence, 'discovery'>): boolean {
  return cards.length > 0 && cards.every((card) => keyHeadersOf(card).length === 0)
}
