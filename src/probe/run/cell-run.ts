import type { RandomBytes } from '../../core/random.js'
import type { CheckId } from '../check-ids.js'
import type { Binding, Connection } from '../bindings/binding.js'
import { bindingOf } from '../bindings/index.js'
import type { Operation } from '../bindings/operation.js'
import type { Misfit } from '../bindings/proving.js'
import type { Cell } from '../target/cells.js'
import type { Answer } from '../wire/answer.js'
import type { HttpClient } from '../wire/http.js'
import { Places } from '../wire/places.js'
import type { CellEvidence } from './evidence.js'
import type { Attempt, Exchange, Exchanges, Stage } from './exchange.js'
import { isMalformedHttp } from './malformed.js'
import type { Proofs } from './proofs.js'
import { triedIn, validAnswer } from './reading.js'
import type { Waited } from './throttle-wait.js'

/** The most requests of one cell that are under way at a time, beside those on the connection of its valid calls. */
const mostSideBySide = 8

/** A cell is given up after this many requests without a readable answer. */
export const patience = 3

interface Tools {
  readonly client: HttpClient
  readonly exchanges: Exchanges
  readonly random: RandomBytes
  readonly proofs: Proofs
}

/** Sends the requests of one cell, each with a task id of its own. */
export class CellRun implements CellEvidence {
  whyNotSent = 'nothing was sent'
  waited: Waited | undefined
  gaps: readonly string[] = []
  unfinished: ReadonlySet<CheckId> = new Set()
  #isLocked = false
  /** What does not depend on each other, whichever stage it belongs to. */
  readonly sideBySide = new Places(mostSideBySide)
  readonly #exchanges: Exchanges
  readonly #binding: Binding
  readonly #proofs: Proofs
  /** Makes an id that no task has. */
  readonly nextTaskId: () => string

  constructor(
    readonly cell: Cell,
    { client, exchanges, random, proofs }: Tools,
  ) {
    this.#exchanges = exchanges
    this.#binding = bindingOf(cell, client)
    this.#proofs = proofs
    this.nextTaskId = taskIds(random)
  }

  get exchanges(): readonly Exchange[] {
    return this.#exchanges.of(this.cell)
  }

  /** The answer to the last call with right credentials. */
  get valid(): Answer | undefined {
    return validAnswer(this)
  }

  /** Whether right credentials were refused after they had been let in. */
  get isLocked(): boolean {
    return this.#isLocked
  }

  /** Takes refusals for nothing: right credentials were refused after them too. */
  discredit(some: readonly Exchange[]): void {
    this.#isLocked = true
    this.#exchanges.discredit(some)
  }

  /** Sends what should be refused, unless the binding cannot carry it or the cell was given up. */
  async try(stage: Stage, attempt: Attempt, connection: Connection): Promise<void> {
    if (!this.#binding.carries(attempt.fields, misfitOf(attempt))) return
    // An agent that answers no request would delay a run for minutes.
    const unanswered = triedIn(this).filter(isUnanswered)
    if (unanswered.filter((one) => isAlike(one, attempt)).length >= patience) {
      this.whyNotSent = `given up after ${patience} requests without a readable answer`
      if (!isMalformedHttp(attempt)) this.gaps = [this.whyNotSent]
      return
    }
    await this.send(stage, attempt, connection)
  }

  /** The same for many, side by side on connections other than that of the valid calls. */
  async tryAll(stage: Stage, attempts: readonly Attempt[]): Promise<void> {
    await Promise.all(
      attempts.map((attempt) => this.sideBySide.take(() => this.try(stage, attempt, 'beside'))),
    )
  }

  send(stage: Stage, attempt: Attempt, connection: Connection): Promise<Answer> {
    const operation = operationOf(attempt, attempt.taskId ?? this.nextTaskId())
    const isSigned = this.#proofs.for(attempt) !== undefined
    // A proof is good for one request, so one that is sent again has a new one.
    const transmit = (): Promise<Answer> =>
      this.#binding.send(connection, operation, attempt.fields, this.#proofs.for(attempt))
    return this.#exchanges.send(this.cell, stage, attempt, transmit, isSigned)
  }
}

function misfitOf({ signing }: Attempt): Misfit | undefined {
  return typeof signing === 'object' ? signing.fault : undefined
}

/** An HTTP server may hang up on a header that is malformed or sent twice: that is an answer. */
function isUnanswered(tried: Exchange): boolean {
  const { kind, closed } = tried.answer
  return kind === 'unreadable' && !(isMalformedHttp(tried) && closed === true)
}

/** No answer to what is not valid HTTP says nothing of other requests, so each check that sends such counts for itself. */
function isAlike(one: { readonly check: CheckId }, other: { readonly check: CheckId }): boolean {
  return isMalformedHttp(one) || isMalformedHttp(other) ? one.check === other.check : true
}

function operationOf({ operation: name, text = '', door, pageSize }: Attempt, taskId: string): Operation {
  if (name === 'send') return { name, taskId, text }
  if (name !== 'door') return { name, taskId }
  if (!door) throw new TypeError('a door to try is missing')
  return { name, taskId, door, ...(pageSize !== undefined && { pageSize }) }
}

/** Unique ids that no task has, in the usual format (RFC 9562 §5.4). */
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
