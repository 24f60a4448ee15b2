import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { delayedAgent } from '../delayed-agent.js'
import { startDemo } from '../demo.js'
import { cliIn, execute, inFolder, type Run } from '../processes.js'
import { cost, type Row, type Scale, type Section, type Unit } from '../report.js'

const delays = [0, 100, 400, 600]
const kinds = [
  ['2 cells', ['JSONRPC']],
  ['4 cells', ['JSONRPC', 'HTTP+JSON']],
] as const

/** Four cells whose answers take 400 ms should take 12 s. */
const goals: Readonly<Record<string, number>> = { '4 cells 400': 30 }

const seconds: Unit = (value) => `${(value / 1000).toFixed(1)} s`

/** How long the probe takes where each answer does, as a process. The ratio is the number of answers that it waits for. */
export const probeLatencySection: Section = {
  title:
    'Probe of an agent whose answers take a while, over HTTP, policy reuse (wall time of the whole process)',
  run: (scale) => inFolder((folder) => run(folder, scale)),
}

async function run(folder: string, { quick }: Scale): Promise<readonly Row[]> {
  const cwd = join(folder, 'store')
  mkdirSync(cwd)
  const cli = cliIn(cwd)
  execute(cli('init'))
  const turns = quick ? 1 : 3
  // A probe spends wrong codes of its peer, and would be throttled in the end: each has a peer of its own.
  const probers = Array.from({ length: kinds.length * delays.length * turns }, (_, run) => `prober-${run}`)
  execute(cli('add-peer', 'alice', ...probers))
  const rows: Row[] = []
  for (const [kind, bindings] of kinds) {
    for (const delayMs of delays) {
      const samples: number[] = []
      for (let turn = 0; turn < turns; turn++) {
        // And the agent would throttle the address, of which it lets 60 unknown tokens a minute through.
        const demo = await startDemo(cli('--json', 'demo', '--port', '0'))
        const agent = await delayedAgent(demo.card, delayMs, bindings)
        try {
          samples.push(await wallTimeOf(cli('probe', agent.card, probers.pop() ?? '')))
        } finally {
          await agent.close()
          await demo.stop()
        }
      }
      const answer = delayMs === 0 ? '1 ms' : 'one answer'
      const oneAnswer = { name: answer, samples: samples.map(() => Math.max(delayMs, 1)) }
      rows.push(
        cost(
          { name: `${kind}, answers after ${delayMs} ms`, samples },
          oneAnswer,
          seconds,
          goals[`${kind} ${delayMs}`],
        ),
      )
    }
  }
  return rows
}

/** The wall time of a process in milliseconds; the agent in this one goes on answering meanwhile. */
async function wallTimeOf({ command, args, cwd, env }: Run): Promise<number> {
  const start = performance.now()
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0)
    throw new Error(`the probe ended with ${String(code)}:\n${Buffer.concat(chunks).toString()}`)
  return performance.now() - start
}
