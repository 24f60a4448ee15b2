import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { HttpLoad } from '../http-load.js'
import { inFolder, isThere } from '../processes.js'
import { freePort, Helper, Program, type Proxy } from '../proxies.js'
import { cost, microseconds, type Measured, type Row, type Section, type Unit } from '../report.js'
import { takeRounds, type Sampler } from '../rounds.js'
import { pin } from '../server-process.js'
import { makePeer, type PeerLines } from './sidecar-peer.js'

const kibibytes: Unit = (value) => `${(value / 1024).toFixed(1)} KiB`

/** The most that an open stream should take, both its connections included, in bytes. */
const mostOfStream = 40 * 1024

/** Each takes two descriptors of the proxy, of which a process often has 20,000, and idle connections take some. */
const manyStreams = 9500

/** What the sidecars take per request and per open stream, and their engine alone, without guard, credentials and log. */
export const sidecarSection: Section = {
  title: 'Sidecars (POST, 50 connections; origin and load on another core)',
  run: ({ quick, rounds }) =>
    inFolder(async (folder) => {
      pin(process.pid, 1)
      const peer = makePeer(folder)
      const origin = await Helper.start('servers/origin', [], 1)
      const url = `http://127.0.0.1:${origin.port}`
      const named = [url, 'alice']
      const proxies: Proxies = {
        bare: await Helper.start('servers/forwarder', [String(origin.port), 'bare'], 0),
        engine: await Helper.start('servers/forwarder', [String(origin.port), 'engine'], 0),
        gate: await Program.sidecar(folder, ['gate', '--upstream', url]),
        proxy: await Program.sidecar(folder, ['proxy', ...named, '--sign', 'never']),
        signing: await Program.sidecar(folder, ['proxy', ...named]),
        ...(isThere('nginx', ['-v']) && { nginx: await nginxBefore(folder, origin.port) }),
      }
      try {
        const costs = await cpuOf(proxies, peer, quick ? 1000 : 4000, rounds)
        const count = quick ? 1000 : manyStreams
        const memory = {
          engine: await streamsOf('engine', proxies.engine, () => '', count),
          gate: await streamsOf('gate', proxies.gate, peer, count),
          proxy: await streamsOf('proxy', proxies.proxy, () => '', count),
        }
        return rowsOf(costs, memory, quick)
      } finally {
        for (const one of [...Object.values(proxies), origin]) await one.stop()
        pin(process.pid, 'any')
      }
    }),
}

async function nginxBefore(folder: string, origin: number): Promise<Program> {
  const port = await freePort()
  return Program.nginx(
    folder,
    'forwarding',
    port,
    `upstream origin { server 127.0.0.1:${origin}; keepalive 64; keepalive_requests 1000000; }
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://origin; proxy_buffering off; proxy_request_buffering off; }
  }`,
  )
}

function rowsOf({ bare, nginx, ...ours }: Costs, memory: Memory, quick: boolean): Row[] {
  const limit = { name: `a limit of ${kibibytes(mostOfStream)}`, samples: [mostOfStream] }
  const goal = quick ? undefined : 1.5
  return [
    cost(ours.engine, bare, microseconds, goal),
    cost(ours.gate, bare, microseconds, goal),
    cost(ours.proxy, bare, microseconds, goal),
    cost(ours.signing, bare, microseconds),
    ...(nginx ? [cost(nginx, bare, microseconds)] : []),
    ...Object.values(memory).map((one) => cost(one, limit, kibibytes, 1)),
  ]
}

type Name = 'bare' | 'engine' | 'gate' | 'proxy' | 'signing' | 'nginx'
type Of<T> = Readonly<Record<Exclude<Name, 'nginx'>, T>> & { readonly nginx?: T }
type Proxies = Of<Proxy>
type Costs = Of<Measured>
type Memory = Readonly<Record<'engine' | 'gate' | 'proxy', Measured>>

/** CPU time of a request, in microseconds. */
async function cpuOf(proxies: Proxies, peer: PeerLines, requests: number, rounds: number): Promise<Costs> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'GetTask', params: { id: 'a'.repeat(100) } })
  const requestTo = (port: number): Buffer =>
    Buffer.from(
      `POST /a2a HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\nA2A-Version: 1.0\r\n${peer()}Content-Length: ${body.length}\r\n\r\n${body}`,
    )
  const samplers: Partial<Record<Name, Sampler>> = {}
  for (const [name, proxy] of Object.entries(proxies) as [Name, Proxy][]) {
    // All get the same fields, so that they have as much to do.
    const send = async (): Promise<void> => {
      // Connections of its own each time: meanwhile idle ones may have been closed.
      const load = await HttpLoad.to(proxy.port)
      await load.send(Array<Buffer>(requests).fill(requestTo(proxy.port)))
      load.close()
    }
    for (let warmUp = 0; warmUp < 3; warmUp++) await send()
    samplers[name] = async () => {
      const before = proxy.usage
      await send()
      const after = proxy.usage
      return ((after.cpu - before.cpu) * 1000) / requests
    }
  }
  const samples = await takeRounds(samplers as Record<Name, Sampler>, rounds)
  const measured = Object.entries(samples) as [Name, number[]][]
  return Object.fromEntries(
    measured.map(([name, own]) => [name, { name: names[name], samples: own }]),
  ) as unknown as Costs
}

const names: Readonly<Record<Name, string>> = {
  bare: 'node:http, the least that forwards',
  engine: "the sidecars' engine",
  gate: '`gate`, with its log',
  proxy: '`proxy --sign never`, with its log',
  signing: '`proxy`, which signs',
  nginx: 'nginx',
}

/** Memory of each of many streams that are open and silent, in bytes. */
async function streamsOf(
  name: 'engine' | 'gate' | 'proxy',
  proxy: Proxy,
  peer: PeerLines,
  count: number,
): Promise<Measured> {
  await sleep(500)
  const before = proxy.usage
  const sockets: Socket[] = []
  while (sockets.length < count) {
    const some = Array.from({ length: 200 }, () => open(proxy.port, peer()))
    sockets.push(...(await Promise.all(some)))
  }
  await sleep(500)
  const after = proxy.usage
  for (const socket of sockets) socket.destroy()
  return {
    name: `${count.toLocaleString('en')} silent streams through ${names[name]}, each`,
    samples: [(after.memory - before.memory) / count],
  }
}

async function open(port: number, lines: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.write(`GET /stream HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAccept: text/event-stream\r\n${lines}\r\n`)
  let heard = ''
  const giveUp = AbortSignal.timeout(60_000)
  while (!heard.includes('first')) {
    const [chunk] = (await once(socket, 'data', { signal: giveUp })) as [Buffer]
    heard += chunk.toString('latin1')
  }
  return socket
}
