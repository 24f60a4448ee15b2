import type { CheckId } from '../check-ids.js'
import { soundsLikeRefusal, type Answer } from '../wire/answer.js'
import { isRefusalStage, type Exchange } from './exchange.js'

/** The exchanges of one cell: what an answer shows depends on the others. */
interface OfCell {
  readonly exchanges: readonly Exchange[]
}

/** A request that should have been refused. */
export interface Tried extends Exchange {
  /** Before any success, or after one: on the connection of the success or on another. */
  readonly when: 'before' | 'after-same-connection' | 'after'
}

/** The requests that should have been refused, in order. */
export function triedIn({ exchanges }: OfCell): Tried[] {
  let success: Answer | undefined
  return exchanges.flatMap((exchange) => {
    const { stage, answer } = exchange
    if (stage === 'valid' && answer.kind !== 'refused') success = answer
    if (!isRefusalStage(stage)) return []
    const same = success?.connection !== undefined && success.connection === answer.connection
    return [
      { ...exchange, when: success === undefined ? 'before' : same ? 'after-same-connection' : 'after' },
    ]
  })
}

/** The answer to the last call with right credentials. */
export function validAnswer({ exchanges }: OfCell): Answer | undefined {
  return exchanges.findLast(({ stage }) => stage === 'valid')?.answer
}

/** Whether right credentials were let in. */
export function isShown(cell: OfCell): boolean {
  const answer = validAnswer(cell)
  return answer !== undefined && isSuccess(answer, cell)
}

/**
 * The checks for which every answer was 429. That is not a refusal, because a rate limiter answers so to anyone.
 */
export function onlyThrottled(cell: OfCell): CheckId[] {
  const tried = triedIn(cell)
  const checks = new Set(tried.map(({ check }) => check))
  for (const { check, answer } of tried) if (answer.kind !== 'throttled') checks.delete(check)
  return [...checks]
}

/**
 * Whether an answer shows that the caller was let in, compared with the other answers of the cell. `unclear` when
 * nothing shows either.
 */
export function wasLetIn(answer: Answer, cell: OfCell): 'yes' | 'no' | 'unclear' {
  switch (answer.kind) {
    case 'authenticated':
    case 'answered':
      return 'yes'
    case 'refused':
    case 'throttled':
      return 'no'
    case 'foreign':
    case 'unreadable':
      return 'unclear'
    case 'other':
    case 'unserved':
    case 'failed':
    case 'redirected': {
      if (soundsLikeRefusal(answer.message)) return 'no'
      const valid = validAnswer(cell)
      if (!valid || !isSuccess(valid, cell)) return 'unclear'
      return valid.kind === answer.kind && valid.signature === answer.signature ? 'yes' : 'no'
    }
  }
}

/**
 * Whether an answer to right credentials is a success: the TaskNotFound of the cell, a result, or another answer
 * of the protocol that none of the agent's refusals looks like.
 */
export function isSuccess(answer: Answer, cell: OfCell): boolean {
  if (answer.kind === 'authenticated' || answer.kind === 'answered') return true
  if (answer.kind !== 'other' || soundsLikeRefusal(answer.message)) return false
  const without = triedIn(cell).filter(({ check, when }) => check === 'auth.none' && when === 'before')
  return without.length > 0 && without.every((tried) => tried.answer.signature !== answer.signature)
}
