import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { AgentCard } from '@a2a-js/sdk'
import { LegacyA2AService, legacyGrpcService } from '@a2a-js/sdk/compat/v0_3/server/grpc'
import { DefaultRequestHandler, InMemoryTaskStore } from '@a2a-js/sdk/server'
import { agentCardHandler, jsonRpcHandler, restHandler, UserBuilder } from '@a2a-js/sdk/server/express'
import { A2AService, grpcService } from '@a2a-js/sdk/server/grpc'
import {
  Metadata,
  Server,
  status,
  type handleUnaryCall,
  type MethodDefinition,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'
import express from 'express'
import type { ReplayPolicy } from '../../src/core/profile.js'
import { digestOf } from '../../src/core/proof/digest.js'
import type { SignedPolicy } from '../../src/core/proof/profile.js'
import {
  httpAnswer,
  TOTPServerAuthScheme,
  type AuthOutcome,
  type AuthRequest,
  type Refusal,
  type RefusalReason,
} from '../../src/server/index.js'
import { grpcAnswer } from '../../src/server/scheme/refusal.js'
import { memoryState } from '../../src/state/memory-state.js'
import { seed, token, type FakeClock } from './client-scheme.js'
import { bothVersionsAt, listenForAgent, saysHello } from './agent-servers.js'

export const agentName = 'billing'

/** A request as it came, and what became of it. */
export interface Arrived {
  readonly binding: 'http' | 'grpc'
  readonly method: string
  readonly target: string
  /** All field lines, combined; empty if there is none. */
  readonly header: (name: string) => string
  readonly body: Buffer
  readonly verdict: 'signed' | 'signed-head' | 'code' | RefusalReason
}

export interface SignedServer extends AsyncDisposable {
  readonly origin: string
  readonly arrived: Arrived[]
}

export interface SignedServerOptions {
  readonly signed?: SignedPolicy
  readonly replay?: ReplayPolicy
  /** Called with each request before the scheme looks at the clock: time can pass here. */
  readonly onArrival?: () => void
}

interface Doorman {
  readonly arrived: Arrived[]
  readonly decide: (request: Omit<AuthRequest, 'body'>, content: Buffer) => Promise<AuthOutcome>
  readonly decideHttp: (request: IncomingMessage, content: Buffer) => Promise<AuthOutcome>
  readonly refuseHttp: (response: ServerResponse, refusal: Refusal) => void
}

/**
 * Our scheme behind a guard of a few lines, which reads the whole content before it decides. Clients are tried against it
 * in place of our own guards: here each test sees what arrived, byte for byte.
 */
export function doorman(
  clock: Pick<FakeClock, 'now'>,
  { signed = 'require', replay = 'reuse', onArrival }: SignedServerOptions,
): Doorman {
  const arrived: Arrived[] = []
  const scheme = new TOTPServerAuthScheme({
    peerSeeds: { alice: seed },
    tokenToPeer: { [token]: 'alice' },
    replay,
    state: memoryState({ since: new Date(0) }),
    now: clock.now,
    onEvent: () => undefined,
    ...(signed !== 'off' && { agent: agentName, signed }),
  })
  const decide = async (request: Omit<AuthRequest, 'body'>, body: Buffer) => {
    onArrival?.()
    const outcome = await scheme.authenticate({
      ...request,
      header: (name) => request.header(name),
      body: { expectDigest: (_algorithm, digest) => digestOf(request.binding, body).equals(digest) },
    })
    const { binding, method, target } = request
    const header = (name: string) => request.header(name).join(', ')
    const verdict = outcome.caller?.proof ?? outcome.refusal?.reason ?? 'code-missing'
    arrived.push({ binding, method, target, header, body, verdict })
    return outcome
  }
  const decideHttp = ({ method = '', url: target = '', rawHeaders }: IncomingMessage, body: Buffer) =>
    decide({ binding: 'http', method, target, header: (name) => linesOf(rawHeaders, name) }, body)
  /** With the date of the same clock: another one would be warned of. */
  const refuseHttp = (response: ServerResponse, refusal: Refusal): void => {
    const { status: code, headers, body } = httpAnswer(refusal)
    response.writeHead(code, [...headers.flat(), 'Date', clock.now().toUTCString()]).end(body)
  }
  return { arrived, decide, decideHttp, refuseHttp }
}

type Answer = (request: Arrived, response: ServerResponse, count: number) => void

/** A server on node:http. It answers 200 with the target unless told otherwise; a request that is let in or not. */
export async function signedServer(
  clock: Pick<FakeClock, 'now'>,
  options: SignedServerOptions & { readonly answer?: Answer } = {},
): Promise<SignedServer> {
  const { arrived, decideHttp, refuseHttp } = doorman(clock, options)
  const { answer = ({ target }, response) => response.end(target) } = options
  const server = createServer((incoming, response) => {
    void buffer(incoming).then(async (body) => {
      const { refusal } = await decideHttp(incoming, body)
      const latest = arrived.at(-1)
      if (refusal) refuseHttp(response, refusal)
      else if (latest) answer(latest, response, arrived.length)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrived,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** A real agent on @a2a-js/sdk 1.3, over three bindings, for protocol 1.0 and 0.3. Its card is public. */
export async function signedAgent(
  clock: Pick<FakeClock, 'now'>,
  options: SignedServerOptions = {},
): Promise<SignedServer & { readonly grpc: string }> {
  const { arrived, decide, decideHttp, refuseHttp } = doorman(clock, options)
  const app = express()
  const grpcServer = new Server()
  const servers = await listenForAgent(app, grpcServer)
  const card = AgentCard.fromJSON(bothVersionsAt(servers.origin, servers.grpc))
  const requestHandler = new DefaultRequestHandler(card, new InMemoryTaskStore(), saysHello)
  const legacyCompat = { enabled: true }
  const common = { requestHandler, userBuilder: UserBuilder.noAuthentication, legacyCompat }

  const contents = new WeakMap<object, Buffer>()
  app.use(
    '/.well-known/agent-card.json',
    agentCardHandler({ agentCardProvider: requestHandler, legacyCompat }),
  )
  app.use(
    express.json({ type: () => true, verify: (request, _response, body) => contents.set(request, body) }),
  )
  app.use((request, response, next) => {
    void decideHttp(request, contents.get(request) ?? Buffer.alloc(0)).then(({ refusal }) =>
      refusal ? refuseHttp(response, refusal) : next(),
    )
  })
  app.use('/jsonrpc', jsonRpcHandler(common))
  app.use('/rest', restHandler(common))
  for (const [service, handlers] of [
    [A2AService, grpcService(common)],
    [LegacyA2AService, legacyGrpcService(common)],
  ] as const) {
    grpcServer.addService(...watched(service, handlers, contents, decide))
  }
  return { ...servers, arrived }
}

type Decide = Doorman['decide']
type Definition = MethodDefinition<object, object>

/** The service with a guard in front of each handler, which sees the bytes of the message. */
export function watched(
  service: ServiceDefinition,
  handlers: UntypedServiceImplementation,
  contents: WeakMap<object, Buffer>,
  decide: Decide,
): [ServiceDefinition, UntypedServiceImplementation] {
  const methods = Object.entries(service as unknown as Record<string, Definition>)
  const definition = methods.map(([name, method]) => {
    const requestDeserialize = (bytes: Buffer): object => {
      const message = method.requestDeserialize(bytes)
      contents.set(message, Buffer.from(bytes))
      return message
    }
    return [name, { ...method, requestDeserialize }]
  })
  const guarded = methods.map(([name, method]) => {
    const handle = handlers[name] as handleUnaryCall<object, object>
    const guard: handleUnaryCall<object, object> = (call, done) => {
      const header = (field: string) => call.metadata.get(field).map(String)
      const request = { binding: 'grpc', method: 'POST', target: method.path, header } as const
      void decide(request, contents.get(call.request) ?? Buffer.alloc(0)).then(({ refusal }) => {
        if (!refusal) {
          handle(call, done)
          return
        }
        const { details, trailers } = grpcAnswer(refusal)
        const metadata = new Metadata()
        for (const [key, value] of trailers) metadata.add(key, value)
        const error = Object.assign(new Error(details), { code: status.UNAUTHENTICATED, details, metadata })
        if (method.responseStream) call.emit('error', error)
        else done(error)
      })
    }
    return [name, guard]
  })
  return [
    Object.fromEntries(definition) as ServiceDefinition,
    Object.fromEntries(guarded) as UntypedServiceImplementation,
  ]
}

function linesOf(rawHeaders: readonly string[], name: string): string[] {
  return rawHeaders.flatMap((field, index) =>
    index % 2 === 0 && field.toLowerCase() === name ? [rawHeaders[index + 1] ?? ''] : [],
  )
}
