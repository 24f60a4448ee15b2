import { randomBytes } from 'node:crypto'
import type { Readable } from 'node:stream'
import { TOTPError } from '../core/errors.js'
import { createBusy } from './io/busy.js'
import type { CliContext, Env } from './context.js'
import { createOutput, type CliStream, type OutputOptions } from './io/output.js'
import { ask, type TerminalInput } from './io/prompt.js'
import { storeAccess } from './store/store-access.js'
import { storeKeys, type AskHidden } from './store/store-keys.js'

/** What a run of the CLI is given: the process it is in, or a test's idea of one. */
export interface World {
  readonly env: Env
  readonly cwd: string
  /** A function, because merely looking at `process.stdin` opens it, which costs every command its time. */
  readonly stdin: () => Readable & { readonly isTTY?: boolean }
  readonly stdout: CliStream
  readonly stderr: CliStream
  /** Aborted for the signal that is its reason, or for `EPIPE`: nobody reads standard output any more. */
  readonly signal: AbortSignal
  readonly now?: () => Date
}

/** The options in front of the command. Filled in once commander has read them. */
export interface GlobalOptions extends OutputOptions {
  store: string | undefined
  /** The command that is run, for the record of changes. */
  command: string
  allowInsecurePermissions: boolean
}

export const defaultGlobalOptions = (): GlobalOptions => ({
  store: undefined,
  command: '',
  json: false,
  quiet: false,
  color: true,
  allowInsecurePermissions: false,
})

/** Joins the world and the global options into what commands work with. */
export function createContext(
  world: World,
  options: Readonly<GlobalOptions>,
  setExitCode: (code: number) => void,
): CliContext {
  const output = createOutput(world.stdout, world.stderr, world.env, options)
  const busy = createBusy(output)
  const now = world.now ?? (() => new Date())
  const askHidden: AskHidden = async (question, otherwise) => {
    const stdin = world.stdin()
    // A spinner would paint over the question.
    busy.stop()
    if (!isTerminal(world, stdin)) return undefined
    const answer = await ask(question, { ...world, stdin, hidden: true })
    return answer ?? unanswered(question, otherwise)
  }
  const readStdin = async (): Promise<Buffer> => {
    const chunks: Buffer[] = []
    const stdin = world.stdin()
    world.signal.throwIfAborted()
    world.signal.addEventListener('abort', () => stdin.destroy(new Error('interrupted')))
    for await (const chunk of stdin as AsyncIterable<Uint8Array>) chunks.push(Buffer.from(chunk))
    return Buffer.concat(chunks)
  }
  const keys = storeKeys(world.env, world.cwd, askHidden)
  return {
    env: world.env,
    cwd: world.cwd,
    now,
    random: randomBytes,
    output,
    store: storeAccess({ env: world.env, cwd: world.cwd, options, now, keys, output, busy }),
    busy,
    signal: world.signal,
    setExitCode,
    readStdin,
    async confirm(question, option) {
      const stdin = world.stdin()
      if (options.json || !isTerminal(world, stdin)) {
        throw new TOTPError(
          'ERR_CONFIRMATION_NEEDED',
          `${question} Nobody is here to be asked; say ${option} to go ahead`,
        )
      }
      const answer = await ask(`${question} [y/N]`, { ...world, stdin })
      if (answer === undefined) return unanswered(question, `pass ${option} to go ahead without the question`)
      return /^y(es)?$/i.test(answer.trim())
    },
    askHidden,
    unlessInterrupted: (work) => Promise.race([work, interruption(world.signal)]),
    async sleep(ms) {
      const { signal } = world
      if (signal.aborted) return
      await new Promise<void>((done) => {
        const end = (): void => {
          clearTimeout(timer)
          signal.removeEventListener('abort', end)
          done()
        }
        const timer = setTimeout(end, ms)
        signal.addEventListener('abort', end)
      })
    },
  }
}

/** Ctrl-D, or a terminal that is gone: the question is still open. */
function unanswered(question: string, otherwise: string): never {
  throw new TOTPError('ERR_CONFIRMATION_NEEDED', `${question} There was no answer; ${otherwise}`)
}

function interruption(signal: AbortSignal): Promise<never> {
  return new Promise((_, fail) => {
    const end = (): void => fail(new Error('interrupted'))
    if (signal.aborted) end()
    signal.addEventListener('abort', end)
  })
}

function isTerminal({ stderr }: World, stdin: ReturnType<World['stdin']>): stdin is TerminalInput {
  return stdin.isTTY === true && stderr.isTTY === true
}
