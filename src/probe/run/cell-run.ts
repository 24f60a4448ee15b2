import type { RandomBytes } from '../../core/random.js'
import { soundsLikeRefusal, type Answer } from '../wire/answer.js'
import type { Binding, Connection } from '../bindings/binding.js'
import { bindingOf } from '../bindings/index.js'
import type { CheckId } from '../checks/catalogue.js'
import type { Cell } from '../target/cells.js'
import type { Attempt } from '../checks/refusals.js'
import type { HttpClient } from '../wire/http.js'
import type { FieldLine } from '../wire/raw-answer.js'
import type { Waited } from './throttle-wait.js'

/** A request that should have been refused, and what came of it. */
export interface Tried {
  readonly attempt: Attempt
  readonly answer: Answer
  /** Before any success, or after one: on the connection of the success or on another. */
  readonly when: 'before' | 'after-same-connection' | 'after'
}

/** Requests without a readable answer, after which a cell is given up. */
const patience = 3

/** What happened in one cell: it sends, and keeps the answers for the checks to judge. */
export class CellRun {
  readonly tried: Tried[] = []
  /** Answers to calls that should have been let in, in order. */
  readonly validAnswers: Answer[] = []
  /** Answers to correct calls in unusual spelling, with what was unusual. */
  readonly spellings: { readonly label: string; readonly answer: Answer }[] = []
  /** Why a check has nothing to judge, if it has not. */
  whyNotSent = 'nothing was sent'
  /** The answer to the message of `--send`. */
  sendAnswer: Answer | undefined
  /** Answers to codes that had been accepted before, with what was repeated. */
  readonly replays: { readonly label: string; readonly answer: Answer }[] = []
  /** Answers to the codes of scans. */
  readonly scanned: Answer[] = []
  /** What came of waiting where right credentials were throttled. */
  waited: Waited | undefined
  /** What a complete stranger got right after the valid call was throttled. */
  stranger: Answer | undefined
  readonly #binding: Binding
  readonly #nextTaskId: () => string

  constructor(
    readonly cell: Cell,
    client: HttpClient,
    random: RandomBytes,
  ) {
    this.#binding = bindingOf(cell, client)
    this.#nextTaskId = taskIds(random)
  }

  /** The answer to the last call that should have been let in. */
  get valid(): Answer | undefined {
    return this.validAnswers.at(-1)
  }

  /** Every answer of this cell. */
  get answers(): Answer[] {
    return [
      ...this.tried.map(({ answer }) => answer),
      ...this.validAnswers,
      ...this.spellings.map(({ answer }) => answer),
      ...this.replays.map(({ answer }) => answer),
      ...this.scanned,
      ...[this.sendAnswer, this.stranger].filter((answer) => answer !== undefined),
    ]
  }

  /** Sends what should be refused: on the connection that carries the valid calls, or beside it. */
  async try(attempt: Attempt, on: Connection): Promise<void> {
    if (!this.#binding.carries(attempt.fields)) return
    // An agent that leaves every request without an answer would hold a run up for minutes.
    if (this.tried.filter(({ answer }) => answer.kind === 'unreadable').length >= patience) {
      this.whyNotSent = `given up after ${patience} requests without a readable answer`
      return
    }
    const answer = await this.#call(on, attempt.operation, attempt.fields)
    const success = this.validAnswers.findLast(({ kind }) => kind !== 'refused')
    const same = success?.connection !== undefined && success.connection === answer.connection
    const when = success === undefined ? 'before' : same ? 'after-same-connection' : 'after'
    this.tried.push({ attempt, answer, when })
  }

  /** Sends what should be let in. */
  async callValid(fields: readonly FieldLine[]): Promise<Answer> {
    const answer = await this.#call('of-valid-calls', 'get', fields)
    this.validAnswers.push(answer)
    return answer
  }

  async callSpelledOddly(label: string, fields: readonly FieldLine[]): Promise<Answer> {
    const answer = await this.#call('of-valid-calls', 'get', fields)
    this.spellings.push({ label, answer })
    return answer
  }

  /** Repeats what was let in before. */
  async replay(label: string, fields: readonly FieldLine[]): Promise<Answer> {
    const answer = await this.#call('of-valid-calls', 'get', fields)
    this.replays.push({ label, answer })
    return answer
  }

  async callScan(fields: readonly FieldLine[]): Promise<Answer> {
    const answer = await this.#call('beside', 'get', fields)
    this.scanned.push(answer)
    return answer
  }

  /** Sends something that no check judges, on the connection beside. */
  callBeside(fields: readonly FieldLine[]): Promise<Answer> {
    return this.#call('beside', 'get', fields)
  }

  async sendMessage(fields: readonly FieldLine[], text: string): Promise<void> {
    this.sendAnswer = await this.#call('of-valid-calls', 'send', fields, text)
  }

  async #call(
    connection: Connection,
    name: 'get' | 'subscribe' | 'send',
    fields: readonly FieldLine[],
    text = '',
  ): Promise<Answer> {
    const taskId = this.#nextTaskId()
    return this.#binding.send(connection, name === 'send' ? { name, taskId, text } : { name, taskId }, fields)
  }
}

/** Ids that no task has, no two alike, in the form that agents expect ids to have (RFC 9562 §5.4). */
function taskIds(random: RandomBytes): () => string {
  const bytes = Buffer.from(random(16))
  return () => {
    bytes.writeUInt32BE((bytes.readUInt32BE(12) + 1) >>> 0, 12)
    const hex = bytes.toString('hex')
    return [
      hex.slice(0, 8),
      hex.slice(8, 12),
      `4${hex.slice(13, 16)}`,
      `8${hex.slice(17, 20)}`,
      hex.slice(20),
    ].join('-')
  }
}

/**
 * The checks of a cell for which nothing but 429 came: that is no refusal, since a limiter answers it to anybody.
 */
export function onlyThrottled({ tried }: CellRun): CheckId[] {
  const checks = new Set(tried.map(({ attempt }) => attempt.check))
  for (const { attempt, answer } of tried) if (answer.kind !== 'throttled') checks.delete(attempt.check)
  return [...checks]
}

/**
 * Whether an answer shows that the caller was let in, as far as the cell's other answers allow to tell.
 * `unclear` when nothing shows it either way.
 */
export function wasLetIn(answer: Answer, run: CellRun): 'yes' | 'no' | 'unclear' {
  switch (answer.kind) {
    case 'authenticated':
    case 'answered':
      return 'yes'
    case 'refused':
    case 'throttled':
      return 'no'
    case 'unreadable':
      return 'unclear'
    case 'other':
    case 'unserved':
    case 'failed':
    case 'redirected':
      if (soundsLikeRefusal(answer.message)) return 'no'
      if (!run.valid || !isSuccess(run.valid, run)) return 'unclear'
      return run.valid.kind === answer.kind && run.valid.signature === answer.signature ? 'yes' : 'no'
  }
}

/**
 * Whether an answer to right credentials is a success: the TaskNotFound of the cell, a result, or another answer
 * of the protocol that none of the agent's refusals looks like.
 */
export function isSuccess(answer: Answer, run: CellRun): boolean {
  if (answer.kind === 'authenticated' || answer.kind === 'answered') return true
  if (answer.kind !== 'other' || soundsLikeRefusal(answer.message)) return false
  const without = run.tried.filter(({ attempt, when }) => attempt.check === 'auth.none' && when === 'before')
  return without.length > 0 && without.every((tried) => tried.answer.signature !== answer.signature)
}
