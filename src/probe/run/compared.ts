import type { CheckId } from '../check-ids.js'
import type { Answer } from '../wire/answer.js'
import { namesSecondFactor, saysTaskIsMissing, soundsLikeRefusal } from '../wire/words.js'

/** What an agent answers to a caller with nothing, each answer that is its own. */
export type Refusals = readonly Answer[]

/** Whether an answer is the agent's own word on a call: not a limiter's or a gateway's, and not silence. */
export function isTelling({ kind }: Answer): boolean {
  return kind !== 'throttled' && kind !== 'foreign' && kind !== 'unreadable'
}

/** The checks whose refusals others are compared with, the most telling first. */
export const comparedWith: readonly CheckId[] = ['auth.none', 'auth.bearer-only']

/** Whether two answers are the same to a caller, but for ids and times. */
export function isSame(one: Answer, other: Answer): boolean {
  return one.kind === other.kind && one.signature === other.signature && one.face === other.face
}

/**
 * Whether the answer to right credentials shows that they were let in: by itself where it is the TaskNotFound of the
 * cell or a result, else by how it differs from the agent's refusals, and by its words only where that does not decide.
 */
export function admits(answer: Answer, refusals: Refusals): boolean {
  switch (answer.kind) {
    case 'authenticated':
    case 'answered':
      return true
    case 'other':
      return answer.offProtocol !== true && differs(answer, refusals)
    case 'unserved':
      return answer.wrongCell !== true && refusals.length > 0 && refusals.every(isPlainRefusal)
    case 'refused':
      return hidesTasks(answer) && refusals.length > 0 && refusals.every(({ status }) => status === 401)
    case 'failed':
      return answer.taskMissing === true
    case 'throttled':
    case 'foreign':
    case 'redirected':
    case 'unreadable':
      return false
  }
}

/** Some agents hide the tasks of others behind 403 once they know who asks. */
export const hidesTasks = ({ status, message }: Answer): boolean =>
  status === 403 && saysTaskIsMissing(message)

/** A refusal that its status shows: 401, 403 or their gRPC counterparts. */
const isPlainRefusal = ({ kind }: Answer): boolean => kind === 'refused'

function differs(answer: Answer, refusals: Refusals): boolean {
  if (refusals.length === 0 || refusals.some((refusal) => isSame(refusal, answer))) return false
  // Who was let in is told nothing of the second factor.
  if (namesSecondFactor(answer.message)) return false
  if (refusals.every(isPlainRefusal)) return true
  const isOtherKind = refusals.every(({ signature }) => signature !== answer.signature)
  if (isOtherKind && !soundsLikeRefusal(answer.message)) return true
  return saysTaskIsMissing(answer.message) && !refusals.some(({ message }) => saysTaskIsMissing(message))
}

/** Whether an answer that admits is also the one that the protocol has for a task that is missing. */
export function isTaskNotFound(answer: Answer): boolean {
  if (answer.kind === 'authenticated') return true
  const isItsCode = /(^| )(-32001|NOT_FOUND)( |$)/.test(answer.signature)
  return answer.kind === 'other' && isItsCode && saysTaskIsMissing(answer.message)
}

/**
 * Whether an answer has the status of a refusal, and says what right credentials are told of a task that is missing: the
 * call was marked as refused, and handled all the same.
 */
export function isMarkedOnly(answer: Answer, valid: Answer): boolean {
  return (
    answer.kind === 'refused' &&
    isTaskNotFound(valid) &&
    answer.message === valid.message &&
    saysTaskIsMissing(answer.message)
  )
}

/**
 * Whether an answer to what should be refused shows that it got further than a caller with nothing, who gets 401: a success
 * of HTTP with an error of the protocol in it, or with anything else, that has no word of a refusal.
 */
export function getsFurther(answer: Answer, refusals: Refusals): boolean {
  const { kind, status } = answer
  if (kind !== 'other' && kind !== 'unserved') return false
  return status !== null && status < 300 && areAllPlain(refusals) && !hasWordsOfRefusal(answer)
}

/**
 * The same of a stream, whose handler has words of its own about tokens and authentication. Where no request for a task got
 * an answer of that kind, they are a refusal only inside of a stream. Whether there are streams at all is judged elsewhere.
 */
export function streamGetsFurther(answer: Answer, refusals: Refusals, toTasks: readonly Answer[]): boolean {
  const { kind, status, signature } = answer
  const isAsTasks = toTasks.some((one) => one.status === status && one.signature === signature)
  if (isAsTasks) return getsFurther(answer, refusals)
  return (kind === 'other' || kind === 'unserved') && areAllPlain(refusals) && !isRefusedInside(answer)
}

/** Errors that have a cause of their own, whatever their words: those of JSON-RPC, and names of google.rpc.Code. */
const otherCauses =
  /^(-32[67]\d\d|INVALID_ARGUMENT|NOT_FOUND|ALREADY_EXISTS|RESOURCE_EXHAUSTED|FAILED_PRECONDITION|ABORTED|OUT_OF_RANGE|INTERNAL)$/

/** Whether a stream was opened, and what it says is that the caller is refused. */
export function isRefusedInside(answer: Answer): boolean {
  const { status, signature } = answer
  if (status === null || status > 299 || signature.split(' ').some((word) => otherCauses.test(word)))
    return false
  return hasWordsOfRefusal(answer)
}

const areAllPlain = (refusals: Refusals): boolean => refusals.length > 0 && refusals.every(isPlainRefusal)

const hasWordsOfRefusal = ({ message }: Answer): boolean =>
  soundsLikeRefusal(message) || namesSecondFactor(message) || /\b(codes?|log ?in|sign ?in)\b/i.test(message)

/** Whether an answer means what the answer to right credentials means, which was let in. */
export function admitsLike(answer: Answer, valid: Answer, refusals: Refusals): boolean {
  if (answer.kind !== valid.kind || answer.signature !== valid.signature) return false
  if (isSame(answer, valid)) return true
  if (refusals.some((refusal) => isSame(refusal, answer))) return false
  // One code for several errors: the words decide, and nothing else than a refusal is taken for one.
  if (saysTaskIsMissing(answer.message)) return true
  return !namesSecondFactor(answer.message) && !soundsLikeRefusal(answer.message)
}
