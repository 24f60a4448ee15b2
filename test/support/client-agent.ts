import { LegacyA2AService, legacyGrpcService } from '@a2a-js/sdk/compat/v0_3/server/grpc'
import { DefaultRequestHandler, InMemoryTaskStore } from '@a2a-js/sdk/server'
import { agentCardHandler, jsonRpcHandler, restHandler } from '@a2a-js/sdk/server/express'
import { A2AService, grpcService } from '@a2a-js/sdk/server/grpc'
import { Server, ServerCredentials } from '@grpc/grpc-js'
import express from 'express'
import type { ReplayPolicy } from '../../src/core/profile.js'
import type { SignedPolicy } from '../../src/core/proof/profile.js'
import { EchoExecutor } from '../../src/demo/echo-executor.js'
import { memoryState } from '../../src/state/memory-state.js'
import { totpAgentCard, TOTPCallContextBuilder } from '../../src/server/a2a.js'
import { totpGuard } from '../../src/server/express.js'
import { grpcGuard, guardedService } from '../../src/server/grpc.js'
import { TOTPServerAuthScheme } from '../../src/server/index.js'
import { seed, token, type FakeClock } from './client-scheme.js'
import { bothVersionsAt, listenForAgent, type AgentServers } from './agent-servers.js'

/** What the guard saw of a request. */
export interface Seen {
  readonly binding: 'http' | 'grpc'
  readonly code: string
  readonly passed: boolean
}

export interface ClientAgent extends AgentServers {
  readonly seen: Seen[]
  /** How often the card was asked for. */
  readonly cardRequests: () => number
}

export interface ClientAgentOptions {
  readonly replay?: ReplayPolicy
  /** Anything but `off`, the default, makes its name `billing`. */
  readonly signed?: SignedPolicy
  readonly tls?: { readonly key: Buffer; readonly cert: Buffer }
  /** Changes the card before it is served. */
  readonly card?: (card: Record<string, unknown>) => Record<string, unknown>
}

/** The server whose clock is the client's: its guard with one peer, alice. */
export function watchedScheme(
  clock: Pick<FakeClock, 'now'>,
  replay: ReplayPolicy = 'reuse',
  signed: SignedPolicy = 'off',
): { scheme: TOTPServerAuthScheme; seen: Seen[] } {
  const scheme = new TOTPServerAuthScheme({
    peerSeeds: { alice: seed },
    tokenToPeer: { [token]: 'alice' },
    replay,
    state: memoryState({ since: new Date(0) }),
    now: clock.now,
    ...(signed !== 'off' && { agent: 'billing', signed }),
  })
  const seen: Seen[] = []
  const authenticate = scheme.authenticate.bind(scheme)
  scheme.authenticate = async (request) => {
    const outcome = await authenticate(request)
    const code = request.header('x-totp').join()
    seen.push({ binding: request.binding, code, passed: outcome.caller !== undefined })
    return outcome
  }
  return { scheme, seen }
}

/** A real agent behind the real guards: three bindings, protocol 1.0 and 0.3, and a public card. */
export async function clientAgent(
  clock: Pick<FakeClock, 'now'>,
  { replay, signed, tls, card = (same) => same }: ClientAgentOptions = {},
): Promise<ClientAgent> {
  const { scheme, seen } = watchedScheme(clock, replay, signed)
  // By name over TLS: of an address grpc-js makes a server name that Node 26 refuses to send.
  const host = tls ? 'localhost' : '127.0.0.1'
  const app = express()
  const grpcServer = new Server({ interceptors: [grpcGuard(scheme)] })
  const serverCredentials = tls
    ? ServerCredentials.createSsl(null, [{ private_key: tls.key, cert_chain: tls.cert }])
    : ServerCredentials.createInsecure()
  const servers = await listenForAgent(app, grpcServer, serverCredentials, host)

  const agentCard = totpAgentCard(card(bothVersionsAt(servers.origin, servers.grpc)))
  const requestHandler = new DefaultRequestHandler(agentCard, new InMemoryTaskStore(), new EchoExecutor())
  const legacyCompat = { enabled: true }
  const { userBuilder, contextBuilder } = new TOTPCallContextBuilder(scheme)
  const options = { requestHandler, legacyCompat, userBuilder, contextBuilder }
  let cardRequests = 0
  app.use('/.well-known/agent-card.json', (_request, _response, next) => {
    cardRequests++
    next()
  })
  app.use(
    '/.well-known/agent-card.json',
    agentCardHandler({ agentCardProvider: () => Promise.resolve(agentCard), legacyCompat }),
  )
  app.use(totpGuard(scheme))
  app.use('/jsonrpc', jsonRpcHandler(options))
  app.use('/rest', restHandler(options))
  grpcServer.addService(guardedService(A2AService), grpcService(options))
  grpcServer.addService(guardedService(LegacyA2AService), legacyGrpcService(options))

  return {
    ...servers,
    seen,
    cardRequests: () => cardRequests,
  }
}
