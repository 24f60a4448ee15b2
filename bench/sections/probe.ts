import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { BareCalls, fieldsIn, type BareCell } from '../bare-calls.js'
import { startDemo } from '../demo.js'
import { cliIn, execute, inFolder, wallTimeOf } from '../processes.js'
import { cost, milliseconds, type Row, type Scale, type Section } from '../report.js'
import { takeRounds } from '../rounds.js'

const nothing = 'node -e 0'
const goal = 2

/** The probe of the demo agent, as a process, against the requests that it makes. */
export const probeSection: Section = {
  title: 'Probe of a loopback agent, 3 bindings × 2 versions, policy reuse (wall time of the whole process)',
  run: (scale) => inFolder((folder) => run(folder, scale)),
}

async function run(folder: string, { quick, rounds }: Scale): Promise<readonly Row[]> {
  const cwd = join(folder, 'store')
  mkdirSync(cwd)
  const cli = cliIn(cwd)
  execute(cli('init'))
  // Budgets of wrong codes grow with the digits: with 6, the second of these runs would be throttled.
  execute(cli('add-peer', 'alice', 'bob', '--digits', '8'))
  const demo = await startDemo(cli('--json', 'demo', '--port', '0'))
  const [jsonRpc] = demo.cells
  try {
    const report = join(folder, 'report.json')
    const probed = cli('probe', demo.card, 'alice', '--format', `json=${report}`, '--force')
    execute(probed)
    const { requests } = JSON.parse(readFileSync(report, 'utf8')) as { requests: number }
    const bare = (cells: readonly BareCell[]) => async (): Promise<number> => {
      const fields = fieldsIn(execute(cli('code', 'alice', '--headers')))
      const start = performance.now()
      // Connections of its own: those of the last round may have idled for too long.
      const calls = new BareCalls(cells)
      await calls.send(requests, fields).finally(() => calls.close())
      return performance.now() - start
    }
    const samples = await takeRounds(
      {
        [nothing]: wallTimeOf(() => ({ command: process.execPath, args: ['-e', '0'], cwd })),
        probe: wallTimeOf(() => probed),
        all: bare(demo.cells),
        jsonRpc: bare(jsonRpc ? [jsonRpc] : []),
      },
      quick ? 5 : rounds,
    )
    const own = { name: `probe, ${requests} requests`, samples: samples.probe }
    const against = (name: string, requestsOnly: readonly number[]): Parameters<typeof cost>[1] => ({
      name: `${nothing} + as many bare requests in sequence, ${name}`,
      samples: requestsOnly.map((sample, round) => sample + (samples[nothing][round] ?? NaN)),
    })
    return [
      cost(own, against('to each cell in turn', samples.all), milliseconds, goal),
      cost(own, against('all over JSON-RPC', samples.jsonRpc), milliseconds),
      cost(own, { name: nothing, samples: samples[nothing] }, milliseconds),
    ]
  } finally {
    await demo.stop()
  }
}
