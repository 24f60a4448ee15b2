import { mkdirSync, mkdtempSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BareCalls, fieldsIn, type BareCell } from '../bare-calls.js'
import { startDemo, type Demo } from '../demo.js'
import { helper } from '../paths.js'
import { cliIn, execute, inFolder, wallTimeOf, type Run } from '../processes.js'
import { cost, milliseconds, type Row, type Scale, type Section, type Unit } from '../report.js'
import { takeRounds } from '../rounds.js'

const agents = 20
const peers = 20
const edges = agents * peers
const nothing = 'node -e 0'
const seconds: Unit = (value) => `${(value / 1000).toFixed(1)} s`

/** A mesh in which each of 20 peers may call each of 20 agents. */
export const meshSection: Section = {
  title: `Mesh of ${agents} agents and ${edges} edges (wall time of the whole process)`,
  run: (scale) =>
    inFolder(async (folder) => [...(await applying(folder, scale)), ...(await proving(folder, scale))]),
}

/** Everything is made and delivered to files, against writing and syncing as many files of the same sizes. */
async function applying(folder: string, { quick }: Scale): Promise<Row[]> {
  const made = freshMesh(folder, () => 'http://127.0.0.1:9')
  execute(applyIn(made))
  const files = ['stores', 'servers', 'clients'].flatMap((name) =>
    readdirSync(join(made, name))
      .filter((file) => file.endsWith('.json') && !file.startsWith('.'))
      .map((file): [string, number] => [`${name}/${file}`, statSync(join(made, name, file)).size]),
  )
  const list = join(folder, 'files.json')
  writeFileSync(list, JSON.stringify(files))
  const samples = await takeRounds(
    {
      apply: wallTimeOf(() => applyIn(freshMesh(folder, () => 'http://127.0.0.1:9'))),
      again: wallTimeOf(() => applyIn(made)),
      bare: wallTimeOf(() => ({
        command: process.execPath,
        args: [helper('servers/bare-writes'), list, mkdtempSync(join(folder, 'bare-'))],
        cwd: folder,
      })),
      [nothing]: wallTimeOf(() => ({ command: process.execPath, args: ['-e', '0'], cwd: folder })),
    },
    quick ? 5 : 15,
  )
  const bare = { name: `node that writes and syncs the same ${files.length} files`, samples: samples.bare }
  return [
    cost({ name: 'mesh apply, all new', samples: samples.apply }, bare, milliseconds, 3),
    cost(
      { name: 'mesh apply, nothing to do', samples: samples.again },
      { name: nothing, samples: samples[nothing] },
      milliseconds,
    ),
  ]
}

/** Against the bare requests that it makes, and their answers; the goal is of the time itself. */
async function proving(folder: string, { quick }: Scale): Promise<Row[]> {
  const urls = new Map<string, string>()
  const cwd = freshMesh(folder, (name) => urls.get(name) ?? 'http://127.0.0.1:9')
  execute(applyIn(cwd))
  const demos = new Map<string, Demo>()
  try {
    for (const name of names('agent', agents)) {
      const store = join(cwd, 'stores', `${name}.json`)
      const run = cliIn(cwd)('--json', '--store', store, 'demo', '--port', '0')
      const demo = await startDemo(run)
      demos.set(name, demo)
      urls.set(name, demo.card)
    }
    writeMesh(cwd, (name) => urls.get(name) ?? '')
    execute(applyIn(cwd))
    const report = join(folder, 'mesh-report.json')
    const prove = cliIn(cwd)('mesh', 'prove', '--no-keep', '--format', `json=${report}`)
    const samples = await takeRounds(
      { prove: wallTimeOf(() => prove), bare: bareRequests(cwd, demos, report) },
      quick ? 1 : 3,
    )
    const { requests } = JSON.parse(readFileSync(report, 'utf8')) as { requests: number }
    const longest = Math.max(...samples.prove)
    return [
      cost(
        {
          name: `mesh prove, ${requests} requests; longest ${seconds(longest)} of the 60 s that are the goal`,
          samples: samples.prove,
        },
        { name: 'as many bare requests in sequence', samples: samples.bare },
        seconds,
      ),
    ]
  } finally {
    for (const demo of demos.values()) await demo.stop()
  }
}

function bareRequests(cwd: string, demos: ReadonlyMap<string, Demo>, report: string): () => Promise<number> {
  return async () => {
    const { requests } = JSON.parse(readFileSync(report, 'utf8')) as { requests: number }
    const each = Math.ceil(requests / demos.size)
    const start = performance.now()
    for (const [name, demo] of demos) {
      const store = join(cwd, 'stores', `${name}.json`)
      const fields = fieldsIn(execute(cliIn(cwd)('--store', store, 'code', 'peer-0', '--headers')))
      await send(demo.cells, each, fields)
    }
    return performance.now() - start
  }
}

async function send(
  cells: readonly BareCell[],
  count: number,
  fields: Record<string, string>,
): Promise<void> {
  const calls = new BareCalls(cells)
  await calls.send(count, fields).finally(() => calls.close())
}

const names = (what: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${what}-${index}`)

const applyIn = (cwd: string): Run => cliIn(cwd)('mesh', 'apply')

function freshMesh(folder: string, urlOf: (agent: string) => string): string {
  const cwd = mkdtempSync(join(folder, 'mesh-'))
  for (const name of ['stores', 'servers', 'clients']) mkdirSync(join(cwd, name))
  writeMesh(cwd, urlOf)
  return cwd
}

function writeMesh(cwd: string, urlOf: (agent: string) => string): void {
  const all = names('agent', agents)
  const mesh = {
    version: 1,
    // Budgets of wrong codes grow with the digits: with 6, later rounds would be throttled.
    defaults: { digits: 8, serverFile: 'servers/{name}.json', clientFile: 'clients/{name}.json' },
    agents: Object.fromEntries(all.map((name) => [name, { url: urlOf(name) }])),
    peers: Object.fromEntries(names('peer', peers).map((name) => [name, { calls: all }])),
  }
  writeFileSync(join(cwd, 'mesh.json'), JSON.stringify(mesh, null, 2))
}
