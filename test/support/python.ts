import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, it, onTestFinished } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The environments that scripts/interop-venvs.sh and scripts/stacks-venvs.sh make, by what is in them. */
export type Venv = 'a2a-0.3' | 'a2a-1' | 'crewai' | 'package' | `stacks/${string}`

/** Where the Python side of the interop tests is. */
export const pythonTests = fileURLToPath(new URL('../interop/python/', import.meta.url))

const pythonOf = (venv: Venv): string => `${root}.venvs/${venv}/bin/python`

/**
 * `describe` for tests that need a Python environment. Where it is missing they say so aloud and are skipped; in CI
 * they fail.
 */
export function describeWith(venv: Venv, name: string, tests: () => void): void {
  if (existsSync(pythonOf(venv))) return void describe(name, tests)
  const [, stack] = venv.split('/')
  const script = stack === undefined ? 'interop-venvs.sh' : `stacks-venvs.sh ${stack}`
  const remedy = `needs .venvs/${venv}; run scripts/${script}`
  describe(name, () => {
    if (process.env['CI']) {
      it(remedy, () => {
        throw new Error(remedy)
      })
    } else it.skip(remedy, () => undefined)
  })
}

/** What the programs of {@link pythonTests} run on: the package in the checkout, or the files that `--vendored` prints. */
export type Installed = 'package' | 'vendored'

/** Options with which those programs find it. Vendored files are in the folder, which {@link makeAgentFolder} made. */
export const installed = (which: Installed, folder: string): PythonOptions => ({
  path: which === 'vendored' ? folder : packagePath,
  home: folder,
})

/** The package, and its names in modules that are called as vendored files are. */
export const packagePath = `${root}python/src:${pythonTests}package`

export interface PythonOptions {
  /** Where the program runs; by default at the root of the repository. */
  readonly cwd?: string
  /** Where modules are found besides. */
  readonly path?: string
  /** Where a program may keep something. */
  readonly home?: string
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
}

const environment = ({ path, home, env }: PythonOptions): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'],
  HOME: home ?? '/nonexistent',
  PYTHONDONTWRITEBYTECODE: '1',
  // crewAI asks questions and reports home otherwise.
  CREWAI_TESTING: 'true',
  CREWAI_DISABLE_TELEMETRY: 'true',
  OTEL_SDK_DISABLED: 'true',
  ...(path === undefined ? {} : { PYTHONPATH: path }),
  ...env,
})

/** What a Python program prints. Throws, with what it said on stderr, when it fails. */
export function runPython(venv: Venv, args: readonly string[], options: PythonOptions = {}): string {
  return execFileSync(pythonOf(venv), args, {
    cwd: options.cwd ?? root,
    env: environment(options),
    encoding: 'utf8',
    timeout: 110_000,
    stdio: ['pipe', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 * 1024,
    ...(options.input === undefined ? {} : { input: options.input }),
  })
}

/** The same without blocking this process, which may have to answer meanwhile. */
export function startPython(venv: Venv, args: readonly string[], options: PythonOptions = {}): ChildProcess {
  const child = spawn(pythonOf(venv), args, { cwd: options.cwd ?? root, env: environment(options) })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

/** The first line that a program prints. Fails, with what it said on stderr, when it ends before. */
export function firstLineOf(child: ChildProcess): Promise<string> {
  return new Promise((done, fail) => {
    const said = recorded(child, (stdout) => {
      if (stdout.includes('\n')) done(stdout.slice(0, stdout.indexOf('\n')))
    })
    child.on('close', () => fail(new Error(`it ended before it said anything: ${said.stderr}`)))
  })
}

/** The last line of a program that ended well. Fails, with what it said on stderr, when it did not. */
export function lastLineOf(child: ChildProcess): Promise<string> {
  return new Promise((done, fail) => {
    const said = recorded(child)
    child.on('close', (code) => {
      if (code === 0) done(said.stdout.trimEnd().split('\n').at(-1) ?? '')
      else fail(new Error(`it ended with ${String(code)}: ${said.stderr}${said.stdout}`))
    })
  })
}

function recorded(
  child: ChildProcess,
  onOutput: (stdout: string) => void = () => undefined,
): { stdout: string; stderr: string } {
  const said = { stdout: '', stderr: '' }
  child.stderr?.on('data', (chunk: Buffer) => (said.stderr += chunk.toString()))
  child.stdout?.on('data', (chunk: Buffer) => {
    said.stdout += chunk.toString()
    onOutput(said.stdout)
  })
  return said
}
