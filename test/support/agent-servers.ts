import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Message } from '@a2a-js/sdk'
import { AgentEvent, type AgentExecutor } from '@a2a-js/sdk/server'
import { ServerCredentials, type Server } from '@grpc/grpc-js'

// What agents on @a2a-js/sdk have in common here.

export interface AgentServers extends AsyncDisposable {
  readonly origin: string
  /** Host and port of the gRPC server. */
  readonly grpc: string
}

/**
 * Starts the HTTP and the gRPC server of an agent, each on a free port. What it serves may be added later.
 *
 * @param host what its addresses call 127.0.0.1
 */
export async function listenForAgent(
  app: RequestListener,
  grpcServer: Server,
  credentials: ServerCredentials = ServerCredentials.createInsecure(),
  host = '127.0.0.1',
): Promise<AgentServers> {
  const http = createServer(app).listen(0, '127.0.0.1')
  await once(http, 'listening')
  const grpcPort = await new Promise<number>((done, fail) =>
    grpcServer.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error ? fail(error) : done(bound))),
  )
  return {
    origin: `http://${host}:${(http.address() as AddressInfo).port}`,
    grpc: `${host}:${grpcPort}`,
    [Symbol.asyncDispose]: async () => {
      grpcServer.forceShutdown()
      http.closeAllConnections()
      http.close()
      await once(http, 'close')
    },
  }
}

/** The card of an agent with both versions at `/jsonrpc` and `/rest`, and in gRPC where that is named. */
export const bothVersionsAt = (origin: string, grpc?: string): Record<string, unknown> => ({
  name: 'guarded',
  description: 'says something',
  version: '1',
  supportedInterfaces: ['1.0', '0.3'].flatMap((protocolVersion) => [
    { url: `${origin}/jsonrpc`, protocolBinding: 'JSONRPC', protocolVersion },
    { url: `${origin}/rest`, protocolBinding: 'HTTP+JSON', protocolVersion },
    ...(grpc === undefined ? [] : [{ url: grpc, protocolBinding: 'GRPC', protocolVersion }]),
  ]),
  capabilities: { streaming: true },
  defaultInputModes: ['text/plain'],
  defaultOutputModes: ['text/plain'],
  skills: [],
})

/** Answers every message with `hello`. */
export const saysHello: AgentExecutor = {
  execute: ({ contextId }, bus) => {
    bus.publish(
      AgentEvent.message(
        Message.fromJSON({ messageId: 'reply', contextId, role: 'ROLE_AGENT', parts: [{ text: 'hello' }] }),
      ),
    )
    bus.finished()
    return Promise.resolve()
  },
  cancelTask: () => Promise.resolve(),
}
