import type { Door } from '../bindings/methods.js'
import type { CheckId } from '../check-ids.js'
import type { Cell } from '../target/cells.js'
import type { Answer } from '../wire/answer.js'
import { readHttpAnswer } from '../wire/http-answer.js'
import type { HttpClient } from '../wire/http.js'
import type { FieldLine, RawAnswer } from '../wire/raw-answer.js'
import { DeadlinePassed } from './deadline.js'
import type { Pace } from './pace.js'
import type { Signing } from './proof-knowledge.js'

/** One try to be let in, with its credentials. */
export interface Attempt {
  /** The check that asks for it. */
  readonly check: CheckId
  /** What is special about it, in words: "the token alone". */
  readonly label: string
  readonly operation: 'get' | 'subscribe' | 'send' | 'door'
  /** The header lines that carry credentials. */
  readonly fields: readonly FieldLine[]
  /** Whether it is sent again after a success. */
  readonly again?: boolean
  /** How it is signed; by default as the policy demands. */
  readonly signing?: Signing
  /** Whose credentials these are, if not the peer's. */
  readonly by?: 'other-peer'
  /** The wrong code that it spends. */
  readonly guess?: string
  /** The text of a message that is sent. */
  readonly text?: string
  /** The method that is called, where the operation is `door`. */
  readonly door?: Door
  /** The task that it asks for, if it is not a random one. */
  readonly taskId?: string
  /** How many rows of a list it asks for; by default 1. */
  readonly pageSize?: number
  /** What is shown if it is let in. */
  readonly shows?: string
}

/** When and why a request is sent. */
export type Stage =
  | 'card'
  /** Requests that should be refused: before any success, right after one, after all valid calls, with a wrong code. */
  | 'before-valid'
  | 'again'
  | 'late'
  | 'guess'
  /** One that was only throttled before. */
  | 'asked-again'
  /** Every method of the protocol, without credentials and with the bearer alone. */
  | 'door'
  /** Requests that should be let in: right credentials, in unusual spelling, with a message, and a second time. */
  | 'valid'
  | 'spelling'
  | 'message'
  | 'replay'
  /** Right credentials once more, after what should be refused. */
  | 'control'
  /** A signed request where a plain one was let in before, and what a thief would make of one that was let in. */
  | 'signed'
  | 'signed-again'
  /** An unknown token, after the valid call was throttled. */
  | 'stranger'
  | 'scan'
  | 'diagnosis'
  /** A task that one peer made, and another peer's calls for it. */
  | 'isolation'

const refusalStages: ReadonlySet<Stage> = new Set([
  'before-valid',
  'again',
  'late',
  'guess',
  'asked-again',
  'door',
  'signed-again',
])

/** Whether the requests of a stage should be refused. */
export const isRefusalStage = (stage: Stage): boolean => refusalStages.has(stage)

/** One request of a run and its answer. It holds the names of header lines, never their values. */
export interface Exchange {
  /** Null for the agent card. */
  readonly cell: Cell | null
  readonly check: CheckId
  readonly stage: Stage
  readonly label: string
  readonly operation: Attempt['operation']
  /** The method that was called, where the operation is `door`. */
  readonly door?: Door
  readonly again: boolean
  /** Whether it carried a wrong code beside the live token. */
  readonly isGuess: boolean
  /** Whether it carried a proof. */
  readonly isSigned: boolean
  readonly shows?: string
  /** Names of the header lines with credentials. */
  readonly carried: readonly string[]
  readonly sentAt: Date
  readonly answer: Answer
  /** Set where it was throttled and the same request was sent again: the last answer counts. */
  readonly superseded?: true
  /** Set where right credentials were refused after it too: that it was refused shows nothing. */
  readonly discredited?: true
}

/** The header lines of a request for the card that are no credentials. */
const plainCardFields: ReadonlySet<string> = new Set(['Accept', 'A2A-Version'])

interface Settings {
  readonly now: () => Date
  /** Called with each header value that is sent. */
  readonly remember: (value: string) => void
  /** Called with each wrong code that is sent beside the live token. Scans count their own. */
  readonly guessed: (code: string) => void
  /** Called when a request was answered. */
  readonly answered: () => void
  readonly pace: Pick<Pace, 'send'>
}

/** Every exchange of a run. All requests of the probe go through {@link Exchanges.send}, which keeps them. */
export class Exchanges {
  readonly #kept: (Exchange | undefined)[] = []
  /** The lists that were asked for since the last answer: each is asked for many times. */
  readonly #lists = new Map<Cell | 'all', readonly Exchange[]>()
  #isClosed = false

  constructor(private readonly settings: Settings) {}

  /** Those that were answered, in the order in which they were sent. */
  get all(): readonly Exchange[] {
    return this.#list('all', () => this.#kept.filter((exchange) => exchange !== undefined))
  }

  /** The exchanges of one cell that count, in order: not those that were throttled and sent again. */
  of(cell: Cell): readonly Exchange[] {
    return this.#list(cell, () => this.all.filter((one) => one.cell === cell && !one.superseded))
  }

  #list(of: Cell | 'all', make: () => readonly Exchange[]): readonly Exchange[] {
    const list = this.#lists.get(of) ?? make()
    this.#lists.set(of, list)
    return list
  }

  /** Marks exchanges after which right credentials were refused too. */
  discredit(some: readonly Exchange[]): void {
    this.#lists.clear()
    for (const [place, exchange] of this.#kept.entries())
      if (exchange && some.includes(exchange)) this.#kept[place] = { ...exchange, discredited: true }
  }

  /** Nothing more is sent or kept. */
  close(): void {
    this.#isClosed = true
  }

  /**
   * Sends an attempt by `transmit` when it is its turn, again where it is throttled and that may help, and keeps it with
   * its answer.
   *
   * @returns the last answer
   * @throws {DeadlinePassed} once nothing more is sent
   */
  async send(
    cell: Cell | null,
    stage: Stage,
    attempt: Attempt,
    transmit: () => Promise<Answer>,
    isSigned = false,
  ): Promise<Answer> {
    const { check, label, operation, door, fields, again = false, guess, shows } = attempt
    const { now, pace, remember, answered } = this.settings
    for (const [, value] of fields) remember(value)
    let sentAt = now()
    let place = 0
    const ask = async (): Promise<Answer> => {
      this.#requireOpen()
      sentAt = now()
      if (guess !== undefined && stage !== 'scan') this.settings.guessed(guess)
      // Its place is that of its sending: of requests under way together, the first may be answered last.
      place = this.#kept.push(undefined) - 1
      const answer = await transmit()
      this.#requireOpen()
      return answer
    }
    const keep = (answer: Answer, superseded: boolean): void => {
      this.#lists.clear()
      this.#kept[place] = {
        ...{ cell, check, stage, label, operation, door, again, shows, sentAt, answer },
        ...(superseded && { superseded }),
        isGuess: guess !== undefined,
        isSigned,
        carried: fields.map(([name]) => name),
      }
      answered()
    }
    // Scans look for the limit itself.
    return pace.send({ cell, fields, once: stage === 'scan' && check === 'throttle', ask, keep })
  }

  #requireOpen(): void {
    if (this.#isClosed) throw new DeadlinePassed()
  }

  /** An HTTP client for the agent card whose requests are kept too. */
  cardClient(client: HttpClient): Pick<HttpClient, 'connection' | 'exchange'> {
    return {
      connection: (url) => client.connection(url),
      exchange: async (connection, request) => {
        let received: RawAnswer | undefined
        const attempt: Attempt = {
          check: 'card.fetch',
          label: request.url.pathname,
          operation: 'get',
          fields: request.fields.filter(([name]) => !plainCardFields.has(name)),
        }
        await this.send(null, 'card', attempt, async () => {
          received = await client.exchange(connection, request)
          return readHttpAnswer(received)
        })
        if (received === undefined) throw new DeadlinePassed()
        return received
      },
    }
  }
}
