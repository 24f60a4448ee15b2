import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { BareCalls, fieldsIn } from '../bare-calls.js'
import { startDemo, type Demo } from '../demo.js'
import { cliIn, execute, inFolder, wallTimeOf, type Run } from '../processes.js'
import { cost, milliseconds, type Row, type Scale, type Section } from '../report.js'
import { takeRounds } from '../rounds.js'

const nothing = 'node -e 0'
const goal = 2

/**
 * An agent answers 60 unknown tokens a minute from one address. A probe sends eighteen, so that a demo is good for three, one
 * of which warms it up.
 */
const roundsPerDemo = 2

/** The probe of the demo agent, as a process, against the requests that it makes. */
export const probeSection: Section = {
  title: 'Probe of a loopback agent, 3 bindings × 2 versions, policy reuse (wall time of the whole process)',
  run: (scale) => inFolder((folder) => run(folder, scale)),
}

async function run(folder: string, { quick, rounds }: Scale): Promise<readonly Row[]> {
  const cwd = join(folder, 'store')
  mkdirSync(cwd)
  const cli = cliIn(cwd)
  const report = join(folder, 'report.json')
  execute(cli('init'))
  // A probe spends wrong codes of its peer, too: the next one has another peer.
  const probers = Array.from({ length: 2 * (rounds + 1) }, (_, turn) => `prober-${turn}`)
  execute(cli('add-peer', 'alice', ...probers))
  const nextProbe = (card: string) => (): Run =>
    cli('probe', card, probers.pop() ?? '', '--format', `json=${report}`, '--force')
  let demo: Demo | undefined
  let requests = 0
  let round = 0
  const renewDemo = async (): Promise<void> => {
    if (round++ % roundsPerDemo !== 0) return
    await demo?.stop()
    demo = await startDemo(cli('--json', 'demo', '--port', '0'))
    execute(nextProbe(demo.card)())
    requests = (JSON.parse(readFileSync(report, 'utf8')) as { requests: number }).requests
  }
  const bare = (few: number) => async (): Promise<number> => {
    const fields = fieldsIn(execute(cli('code', 'alice', '--headers')))
    const start = performance.now()
    // Connections of its own: those of the last round may have idled for too long.
    const calls = new BareCalls(demo?.cells.slice(0, few) ?? [])
    await calls.send(requests, fields).finally(() => calls.close())
    return performance.now() - start
  }
  try {
    const samples = await takeRounds(
      {
        [nothing]: wallTimeOf(() => ({ command: process.execPath, args: ['-e', '0'], cwd })),
        probe: () => wallTimeOf(nextProbe(demo?.card ?? ''))(),
        all: bare(Infinity),
        jsonRpc: bare(1),
      },
      quick ? 5 : rounds,
      renewDemo,
    )
    const own = { name: `probe, ${requests} requests`, samples: samples.probe }
    const against = (name: string, requestsOnly: readonly number[]): Parameters<typeof cost>[1] => ({
      name: `${nothing} + as many bare requests in sequence, ${name}`,
      samples: requestsOnly.map((sample, turn) => sample + (samples[nothing][turn] ?? NaN)),
    })
    return [
      cost(own, against('to each cell in turn', samples.all), milliseconds, goal),
      cost(own, against('all over JSON-RPC', samples.jsonRpc), milliseconds),
      cost(own, { name: nothing, samples: samples[nothing] }, milliseconds),
    ]
  } finally {
    await demo?.stop()
  }
}
