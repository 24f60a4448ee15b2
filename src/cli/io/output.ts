import { jsonText, printable } from '../../core/text.js'
import type { Env } from '../../programs/environment.js'
import { asciiOf } from '../../core/ascii.js'
import { speaksUnicode } from './locale.js'

/** One of the two streams that a command writes to. */
export interface CliStream {
  readonly isTTY?: boolean
  /** Width in cells, if it is a terminal. */
  readonly columns?: number
  write(text: string): boolean
}

/** The global options that decide what is printed. */
export interface OutputOptions {
  readonly json?: boolean
  readonly quiet?: boolean
  readonly color: boolean
}

/** What a command prints: the result on stdout, everything else on stderr. */
export interface Output {
  readonly json: boolean
  readonly quiet: boolean
  /** Whether stdout is a terminal where colours and countdowns are wanted. */
  readonly forPerson: boolean
  /** Whether stdout is a terminal where QR codes are wanted, if need be in black and white. */
  readonly showsPictures: boolean
  /** The same for stderr: spinners. */
  readonly talksToPerson: boolean
  /** Width of the terminal that stdout is, in cells; undefined elsewhere, and where it is unknown. */
  readonly width: number | undefined
  /** Whether there are characters beyond ASCII to draw with. */
  readonly unicode: boolean
  /**
   * Prints the result: the text, or the document with `--json`. An empty text prints nothing. The text may have several
   * lines, so text from outside has to be made `printable` first; in the document every value is escaped.
   */
  result(text: string, json: unknown): void
  /** Writes text to stdout unchanged, for a countdown or a line per time step. */
  write(text: string): void
  /** Prints a text of several lines to stderr, unchanged, whatever `--quiet` and `--json` say. */
  remark(text: string): void
  /** Prints a one-line remark. Silent with `--quiet` and `--json`. */
  say(text: string): void
  /** Prints a one-line remark that no document holds. Silent with `--quiet`. */
  note(text: string): void
  /** Prints a one-line warning. Silent with `--quiet`. */
  warn(text: string): void
}

/** The width of a terminal in cells; undefined without a terminal, or if it does not report one. */
export const widthOf = ({ isTTY, columns = 0 }: CliStream): number | undefined =>
  isTTY === true && columns > 0 ? columns : undefined

export function createOutput(
  stdout: CliStream,
  stderr: CliStream,
  env: Env,
  { json = false, quiet = false, color }: OutputOptions,
): Output {
  const pictures = !json && !quiet && !env['CI']
  // A dumb terminal shows escape sequences as text.
  const decorated = pictures && color && !env['NO_COLOR'] && env['TERM'] !== 'dumb'
  const unicode = speaksUnicode(env)
  const ours = (text: string): string => (unicode ? text : asciiOf(text))
  const atPerson = (stream: CliStream): boolean => decorated && widthOf(stream) !== undefined
  return {
    json,
    quiet,
    get forPerson() {
      return atPerson(stdout)
    },
    get talksToPerson() {
      return atPerson(stderr)
    },
    get showsPictures() {
      return pictures && widthOf(stdout) !== undefined
    },
    get width() {
      return widthOf(stdout)
    },
    unicode,
    result(text, document) {
      if (json) stdout.write(`${jsonText(document)}\n`)
      else if (text) stdout.write(text.endsWith('\n') ? text : `${text}\n`)
    },
    write(text) {
      stdout.write(text)
    },
    remark(text) {
      stderr.write(text.endsWith('\n') ? text : `${text}\n`)
    },
    say(text) {
      if (!quiet && !json) stderr.write(`${ours(printable(text))}\n`)
    },
    note(text) {
      if (!quiet) stderr.write(`${ours(printable(text))}\n`)
    },
    warn(text) {
      if (!quiet) stderr.write(`warning: ${ours(printable(text))}\n`)
    },
  }
}
