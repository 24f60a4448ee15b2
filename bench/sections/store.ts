import { randomBytes } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Roster } from '../../src/core/roster.js'
import { defaultProfile } from '../../src/core/profile.js'
import { provisionPeer, withPeers } from '../../src/core/provision.js'
import { formatStore, parseStore } from '../../src/store/store-file.js'
import { createStore } from '../../src/store/create-store.js'
import { readStore } from '../../src/store/store.js'
import { makePeers } from '../peers.js'
import { helper } from '../paths.js'
import { cliIn, execute, inFolder, wallTimeOf } from '../processes.js'
import {
  cost,
  microseconds,
  milliseconds,
  type Measured,
  type Row,
  type Scale,
  type Section,
} from '../report.js'
import { cpuNanoseconds, takeRounds, type Sampler } from '../rounds.js'

const nothing = 'node -e 0'

/** Commands on stores of many peers, and what reading one costs a peer. */
export const storeSection: Section = {
  title: 'Stores of many peers (wall time of the whole process; reading: CPU time)',
  run: (scale) => inFolder((folder) => run(folder, scale)),
}

async function run(folder: string, scale: Scale): Promise<readonly Row[]> {
  const counts = scale.quick ? [1000, 10_000] : [1000, 10_000, 100_000]
  const rosters = new Map(counts.map((count) => [count, rosterOf(count)]))
  const commands: Record<string, Sampler> = {
    [nothing]: wallTimeOf(() => ({ command: process.execPath, args: ['-e', '0'], cwd: folder })),
  }
  for (const [count, roster] of rosters) {
    const cwd = join(folder, String(count))
    mkdirSync(cwd)
    await createStore(join(cwd, 'a2a-totp.json'), roster, { now: new Date() })
    Object.assign(commands, commandsOn(cwd, count))
  }
  const samples = await takeRounds(commands, scale.quick ? 3 : 9)
  const of = (name: string): Measured => ({ name, samples: samples[name] ?? [] })
  const rows = Object.keys(commands)
    .filter((name) => name !== nothing)
    .map((name) =>
      cost(of(name), of(nothing), milliseconds, name === `code, ${label(10_000)}` ? 2.5 : undefined),
    )
  return [...rows, ...(await importRows(folder, scale)), ...(await readingRows(rosters, folder, scale))]
}

function commandsOn(cwd: string, count: number): Record<string, Sampler> {
  const cli = cliIn(cwd)
  let turn = 0
  const runs = {
    code: () => cli('code', 'peer-7'),
    list: () => cli('list'),
    'config server': () => cli('config', 'server'),
    'add-peer': () => cli('add-peer', `new-${turn++}`),
  }
  return Object.fromEntries(
    Object.entries(runs).map(([name, next]) => [`${name}, ${label(count)}`, wallTimeOf(next)]),
  )
}

/** All peers of a CSV in one command, against reading the CSV and writing as many bytes. */
async function importRows(folder: string, { quick }: Scale): Promise<Row[]> {
  const count = 10_000
  const cwd = join(folder, 'import')
  mkdirSync(cwd)
  const csv = join(cwd, 'peers.csv')
  const lines = makePeers(count).map(({ name, seed, token }) => `${name},${seed.base32},${token}`)
  writeFileSync(csv, ['name,seed,token', ...lines, ''].join('\n'))
  const store = join(cwd, 'a2a-totp.json')
  const cli = cliIn(cwd)
  const name = `import, ${label(count)}`
  const bare = 'node that parses the CSV, writes as many bytes and syncs'
  const samples = await takeRounds(
    {
      [name]: wallTimeOf(() => {
        rmSync(store, { force: true })
        execute(cli('init'))
        return cli('import', csv)
      }),
      [bare]: wallTimeOf(() => ({
        command: process.execPath,
        args: [helper('servers/bare-import'), csv, join(cwd, 'bare.json')],
        cwd,
      })),
    },
    quick ? 3 : 9,
  )
  return [
    cost(
      { name, samples: samples[name] ?? [] },
      { name: bare, samples: samples[bare] ?? [] },
      milliseconds,
      3,
    ),
  ]
}

/** What a peer costs on the way in, at each size: flat, or it does not scale. */
async function readingRows(
  rosters: ReadonlyMap<number, Roster>,
  folder: string,
  { quick }: Scale,
): Promise<Row[]> {
  const readings: Record<string, Sampler> = {}
  const name = (verb: string, count: number): string => `${verb} a store, each of ${label(count)}`
  for (const [count, roster] of rosters) {
    const text = formatStore(roster)
    const each = (task: () => unknown) => async (): Promise<number> => {
      const start = cpuNanoseconds()
      await task()
      return (cpuNanoseconds() - start) / 1000 / count
    }
    readings[name('JSON.parse', count)] = each(() => JSON.parse(text))
    readings[name('parse', count)] = each(() => parseStore(text))
    readings[name('format', count)] = each(() => formatStore(roster))
    readings[name('read', count)] = each(() => readStore(join(folder, String(count), 'a2a-totp.json')))
  }
  const samples = await takeRounds(readings, quick ? 5 : 15)
  const of = (reading: string): Measured => ({ name: reading, samples: samples[reading] ?? [] })
  const [fewest, ...more] = [...rosters.keys()]
  return [...rosters.keys()].flatMap((count) => [
    cost(of(name('parse', count)), of(name('JSON.parse', count)), microseconds),
    ...(more.includes(count) && fewest !== undefined
      ? [
          cost(of(name('read', count)), of(name('read', fewest)), microseconds, 1.5),
          cost(of(name('format', count)), of(name('format', fewest)), microseconds, 1.5),
        ]
      : []),
  ])
}

function rosterOf(count: number): Roster {
  const empty: Roster = { agent: 'bench', profile: defaultProfile, replay: 'reuse', peers: new Map() }
  const making = { at: new Date(), random: randomBytes }
  const peers = Array.from({ length: count }, (_, index) =>
    provisionPeer(empty, { name: `peer-${index}` }, making),
  )
  return withPeers(empty, peers)
}

function label(count: number): string {
  return `${count.toLocaleString('en')} peers`
}
