import { fork, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { Load } from './load.js'
import { isThere } from './processes.js'
import { helper } from './paths.js'
import type { Order, PeerData, ServerName } from './servers/protocol.js'

/** What a burst of requests cost, each. */
export interface BurstCost {
  /** CPU time of the server, in microseconds. */
  readonly cpu: number
  /** Wall time, in microseconds. */
  readonly wall: number
}

/** A server in a process of its own, on a core of its own where the system can do that. */
export class ServerProcess {
  readonly #child: ChildProcess
  readonly #load: Load

  private constructor(child: ChildProcess, load: Load) {
    this.#child = child
    this.#load = load
  }

  static async start(server: ServerName, peers: readonly PeerData[], at: number): Promise<ServerProcess> {
    const child = fork(helper('servers/http'))
    pin(child.pid, 0)
    const port = await ask(child, { type: 'start', server, peers, at })
    return new ServerProcess(child, await Load.to(port))
  }

  /** @param at where the server's clock stands meanwhile, in milliseconds */
  async burst(requests: readonly Buffer[], at: number): Promise<BurstCost> {
    const before = await ask(this.#child, { type: 'usage', at })
    const start = performance.now()
    await this.#load.send(requests)
    const wall = performance.now() - start
    const after = await ask(this.#child, { type: 'usage', at })
    return { cpu: ((after - before) * 1000) / requests.length, wall: (wall * 1000) / requests.length }
  }

  async stop(): Promise<void> {
    this.#load.close()
    const exit = once(this.#child, 'exit')
    this.#child.disconnect()
    await exit
  }
}

/** Puts a process on one core, so that load and server do not take each other's time. Without it: as it comes. */
export function pin(pid: number | undefined, core: number | 'any'): boolean {
  const cores = availableParallelism()
  if (pid === undefined || cores < 2 || !isThere('taskset', ['--version'])) return false
  const list = core === 'any' ? `0-${cores - 1}` : String(core)
  return spawnSync('taskset', ['-a', '-c', '-p', list, String(pid)], { stdio: 'ignore' }).status === 0
}

async function ask(child: ChildProcess, order: Order): Promise<number> {
  const answer = once(child, 'message')
  child.send(order)
  const [number] = (await answer) as [number]
  return number
}
