import type { CheckId } from '../check-ids.js'
import type { Cell } from '../target/cells.js'
import type { Answer } from '../wire/answer.js'
import { readHttpAnswer } from '../wire/http-answer.js'
import type { HttpClient } from '../wire/http.js'
import type { FieldLine } from '../wire/raw-answer.js'

/** One try to be let in, with its credentials. */
export interface Attempt {
  /** The check that asks for it. */
  readonly check: CheckId
  /** What is special about it, in words: "the token alone". */
  readonly label: string
  readonly operation: 'get' | 'subscribe' | 'send'
  /** The header lines that carry credentials. */
  readonly fields: readonly FieldLine[]
  /** Whether it is sent again after a success. */
  readonly again?: boolean
  /** The wrong code that it spends. */
  readonly guess?: string
  /** The text of a message that is sent. */
  readonly text?: string
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
  /** Requests that should be let in: right credentials, in unusual spelling, with a message, and a second time. */
  | 'valid'
  | 'spelling'
  | 'message'
  | 'replay'
  /** An unknown token, after the valid call was throttled. */
  | 'stranger'
  | 'scan'
  | 'diagnosis'

const refusalStages: ReadonlySet<Stage> = new Set(['before-valid', 'again', 'late', 'guess', 'asked-again'])

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
  readonly again: boolean
  /** Whether it carried a wrong code beside the live token. */
  readonly isGuess: boolean
  readonly shows?: string
  /** Names of the header lines with credentials. */
  readonly carried: readonly string[]
  readonly sentAt: Date
  readonly answer: Answer
}

/** The header lines of a request for the card that are no credentials. */
const plainCardFields: ReadonlySet<string> = new Set(['Accept', 'A2A-Version'])

interface Settings {
  readonly now: () => Date
  /** Called with each header value that is sent. */
  readonly remember: (value: string) => void
  /** Called when a request was answered. */
  readonly answered?: () => void
}

/** Every exchange of a run. All requests of the probe go through {@link Exchanges.send}, which keeps them. */
export class Exchanges {
  readonly all: Exchange[] = []

  constructor(private readonly settings: Settings) {}

  /** The exchanges of one cell, in order. */
  of(cell: Cell): readonly Exchange[] {
    return this.all.filter((exchange) => exchange.cell === cell)
  }

  /** Sends an attempt by `transmit`, and keeps it with its answer. */
  async send(
    cell: Cell | null,
    stage: Stage,
    attempt: Attempt,
    transmit: () => Promise<Answer>,
  ): Promise<Answer> {
    const { check, label, operation, fields, again = false, guess, shows } = attempt
    for (const [, value] of fields) this.settings.remember(value)
    const sentAt = this.settings.now()
    const answer = await transmit()
    this.all.push({
      ...{ cell, check, stage, label, operation, again, shows, sentAt, answer },
      isGuess: guess !== undefined,
      carried: fields.map(([name]) => name),
    })
    this.settings.answered?.()
    return answer
  }

  /** An HTTP client for the agent card whose requests are kept too. */
  cardClient(client: HttpClient): Pick<HttpClient, 'connection' | 'exchange'> {
    return {
      connection: (url) => client.connection(url),
      exchange: async (connection, request) => {
        const received = client.exchange(connection, request)
        const attempt: Attempt = {
          check: 'card.fetch',
          label: request.url.pathname,
          operation: 'get',
          fields: request.fields.filter(([name]) => !plainCardFields.has(name)),
        }
        await this.send(null, 'card', attempt, async () => readHttpAnswer(await received))
        return received
      },
    }
  }
}
