import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe } from 'vitest'
import allPins from '../stacks/pins.json' with { type: 'json' }
import { describeWith, firstLineOf, startPython, type PythonOptions } from './python.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** A stack of test/stacks/pins.json. Its tests are test/stacks/NAME.test.ts, its page docs/stacks/NAME.md. */
export type Stack = keyof typeof allPins

export interface Pin {
  readonly language: 'python' | 'go'
  /** What is installed; the first is the stack itself. `NAME==VERSION`, in Go `MODULE@VERSION`. */
  readonly packages: readonly string[]
  /** Whether every run of CI tests it. */
  readonly ci?: boolean
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
 * with a file's name, `# server.py` or `// client/main.go`.
 *
 * @returns the names of the files
 */
export function writeProgramsOf(stack: Stack, folder: string): string[] {
  const page = readFileSync(join(root, `docs/stacks/${stack}.md`), 'utf8')
  const blocks = page.matchAll(/^```\w+\n(?:#|\/\/) ([\w./-]+\.\w+)\n.*?^```$/gms)
  return Array.from(blocks, ([block, name = '']) => {
    const path = join(folder, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, block.replace(/^```\w+\n/, '').replace(/```$/, ''))
    return name
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

/** The version of a package in the environment of a Python stack, as pip knows it. */
export function installedVersion(stack: Stack, name: string): string {
  const python = join(root, `.venvs/stacks/${stack}/bin/python`)
  const program = 'import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))'
  return execFileSync(python, ['-c', program, name], { encoding: 'utf8' }).trim()
}
