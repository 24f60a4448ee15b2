import type { ChildProcess } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe } from 'vitest'
import allPins from '../stacks/pins.json' with { type: 'json' }
import { makeStore, parseJson, runBinary, runCli } from './cli.js'
import { readByDotenv } from './env-readers.js'
import { describeWith, firstLineOf, startPython, type PythonOptions } from './python.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** A stack of test/stacks/pins.json. Its tests are test/stacks/NAME.test.ts, its page docs/stacks/NAME.md. */
export type Stack = keyof typeof allPins

export interface Pin {
  readonly language: 'python' | 'go' | 'java'
  /** What is installed; the first is the stack itself. `NAME==VERSION`, in Go `MODULE@VERSION`, in Java
   * `GROUP:ARTIFACT@VERSION`. */
  readonly packages: readonly string[]
  /** Whether every run of CI tests it. */
  readonly ci?: boolean
  /** Whether the table of all stacks has a line for each group of tests; its page has a table of its own then. */
  readonly grouped?: boolean
}

export const pins = allPins as Readonly<Record<Stack, Pin>>

/**
 * `describe` for the tests of one stack, whose names are what the table of docs/stacks/README.md says was run. In Python
 * they need the environment that scripts/stacks-venvs.sh makes.
 */
export function describeStack(stack: Stack, tests: () => void): void {
  if (pins[stack].language === 'python') describeWith(`stacks/${stack}`, stack, tests)
  else describe(stack, tests)
}

/**
 * Writes the programs of a stack's page into a folder, as a reader would: the code blocks whose first line is a comment
 * with a file's name, `# server.py` or `// client/main.go`, or which follow a line with a name alone, `` `x.json`: ``.
 *
 * @returns the names of the files
 */
export function writeProgramsOf(stack: Stack, folder: string): string[] {
  const page = readFileSync(join(root, `docs/stacks/${stack}.md`), 'utf8')
  const blocks = page.matchAll(
    /(?:^`([\w./-]+)`:\n\n)?^```\w+\n((?:(?:#|\/\/) ([\w./-]+\.\w+)\n)?.*?)^```$/gms,
  )
  return Array.from(blocks).flatMap(([, above, code = '', within]) => {
    const name = within ?? above
    if (name === undefined) return []
    const path = join(folder, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, code)
    return [name]
  })
}

/** Starts a Python program in the environment of a stack. It is killed when the test is over. */
export function startInStack(
  stack: Stack,
  args: readonly string[],
  options: PythonOptions,
): ReturnType<typeof startPython> {
  return startPython(`stacks/${stack}`, args, options)
}

export interface RunningApp {
  readonly origin: string
  /** What it has said so far on stderr, where uvicorn logs. */
  readonly log: () => string
}

/**
 * Serves an ASGI app with uvicorn on a free port of the loopback address, and waits until it answers.
 *
 * @param app `MODULE:NAME`, as for uvicorn's command. The module reads the agent's own origin, which is known only now,
 *   from `$PUBLIC_URL`.
 * @param options `path` is the folder of the module
 */
export async function serveApp(stack: Stack, app: string, options: PythonOptions): Promise<RunningApp> {
  const child = startInStack(stack, [join(root, 'test/stacks/python/serve.py'), app], options)
  let said = ''
  child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const { origin } = JSON.parse(await firstLineOf(child)) as { origin: string }
  return { origin, log: () => said }
}

/** Waits until a program has said something, on stdout or stderr. Fails, with all of that, if it ends before. */
export function saidBy(child: ChildProcess, what: RegExp): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    let said = ''
    const hear = (chunk: Buffer): void => {
      said += chunk.toString()
      const found = what.exec(said)
      if (found) resolve(found)
    }
    child.stdout?.on('data', hear)
    child.stderr?.on('data', hear)
    child.on('close', () => reject(new Error(`it ended before it said ${String(what)}: ${said}`)))
  })
}

/**
 * A store with alice and bob in a folder of its own, with `server.json` and the environment of each peer.
 *
 * @param init further options of `init`
 */
export async function makeStackFolder(init: readonly string[] = []): Promise<StackFolder> {
  const cwd = await makeStore(['alice', 'bob'], init)
  const run = async (...args: string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await runCli(args, { cwd })
    if (exitCode !== 0) throw new Error(stderr)
    return stdout
  }
  await run('config', 'server', '--out', 'server.json')
  const environments = { alice: '', bob: '' }
  for (const peer of ['alice', 'bob'] as const) environments[peer] = await run('config', 'client', peer)
  return {
    cwd,
    server: { path: cwd, env: { A2A_TOTP_SERVER_FILE: join(cwd, 'server.json') } },
    variablesOf: (peer) => readByDotenv(environments[peer]),
    headersOf: async (peer) =>
      Object.fromEntries(
        (await runCli(['code', peer, '--headers'], { cwd, now: new Date() })).stdout
          .trim()
          .split('\n')
          .map((line) => line.split(': ') as [string, string]),
      ),
  }
}

type Peer = 'alice' | 'bob'

export interface StackFolder {
  readonly cwd: string
  /** For a protected server whose modules are in the folder. */
  readonly server: PythonOptions & { readonly env: Readonly<Record<string, string>> }
  readonly variablesOf: (peer: Peer) => Record<string, string>
  /** Token and code as they are now. */
  readonly headersOf: (peer: Peer) => Promise<Record<string, string>>
}

export interface ProbedCheck {
  readonly id: string
  readonly status: string
  readonly binding?: string
  readonly protocolVersion?: string
  readonly detail?: string
}

/** What the probe says of an agent: every check that is not passed or skipped, and the cells that let alice in. */
export async function probeStack(
  { cwd }: Pick<StackFolder, 'cwd'>,
  url: string,
  ...options: string[]
): Promise<{ findings: ProbedCheck[]; cells: string[]; exitCode: number }> {
  const run = await runBinary(['probe', url, 'alice', '--json', ...options], { cwd })
  if (run.stdout === '') throw new Error(`the probe ended with ${String(run.exitCode)}: ${run.stderr}`)
  const { checks } = parseJson(run) as unknown as { checks: ProbedCheck[] }
  const valid = checks.filter(({ id, status }) => id === 'auth.valid' && status === 'pass')
  return {
    findings: checks.filter(({ status }) => status === 'fail' || status === 'warn'),
    cells: valid.map(({ binding, protocolVersion }) => `${binding ?? ''} ${protocolVersion ?? ''}`).sort(),
    exitCode: run.exitCode,
  }
}

/** Calls a JSON-RPC method of A2A 1.0 as a peer, or without credentials. */
export async function callRpc(
  url: string,
  headers: Readonly<Record<string, string>>,
  method: string,
  params: object,
): Promise<{ status: number; result?: unknown; error?: { code: number } }> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'A2A-Version': '1.0', ...headers },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.includes('json') === true
  return { status: response.status, ...(isJson ? (JSON.parse(text) as object) : {}) }
}

/** A message of A2A 1.0. */
export const messageOf = (text: string, more: object = {}): object => ({
  message: { messageId: crypto.randomUUID(), role: 'ROLE_USER', parts: [{ text }], ...more },
})
