import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll } from 'vitest'

/** A process of test/support/store-worker.ts. */
export interface Worker {
  readonly child: ChildProcess
  /** What it said so far, a line each. */
  readonly said: readonly string[]
  /** Waits until it has said so many lines, or has ended. */
  hasSaid(lines: number): Promise<void>
  /** Waits until it has ended and everything that it said has arrived. */
  ended(): Promise<void>
}

export interface Workers {
  /** `before` are words to put in front of the command line, such as those of unshare(1). */
  start(command: string, store: string, argument?: string | number, before?: readonly string[]): Worker
}

/** Bundles the worker for a file of tests, and kills what is left of its processes afterwards. */
export function useWorkers(): Workers {
  const folder = mkdtempSync(join(tmpdir(), 'a2a-totp-worker-'))
  const script = join(folder, 'worker.cjs')
  const children = new Set<ChildProcess>()
  beforeAll(async () => {
    const entry = fileURLToPath(new URL('store-worker.ts', import.meta.url))
    await build({ entryPoints: [entry], outfile: script, bundle: true, platform: 'node', format: 'cjs' })
  })
  afterAll(() => {
    for (const child of children) child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })
  return {
    start(command, store, argument = '', before = []) {
      const [program, ...words] = [...before, process.execPath, script, command, store, String(argument)]
      const child = spawn(program, words, { stdio: ['pipe', 'pipe', 'inherit'] })
      children.add(child)
      const ended = once(child, 'close').then(() => void children.delete(child))
      const said: string[] = []
      const lines = createInterface({ input: child.stdout })
      lines.on('line', (line) => said.push(line))
      return {
        child,
        said,
        async hasSaid(count) {
          while (said.length < count) {
            const over = await Promise.race([once(lines, 'line').then(() => false), ended.then(() => true)])
            if (over) return
          }
        },
        ended: () => ended,
      }
    },
  }
}
