import { fork, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { HttpLoad } from '../http-load.js'
import { helper } from '../paths.js'
import { inFolder, isThere } from '../processes.js'
import { cost, microseconds, type Measured, type Row, type Section, type Unit } from '../report.js'
import { takeRounds, type Sampler } from '../rounds.js'
import { pin } from '../server-process.js'

const kibibytes: Unit = (value) => `${(value / 1024).toFixed(1)} KiB`

/** The most that an open stream should take, both its connections included, in bytes. */
const mostOfStream = 40 * 1024

/** Each takes two descriptors of the proxy, of which a process often has 20,000. */
const manyStreams = 9900

/** What the forwarding engine of the sidecars takes, without a guard: per request, and per open stream. */
export const sidecarSection: Section = {
  title: 'Forwarding (POST, 50 connections; origin and load on another core)',
  run: ({ quick, rounds }) =>
    inFolder(async (folder) => {
      pin(process.pid, 1)
      const origin = await Helper.start('servers/origin', [], 1)
      const proxies: Proxies = {
        bare: await Helper.start('servers/forwarder', [String(origin.port), 'bare'], 0),
        engine: await Helper.start('servers/forwarder', [String(origin.port), 'engine'], 0),
        ...(isThere('nginx', ['-v']) && { nginx: await Nginx.start(folder, origin.port) }),
      }
      try {
        const costs = await cpuOf(proxies, quick ? 1000 : 4000, rounds)
        const memory = await streamsOf(proxies.engine, quick ? 1000 : manyStreams)
        return rowsOf(costs, memory, quick)
      } finally {
        for (const one of [...Object.values(proxies), origin]) await one.stop()
        pin(process.pid, 'any')
      }
    }),
}

function rowsOf({ bare, engine, nginx }: Costs, memory: Measured, quick: boolean): Row[] {
  const limit = {
    name: `a limit of ${kibibytes(mostOfStream)}`,
    samples: memory.samples.map(() => mostOfStream),
  }
  return [
    cost(engine, bare, microseconds, quick ? undefined : 1.5),
    ...(nginx ? [cost(nginx, bare, microseconds)] : []),
    cost(memory, limit, kibibytes, 1),
  ]
}

type Name = 'bare' | 'engine' | 'nginx'
type Proxies = Readonly<Record<'bare' | 'engine', Proxy>> & { readonly nginx?: Proxy }
type Costs = Readonly<Record<'bare' | 'engine', Measured>> & { readonly nginx?: Measured }

interface Proxy {
  readonly port: number
  usage(): Promise<{ readonly cpu: number; readonly memory: number }>
  stop(): Promise<void>
}

/** CPU time of a request, in microseconds. */
async function cpuOf(proxies: Proxies, requests: number, rounds: number): Promise<Costs> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'GetTask', params: { id: 'a'.repeat(100) } })
  const request = Buffer.from(
    `POST /a2a HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nA2A-Version: 1.0\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  )
  const burst = Array<Buffer>(requests).fill(request)
  const samplers: Partial<Record<Name, Sampler>> = {}
  for (const [name, proxy] of Object.entries(proxies) as [Name, Proxy][]) {
    const load = await HttpLoad.to(proxy.port)
    for (let warmUp = 0; warmUp < 3; warmUp++) await load.send(burst)
    samplers[name] = async () => {
      const before = await proxy.usage()
      await load.send(burst)
      const after = await proxy.usage()
      return ((after.cpu - before.cpu) * 1000) / requests
    }
  }
  const samples = await takeRounds(samplers as Record<Name, Sampler>, rounds)
  const measured = (name: Name): Measured => ({ name: names[name], samples: samples[name] })
  return {
    bare: measured('bare'),
    engine: measured('engine'),
    ...(proxies.nginx && { nginx: measured('nginx') }),
  }
}

const names: Readonly<Record<Name, string>> = {
  bare: 'node:http, the least that forwards',
  engine: "the sidecars' engine",
  nginx: 'nginx',
}

/** Memory of each of many streams that are open and silent, in bytes. */
async function streamsOf(proxy: Proxy, count: number): Promise<Measured> {
  await sleep(500)
  const before = await proxy.usage()
  const sockets: Socket[] = []
  while (sockets.length < count) {
    const some = Array.from({ length: 200 }, () => open(proxy.port))
    sockets.push(...(await Promise.all(some)))
  }
  await sleep(500)
  const after = await proxy.usage()
  for (const socket of sockets) socket.destroy()
  return {
    name: `${count.toLocaleString('en')} silent streams, each`,
    samples: [(after.memory - before.memory) / count],
  }
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.write('GET /stream HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n')
  let heard = ''
  while (!heard.includes('first')) {
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    heard += chunk.toString('latin1')
  }
  return socket
}

class Helper implements Proxy {
  readonly #child: ChildProcess
  readonly port: number

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.port = port
  }

  static async start(program: string, args: readonly string[], core: number): Promise<Helper> {
    const child = fork(helper(program), args, { execArgv: ['--expose-gc'] })
    pin(child.pid, core)
    const [{ port }] = (await once(child, 'message')) as [{ port: number }]
    return new Helper(child, port)
  }

  async usage(): Promise<{ cpu: number; memory: number }> {
    const answer = once(this.#child, 'message')
    this.#child.send('usage')
    const [usage] = (await answer) as [{ cpu: number; memory: number }]
    return usage
  }

  async stop(): Promise<void> {
    const exit = once(this.#child, 'exit')
    this.#child.disconnect()
    await exit
  }
}

/** One worker, which is the process itself. */
class Nginx implements Proxy {
  readonly #child: ChildProcess
  readonly port: number

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.port = port
  }

  static async start(folder: string, origin: number): Promise<Nginx> {
    const port = origin === 65_535 ? 18_080 : origin + 1
    const file = join(folder, 'nginx.conf')
    writeFileSync(
      file,
      `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
events { worker_connections 1024; }
http {
  access_log off; client_body_temp_path ${folder}; proxy_temp_path ${folder};
  fastcgi_temp_path ${folder}; uwsgi_temp_path ${folder}; scgi_temp_path ${folder};
  keepalive_requests 1000000;
  upstream origin { server 127.0.0.1:${origin}; keepalive 64; keepalive_requests 1000000; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_buffering off; proxy_request_buffering off;
    }
  }
}
`,
    )
    const child = spawn('nginx', ['-c', file], { stdio: 'ignore' })
    pin(child.pid, 0)
    for (let tries = 0; tries < 100; tries++) {
      const socket = connect(port, '127.0.0.1')
      const isUp = await once(socket, 'connect').then(
        () => true,
        () => false,
      )
      socket.destroy()
      if (isUp) return new Nginx(child, port)
      await sleep(50)
    }
    throw new Error('nginx has not started')
  }

  /** From the counters of the kernel, which tick every 10 ms. */
  usage(): Promise<{ cpu: number; memory: number }> {
    const fields = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return Promise.resolve({ cpu: (Number(fields[11]) + Number(fields[12])) * 10, memory: 0 })
  }

  async stop(): Promise<void> {
    const exit = once(this.#child, 'exit')
    this.#child.kill()
    await exit
  }
}
