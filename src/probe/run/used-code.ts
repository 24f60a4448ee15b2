import type { Answer } from '../wire/answer.js'
import type { Exchange } from './exchange.js'

type Refusal = Pick<Answer, 'kind' | 'retryAfter'>

const isToldToWait = ({ kind, retryAfter }: Refusal): boolean =>
  kind === 'refused' && retryAfter !== undefined

/**
 * Whether a right code was refused as one that was used: told to come back later. Where callers without credentials are told
 * so too, it says nothing: some gateways send Retry-After with every refusal.
 */
export function saysUsed(
  answer: Refusal,
  { exchanges }: { readonly exchanges: readonly Exchange[] },
): boolean {
  if (!isToldToWait(answer)) return false
  return !exchanges.some((one) => one.stage === 'before-valid' && isToldToWait(one.answer))
}
