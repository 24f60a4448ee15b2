import type { Peer, Roster } from '../core/roster.js'

/** What a fragment for the protected agent is made of. */
export interface ServerInput {
  readonly roster: Roster
  /** Credentials that have expired by this instant are left out. */
  readonly at: Date
  /** Where the agent will find its server file. By default {@link defaultServerFile}. */
  readonly serverFile?: string
}

/** What a fragment for one peer is made of. */
export interface ClientInput {
  readonly roster: Roster
  readonly peer: Peer
  /** The newest credentials that are live at this instant are handed out. */
  readonly at: Date
}

/** Beside the program that reads it, unless somebody says otherwise. */
export const defaultServerFile = './a2a-totp-server.json'

interface About<Input> {
  /** One line for the help text. */
  readonly summary: string
  /** Whether it holds a seed or a token. */
  readonly secret: boolean
  /** What a person should know who uses it here; shown on stderr. */
  readonly warnings?: (input: Input) => readonly string[]
}

interface JsonFragment<Input> extends About<Input> {
  readonly kind: 'json'
  readonly make: (input: Input) => object
}

interface TextFragment<Input> extends About<Input> {
  readonly kind: 'text'
  /** The text, with a newline at its end. Long ones are loaded when they are asked for. */
  readonly make: (input: Input) => string | Promise<string>
  /** Of a text for the agent that holds peers: the document that the agent's library reads in the end. */
  readonly agentReads?: (input: Input) => object
}

/** One format: a row of the table in `index.ts`. */
export type Fragment<Input> = JsonFragment<Input> | TextFragment<Input>
