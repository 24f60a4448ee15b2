import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Token } from '../../src/core/token.js'
import { runBinary, startBinary } from './cli.js'

/** What a storm of kills left behind. */
export interface MeshStormReport {
  readonly rounds: number
  /** Runs that were killed before their end. */
  readonly kills: number
  /** How often a kill found that the run had changed stores, server files, client files. */
  readonly reached: Readonly<Record<'nothing' | 'stores' | 'servers' | 'clients' | 'retired', number>>
  /** Edges whose peer held credentials that its agent's server file would refuse. */
  readonly refused: readonly string[]
  /** Rounds after which one more apply did not bring everything to what the file says. */
  readonly unfinished: readonly string[]
  /** Files with secrets that killed runs left behind at the places of deliveries. */
  readonly leftovers: readonly string[]
}

const agents = ['billing', 'ledger', 'search', 'mail']
const peers = ['alice', 'bob', 'carol', 'dave', 'erin']

interface Wanted {
  /** By peer. */
  readonly calls: Readonly<Record<string, readonly string[]>>
  readonly replay: 'once' | 'reuse'
}

interface ServerFile {
  readonly peers: Readonly<
    Record<
      string,
      { readonly seeds: readonly { seed: string }[]; readonly tokens: readonly { hash: string }[] }
    >
  >
}
interface ClientFile {
  readonly agents: Readonly<Record<string, { readonly token: string; readonly seed: string }>>
}

/**
 * Applies a mesh that changes each round, kills the run at a random moment, and then applies it once more, until so many
 * were killed before their end.
 */
export async function meshStorm(cwd: string, kills: number, random: () => number): Promise<MeshStormReport> {
  const report = {
    ...{
      rounds: 0,
      kills: 0,
      refused: [] as string[],
      unfinished: [] as string[],
      leftovers: [] as string[],
    },
    reached: { nothing: 0, stores: 0, servers: 0, clients: 0, retired: 0 },
  }
  let before: Wanted = { calls: {}, replay: 'reuse' }
  for (let round = 0; report.kills < kills && round < 4 * kills; round++) {
    report.rounds++
    const wanted = nextOf(before, random)
    writeFileSync(join(cwd, 'mesh.yaml'), textOf(wanted))
    const rotates = round > 0 && random() < 0.4
    const old = snapshot(cwd)
    const killed = await killedRun(
      cwd,
      rotates,
      Math.floor(random() ** 2 * (rotates ? 34 : 20)),
      random() * 4,
    )
    if (killed) {
      report.kills++
      report.reached[reachedBy(cwd, old)]++
    }
    for (const edge of refusedEdges(cwd, before, wanted)) report.refused.push(`round ${round}: ${edge}`)
    const again = await runBinary(['mesh', 'apply', '--prune', '--yes', '--json'], { cwd })
    if (again.exitCode !== 0) report.unfinished.push(`round ${round}: ${again.stdout}${again.stderr}`)
    for (const problem of await differences(cwd, wanted)) report.unfinished.push(`round ${round}: ${problem}`)
    for (const edge of refusedEdges(cwd, wanted, wanted))
      report.refused.push(`round ${round}, at its end: ${edge}`)
    report.leftovers.push(...leftoversIn(cwd))
    before = wanted
  }
  return report
}

/**
 * Kills a run once it has replaced so many files, and some milliseconds have passed.
 *
 * @returns whether it was killed before its end
 */
async function killedRun(cwd: string, rotates: boolean, writes: number, thenMs: number): Promise<boolean> {
  const args = rotates ? ['mesh', 'rotate', '--overlap', '1h'] : ['mesh', 'apply', '--prune', '--yes']
  const known = new Set(versions(cwd))
  const child = startBinary(args, { cwd })
  child.stdin?.end()
  let signal: NodeJS.Signals | null | undefined
  const ended = new Promise<void>((done) =>
    child.on('close', (_code, by) => {
      signal = by
      done()
    }),
  )
  const seen = new Set<string>()
  while (signal === undefined && seen.size < writes) {
    for (const version of versions(cwd)) if (!known.has(version)) seen.add(version)
    await sleep(1)
  }
  await sleep(thenMs)
  child.kill('SIGKILL')
  await ended
  return signal === 'SIGKILL'
}

const versions = (cwd: string): string[] =>
  Array.from(snapshot(cwd), ([path, ino]) => `${path} ${ino}`).filter((one) => !one.includes('/.'))

function nextOf({ calls, replay }: Wanted, random: () => number): Wanted {
  const next: Record<string, readonly string[]> = {}
  for (const peer of peers) {
    const own = new Set(calls[peer] ?? agents.filter(() => random() < 0.5))
    if (random() < 0.4) {
      const agent = agents[Math.floor(random() * agents.length)] ?? ''
      if (!own.delete(agent)) own.add(agent)
    }
    next[peer] = agents.filter((agent) => own.has(agent))
  }
  return { calls: next, replay: random() < 0.2 ? (replay === 'once' ? 'reuse' : 'once') : replay }
}

const textOf = ({ calls, replay }: Wanted): string =>
  JSON.stringify({
    version: 1,
    defaults: {
      ...{ replay, serverFile: 'out/{name}.server.json', clientFile: 'out/{name}.client.json' },
    },
    agents: Object.fromEntries(agents.map((name, n) => [name, { url: `http://127.0.0.1:${9000 + n}` }])),
    peers: Object.fromEntries(peers.map((name) => [name, { calls: calls[name] ?? [] }])),
  })

function readJson(path: string): unknown {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as unknown) : undefined
}

/** What a peer holds and its agent would refuse, for edges that both files declare. */
function refusedEdges(cwd: string, before: Wanted, wanted: Wanted): string[] {
  return peers.flatMap((peer) => {
    const client = readJson(join(cwd, `out/${peer}.client.json`)) as ClientFile | undefined
    return Object.entries(client?.agents ?? {}).flatMap(([agent, { token, seed }]) => {
      if (!before.calls[peer]?.includes(agent) || !wanted.calls[peer]?.includes(agent)) return []
      const server = readJson(join(cwd, `out/${agent}.server.json`)) as ServerFile | undefined
      const own = server?.peers[peer]
      const { hash } = Token.parse(token)
      const knows = own?.tokens.some((one) => one.hash === hash) && own.seeds.some((one) => one.seed === seed)
      return knows ? [] : [`${peer} -> ${agent}`]
    })
  })
}

/** What is not as the file says. */
async function differences(cwd: string, { calls }: Wanted): Promise<string[]> {
  const plan = await runBinary(['mesh', 'apply', '--prune', '--yes', '--json'], { cwd })
  const left =
    plan.stdout.trim() === '{"changes":[]}' ? [] : [`another apply still had to do: ${plan.stdout}`]
  const wrong = agents.flatMap((agent) => {
    const server = readJson(join(cwd, `out/${agent}.server.json`)) as ServerFile | undefined
    const held = Object.keys(server?.peers ?? {}).sort()
    const wanted = peers.filter((peer) => calls[peer]?.includes(agent))
    return held.join() === wanted.join() ? [] : [`${agent} lets in ${held.join()}, not ${wanted.join()}`]
  })
  const clients = peers.flatMap((peer) => {
    const client = readJson(join(cwd, `out/${peer}.client.json`)) as ClientFile | undefined
    const wanted = calls[peer] ?? []
    // The last file of a peer that may call nothing stays where it is.
    if (wanted.length === 0) return []
    const held = Object.keys(client?.agents ?? {})
    return held.join() === wanted.join() ? [] : [`${peer} has ${held.join()}, not ${wanted.join()}`]
  })
  return [...left, ...wrong, ...clients]
}

type Snapshot = ReadonlyMap<string, number>

function snapshot(cwd: string): Snapshot {
  const paths = ['stores', 'out'].flatMap((folder) =>
    existsSync(join(cwd, folder)) ? readdirSync(join(cwd, folder)).map((name) => `${folder}/${name}`) : [],
  )
  return new Map(
    paths.flatMap((path) => {
      const ino = statSync(join(cwd, path), { throwIfNoEntry: false })?.ino
      return ino === undefined ? [] : [[path, ino] as const]
    }),
  )
}

function reachedBy(cwd: string, before: Snapshot): keyof MeshStormReport['reached'] {
  const changed = [...snapshot(cwd)].filter(([path, ino]) => before.get(path) !== ino).map(([path]) => path)
  const rotated = agents.some((agent) => readText(cwd, `stores/${agent}.json`).includes('"pending":{"id"'))
  if (changed.some((path) => path.endsWith('.client.json'))) return rotated ? 'clients' : 'retired'
  if (changed.some((path) => path.endsWith('.server.json'))) return 'servers'
  return changed.some((path) => path.startsWith('stores/') && path.endsWith('.json')) ? 'stores' : 'nothing'
}

const readText = (cwd: string, path: string): string =>
  existsSync(join(cwd, path)) ? readFileSync(join(cwd, path), 'utf8') : ''

function leftoversIn(cwd: string): string[] {
  return ['out', '.'].flatMap((folder) =>
    readdirSync(join(cwd, folder)).filter((name) => name.includes('.tmp-')),
  )
}
