import { keyHeadersOf, kindOfScheme, schemeNames } from '../../../core/card/schemes.js'
import type { Evidence } from '../../run/evidence.js'

export const noSecondFactor = 'the agent declares no second factor: its card names no header for a code'

/** Whether there is a card, and none names a header that could carry a code. A garbled scheme could be one. */
export function declaresNoCode({
  discovery: { cards },
  options,
}: Pick<Evidence, 'discovery' | 'options'>): boolean {
  const { header } = options.credentials
  const isGarbled = (scheme: unknown): boolean => kindOfScheme(scheme, header) === 'unknown'
  return (
    cards.length > 0 &&
    cards.every((card) => keyHeadersOf(card).length === 0 && schemeNames(card, isGarbled).length === 0)
  )
}
