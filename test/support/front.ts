import {
  Agent,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** What a front does to a request before the agent sees it. */
export interface FrontRules {
  /** Answers in place of the agent, or not (false). */
  readonly answers?: (request: IncomingMessage, response: ServerResponse) => boolean
  /** How long each answer takes, in milliseconds. */
  readonly delayMs?: number
  /** How long a request is held for others to join it; all are let on together, which is a round. */
  readonly gatherMs?: number
}

export interface Front {
  readonly url: string
  /** Requests that arrived, each with its instant in milliseconds. */
  readonly arrivals: readonly number[]
  /** How often requests were let on together. */
  readonly rounds: number
  /** The most requests in flight at a time, in all and on one path. */
  readonly most: number
  close(): Promise<void>
}

/** A reverse proxy as load balancers are: one connection to the agent for each of its own, header lines as they came. */
export async function startFront(origin: string, rules: FrontRules = {}): Promise<Front> {
  const behind = new WeakMap<Socket, Agent>()
  const agents = new Set<Agent>()
  const arrivals: number[] = []
  let open = 0
  let most = 0
  const gate = gatherer(rules.gatherMs)
  const pass = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = []
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    await gate.join()
    if (rules.delayMs) await sleep(rules.delayMs)
    if (rules.answers?.(request, response)) return
    const call = httpRequest(origin + (request.url ?? ''), {
      method: request.method ?? 'GET',
      headers: request.rawHeaders,
      agent: agentOf(request.socket),
    })
    call.on('error', () => response.destroy())
    call.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.rawHeaders)
      answer.pipe(response)
    })
    response.on('close', () => call.destroy())
    call.end(Buffer.concat(chunks))
  }
  const agentOf = (socket: Socket): Agent => {
    const known = behind.get(socket)
    if (known) return known
    const made = new Agent({ keepAlive: true, maxSockets: 1 })
    behind.set(socket, made)
    agents.add(made)
    return made
  }
  const server = createServer((request, response) => {
    arrivals.push(performance.now())
    open += 1
    most = Math.max(most, open)
    response.on('close', () => (open -= 1))
    pass(request, response).catch(() => response.destroy())
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrivals,
    get rounds() {
      return gate.rounds
    },
    get most() {
      return most
    },
    close: async () => {
      for (const agent of agents) agent.destroy()
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
    },
  }
}

/** Holds those who join until nobody has joined for a while, then lets all of them on. */
function gatherer(quietMs: number | undefined): { join: () => Promise<void>; readonly rounds: number } {
  let waiting: (() => void)[] = []
  let timer: NodeJS.Timeout | undefined
  let rounds = 0
  const release = (): void => {
    rounds += 1
    const released = waiting
    waiting = []
    for (const go of released) go()
  }
  return {
    join: () =>
      quietMs === undefined
        ? Promise.resolve()
        : new Promise((resolve) => {
            waiting.push(resolve)
            clearTimeout(timer)
            timer = setTimeout(release, quietMs)
          }),
    get rounds() {
      return rounds
    },
  }
}
