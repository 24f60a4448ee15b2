import type { AgentCard } from 'a2a-sdk-0.3'
import { DefaultRequestHandler, InMemoryTaskStore, type AgentExecutor } from 'a2a-sdk-0.3/server'
import { agentCardHandler, jsonRpcHandler, restHandler } from 'a2a-sdk-0.3/server/express'
import { A2AService, grpcService } from 'a2a-sdk-0.3/server/grpc'
import { Server } from '@grpc/grpc-js'
import express from 'express'
import { withTotpSecurity } from '../../src/core/card/security.js'
import type { CardJson } from '../../src/core/card/shapes.js'
import { TOTPCallContextBuilder } from '../../src/server/a2a.js'
import { totpGuard } from '../../src/server/express.js'
import { grpcGuard, guardedService } from '../../src/server/grpc.js'
import type { TOTPServerAuthScheme } from '../../src/server/scheme/scheme.js'
import { routesOf, type Route } from './routes.js'
import { listenForAgent, type AgentServers } from './agent-servers.js'

export interface Agent03 extends AgentServers {
  /** All that the SDK mounts behind the guard. */
  readonly routes: readonly Route[]
}

/** Says back who is calling. */
const welcoming: AgentExecutor = {
  execute: ({ contextId, context }, bus) => {
    const text = `${context?.user?.userName ?? 'nobody'} is welcome`
    bus.publish({
      kind: 'message',
      messageId: 'reply',
      role: 'agent',
      contextId,
      parts: [{ kind: 'text', text }],
    })
    bus.finished()
    return Promise.resolve()
  },
  cancelTask: () => Promise.resolve(),
}

/** A real agent on @a2a-js/sdk 0.3.14 behind our guards, over its three bindings; its card is public. */
export async function agent03(scheme: TOTPServerAuthScheme, executor = welcoming): Promise<Agent03> {
  const app = express()
  const grpcServer = new Server({ interceptors: [grpcGuard(scheme)] })
  const servers = await listenForAgent(app, grpcServer)
  const card = withTotpSecurity(cardAt(servers.origin, servers.grpc), {
    protocol: '0.3',
  }) as unknown as AgentCard
  const requestHandler = new DefaultRequestHandler(card, new InMemoryTaskStore(), executor)
  const { userBuilder } = new TOTPCallContextBuilder(scheme)
  const options = { requestHandler, userBuilder }
  app.use('/.well-known/agent-card.json', agentCardHandler({ agentCardProvider: requestHandler }))
  app.use(totpGuard(scheme))
  const handlers = { '/jsonrpc': jsonRpcHandler(options), '/rest': restHandler(options) }
  for (const [path, handler] of Object.entries(handlers)) app.use(path, handler)
  grpcServer.addService(guardedService(A2AService), grpcService(options))
  return {
    ...servers,
    routes: Object.entries(handlers).flatMap(([path, handler]) => routesOf(handler, path)),
  }
}

function cardAt(origin: string, grpc: string): CardJson {
  return {
    protocolVersion: '0.3.0',
    name: 'older',
    description: 'says who is calling',
    version: '1',
    url: `${origin}/jsonrpc`,
    preferredTransport: 'JSONRPC',
    additionalInterfaces: [
      { transport: 'HTTP+JSON', url: `${origin}/rest` },
      { transport: 'GRPC', url: grpc },
    ],
    capabilities: { streaming: true },
    defaultInputModes: ['text/plain'],
    defaultOutputModes: ['text/plain'],
    skills: [],
  }
}
