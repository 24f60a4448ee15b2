import { once } from 'node:events'
import { connect } from 'node:net'
import { inFolder, isThere } from '../processes.js'
import { freePort, Helper, Program } from '../proxies.js'
import { cost, microseconds, type Measured, type Row, type Section } from '../report.js'
import { takeRounds } from '../rounds.js'
import { pin } from '../server-process.js'
import { makePeer, type PeerLines } from './sidecar-peer.js'

/** One call after another: a queue would measure the machine. */
const callsOfRound = 400

/** How long a request through nginx takes whose `auth_request` asks a gate, against one that asks what always says 200. */
export const sidecarAuthzSection: Section = {
  title: 'Forward authentication (nginx, one connection; origin and load on another core)',
  run: ({ quick, rounds }) => {
    if (isThere('nginx', ['-v'])) return inFolder((folder) => run(folder, quick, rounds))
    console.warn('nginx is not here: forward authentication is left out')
    return Promise.resolve([])
  },
}

async function run(folder: string, quick: boolean, rounds: number): Promise<Row[]> {
  pin(process.pid, 1)
  const peer = makePeer(folder)
  const origin = await Helper.start('servers/origin', [], 1)
  const stub = await Helper.start('servers/forwarder', ['0', 'stub'], 0)
  const gate = await Program.sidecar(folder, ['gate'], '--authz')
  const port = await freePort()
  const nginx = await Program.nginx(folder, 'auth', port, serverFor(port, origin, { stub, gate }))
  try {
    const latencies = { stub: [] as number[], gate: [] as number[] }
    const sampler = (name: keyof typeof latencies) => async () => {
      const taken = await latenciesOf(port, `/${name}/a2a`, peer)
      latencies[name].push(...taken)
      return quantile(taken, 0.99)
    }
    const worst = await takeRounds({ stub: sampler('stub'), gate: sampler('gate') }, rounds)
    const measured = (name: string, samples: readonly number[]): Measured => ({ name, samples })
    const all = (name: keyof typeof latencies, share: number): Measured =>
      measured(`${name}: ${share * 100} % of all calls`, [quantile(latencies[name], share)])
    return [
      cost(
        measured('`gate --authz`, 99 % of a round', worst.gate),
        measured('a stub that says 200', worst.stub),
        microseconds,
        quick ? undefined : 1.5,
      ),
      ...[0.5, 0.99].map((share) => cost(all('gate', share), all('stub', share), microseconds)),
    ]
  } finally {
    for (const one of [nginx, gate, stub, origin]) await one.stop()
    pin(process.pid, 'any')
  }
}

function serverFor(port: number, origin: Helper, fronts: Readonly<Record<string, { port: number }>>): string {
  const upstream = (name: string, to: number): string =>
    `upstream ${name} { server 127.0.0.1:${to}; keepalive 16; keepalive_requests 1000000; }`
  const locations = Object.keys(fronts).map(
    (name) => `location /${name}/ { auth_request /_${name}; proxy_pass http://origin; }
    location = /_${name} {
      internal; proxy_pass http://${name}/auth/nginx; proxy_pass_request_body off;
      proxy_set_header Content-Length ""; proxy_set_header Connection "";
      proxy_set_header X-Original-Method $request_method; proxy_set_header X-Original-URI $request_uri;
    }`,
  )
  return [
    upstream('origin', origin.port),
    ...Object.entries(fronts).map(([name, { port: to }]) => upstream(name, to)),
    `server { listen 127.0.0.1:${port}; ${locations.join('\n')} }`,
  ].join('\n')
}

/** How long each of many requests takes, in microseconds, one after the other on one connection. */
async function latenciesOf(port: number, path: string, peer: PeerLines): Promise<number[]> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  const request = `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${peer()}Content-Length: 2\r\n\r\n{}`
  const taken: number[] = []
  for (let call = 0; call < callsOfRound; call++) {
    const begin = performance.now()
    socket.write(request)
    const [answer] = (await once(socket, 'data')) as [Buffer]
    taken.push((performance.now() - begin) * 1000)
    if (!answer.toString('latin1').startsWith('HTTP/1.1 200'))
      throw new Error(`answered ${answer.toString()}`)
  }
  socket.destroy()
  return taken
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN
}
