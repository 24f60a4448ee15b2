import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { AgentCard } from '@a2a-js/sdk'
import { DefaultRequestHandler, InMemoryTaskStore } from '@a2a-js/sdk/server'
import { agentCardHandler, jsonRpcHandler, restHandler } from '@a2a-js/sdk/server/express'
import express, { type Express } from 'express'
import { A2aTotpError } from '../core/errors.js'
import type { Roster } from '../core/peer.js'
import { memoryGuard } from '../guards/memory-guard.js'
import { TOTPCallContextBuilder } from '../server/a2a.js'
import { totpGuard } from '../server/express.js'
import { rosterOptions } from '../server/roster.js'
import { TOTPServerAuthScheme } from '../server/totp-server-auth-scheme.js'
import { callLog, type Log } from './call-log.js'
import { demoCard, interfacesAt, paths, type DemoInterface } from './demo-card.js'
import { EchoExecutor } from './echo-executor.js'

export type { DemoInterface } from './demo-card.js'

export interface DemoOptions {
  readonly roster: Roster
  /** 0 for any that is free. */
  readonly port: number
  readonly now?: () => Date
  /** Is given one line a call, without secrets. */
  readonly log?: Log
  /** What the card calls the agent; by default the roster's name for it. */
  readonly name?: string
}

export interface DemoAgent {
  readonly cardUrl: string
  readonly interfaces: readonly DemoInterface[]
  /** Ends every connection, streams too, and frees the port. */
  close(): Promise<void>
}

const host = '127.0.0.1'
const cardPath = '/.well-known/agent-card.json'

/**
 * Starts a real A2A agent on the loopback address, protected by a roster: JSON-RPC and HTTP+JSON, protocols 1.0
 * and 0.3. Later changes of the roster do not reach it.
 *
 * @throws {A2aTotpError} `ERR_PORT_UNAVAILABLE` when the port is taken or not allowed; `ERR_SEED_MISSING` for a peer
 *   without seeds.
 */
export async function startDemoAgent(options: DemoOptions): Promise<DemoAgent> {
  const { roster, port, now, log = () => undefined, name = roster.agent } = options
  const scheme = new TOTPServerAuthScheme({
    ...rosterOptions(roster),
    // It only says things back, so a code from before a restart does no harm, and the first call need not wait.
    guard: memoryGuard({ since: new Date(0) }),
    // Whoever keeps the roster let these in.
    allowWeakSeeds: true,
    ...(now && { now }),
  })

  // The card names the port, which is known only once the server listens.
  const app = express()
  const server = createServer(app)
  await listen(server, port)
  const origin = `http://${host}:${(server.address() as AddressInfo).port}`
  const interfaces = interfacesAt(origin)
  mount(app, scheme, demoCard(name, interfaces, roster.profile.header), log)
  return { cardUrl: origin + cardPath, interfaces, close: () => close(server) }
}

function mount(app: Express, scheme: TOTPServerAuthScheme, card: AgentCard, log: Log): void {
  const requestHandler = new DefaultRequestHandler(card, new InMemoryTaskStore(), new EchoExecutor())
  const legacyCompat = { enabled: true }
  const { userBuilder, contextBuilder } = new TOTPCallContextBuilder()
  const handlerOptions = { requestHandler, userBuilder, contextBuilder, legacyCompat }

  app.disable('x-powered-by')
  app.use(callLog(log))
  app.use(
    cardPath,
    agentCardHandler({ agentCardProvider: requestHandler, legacyCompat, cache: { maxAge: 0 } }),
  )
  app.use(totpGuard(scheme))
  app.use(paths.JSONRPC, jsonRpcHandler(handlerOptions))
  app.use(paths['HTTP+JSON'], restHandler(handlerOptions))
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((done, fail) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const known = { EADDRINUSE: 'is in use', EACCES: 'needs more rights' }[String(error.code)]
      if (known === undefined) fail(error)
      else
        fail(new A2aTotpError('ERR_PORT_UNAVAILABLE', `port ${port} ${known}; choose another, or 0 for any`))
    })
    server.listen(port, host, done)
  })
}

function close(server: Server): Promise<void> {
  return new Promise((done) => {
    server.close(() => done())
    server.closeAllConnections()
  })
}
