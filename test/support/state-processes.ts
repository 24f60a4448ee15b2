import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { Tally, Volley } from './state-worker.js'
import { pythonTests, startPython } from './python.js'
import { clientNames } from './redis-clients.js'

export const processCount = 4

/** Four processes of one agent that share one Redis, two with each Redis client of Node, or one and two of Python. */
export class Replicas {
  readonly #folder = mkdtempSync(join(tmpdir(), 'a2a-totp-replicas-'))
  readonly #processes: { readonly child: ChildProcess; readonly lines: Interface }[] = []

  static async start(
    port: number,
    prefix: string,
    policy: string,
    { ofPython = 0 }: { readonly ofPython?: number } = {},
  ): Promise<Replicas> {
    const replicas = new Replicas()
    const script = join(replicas.#folder, 'worker.cjs')
    const entry = fileURLToPath(new URL('state-worker.ts', import.meta.url))
    await build({ entryPoints: [entry], outfile: script, bundle: true, platform: 'node', format: 'cjs' })
    for (let n = 0; n < processCount; n++) {
      if (n >= processCount - ofPython) {
        const args = [`${pythonTests}state_replica.py`, String(port), prefix, policy]
        const child = startPython('a2a-1', args, { env: { PYTHONPATH: 'python/src' } })
        child.stderr?.pipe(process.stderr)
        if (!child.stdout) throw new Error('no output')
        replicas.#processes.push({ child, lines: createInterface({ input: child.stdout }) })
        continue
      }
      const client = clientNames[n % clientNames.length] ?? ''
      const child = spawn(process.execPath, [script, client, String(port), prefix, policy], {
        stdio: ['pipe', 'pipe', 'inherit'],
      })
      replicas.#processes.push({ child, lines: createInterface({ input: child.stdout }) })
    }
    return replicas
  }

  /** Lets all of them fire at once, and gives what came of it in sum. One volley goes to all, several to each its own. */
  async fire(...volleys: readonly Volley[]): Promise<Tally> {
    const answers = this.#processes.map(async ({ child, lines }, n) => {
      const [volley] = volleys.slice(n % volleys.length)
      const answer = once(lines, 'line', { signal: AbortSignal.timeout(20_000) })
      child.stdin?.write(`${JSON.stringify(volley)}\n`)
      const [line] = (await answer) as [string]
      return JSON.parse(line) as Tally
    })
    return sumOf(await Promise.all(answers))
  }

  stop(): void {
    for (const { child } of this.#processes) child.kill()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

export function sumOf(tallies: readonly Tally[]): Tally {
  const sum: Record<string, number> = {}
  for (const tally of tallies) {
    for (const [outcome, count] of Object.entries(tally)) sum[outcome] = (sum[outcome] ?? 0) + count
  }
  return sum
}
