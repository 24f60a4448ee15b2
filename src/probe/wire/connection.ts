import { Agent, type AgentOptions, type ClientRequestArgs } from 'node:http'
import type { Duplex } from 'node:stream'
import { Places } from './places.js'
import type { Route } from './route.js'

/** Keeps TCP connections, which its requests share as long as the agent leaves them open. */
export class Connection extends Agent {
  /** What is waited for while a connection is opened, in words. */
  waitingFor = 'connection'
  readonly #route: Route
  readonly #protocol: string
  readonly #places: Places

  constructor({ protocol }: Pick<URL, 'protocol'>, route: Route, options: AgentOptions) {
    super(options)
    this.#route = route
    this.#protocol = protocol
    this.#places = new Places(options.maxSockets ?? 1)
    // Node compares it with the protocol of each request.
    Object.assign(this, { protocol, defaultPort: protocol === 'https:' ? 443 : 80 })
  }

  /**
   * Runs a request when a connection is free for it. Node counts a connection only once it is open, so it would open too
   * many for requests that are sent meanwhile.
   */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.#places.take(work)
  }

  /** Closes the connections that no request uses. */
  closeIdle(): void {
    for (const socket of Object.values(this.freeSockets).flat()) socket?.destroy()
  }

  /** Called by Node for each connection that it needs. */
  override createConnection(
    { host, port }: ClientRequestArgs,
    done: (error: Error | null, socket?: Duplex) => void,
  ): undefined {
    const name = host ?? 'localhost'
    const url = new URL(`${this.#protocol}//${name.includes(':') ? `[${name}]` : name}:${port ?? ''}`)
    this.#route
      .open(url, 'http/1.1', (waitingFor) => (this.waitingFor = waitingFor))
      .then(
        (socket) => done(null, socket),
        (error: unknown) => done(error as Error),
      )
  }
}
