import type { CheckId } from '../check-ids.js'
import type { Cell } from '../target/cells.js'
import { isAnswer, type Answer } from '../wire/answer.js'
import { soundsLikeRefusal } from '../wire/words.js'
import {
  admits,
  admitsLike,
  comparedWith,
  getsFurther,
  isMarkedOnly,
  isSame,
  isTaskNotFound,
  isTelling,
  hidesTasks,
  streamGetsFurther,
  type Refusals,
} from './compared.js'
import { isRefusalStage, type Exchange, type Stage } from './exchange.js'

/** The exchanges of one cell: what an answer shows depends on the others. */
interface OfCell {
  readonly cell?: Pick<Cell, 'guessed'>
  readonly exchanges: readonly Exchange[]
}

/** A request that should have been refused. */
export interface Tried extends Exchange {
  /** Before any success, or after one: on the connection of the success or on another. */
  readonly when: 'before' | 'after-same-connection' | 'after'
}

/**
 * Reads a list of exchanges once: the verdict on each answer depends on what the others show. Lists of exchanges do not
 * change; a run that goes on has new ones.
 */
function once<T>(read: (exchanges: readonly Exchange[]) => T): (cell: OfCell) => T {
  const known = new WeakMap<readonly Exchange[], { readonly value: T }>()
  return ({ exchanges }) => {
    const found = known.get(exchanges) ?? { value: read(exchanges) }
    known.set(exchanges, found)
    return found.value
  }
}

/**
 * The requests that should have been refused, in order. Those to other methods are not among them: an agent that does
 * not have a method need not refuse it. Nor are those whose refusal shows nothing, because right credentials were refused
 * after it too.
 */
export const triedIn: (cell: OfCell) => readonly Tried[] = once((exchanges) => {
  const cell = { ...(exchanges[0]?.cell && { cell: exchanges[0].cell }), exchanges }
  return allTriedIn(cell).filter((one) => !isWorthless(one, cell))
})

/** Whether a request was refused, and right credentials were refused after it too. */
export function isWorthless({ discredited, answer }: Exchange, cell: OfCell): boolean {
  if (discredited !== true || answer.kind === 'failed') return false
  return wasLetIn(answer, cell) === 'no' || lockedOutIn(cell).some((locked) => isAlike(locked, answer))
}

/** What right credentials were answered where they were refused although they had been let in. */
export function lockedOutIn({ exchanges }: OfCell): readonly Answer[] {
  return exchanges.flatMap(({ stage, discredited, answer }) =>
    stage === 'control' && discredited === true ? [answer] : [],
  )
}

const isAlike = (one: Answer, other: Answer): boolean =>
  one.kind === other.kind && one.signature === other.signature

/** The same, with those after which right credentials were refused too. */
const allTriedIn: (cell: OfCell) => readonly Tried[] = once(readTried)

function readTried(exchanges: readonly Exchange[]): Tried[] {
  let success: Answer | undefined
  return exchanges.flatMap((exchange) => {
    const { stage, answer } = exchange
    const isRight = stage === 'valid' || stage === 'control'
    if (isRight && (answer.kind !== 'refused' || hidesTasks(answer))) success = answer
    if (!isRefusalStage(stage) || stage === 'door') return []
    const same = success?.connection !== undefined && success.connection === answer.connection
    return [
      { ...exchange, when: success === undefined ? 'before' : same ? 'after-same-connection' : 'after' },
    ]
  })
}

/** The answer to the last call with right credentials. */
export const validAnswer: (cell: OfCell) => Answer | undefined = once(
  (exchanges) => exchanges.findLast(({ stage }) => stage === 'valid')?.answer,
)

/** Whether right credentials were let in. */
export function isShown(cell: OfCell): boolean {
  const answer = validAnswer(cell)
  return answer !== undefined && isSuccess(answer, cell)
}

/**
 * The checks for which every answer was a limiter's or a gateway's: such an answer is not a refusal, because anyone may
 * get it.
 */
export function onlyThrottled(cell: OfCell): CheckId[] {
  const sent = cell.exchanges.flatMap(({ stage, check, answer }): [CheckId, Answer][] => {
    if (stage === 'replay') return [['replay', answer]]
    if (!isRefusalStage(stage)) return []
    // What was refused before a success shows nothing of what comes after it.
    return stage === 'again'
      ? [
          [check, answer],
          ['auth.after-valid', answer],
        ]
      : [[check, answer]]
  })
  const checks = new Set(sent.map(([check]) => check))
  for (const [check, answer] of sent) if (!isInconclusive(answer)) checks.delete(check)
  return [...checks]
}

/** A request of a check, wherever and whenever it is sent. */
type Sent = Pick<Exchange, 'check' | 'label'>

/**
 * Whether nothing but a limiter or a gateway answered a request, each time that it was sent: others of its check may have
 * been answered, and show nothing of this one.
 */
export function isOpen({ check, label }: Sent, { exchanges }: OfCell, stages = askedAgain): boolean {
  const same = exchanges.filter((one) => one.check === check && one.label === label && stages.has(one.stage))
  return same.length > 0 && same.every(({ answer }) => isInconclusive(answer))
}

const askedAgain: ReadonlySet<Stage> = new Set(['before-valid', 'again', 'late', 'guess', 'asked-again'])
const afterSuccess: ReadonlySet<Stage> = new Set(['again'])

/** The requests that are open, and those that are where they were repeated after a success. */
export const openIn = (cell: OfCell): Exchange[] => cell.exchanges.filter((one) => isOpen(one, cell))
export const openAfterSuccess = (cell: OfCell): Exchange[] =>
  cell.exchanges.filter((one) => isOpen(one, cell, afterSuccess))

/** Whether an answer may be given to anyone: throttling, or a gateway that did not reach the agent. */
export function isInconclusive({ kind, status }: Answer): boolean {
  return kind === 'throttled' || (kind === 'foreign' && (status ?? 0) >= 500)
}

/** What the agent says to a caller with nothing; to one with the token alone where that was not tried. */
const refusalsIn: (cell: OfCell) => Refusals = once((exchanges) => {
  const before = allTriedIn({ exchanges }).filter(
    ({ operation, when }) => operation === 'get' && when === 'before',
  )
  for (const wanted of comparedWith) {
    const found = before.filter(({ check, answer }) => check === wanted && isTelling(answer))
    if (found.length > 0) return found.map(({ answer }) => answer)
  }
  return []
})

/** What requests for a stream were answered, and those for a task that should have been refused. */
const streamsIn: (cell: OfCell) => ReadonlySet<Answer> = once(
  (exchanges) => new Set(answersTo('subscribe', exchanges)),
)
const toTasksIn: (cell: OfCell) => readonly Answer[] = once((exchanges) => answersTo('get', exchanges))

function answersTo(wanted: Exchange['operation'], exchanges: readonly Exchange[]): Answer[] {
  return allTriedIn({ exchanges }).flatMap(({ operation, answer }) => (operation === wanted ? [answer] : []))
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
    case 'throttled':
      return 'no'
    case 'foreign':
      // Whoever stands in front kept the caller out, or did not reach the agent.
      return isInconclusive(answer) ? 'unclear' : 'no'
    case 'unreadable':
      return 'unclear'
    case 'refused':
    case 'other':
    case 'unserved':
    case 'failed':
    case 'redirected': {
      const valid = validAnswer(cell)
      if (valid && isSuccess(valid, cell)) {
        if (isMarkedOnly(answer, valid)) return 'yes'
        const refusals = refusalsIn(cell)
        const further = streamsIn(cell).has(answer)
          ? streamGetsFurther(answer, refusals, toTasksIn(cell))
          : getsFurther(answer, refusals)
        return further || admitsLike(answer, valid, refusals) ? 'yes' : 'no'
      }
      // Where everyone is told that a task is missing, nothing is demanded of anyone.
      if (valid && isSame(answer, valid) && isTaskNotFound(answer)) return 'yes'
      return answer.kind === 'refused' || soundsLikeRefusal(answer.message) ? 'no' : 'unclear'
    }
  }
}

/**
 * Whether an answer to right credentials is a success: the TaskNotFound of the cell, a result, or another answer
 * of the protocol that none of the agent's refusals looks like.
 */
export function isSuccess(answer: Answer, cell: OfCell): boolean {
  // A cell that no card names was only guessed, so a method that is missing means that nothing is served there.
  if (answer.kind === 'unserved' && cell.cell?.guessed === true) return false
  return admits(answer, refusalsIn(cell))
}

/** Whether the agent does not serve the binding and version of a cell at its URL. */
export function isUnserved(cell: OfCell): boolean {
  return validAnswer(cell)?.kind === 'unserved' && !isShown(cell)
}

/** Whether right credentials were sent to a cell, and nothing that was sent there got an answer that can be read. */
export function isSilent(cell: OfCell): boolean {
  return validAnswer(cell) !== undefined && !cell.exchanges.some(({ answer }) => isAnswer(answer))
}
