import { randomBytes } from 'node:crypto'
import { hostname, userInfo } from 'node:os'
import type { Readable } from 'node:stream'
import { A2aTotpError, isA2aTotpError } from '../core/errors.js'
import type { Roster } from '../core/peer.js'
import { peersChanged, recordChange } from '../store/change-record.js'
import { locateStore, type Located } from '../store/locate.js'
import type { Protection, StoreKeys } from '../store/protection.js'
import type { ReadOptions } from '../store/read-file.js'
import { createStore, openStore, protectStore, readStore, updateStore } from '../store/store.js'
import type { CliContext, Env, StoreAccess } from './context.js'
import { createOutput, type CliStream, type Output, type OutputOptions } from './output.js'
import { ask } from './prompt.js'
import { storeKeys, type AskHidden } from './store-keys.js'

/** What a run of the CLI is given: the process it is in, or a test's idea of one. */
export interface World {
  readonly env: Env
  readonly cwd: string
  /** A function, because merely looking at `process.stdin` opens it, which costs every command its time. */
  readonly stdin: () => Readable & { readonly isTTY?: boolean }
  readonly stdout: CliStream
  readonly stderr: CliStream
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
  const now = world.now ?? (() => new Date())
  const askHidden: AskHidden = async (question) => {
    const stdin = world.stdin()
    return isTerminal(world, stdin) ? ask(question, { ...world, stdin, hidden: true }) : undefined
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
    store: storeAccess(world, options, now, keys, output),
    signal: world.signal,
    setExitCode,
    readStdin,
    async confirm(question, option) {
      const stdin = world.stdin()
      if (options.json || !isTerminal(world, stdin)) {
        throw new A2aTotpError(
          'ERR_CONFIRMATION_NEEDED',
          `${question} Nobody is here to be asked; say ${option} to go ahead`,
        )
      }
      const answer = await ask(`${question} [y/N] `, { ...world, stdin })
      return /^y(es)?$/i.test(answer.trim())
    },
    askHidden,
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

function isTerminal({ stderr }: World, stdin: ReturnType<World['stdin']>): boolean {
  return stdin.isTTY === true && stderr.isTTY === true
}

/** Who runs this. A container may have a uid without a name. */
function loginName(): string {
  try {
    return userInfo().username
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`
  }
}

function storeAccess(
  { env, cwd }: Pick<World, 'env' | 'cwd'>,
  options: Readonly<GlobalOptions>,
  now: () => Date,
  keys: StoreKeys,
  output: Output,
  here = false,
): StoreAccess {
  let located: Located | undefined
  const locate = (): Located => {
    if (located) return located
    const { store } = options
    located = locateStore({ env, cwd, here, ...(store === undefined ? {} : { store }) })
    for (const { path, reason } of located.passedOver) output.say(`passed over ${path}: ${reason}`)
    return located
  }
  const trusted = (): string => {
    const { path, found, passedOver } = locate()
    const [nearest] = passedOver
    if (found || !nearest) return path
    throw new A2aTotpError(
      'ERR_STORE_PERMISSIONS',
      `no store but ${nearest.path}, and ${nearest.reason}; mend that, or say with --store which one you mean`,
    )
  }
  const reading = (): ReadOptions => ({
    allowInsecurePermissions: options.allowInsecurePermissions,
    keys,
  })
  // A change that was made stays made, also when it cannot be written down.
  const record = (peers: readonly string[]): void => {
    try {
      const change = { at: now(), by: loginName(), host: hostname(), command: options.command, peers }
      recordChange(locate().path, change)
    } catch (error) {
      if (!isA2aTotpError(error)) throw error
      output.warn(`the change was made but not recorded: ${error.message}`)
    }
  }
  return {
    path: () => locate().path,
    exists: () => locate().found,
    taken: () => locate().found || locate().passedOver.some(({ path }) => path === locate().path),
    nearest: () => (locate().found ? locate().path : (locate().passedOver[0]?.path ?? locate().path)),
    here: () => storeAccess({ env, cwd }, options, now, keys, output, true),
    read: async () => readStore(trusted(), reading()),
    open: async () => openStore(trusted(), reading()),
    examine: (path) => readStore(path, { keys, allowInsecurePermissions: true }),
    async create(roster, { replace, protection }) {
      const { backup } = await createStore(locate().path, roster, { replace, protection, now: now() })
      record([])
      return backup
    },
    async update(change) {
      let before: Roster | undefined
      const after = await updateStore(trusted(), reading(), (roster) => change((before = roster)))
      if (before && after !== before) record(peersChanged(before, after))
      return after
    },
    async protect(change) {
      let before: Protection | undefined
      const after = await protectStore(trusted(), reading(), (protection) => change((before = protection)))
      if (after !== before) record([])
      return after
    },
  }
}
