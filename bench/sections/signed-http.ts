import { randomBytes } from 'node:crypto'
import { defaultProfile } from '../../src/core/profile.js'
import { digestOf } from '../../src/core/proof/digest.js'
import { ProofKey } from '../../src/core/proof/key.js'
import { longestLife } from '../../src/core/proof/profile.js'
import { signRequest } from '../../src/core/proof/sign.js'
import { generateCode } from '../../src/core/totp.js'
import { HttpLoad } from '../http-load.js'
import { makePeers, type BenchPeer } from '../peers.js'
import { cost, microseconds, type Measured, type Row, type Scale, type Section } from '../report.js'
import { takeRounds } from '../rounds.js'
import { pin, ServerProcess } from '../server-process.js'
import { agent, type ServerName } from '../servers/protocol.js'
import { estimateOf, pairedRatios } from '../stats.js'

const plain: ServerName = 'express.json + a2a-totp, code alone'
const control: ServerName = 'express.json + a2a-totp, code alone, again'
const observed: ServerName = 'express.json + a2a-totp, observe, code alone'
const signed: ServerName = 'express.json + a2a-totp, accept, signed'
const servers = [plain, control, observed, signed] as const

/** The length of a body, and the most that a proof may cost. */
const sizes = [
  { name: '0.3 KiB', length: 307, goal: 1.35 },
  { name: '4 KiB', length: 4096, goal: 1.35 },
  { name: '64 KiB', length: 65_536, goal: 1.6 },
]

/** Two servers of the same kind may differ by so much. Beyond it the machine is too busy for a figure. */
const mostApart = 0.1
/** Bursts of each server and length before the first round. */
const warmUps = 3

interface Signer extends BenchPeer {
  readonly key: ProofKey
}

/** POSTs of JSON that the application parses: what a proof adds to the code, and what unsigned requests cost beside it. */
export const signedHttpSection: Section = {
  title: 'Signed requests over HTTP (express 5, JSON, 50 connections, CPU per request of the server)',
  async run(scale) {
    const peers = makePeers(scale.quick ? 200 : 400).map((peer) => ({
      ...peer,
      key: new ProofKey(peer.seed, agent),
    }))
    const data = peers.map(({ name, seed, token }) => ({ name, seed: seed.base32, token }))
    const startedAt = Date.now()
    const running = new Map<ServerName, ServerProcess<Buffer>>()
    pin(process.pid, 1)
    try {
      for (const server of servers) {
        const order = { server, peers: data, at: startedAt }
        running.set(server, await ServerProcess.start('servers/http', order, (port) => HttpLoad.to(port)))
      }
      return await measure(running, peers, startedAt, scale)
    } finally {
      for (const server of running.values()) await server.stop()
      pin(process.pid, 'any')
    }
  },
}

async function measure(
  running: ReadonlyMap<ServerName, ServerProcess<Buffer>>,
  peers: readonly Signer[],
  startedAt: number,
  { rounds, quick }: Scale,
): Promise<Row[]> {
  // A state that has just begun knows nothing of the steps around that.
  let at = startedAt + 3 * defaultProfile.period * 1000
  const samplers = Object.fromEntries(
    [...running].flatMap(([name, server]) =>
      sizes.map(({ name: size, length }) => [
        nameOf(name, size),
        async (): Promise<number> => {
          const requests = peers.map((peer) => requestOf(peer, length, new Date(at), name === signed))
          // The codes of a step are made before, for all alike.
          await server.burst(
            peers.map((peer) => requestOf(peer, 0, new Date(at), false)),
            at,
          )
          return (await server.burst(requests, at)).cpu
        },
      ]),
    ),
  )
  for (let warmUp = 0; warmUp < warmUps; warmUp++)
    for (const sample of Object.values(samplers)) await sample()
  const samples = await takeRounds(samplers, rounds, () => {
    at += defaultProfile.period * 1000
  })
  const of = (name: ServerName, size: string): Measured => ({
    name: nameOf(name, size),
    samples: samples[nameOf(name, size)] ?? [],
  })
  return sizes.flatMap(({ name, goal }): Row[] => {
    const [base, same] = [of(plain, name), of(control, name)]
    const row = cost(same, base, microseconds)
    if (Math.abs(estimateOf(pairedRatios(same.samples, base.samples)).median - 1) > mostApart) return [row]
    return [
      row,
      cost(of(signed, name), base, microseconds, quick ? undefined : goal),
      cost(of(observed, name), base, microseconds),
    ]
  })
}

const nameOf = (server: ServerName, size: string): string => `${server}, ${size}`

function requestOf({ seed, token, key }: Signer, length: number, at: Date, isSigned: boolean): Buffer {
  const body = Buffer.from(JSON.stringify({ text: 'x'.repeat(Math.max(0, length - 11)) }))
  const headers: Record<string, string> = {
    Authorization: `Bearer ${token}`,
    'X-TOTP': generateCode(seed, defaultProfile, at),
    'Content-Type': 'application/json',
  }
  if (isSigned) Object.assign(headers, proofOf(headers, body, key, at))
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const head = `POST /a2a HTTP/1.1\r\nHost: 127.0.0.1\r\n${lines.join('')}Content-Length: ${body.length}\r\n\r\n`
  return Buffer.concat([Buffer.from(head), body])
}

function proofOf(
  headers: Readonly<Record<string, string>>,
  body: Buffer,
  key: ProofKey,
  at: Date,
): Readonly<Record<string, string>> {
  const lines = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), [value]]))
  const created = Math.floor(at.getTime() / 1000)
  return signRequest(
    { binding: 'http', method: 'POST', target: '/a2a', header: (name) => lines.get(name) ?? [] },
    {
      key,
      header: defaultProfile.header,
      digest: digestOf('http', body),
      created,
      expires: created + longestLife(defaultProfile),
      nonce: randomBytes(16),
    },
  ).fields
}
