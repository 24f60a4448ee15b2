import { TOTPError } from '../../../core/errors.js'
import { endOfStep, generateCodeOfStep, secondsLeft, timeStepAt } from '../../../core/totp.js'
import { requireKnown } from '../../../core/live-credentials.js'
import { findCodeSource, newestSeed, type CodeSource } from './code-source.js'
import { peerArgument } from '../../completes.js'
import { inContext, type CliContext } from '../../context.js'
import { refuseTogether, time, wholeNumber } from '../../options.js'

interface CodeOptions {
  header?: true
  headers?: true
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
  command
    .argument(
      ...peerArgument('[name]', 'the peer (default: $A2A_TOTP_SEED, else the only peer of the store)'),
    )
    .option('--header', 'print a header line: X-TOTP: 123456')
    .option('--headers', 'print the Authorization line as well, for curl -H @-')
    .option('--watch', 'print each new code until interrupted')
    .option(...time('--at <time>', 'the code at another time: RFC 3339 or unix seconds'))
    .option(...wholeNumber('--min-remaining <seconds>', 'wait for a code that stays valid this long', 0, 119))
    .addHelpText(
      'after',
      `
Examples:
  $ a2a-totp code alice
  287082
  $ a2a-totp code alice --headers | curl -H @- https://agent.example/a2a
  $ a2a-totp code alice --json | jq .expiresIn
  $ A2A_TOTP_SEED=... a2a-totp code --min-remaining 5`,
    )
    .action(async (name: string | undefined, options: CodeOptions) => {
      refuseContradictions(options)
      const source = await findCodeSource(context, name)
      if (options.watch) return watch(context, source, options)
      const { minRemaining } = options
      if (minRemaining !== undefined) await waitFor(context, source, minRemaining)
      if (context.signal.aborted) return
      const reading = read(source, options.at ?? context.now(), options)
      context.output.result(textOf(reading), reading)
      if (options.at === undefined) context.output.say(`valid for ${reading.expiresIn} s`)
    }),
)

function refuseContradictions({ header, headers, watch, at, minRemaining }: CodeOptions): void {
  refuseTogether({ '--header': header, '--headers': headers })
  refuseTogether({ '--at': at, '--watch': watch, '--min-remaining': minRemaining })
}

function read(source: CodeSource, at: Date, { header, headers }: CodeOptions): Reading {
  const { profile, token } = source
  const { period, digits, algorithm } = profile
  const timeStep = timeStepAt(profile, at)
  const code = generateCodeOfStep(newestSeed(source), profile, timeStep)
  const lines: Record<string, string> = { [profile.header]: code }
  if (headers) {
    if (!token) {
      throw new TOTPError(
        'ERR_TOKEN_MISSING',
        'no token to print; set $A2A_TOTP_TOKEN, or pass --header instead',
      )
    }
    lines['Authorization'] = `Bearer ${requireKnown(token, source.peer ?? 'the peer').value}`
  }
  const expiresIn = secondsLeft(profile, at)
  const reading = { peer: source.peer ?? null, code, timeStep, period, digits, algorithm, expiresIn }
  return (header ?? headers) ? { ...reading, headers: lines } : reading
}

function textOf({ code, headers }: Reading): string {
  if (!headers) return code
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n')
}

async function waitFor(
  { now, sleep, output, signal }: CliContext,
  { profile }: CodeSource,
  seconds: number,
): Promise<void> {
  if (seconds >= profile.period) {
    throw new TOTPError('ERR_USAGE', `--min-remaining must be less than the period, ${profile.period} s`)
  }
  const at = now()
  const end = endOfStep(profile, timeStepAt(profile, at)).getTime()
  if (end - at.getTime() >= seconds * 1000) return
  output.say(`waiting ${Math.ceil((end - at.getTime()) / 1000)} s for the next time step`)
  while (!signal.aborted && now().getTime() < end) await sleep(end - now().getTime())
}

/** Prints each code as its time step begins: at a terminal on one line with a countdown, elsewhere a line per step. */
async function watch(context: CliContext, source: CodeSource, options: CodeOptions): Promise<void> {
  const { now, sleep, output, signal, watchReader } = context
  const loaded = output.forPerson ? await import('../../io/terminal.js') : undefined
  const text = textOf(read(source, now(), options))
  // What fills more than a line cannot be drawn over.
  const fits = loaded && !options.headers && text.length + 2 + loaded.countdownWidth < (output.width ?? 0)
  const terminal = fits ? loaded : undefined
  const unwatch = watchReader()
  let shown: number | undefined
  while (!signal.aborted) {
    const at = now()
    const reading = read(source, at, options)
    const text = textOf(reading)
    if (terminal) {
      const remaining = Math.ceil(
        (endOfStep(source.profile, reading.timeStep).getTime() - at.getTime()) / 1000,
      )
      output.write(`\r\x1b[K${text}  ${terminal.countdown(remaining, reading.period, output.unicode)}`)
    } else if (reading.timeStep !== shown) {
      output.result(text, reading)
    }
    shown = reading.timeStep
    const nextStep = endOfStep(source.profile, reading.timeStep).getTime() - now().getTime()
    const nextSecond = 1000 - (now().getTime() % 1000)
    await sleep(Math.max(1, terminal ? nextSecond : nextStep))
  }
  unwatch()
  // At a terminal Ctrl-C leaves ^C on the line.
  if (output.width !== undefined) output.write('\n')
}
