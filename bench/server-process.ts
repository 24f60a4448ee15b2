import { fork, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { isThere } from './processes.js'
import { helper } from './paths.js'
import type { Order } from './servers/protocol.js'

/** What a burst of requests cost, each. */
export interface BurstCost {
  /** CPU time of the server, in microseconds. */
  readonly cpu: number
  /** Wall time, in microseconds. */
  readonly wall: number
}

/** What sends requests to a server. */
export interface Load<Request> {
  /** Sends them all, several at a time, and waits for their answers; one that is refused ends the benchmark. */
  send(requests: readonly Request[]): Promise<void>
  close(): void
}

/** A server in a process of its own, on a core of its own where the system can do that. */
export class ServerProcess<Request> {
  readonly #child: ChildProcess
  readonly #load: Load<Request>

  private constructor(child: ChildProcess, load: Load<Request>) {
    this.#child = child
    this.#load = load
  }

  /** @param program the helper that serves, and @param connect what makes a load for its port */
  static async start<Request>(
    program: 'servers/grpc' | 'servers/http',
    order: Omit<Extract<Order, { type: 'start' }>, 'type'>,
    connect: (port: number) => Promise<Load<Request>>,
  ): Promise<ServerProcess<Request>> {
    const child = fork(helper(program))
    pin(child.pid, 0)
    const port = await ask(child, { type: 'start', ...order })
    return new ServerProcess(child, await connect(port))
  }

  /** @param at where the server's clock stands meanwhile, in milliseconds */
  async burst(requests: readonly Request[], at: number): Promise<BurstCost> {
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
