import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'
import { cardPath } from '../../../src/core/card/shapes.js'

/** A plain A2A agent without any protection, and how often each call reached it. */
export interface SoakAgent {
  readonly url: string
  /** By the id of the call, which is in its body. */
  readonly reached: ReadonlyMap<string, number>
}

/** How many ids are remembered; calls are sent again within minutes. */
const keptIds = 50_000

/** What a call asks for: an answer at once, or events for so long. */
interface AgentCall {
  readonly id: string
  readonly streamMs?: number
}

/**
 * Starts it. `/rpc` answers with the caller's name, which the gate tells it, and the call's id; with `streamMs` as an
 * event stream that ends after that time.
 */
export async function startSoakAgent(grpcUrl: string): Promise<SoakAgent> {
  const reached = new Map<string, number>()
  const serve = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    if (req.url === cardPath) {
      res.setHeader('Content-Type', 'application/json')
      res.end(JSON.stringify(cardOf(`http://${req.headers.host ?? ''}`, grpcUrl)))
      return
    }
    const call = JSON.parse(await text(req)) as AgentCall
    reached.set(call.id, (reached.get(call.id) ?? 0) + 1)
    const [oldest] = reached.keys()
    if (reached.size > keptIds && oldest !== undefined) reached.delete(oldest)
    const caller = String(req.headers['totppeer'])
    if (call.streamMs === undefined) res.end(JSON.stringify({ caller, id: call.id }))
    else stream(res, `${caller} ${call.id}`, call.streamMs)
  }
  const server = createServer((req, res) => {
    serve(req, res).catch(() => res.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, reached }
}

function stream(res: ServerResponse, first: string, ms: number): void {
  res.writeHead(200, { 'Content-Type': 'text/event-stream' })
  res.write(`data: ${first}\n\n`)
  const ticks = setInterval(() => res.write('data: on\n\n'), 250)
  const end = setTimeout(() => res.end('data: last\n\n'), ms)
  res.on('close', () => {
    clearInterval(ticks)
    clearTimeout(end)
  })
}

function cardOf(origin: string, grpcUrl: string): object {
  return {
    name: 'soaked',
    description: 'answers',
    version: '1',
    supportedInterfaces: [
      { url: `${origin}/rpc`, protocolBinding: 'JSONRPC', protocolVersion: '1.0' },
      { url: new URL(grpcUrl).host, protocolBinding: 'GRPC', protocolVersion: '1.0' },
    ],
    capabilities: { streaming: true },
    defaultInputModes: ['text/plain'],
    defaultOutputModes: ['text/plain'],
    skills: [],
  }
}
