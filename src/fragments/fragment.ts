import type { Peer, Roster } from '../core/roster.js'
import type { FrontAddresses } from './front-addresses.js'

/** Input of a fragment for the protected agent. */
export interface ServerInput {
  readonly roster: Roster
  /** Credentials that have expired at this instant are left out. */
  readonly at: Date
  /** Where the agent will find its server file. By default {@link defaultServerFile}. */
  readonly serverFile?: string
  /** Whether code for Python is one file that needs no package. */
  readonly vendored?: boolean
  /** The addresses in the configuration of a proxy. By default those of `defaultFront`, without gRPC. */
  readonly front?: FrontAddresses
  /** What a proxy sends to the gate in `TotpAuthzToken`: characters that mean nothing in any configuration. */
  readonly frontToken?: string
  /** The name that the main one of several files will have, for the files that name it. */
  readonly mainName?: string
}

/** Input of a fragment for one peer. */
export interface ClientInput {
  readonly roster: Roster
  readonly peer: Peer
  /** The fragment has the newest credentials that are live at this instant. */
  readonly at: Date
  /** Whether code for Python is one file that needs no package. */
  readonly vendored?: boolean
}

/** Relative to the working directory of the agent. */
export const defaultServerFile = './a2a-totp-server.json'

interface About<Input> {
  /** One line for the help text. */
  readonly summary: string
  /** Whether it contains a seed or a token. */
  readonly secret: boolean | ((input: Input) => boolean)
  /** What a user should know before using it; printed on stderr. */
  readonly warnings?: (input: Input) => readonly string[]
}

interface JsonFragment<Input> extends About<Input> {
  readonly kind: 'json'
  readonly make: (input: Input) => object
}

interface TextFragment<Input> extends About<Input> {
  readonly kind: 'text'
  /** Returns the text, with a newline at its end. Large texts and libraries are loaded on demand. */
  readonly make: (input: Input) => string | Promise<string>
  /** For a text that contains the agent's peers: the document that the agent's library reads from it. */
  readonly agentReads?: (input: Input) => object
}

/** One of the files of a fragment. */
export interface FragmentFile {
  /** Without a folder: the files belong into one. */
  readonly name: string
  readonly content: string
}

/** The files of a fragment, the main one first, and further warnings. */
export interface FragmentFiles {
  readonly files: readonly [FragmentFile, ...FragmentFile[]]
  readonly warnings: readonly string[]
}

/** A fragment that may need several files. */
export interface FilesFragment<Input> extends About<Input> {
  readonly kind: 'files'
  readonly make: (input: Input) => Promise<FragmentFiles>
}

/** One format: a row of the table in `index.ts`. */
export type Fragment<Input> = JsonFragment<Input> | TextFragment<Input> | FilesFragment<Input>
