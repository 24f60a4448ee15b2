import { jsonText, printable } from '../../core/text.js'

/** One of the two streams that a command talks to. */
export interface CliStream {
  readonly isTTY?: boolean
  /** Cells in a line, where it is a terminal. */
  readonly columns?: number
  write(text: string): boolean
}

/** The options that decide how a command speaks. */
export interface OutputOptions {
  json: boolean
  quiet: boolean
  color: boolean
}

/** Where everything that a command says goes through: the result to stdout, the talk to stderr. */
export interface Output {
  readonly json: boolean
  /** Whether stdout is a person's terminal that wants colour, QR codes and countdowns. */
  readonly forPerson: boolean
  /** The same for stderr: spinners and questions. */
  readonly talksToPerson: boolean
  /** Width of the terminal in cells; 80 when it is unknown. */
  readonly columns: number
  /**
   * The answer: the text, or with `--json` the document. An empty text prints nothing. The text may have lines, so what
   * comes from outside has to be made `printable` before; in the document every value is escaped.
   */
  result(text: string, json: unknown): void
  /** Text for stdout as it is: a step of a countdown, a line per time step. */
  write(text: string): void
  /** A remark for people, on one line, whatever is in it: silent with `--quiet` and `--json`. */
  say(text: string): void
  /** A warning, on one line as well: silent with `--quiet` only. */
  warn(text: string): void
}

export function createOutput(
  stdout: CliStream,
  stderr: CliStream,
  env: Readonly<Record<string, string | undefined>>,
  options: Readonly<OutputOptions>,
): Output {
  const wanted = (): boolean =>
    options.color && !options.json && !options.quiet && !env['NO_COLOR'] && !env['CI']
  const atPerson = (stream: CliStream): boolean =>
    stream.isTTY === true && (stream.columns ?? 0) > 0 && wanted()
  return {
    get json() {
      return options.json
    },
    get forPerson() {
      return atPerson(stdout)
    },
    get talksToPerson() {
      return atPerson(stderr)
    },
    get columns() {
      return stdout.columns ?? 80
    },
    result(text, json) {
      if (options.json) stdout.write(`${jsonText(json)}\n`)
      else if (text) stdout.write(text.endsWith('\n') ? text : `${text}\n`)
    },
    write(text) {
      stdout.write(text)
    },
    say(text) {
      if (!options.quiet && !options.json) stderr.write(`${printable(text)}\n`)
    },
    warn(text) {
      if (!options.quiet) stderr.write(`warning: ${printable(text)}\n`)
    },
  }
}
