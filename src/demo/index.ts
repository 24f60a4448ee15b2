import { createServer } from 'node:http'
import type { AgentCard } from '@a2a-js/sdk'
import { LegacyA2AService, legacyGrpcService } from '@a2a-js/sdk/compat/v0_3/server/grpc'
import { DefaultRequestHandler } from '@a2a-js/sdk/server'
import { jsonRpcHandler, restHandler } from '@a2a-js/sdk/server/express'
import { A2AService, grpcService } from '@a2a-js/sdk/server/grpc'
import * as grpc from '@grpc/grpc-js'
import express, { type Express } from 'express'
import { cardPath } from '../core/card/shapes.js'
import type { Roster } from '../core/roster.js'
import { count, printable } from '../core/text.js'
import { memoryState } from '../state/memory-state.js'
import { TOTPCallContextBuilder } from '../server/a2a.js'
import { outcomeOf, totpCardHandler, totpGuard } from '../server/express.js'
import { grpcGuard, guardedService, outcomeOf as grpcOutcomeOf } from '../server/grpc.js'
import type { AuthEvent, ServerFileEvent } from '../server/scheme/events.js'
import { rosterOptions } from '../server/scheme/roster.js'
import { TOTPServerAuthScheme } from '../server/scheme/scheme.js'
import { formatCall, type LoggedCall } from '../service/call-log.js'
import { listenGrpc, logGrpcCalls } from '../service/grpc.js'
import { listenHttp, logHttpCalls } from '../service/http.js'
import { everyBinding, type DemoBinding } from './bindings.js'
import { demoCard, interfacesAt, paths, type DemoInterface } from './demo-card.js'
import { EchoExecutor } from './echo-executor.js'
import { RecentTasks } from './recent-tasks.js'

export type { DemoInterface } from './demo-card.js'

/** What protects a demo agent. */
type Protection =
  | { readonly roster: Roster }
  | {
      /** The path of a server file, which is followed. */
      readonly serverFile: string
    }

export type DemoOptions = Protection & {
  /** The HTTP port; 0 for any free one. gRPC always takes a free one. */
  readonly port: number
  /** What it serves and names in its card; by default everything. */
  readonly bindings?: readonly DemoBinding[]
  readonly now?: () => Date
  /** Receives one line for each finished call, without secrets. */
  readonly log?: (line: string) => void
  /** The agent's name in its card; by default the name in the roster or the file. */
  readonly name?: string
}

export interface DemoAgent {
  readonly cardUrl: string
  readonly interfaces: readonly DemoInterface[]
  /** Ends every connection, streams too, and frees the port. */
  close(): Promise<void>
}

/**
 * Starts a real A2A agent on the loopback address, protected by a roster: JSON-RPC, HTTP+JSON and gRPC, or some of
 * them, protocols 1.0 and 0.3. The card is always served over HTTP. Later changes to the roster have no effect on it;
 * those of a server file do.
 *
 * @throws {TOTPError} `ERR_PORT_UNAVAILABLE` when the port is in use or not allowed; `ERR_SEED_MISSING` when a peer has
 *   no seeds; `ERR_CONFIG_INVALID` when peers share a seed under `once`, and for a file that cannot be used;
 *   `ERR_FILE_UNREADABLE`
 */
export async function startDemoAgent(options: DemoOptions): Promise<DemoAgent> {
  const { port, log = () => undefined, bindings = everyBinding } = options
  const serves = (binding: DemoBinding): boolean => bindings.includes(binding)
  const scheme = schemeOf(options, (event) => {
    const note = noteOf(event)
    if (note !== undefined) log(printable(note))
  })
  const name = options.name ?? ('roster' in options ? options.roster.agent : (scheme.agent ?? 'agent'))

  // The card contains the ports, which are known only once the servers listen.
  const app = express()
  const logCall = (call: LoggedCall): void => log(formatCall(call))
  const http = await listenHttp(createServer(logHttpCalls(app, outcomeOf, logCall)), port)
  const interceptors = [logGrpcCalls(grpcOutcomeOf, logCall), grpcGuard(scheme)]
  const grpcServer = new grpc.Server({ interceptors })
  const grpcListener = serves('grpc') ? await listenGrpc(grpcServer, 0) : undefined
  const origin = `http://${http.address}`
  const interfaces = interfacesAt({
    ...(serves('jsonrpc') && { JSONRPC: origin + paths.JSONRPC }),
    ...(serves('rest') && { 'HTTP+JSON': origin + paths['HTTP+JSON'] }),
    ...(grpcListener && { GRPC: grpcListener.address }),
  })

  const card = demoCard(name, interfaces, scheme)
  const requestHandler = new DefaultRequestHandler(card, new RecentTasks(), new EchoExecutor())
  const { userBuilder, contextBuilder } = new TOTPCallContextBuilder(scheme)
  const services = { requestHandler, userBuilder, contextBuilder }
  mount(app, card, scheme, services, serves)
  grpcServer.addService(guardedService(A2AService), grpcService(services))
  grpcServer.addService(guardedService(LegacyA2AService), legacyGrpcService(services))
  return {
    cardUrl: origin + cardPath,
    interfaces,
    close: async () => {
      scheme.close()
      await Promise.all([grpcListener?.stop(), http.stop()])
    },
  }
}

function schemeOf(options: DemoOptions, onEvent: (event: DemoEvent) => void): TOTPServerAuthScheme {
  const shared = {
    // The agent only echoes, so replaying a code from before a restart does no harm, and no first call has to wait.
    state: memoryState({ since: new Date(0) }),
    // Who provisioned the peers has allowed them already.
    allowWeakSeeds: true,
    onEvent,
    now: options.now,
  }
  return 'serverFile' in options
    ? TOTPServerAuthScheme.fromFile(options.serverFile, shared)
    : new TOTPServerAuthScheme({ ...rosterOptions(options.roster), ...shared })
}

type DemoEvent = AuthEvent | ServerFileEvent

type EventOf<T extends DemoEvent['type'], E = DemoEvent> = E extends { readonly type: T } ? E : never

/** What the log says of an event besides the line of its call, which has the rest. */
const notes: { readonly [T in DemoEvent['type']]?: (event: EventOf<T>) => string } = {
  token_compromise_suspected: ({ peer }) => `${peer}: its token may be stolen: rotate it`,
  code_stale: ({ peer, drift }) =>
    `${peer}: its clock is ${count(Math.abs(drift), 'time step')} ${drift < 0 ? 'behind' : 'ahead'}`,
  canary_used: ({ canary }) => `${canary}: the token of this canary was sent`,
  clock_jumped: ({ peer }) => `${peer}: its codes come from two clocks: is its seed on a second machine?`,
  code_from_two_sources: ({ peer }) => `${peer}: a code came from two addresses: somebody captured it`,
  server_file_loaded: ({ path }) => `server file ${path} is in force`,
  server_file_refused: ({ message }) => message,
  server_file_exposed: ({ message }) => message,
}

function noteOf(event: DemoEvent): string | undefined {
  const note = notes[event.type] as ((event: DemoEvent) => string) | undefined
  return note?.(event)
}

/** What the handlers of each binding share. */
interface Services extends Pick<TOTPCallContextBuilder, 'userBuilder' | 'contextBuilder'> {
  readonly requestHandler: DefaultRequestHandler
}

function mount(
  app: Express,
  card: AgentCard,
  scheme: TOTPServerAuthScheme,
  services: Services,
  serves: (binding: DemoBinding) => boolean,
): void {
  const legacyCompat = { enabled: true }
  app.disable('x-powered-by')
  app.use(cardPath, totpCardHandler(card))
  app.use(totpGuard(scheme))
  if (serves('jsonrpc')) app.use(paths.JSONRPC, jsonRpcHandler({ ...services, legacyCompat }))
  if (serves('rest')) app.use(paths['HTTP+JSON'], restHandler({ ...services, legacyCompat }))
}
