import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { createServer, type Server } from 'node:http'
import type { AgentCard } from '@a2a-js/sdk'
import { DefaultRequestHandler, InMemoryTaskStore, type RequestContext } from '@a2a-js/sdk/server'
import express, { type Express } from 'express'
import { EchoExecutor } from '../../src/demo/echo-executor.js'
import { totpAgentCard } from '../../src/server/a2a.js'

/** A server on a free port of the loopback address. Its handlers may be mounted while it listens. */
export class TestServer {
  readonly app: Express = express()
  readonly #server: Server = createServer(this.app)

  async listen(): Promise<this> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done))
    return this
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`
  }

  async close(): Promise<void> {
    const closed = new Promise((done) => this.#server.close(done))
    this.#server.closeAllConnections()
    await closed
  }

  /** Sends bytes as they are and gives all that comes back until the server hangs up. */
  raw(text: string): Promise<string> {
    return new Promise((done, fail) => {
      const chunks: Buffer[] = []
      const socket = connect(this.port, '127.0.0.1', () => socket.write(text, 'latin1'))
      socket.on('data', (chunk) => chunks.push(chunk))
      socket.on('error', fail)
      socket.on('close', () => done(Buffer.concat(chunks).toString('latin1')))
      socket.setTimeout(5000, () => socket.destroy(new Error('the server did not hang up')))
    })
  }
}

/** Echoes, and remembers what it was asked to do. */
export class RecordingExecutor extends EchoExecutor {
  readonly calls: RequestContext[] = []

  override execute(...[context, bus]: Parameters<EchoExecutor['execute']>): Promise<void> {
    this.calls.push(context)
    return super.execute(context, bus)
  }
}

/** The SDK tells an executor only of extensions that the card declares. */
export const testExtension = 'https://extension.example/x'

export const cardJson = (origin: string): Record<string, unknown> => ({
  name: 'test',
  description: 'an agent of the tests',
  version: '1.0.0',
  supportedInterfaces: (['1.0', '0.3'] as const).flatMap((protocolVersion) => [
    { url: `${origin}/a2a/jsonrpc`, protocolBinding: 'JSONRPC', protocolVersion },
    { url: `${origin}/a2a/rest`, protocolBinding: 'HTTP+JSON', protocolVersion },
    { url: origin.replace('http://', ''), protocolBinding: 'GRPC', protocolVersion },
  ]),
  capabilities: { streaming: true, extendedAgentCard: true, extensions: [{ uri: testExtension }] },
  defaultInputModes: ['text/plain'],
  defaultOutputModes: ['text/plain'],
  skills: [],
})

/** What the SDK's handlers stand on. */
export function agentOf(origin: string): {
  card: AgentCard
  executor: RecordingExecutor
  requestHandler: DefaultRequestHandler
} {
  const card = totpAgentCard(cardJson(origin))
  const executor = new RecordingExecutor()
  return {
    card,
    executor,
    requestHandler: new DefaultRequestHandler(card, new InMemoryTaskStore(), executor),
  }
}
