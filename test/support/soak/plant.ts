import { join } from 'node:path'
import { echoAgent } from '../grpc-echo.js'
import { makeFolder, runBinary, runCli } from '../cli.js'
import { RedisServer } from '../redis-server.js'
import { startSoakAgent, type SoakAgent } from './agent.js'
import { SetClock } from './clocks.js'
import { startCuttingRelay, type CuttingRelay } from './cutting-relay.js'
import { SoakProcess } from './soak-process.js'

export type Target = 'gate' | 'demo'

/** A peer at an agent, with the policies that its server file has. */
export interface SoakPeer {
  readonly name: string
  readonly target: Target
  readonly replay: 'reuse' | 'once'
  readonly signed: 'off' | 'accept' | 'require'
  readonly digits: 6 | 8
}

/** How good calls are sent. */
export interface Lane {
  readonly name: string
  readonly peer: SoakPeer
  /** Past the proxy, or through it and the relay whose connections are cut. */
  readonly way: 'direct' | 'proxied'
  readonly kind: 'call' | 'stream' | 'grpc'
}

const peer = (
  target: Target,
  name: string,
  replay: SoakPeer['replay'],
  signed: SoakPeer['signed'],
  digits: SoakPeer['digits'] = 8,
): SoakPeer => ({ name, target, replay, signed, digits })

/** Eight digits, so that the bad callers exhaust no budget; fay has six, and stays throttled. */
export const soakPeers: readonly SoakPeer[] = [
  ...(['gate', 'demo'] as const).flatMap((target) => [
    peer(target, 'ann', 'reuse', 'off'),
    peer(target, 'bea', 'reuse', 'require'),
    peer(target, 'cal', 'once', 'accept'),
    peer(target, 'dov', 'once', 'off'),
    peer(target, 'eli', 'reuse', 'accept'),
  ]),
  peer('gate', 'fay', 'reuse', 'accept', 6),
  peer('gate', 'pip', 'reuse', 'accept'),
]

export const isPlain = ({ signed }: SoakPeer): boolean => signed === 'off'

/** Everything that runs in a soak. */
export interface Plant {
  readonly redis: RedisServer
  readonly agent: SoakAgent
  readonly relay: CuttingRelay
  readonly processes: Readonly<Record<'gate' | 'proxy' | 'demo', SoakProcess>>
  /** Those of the processes, and those of the clients of each agent. */
  readonly clocks: Readonly<Record<'gate' | 'proxy' | 'demo' | 'gateClients' | 'demoClients', SetClock>>
  /** Where calls go: the gate, the demo, and the proxy in front of the gate. */
  readonly rpc: Readonly<Record<Target | 'proxy', string>>
  readonly grpc: Readonly<Record<Target | 'proxy', string>>
  /** The folder of each agent's store. */
  readonly folders: Readonly<Record<Target, string>>
}

/** The client file of a peer. */
export const fileOf = ({ folders }: Pick<Plant, 'folders'>, { target, name }: SoakPeer): string =>
  join(folders[target], `${name}.json`)

/** The clock that makes the codes of a lane, and the one that they are compared with. */
export function clocksOf({ clocks }: Plant, { peer, way }: Lane): { client: SetClock; server: SetClock } {
  const own = peer.target === 'gate' ? clocks.gateClients : clocks.demoClients
  return { client: way === 'proxied' ? clocks.proxy : own, server: clocks[peer.target] }
}

/** Runs the built binary in the folder of an agent's store. */
export async function runIn(cwd: string, ...args: string[]): Promise<Record<string, unknown>> {
  const { exitCode, stdout, stderr } = await runBinary([...args, '--json'], { cwd })
  if (exitCode !== 0) throw new Error(`${args.join(' ')}: ${stderr}`)
  return stdout === '' ? {} : (JSON.parse(stdout) as Record<string, unknown>)
}

export async function startPlant(): Promise<Plant> {
  const folders = { gate: await provision('gate'), demo: await provision('demo') }
  const redis = await RedisServer.start('--appendonly', 'yes', '--appendfsync', 'always')
  const echo = await echoAgent()
  const agent = await startSoakAgent(echo.url)
  const gate = await SoakProcess.start(
    'gate',
    [
      ...['gate', '--json', '--log', 'json', '--server-file', 'server.json'],
      ...['--upstream', agent.url, '--grpc-upstream', echo.url, '--listen', '127.0.0.1:0'],
      ...['--redis', `redis://127.0.0.1:${redis.port}`],
    ],
    folders.gate,
  )
  const [{ url: gateUrl = '' } = {}] = (gate.printed as { listeners: { url?: string }[] }).listeners
  const relay = await startCuttingRelay(Number(new URL(gateUrl).port))
  const proxy = await SoakProcess.start(
    'proxy',
    [
      ...['proxy', `http://127.0.0.1:${relay.port}`, '--json', '--log', 'json'],
      ...['--client-file', 'pip.json', '--listen', '127.0.0.1:0'],
    ],
    folders.gate,
  )
  const [{ url: proxyUrl = '' } = {}] = (proxy.printed as { listeners: { url?: string }[] }).listeners
  const demo = await SoakProcess.start(
    'demo',
    ['demo', '--json', '--server-file', 'server.json'],
    folders.demo,
  )
  const { interfaces } = demo.printed as {
    interfaces: { url: string; protocolBinding: string; protocolVersion: string }[]
  }
  const demoUrl = (binding: string): string =>
    interfaces.find((one) => one.protocolBinding === binding && one.protocolVersion === '1.0')?.url ?? ''
  const processes = { gate: gate.started, proxy: proxy.started, demo: demo.started }
  return {
    ...{ redis, agent, relay, processes, folders },
    clocks: {
      gate: new SetClock((ahead) => processes.gate.setClock(ahead)),
      proxy: new SetClock((ahead) => processes.proxy.setClock(ahead)),
      demo: new SetClock((ahead) => processes.demo.setClock(ahead)),
      gateClients: new SetClock(),
      demoClients: new SetClock(),
    },
    rpc: { gate: `${gateUrl}/rpc`, proxy: `${proxyUrl}/rpc`, demo: demoUrl('JSONRPC') },
    grpc: { gate: new URL(gateUrl).host, proxy: new URL(proxyUrl).host, demo: demoUrl('GRPC') },
  }
}

/** A folder with the store of an agent, its server file, and the client file of each peer. */
async function provision(target: Target): Promise<string> {
  const cwd = makeFolder()
  const run = async (...args: string[]): Promise<void> => {
    const { exitCode, stderr } = await runCli(args, { cwd })
    if (exitCode !== 0) throw new Error(stderr)
  }
  await run('init', '--agent', target, '--signed', 'off')
  const own = soakPeers.filter((one) => one.target === target)
  for (const { name, replay, signed, digits } of own) {
    await run('add-peer', name, '--replay', replay, '--signed', signed, '--digits', String(digits))
    await run('config', 'client', name, '--format', 'json', '--out', `${name}.json`)
  }
  await run('config', 'server', '--out', 'server.json')
  return cwd
}
