import { TOTPError } from '../../../core/errors.js'
import { endOfStep, generateCodeOfStep, timeStepAt } from '../../../core/totp.js'
import { requireKnown, tokenExpired } from '../../../core/live-credentials.js'
import type { FieldLine } from '../../../core/proof/proof-fields.js'
import { findAgain, findCodeSource, newestSeed, type CodeSource } from './code-source.js'
import { peerArgument } from '../../completes.js'
import { inContext, type CliContext } from '../../context.js'
import { refuseTogether, repeatable, severalWords, time, wholeNumber } from '../../options.js'
import type * as Terminal from '../../io/terminal.js'
import type { RequestLine } from './request-line.js'
import type { ContentOptions, SignWith } from './request-proof.js'

interface CodeOptions extends ContentOptions {
  header?: true
  headers?: true
  for?: readonly string[]
  watch?: true
  at?: Date
  minRemaining?: number
}

/** A code with its details: the `--json` document. */
interface Reading {
  readonly peer: string | null
  readonly code: string
  readonly timeStep: number
  readonly period: number
  readonly digits: number
  readonly algorithm: string
  readonly expiresIn: number
  readonly headers?: Readonly<Record<string, string>>
}

export const define = inContext((command, context) =>
  severalWords(
    command
      .argument(
        ...peerArgument('[name]', 'the peer (default: $A2A_TOTP_SEED, else the only peer of the store)'),
      )
      .option('--header', 'print a header line: X-TOTP: 123456')
      .option('--headers', 'print the Authorization line as well, for curl -H @-'),
    '--for <method> <url>',
    'print the lines that sign this request too; implies --headers',
  )
    .option('--body <file>', 'with --for: what the request will send, byte for byte; - is standard input')
    .option(...repeatable('--with <line>', "with --for: a header line to sign and print: 'NAME: VALUE'"))
    .option('--watch', 'print each new code until interrupted')
    .option(...time('--at <time>', 'the code at another time: RFC 3339 or unix seconds'))
    .option(...wholeNumber('--min-remaining <seconds>', 'wait for a code that stays valid this long', 0, 119))
    .addHelpText(
      'after',
      `
A signed request is accepted once, and as it is: pass --body what curl sends, and --with the Content-Type, A2A-Version and
A2A-Extensions that it sends. curl adds a Content-Type to data. HTTP alone: gRPC clients sign in the library.

Examples:
  $ a2a-totp code alice
  287082
  $ a2a-totp code alice --headers | curl -H @- https://agent.example/a2a
  $ a2a-totp code alice --for POST https://agent.example/a2a --body call.json --with 'Content-Type: application/json' |
      curl -H @- --data-binary @call.json https://agent.example/a2a
  $ a2a-totp code alice --json | jq .expiresIn
  $ A2A_TOTP_SEED=... a2a-totp code --min-remaining 5`,
    )
    .action(async (given: string | undefined, options: CodeOptions) => {
      refuseContradictions(options)
      const request = options.for && (await requestLineOf(context, options.for, given))
      const source = await findCodeSource(context, request?.name ?? given, options.at)
      if (source.mustSign && !request) context.output.say(refusedAlone(source))
      if (options.watch) return watch(context, source, options)
      const sign =
        request &&
        (await (await import('./request-proof.js')).prepareRequest(context, source, request, options))
      const { minRemaining } = options
      const used = minRemaining === undefined ? source : await waitFor(context, source, minRemaining)
      if (context.signal.aborted) return
      const { text, reading } = read(used, options.at ?? context.now(), options, sign)
      context.output.result(text, reading)
      if (options.at === undefined) context.output.say(`valid for ${reading.expiresIn} s`)
    }),
)

const refusedAlone = ({ peer = 'this peer' }: CodeSource): string =>
  `the agent refuses requests of ${peer} that are not signed, so this code alone is not enough; --for METHOD URL signs one`

function refuseContradictions(options: CodeOptions): void {
  const { header, headers, watch, at, minRemaining, body, with: fields } = options
  refuseTogether({ '--header': header, '--headers': headers })
  refuseTogether({ '--at': at, '--watch': watch, '--min-remaining': minRemaining })
  refuseTogether({ '--for': options.for, '--watch': watch })
  const alone = body !== undefined ? '--body' : fields !== undefined ? '--with' : undefined
  if (alone === undefined || options.for !== undefined) return
  throw new TOTPError('ERR_USAGE', `${alone} needs a request; pass --for METHOD URL as well`)
}

async function requestLineOf(
  { output }: CliContext,
  values: readonly string[],
  given: string | undefined,
): Promise<RequestLine> {
  const { parseRequestLine } = await import('./request-line.js')
  const { remark, ...line } = parseRequestLine(values)
  if (line.name !== undefined && given !== undefined)
    throw new TOTPError('ERR_USAGE', 'one peer at a time; pass NAME once')
  if (remark !== undefined) output.say(remark)
  return line
}

/** @param sign signs the request of `--for` */
function read(
  source: CodeSource,
  at: Date,
  options: CodeOptions,
  sign?: SignWith,
): { readonly text: string; readonly reading: Reading } {
  const { profile } = source
  const { period, digits, algorithm } = profile
  const timeStep = timeStepAt(profile, at)
  const code = generateCodeOfStep(newestSeed(source), profile, timeStep)
  const expiresIn = Math.floor((endOfCode(source, at) - at.getTime()) / 1000)
  const reading = { peer: source.peer ?? null, code, timeStep, period, digits, algorithm, expiresIn }
  const { header, headers = sign && !header } = options
  if (!header && !headers) return { text: code, reading }
  const codeField: FieldLine = [profile.header, code]
  const lines = [
    codeField,
    ...(headers ? [authorizationOf(source)] : []),
    ...(sign?.(source, codeField, at) ?? []),
  ]
  const text = lines.map(([name, value]) => `${name}: ${value}`).join('\n')
  return { text, reading: { ...reading, headers: combined(lines) } }
}

/** When the code of an instant ends, in milliseconds: with its time step, or with its seed. */
const endOfCode = ({ profile, seedEnd }: CodeSource, at: Date): number =>
  Math.min(endOfStep(profile, timeStepAt(profile, at)).getTime(), seedEnd?.getTime() ?? Infinity)

function authorizationOf({ peer, token }: CodeSource): FieldLine {
  if (token) return ['Authorization', `Bearer ${requireKnown(token, peer ?? 'the peer').value}`]
  if (peer !== undefined) throw tokenExpired(peer)
  throw new TOTPError('ERR_TOKEN_MISSING', 'no token to print; set $A2A_TOTP_TOKEN, or pass --header instead')
}

/** Several lines of one field are one value, separated by commas (RFC 9110 §5.2). */
function combined(lines: readonly FieldLine[]): Record<string, string> {
  const fields = new Map<string, FieldLine>()
  for (const [name, value] of lines) {
    const [first, before] = fields.get(name.toLowerCase()) ?? [name]
    fields.set(name.toLowerCase(), [first, before === undefined ? value : `${before}, ${value}`])
  }
  return Object.fromEntries(fields.values())
}

/**
 * Waits until the code lives long enough.
 *
 * @returns the peer as it is then
 * @throws {TOTPError} `ERR_CREDENTIAL_EXPIRED` when its seed ends before
 */
async function waitFor(context: CliContext, source: CodeSource, seconds: number): Promise<CodeSource> {
  const { signal } = context
  const { profile } = source
  if (seconds >= profile.period) {
    throw new TOTPError('ERR_USAGE', `--min-remaining must be less than the period, ${profile.period} s`)
  }
  if (!(await waitForStep(context, source, seconds))) return source
  if (signal.aborted) return source
  const used = await findAgain(context, source)
  // Opening an encrypted store takes a second, by which its code lives shorter.
  await waitForStep(context, used, seconds)
  return used
}

/** Returns whether it had to wait, until the next time step begins. @throws {TOTPError} as {@link refuseEnding} */
async function waitForStep(
  { now, sleep, output, signal }: CliContext,
  source: CodeSource,
  seconds: number,
): Promise<boolean> {
  const { profile } = source
  const at = now()
  const end = endOfStep(profile, timeStepAt(profile, at)).getTime()
  const mustWait = end - at.getTime() < seconds * 1000
  refuseEnding(source, mustWait ? end : at.getTime(), seconds)
  if (!mustWait) return false
  output.say(`waiting ${Math.ceil((end - at.getTime()) / 1000)} s for the next time step`)
  while (!signal.aborted && now().getTime() < end) await sleep(end - now().getTime())
  return true
}

function refuseEnding({ peer = 'the peer', seedEnd }: CodeSource, from: number, seconds: number): void {
  if (seedEnd === undefined || seedEnd.getTime() - from >= seconds * 1000) return
  throw new TOTPError(
    'ERR_CREDENTIAL_EXPIRED',
    `the seed of ${peer} ends at ${seedEnd.toISOString()}, so no code of it lives for ${seconds} s; pass a smaller --min-remaining, ` +
      `or run \`a2a-totp set ${peer} --expires TIME\``,
  )
}

/**
 * Prints each code as its time step begins: at a terminal on one line with a countdown, elsewhere a line per step.
 *
 * @throws {TOTPError} `ERR_CREDENTIAL_EXPIRED`, `ERR_PEER_UNKNOWN` or `ERR_STORE_*` when there are no more codes
 */
async function watch(context: CliContext, source: CodeSource, options: CodeOptions): Promise<void> {
  const { output, watchReader } = context
  const loaded = output.forPerson ? await import('../../io/terminal.js') : undefined
  const { text } = read(source, context.now(), options)
  // What fills more than a line cannot be drawn over.
  const fits = loaded && !options.headers && text.length + 2 + loaded.countdownWidth < (output.width ?? 0)
  const terminal = fits ? loaded : undefined
  const unwatch = watchReader()
  try {
    await printEach(context, source, options, terminal)
  } finally {
    unwatch()
    // At a terminal Ctrl-C leaves ^C on the line.
    if (output.width !== undefined) output.write('\n')
  }
}

async function printEach(
  context: CliContext,
  first: CodeSource,
  options: CodeOptions,
  terminal: typeof Terminal | undefined,
): Promise<void> {
  const { now, sleep, output, signal } = context
  let source = first
  let shown: number | undefined
  while (!signal.aborted) {
    if (shown !== undefined && isOver(source, shown, now())) source = await findAgain(context, source)
    const at = now()
    const { text, reading } = read(source, at, options)
    if (terminal) {
      const remaining = Math.ceil((endOfCode(source, at) - at.getTime()) / 1000)
      output.write(`\r\x1b[K${text}  ${terminal.countdown(remaining, reading.period, output.unicode)}`)
    } else if (reading.timeStep !== shown) {
      output.result(text, reading)
    }
    shown = reading.timeStep
    const nextStep = endOfStep(source.profile, reading.timeStep).getTime() - now().getTime()
    const nextSecond = 1000 - (now().getTime() % 1000)
    await sleep(Math.max(1, terminal ? nextSecond : nextStep))
  }
}

/** Whether a code that is shown has ended, with its time step or its seed. */
const isOver = ({ profile, seedEnd }: CodeSource, shown: number, at: Date): boolean =>
  timeStepAt(profile, at) !== shown || (seedEnd !== undefined && seedEnd <= at)
