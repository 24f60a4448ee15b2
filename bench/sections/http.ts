import { defaultProfile } from '../../src/core/profile.js'
import { generateCode } from '../../src/core/totp.js'
import { makePeers, type BenchPeer } from '../mesh.js'
import { cost, microseconds, speed, type Measured, type Row, type Scale, type Section } from '../report.js'
import { takeRounds, type Sampler } from '../rounds.js'
import { pin, ServerProcess, type BurstCost } from '../server-process.js'
import type { ServerName } from '../servers/protocol.js'

const names: readonly ServerName[] = [
  'node:http',
  'node:http + a2a-totp, reuse',
  'node:http + a2a-totp, once',
  'node:http + createHash + Map + otpauth',
  'express',
  'express + a2a-totp, reuse',
  'express + passport-http-bearer + otplib',
]

/** A GET that is answered with a few bytes: the least that a server can do, so that what a guard adds shows most. */
export const httpSection: Section = {
  title: 'HTTP (50 connections, server and load on different cores)',
  async run(scale) {
    const peers = makePeers(scale.quick ? 1000 : 3000)
    const data = peers.map(({ name, seed, token }) => ({ name, seed: seed.base32, token }))
    const startedAt = Date.now()
    // A guard that has just begun cannot know about the steps around it.
    const known = startedAt + 3 * defaultProfile.period * 1000
    const servers = new Map<ServerName, ServerProcess>()
    pin(process.pid, 1)
    try {
      for (const name of names) servers.set(name, await ServerProcess.start(name, data, startedAt))
      const costs = Object.fromEntries(names.map((name): [string, BurstCost[]] => [name, []]))
      const bursts = new Bursts(peers, known)
      const samplers = [...servers].map(([name, server]): [string, Sampler] => [
        name,
        () => bursts.of(name, server, costs[name] ?? []),
      ])
      await takeRounds(Object.fromEntries(samplers), scale.rounds, () => bursts.turn())
      // The round that warms up is the first.
      return rowsOf((name) => (costs[name] ?? []).slice(1), scale)
    } finally {
      for (const server of servers.values()) await server.stop()
      pin(process.pid, 'any')
    }
  },
}

/** The same requests for every server of a round; by the next round a time step has passed. */
class Bursts {
  readonly #peers: readonly BenchPeer[]
  #at: number
  #requests: readonly Buffer[] = []

  constructor(peers: readonly BenchPeer[], at: number) {
    this.#peers = peers
    this.#at = at
  }

  /** Under `once` every peer then has a request to spend. */
  turn(): void {
    this.#at += defaultProfile.period * 1000
    this.#requests = this.#peers.map((peer) => requestOf(peer, this.#at))
  }

  async of(name: string, server: ServerProcess, costs: BurstCost[]): Promise<number> {
    // The codes of a step are made before, but under `once`, where each request finds a new step.
    if (!name.endsWith('once')) await server.burst(this.#requests, this.#at)
    const burst = await server.burst(this.#requests, this.#at)
    costs.push(burst)
    return burst.cpu
  }
}

function requestOf({ seed, token }: BenchPeer, at: number): Buffer {
  const code = generateCode(seed, defaultProfile, new Date(at))
  return Buffer.from(
    `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\nX-TOTP: ${code}\r\n\r\n`,
  )
}

function rowsOf(of: (name: ServerName) => readonly BurstCost[], { quick }: Scale): Row[] {
  const cpu = (name: ServerName): Measured => ({ name, samples: of(name).map((burst) => burst.cpu) })
  const wall = (name: ServerName): Measured => ({
    name: `${name}: throughput`,
    samples: of(name).map((burst) => burst.wall),
  })
  const none: ServerName = 'node:http'
  const express: ServerName = 'express'
  const passport: ServerName = 'express + passport-http-bearer + otplib'
  const goal = (limit: number): number | undefined => (quick ? undefined : limit)
  return [
    cost(cpu('node:http + a2a-totp, reuse'), cpu(none), microseconds, goal(1.1)),
    cost(cpu('node:http + a2a-totp, once'), cpu(none), microseconds, goal(1.1)),
    cost(cpu('node:http + createHash + Map + otpauth'), cpu(none), microseconds),
    cost(cpu('express + a2a-totp, reuse'), cpu(express), microseconds, goal(1.08)),
    cost(cpu(passport), cpu(express), microseconds),
    speed(wall('express + a2a-totp, reuse'), wall(passport), microseconds, goal(2)),
  ]
}
