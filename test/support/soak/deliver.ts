import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Loot } from './bad-callers.js'
import { handedIn } from './credentials.js'
import type { Site } from './disturb.js'
import {
  clocksOf,
  fileOf,
  isPlain,
  runIn,
  soakPeers,
  type Lane,
  type Plant,
  type SoakPeer,
  type Target,
} from './plant.js'
import { add } from './record.js'

/** Longer than a delivery takes on a machine that is busy. */
const overlapSeconds = 20

/** A rotation of a peer: streams that began before `deliveredAt` may end with the old credentials. */
interface Rotation {
  readonly peer: SoakPeer
  /** Infinity while it is under way. */
  deliveredAt: number
  /** The earliest possible while it is under way: an agent whose clock is ahead ends streams as soon as it reads its file. */
  expiresAt: number
}

/** Streams end with the credentials that opened them, by the agent's clock. */
function excuseEndedStreams({ plant, excuses }: Site, rotations: readonly Rotation[]): void {
  excuses.open('credentials ended', (call) => {
    const { lane, refusal, begun, from, until } = call
    const { latest } = clocksOf(plant, lane).server.shownBetween(from, until)
    return (
      lane.kind === 'stream' &&
      (refusal === 'cut' || refusal === 'other') &&
      begun &&
      rotations.some(
        ({ peer, deliveredAt, expiresAt }) =>
          peer === lane.peer && from <= deliveredAt + 1500 && latest >= expiresAt - 500,
      )
    )
  })
}

/**
 * A request that waits for a time step keeps the credentials that it began with (requests on their way keep what they have:
 * docs/client/fetch.md), so an overlap of 20 seconds can end before it is sent. A source of many unknown tokens gets 429.
 */
function excuseLongWaits({ plant, excuses }: Site, rotations: readonly Rotation[]): void {
  excuses.open('waited past the overlap', ({ lane, refusal, from, until }) => {
    const { latest } = clocksOf(plant, lane).server.shownBetween(from, until)
    return (
      lane.peer.replay === 'once' &&
      isPlain(lane.peer) &&
      (refusal === '401' || refusal === '429') &&
      rotations.some(
        ({ peer, deliveredAt, expiresAt }) =>
          peer === lane.peer && from <= deliveredAt + 1500 && latest >= expiresAt - 500,
      )
    )
  })
}

/** Rotates a peer's credentials as its operator does, and hands the new ones out: nobody is refused meanwhile. */
async function rotate(site: Site, peer: SoakPeer, rotations: Rotation[], loot: Loot): Promise<void> {
  const { plant, record, random } = site
  const cwd = plant.folders[peer.target]
  const handed = handedIn(fileOf(plant, peer))
  const [kind = '', ...flags] = [
    ['rotated: seed and token'],
    ['rotated: the seed', '--seed'],
    ['rotated: the token', '--token'],
  ][random(3)] ?? ['']
  const deliver = 'cat > "$A2A_TOTP_PEER.json.new" && mv "$A2A_TOTP_PEER.json.new" "$A2A_TOTP_PEER.json"'
  const startedAt = Date.now()
  const rotation: Rotation = { peer, deliveredAt: Infinity, expiresAt: startedAt + overlapSeconds * 1000 }
  rotations.push(rotation)
  record.note(`${peer.name} at the ${peer.target}: ${kind}`)
  await runIn(
    cwd,
    ...['rotate', peer.name, ...flags, '--overlap', `${overlapSeconds}s`, '--server-out', 'server.json'],
    ...['--format', 'json', '--deliver', deliver],
  )
  const deliveredAt = Date.now()
  const expiresAt = await endOfOld(cwd, peer)
  if (expiresAt === undefined) {
    record.fail(`rotation of ${peer.name} at the ${peer.target}: nothing is superseded`, startedAt)
    return
  }
  record.note(`${peer.name} at the ${peer.target}: delivered`)
  Object.assign(rotation, { deliveredAt, expiresAt })
  const after = handedIn(fileOf(plant, peer))
  // What stays does not end.
  loot.superseded.push({
    ...{ peer, handed },
    tokenEnds: after.token === handed.token ? Infinity : expiresAt,
    seedEnds: after.seed.base32 === handed.seed.base32 ? Infinity : expiresAt,
  })
  if (loot.superseded.length > 100) loot.superseded.shift()
  add(record.disturbances, kind)
}

async function endOfOld(cwd: string, { name }: SoakPeer): Promise<number | undefined> {
  const { peers } = (await runIn(cwd, 'show', name)) as {
    peers: Record<'seeds' | 'tokens', { expiresAt: string | null }[]>[]
  }
  const ends = peers
    .flatMap(({ seeds, tokens }) => [...seeds, ...tokens])
    .flatMap(({ expiresAt }) => (expiresAt === null ? [] : [Date.parse(expiresAt)]))
  return ends.length === 0 ? undefined : Math.max(...ends)
}

/** For how long a stream that just came to its end went on after its token had ended; 0 if the agent's clock was set meanwhile. */
export function outlivedMs(
  plant: Plant,
  { superseded }: Loot,
  lane: Lane,
  authorization: string,
  from: number,
): number {
  const clock = clocksOf(plant, lane).server
  if (clock.aheadBetween(from, Date.now()).some((aheadMs) => aheadMs !== 0)) return 0
  const ends = superseded.flatMap(({ handed, tokenEnds }) =>
    authorization === `Bearer ${handed.token}` ? [tokenEnds] : [],
  )
  return Math.max(0, Date.now() - Math.min(...ends))
}

/** Writes a file again as it is, as a mounted secret is replaced. */
function rewrite(path: string, text = readFileSync(path, 'utf8')): void {
  writeFileSync(`${path}.again`, text, { mode: 0o600 })
  renameSync(`${path}.again`, path)
}

/** A file of which half was written; the one before it stays in force. */
async function breakFor(path: string, ms: number): Promise<void> {
  const text = readFileSync(path, 'utf8')
  rewrite(path, text.slice(0, text.length / 2))
  await sleep(ms)
  rewrite(path, text)
}

const changes: Readonly<Record<string, (site: Site, target: Target) => Promise<void> | void>> = {
  'server file rewritten': ({ plant }, target) => rewrite(join(plant.folders[target], 'server.json')),
  'server file broken for a while': ({ plant, random }, target) =>
    breakFor(join(plant.folders[target], 'server.json'), 300 + random(1500)),
  'client file rewritten': ({ plant }) => rewrite(join(plant.folders.gate, 'pip.json')),
  'client file broken for a while': ({ plant, random }) =>
    breakFor(join(plant.folders.gate, 'pip.json'), 300 + random(1500)),
  'SIGHUP to gate and proxy': ({ plant }) => {
    plant.processes.gate.signal('SIGHUP')
    plant.processes.proxy.signal('SIGHUP')
  },
}

/** Rotations and changes of files, one after the other. */
export async function runDeliveries(site: Site, loot: Loot): Promise<void> {
  const { pace, random, record, endsAt } = site
  const rotations: Rotation[] = []
  excuseEndedStreams(site, rotations)
  excuseLongWaits(site, rotations)
  const isFree = (peer: SoakPeer): boolean =>
    rotations.every((one) => one.peer !== peer || one.expiresAt < Date.now() - 1000)
  const names = Object.keys(changes)
  while (!pace.isOver && Date.now() < endsAt - 30_000) {
    await sleep(1000 + random(4000))
    const free = soakPeers.filter(isFree)
    const peer = free[random(free.length)]
    const name = names[random(names.length)] ?? ''
    try {
      if (random(2) === 0 && peer) await rotate(site, peer, rotations, loot)
      else {
        record.note(name)
        await changes[name]?.(site, random(2) === 0 ? 'gate' : 'demo')
        add(record.disturbances, name)
      }
    } catch (error) {
      record.fail(`a delivery failed: ${String(error)}`)
    }
  }
}
