import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, realpathSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { main } from '../../src/cli/main.js'
import { notes } from '../secrecy/notes.js'

/** What a run of the CLI left behind. */
export interface CliRun {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

export interface CliOptions {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
  /** What standard input holds; as a stream only for {@link runCli}. */
  readonly stdin?: string | Readable
  readonly now?: Date
  /** Interrupts {@link runCli}, as Ctrl-C does. */
  readonly signal?: AbortSignal
  /** What {@link runCli} runs; by default the program. */
  readonly program?: typeof main
}

export const binary = fileURLToPath(new URL('../../bin/a2a-totp.cjs', import.meta.url))

/** A folder of its own for a test, gone when the test is over. */
export function makeFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'a2a-totp-test-')))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

function collector(): { stream: Writable; text: () => string } {
  const chunks: string[] = []
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk.toString())
      done()
    },
  })
  return { stream, text: () => chunks.join('') }
}

/** Runs a command line in this process, away from any terminal, with a clock that stands still. */
export async function runCli(
  args: readonly string[],
  { cwd, env = {}, stdin = '', now, signal = new AbortController().signal, program = main }: CliOptions,
): Promise<CliRun> {
  const stdout = collector()
  const stderr = collector()
  const exitCode = await program(args, {
    env,
    cwd,
    stdin: () => (stdin instanceof Readable ? stdin : Readable.from(stdin === '' ? [] : [stdin])),
    stdout: stdout.stream,
    stderr: stderr.stream,
    signal,
    ...(now ? { now: () => now } : {}),
  })
  const run = { exitCode, stdout: stdout.text(), stderr: stderr.text() }
  notes?.noteRun(args, run)
  return run
}

/** The same through the built binary, as a user starts it. */
export async function runBinary(args: readonly string[], options: CliOptions): Promise<CliRun> {
  const child = startBinary(args, options)
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  child.stdin?.on('error', () => undefined)
  child.stdin?.end(typeof options.stdin === 'string' ? options.stdin : '')
  const exitCode = await new Promise<number>((done) =>
    child.on('close', (code, signal) => done(code ?? (signal ? -1 : -2))),
  )
  return { exitCode, stdout, stderr }
}

/** Starts the built binary; it is killed when the test is over. */
export function startBinary(args: readonly string[], { cwd, env = {} }: CliOptions): ChildProcess {
  const child = spawn(process.execPath, [binary, ...args], {
    cwd,
    // No compile cache of newer Nodes in the folder of the test.
    env: { PATH: process.env['PATH'] ?? '', HOME: cwd, XDG_CACHE_HOME: '/dev/null', ...env },
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

/** A folder with a store in it, and peers. */
export async function makeStore(
  peers: readonly string[] = [],
  init: readonly string[] = [],
): Promise<string> {
  const cwd = makeFolder()
  const runs = [await runCli(['init', ...init], { cwd })]
  if (peers.length > 0) runs.push(await runCli(['add-peer', ...peers], { cwd }))
  for (const { exitCode, stderr } of runs) if (exitCode !== 0) throw new Error(stderr)
  return cwd
}

/** The one JSON document on stdout. */
export function parseJson(run: Pick<CliRun, 'stdout'>): Record<string, unknown> {
  return JSON.parse(run.stdout) as Record<string, unknown>
}
