import { defaultProfile } from '../src/core/profile.js'
import type { BenchPeer } from './peers.js'
import { takeRounds, type Sampler } from './rounds.js'
import { pin, ServerProcess, type BurstCost, type Load } from './server-process.js'
import type { ServerName } from './servers/protocol.js'

/** Bursts before the first round, so that the compiler has seen what it has to make fast. */
const warmUps = 4

export interface Bursting<Request> {
  readonly program: 'servers/grpc' | 'servers/http'
  readonly names: readonly ServerName[]
  readonly peers: readonly BenchPeer[]
  /** The socket of a Redis, where a server needs one. */
  readonly redis?: string
  readonly connect: (port: number) => Promise<Load<Request>>
  readonly requestOf: (peer: BenchPeer, at: Date) => Request
}

/** Servers side by side, each asked for the same requests in turn, one of every peer. */
export class ServerBursts<Request> {
  readonly #bursting: Bursting<Request>
  readonly #servers: ReadonlyMap<ServerName, ServerProcess<Request>>
  #at: number
  #requests: readonly Request[] = []

  private constructor(
    bursting: Bursting<Request>,
    servers: ReadonlyMap<ServerName, ServerProcess<Request>>,
    startedAt: number,
  ) {
    this.#bursting = bursting
    this.#servers = servers
    // A state that has just begun cannot know about the steps around it.
    this.#at = startedAt + 3 * defaultProfile.period * 1000
  }

  static async of<Request>(bursting: Bursting<Request>): Promise<ServerBursts<Request>> {
    const { program, names, peers, redis, connect } = bursting
    const data = peers.map(({ name, seed, token }) => ({ name, seed: seed.base32, token }))
    const at = Date.now()
    pin(process.pid, 1)
    const servers = new Map<ServerName, ServerProcess<Request>>()
    for (const server of names) {
      const order = { server, peers: data, at, ...(redis && { redis }) }
      servers.set(server, await ServerProcess.start(program, order, connect))
    }
    return new ServerBursts(bursting, servers, at)
  }

  /** Takes the rounds and stops the servers. Gives what each burst cost, by server. */
  async take(rounds: number): Promise<(name: ServerName) => readonly BurstCost[]> {
    const costs = Object.fromEntries(this.#bursting.names.map((name): [string, BurstCost[]] => [name, []]))
    try {
      for (let warmUp = 0; warmUp < warmUps; warmUp++) {
        this.#turn()
        for (const [name, server] of this.#servers) await this.#burst(name, server)
      }
      const samplers = [...this.#servers].map(([name, server]): [string, Sampler] => [
        name,
        async () => {
          const burst = await this.#burst(name, server)
          costs[name]?.push(burst)
          return burst.cpu
        },
      ])
      await takeRounds(Object.fromEntries(samplers), rounds, () => this.#turn())
    } finally {
      for (const server of this.#servers.values()) await server.stop()
      pin(process.pid, 'any')
    }
    // The round that warms up is the first.
    return (name) => (costs[name] ?? []).slice(1)
  }

  /** By the next round a time step has passed, and under `once` every peer has a request to spend. */
  #turn(): void {
    this.#at += defaultProfile.period * 1000
    const { peers, requestOf } = this.#bursting
    this.#requests = peers.map((peer) => requestOf(peer, new Date(this.#at)))
  }

  async #burst(name: string, server: ServerProcess<Request>): Promise<BurstCost> {
    // The codes of a step are made before, but under `once`, where each request finds a new step.
    if (!name.includes('once')) await server.burst(this.#requests, this.#at)
    return server.burst(this.#requests, this.#at)
  }
}
