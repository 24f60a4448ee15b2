import { Message } from '@a2a-js/sdk'
import { LegacyA2AService, legacyGrpcService } from '@a2a-js/sdk/compat/v0_3/server/grpc'
import { A2AService, grpcService } from '@a2a-js/sdk/server/grpc'
import {
  credentials,
  makeGenericClientConstructor,
  Metadata,
  Server,
  ServerCredentials,
  type Client,
  type ServiceDefinition,
  type ServiceError,
  type ServerInterceptor,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'
import type { TOTPServerAuthScheme } from '../../src/server/index.js'
import { guardedService } from '../../src/server/grpc.js'
import { TOTPCallContextBuilder } from '../../src/server/a2a.js'
import { agentOf, type RecordingExecutor } from './guarded-agent.js'

/** A gRPC server on a free port of the loopback address. */
export class GrpcTestServer {
  readonly #server: Server
  #port = 0

  constructor(interceptors: ServerInterceptor[]) {
    this.#server = new Server({ interceptors })
  }

  add(service: ServiceDefinition, implementation: UntypedServiceImplementation): this {
    this.#server.addService(service, implementation)
    return this
  }

  async listen(): Promise<this> {
    this.#port = await new Promise<number>((done, fail) =>
      this.#server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
        error ? fail(error) : done(port),
      ),
    )
    return this
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`
  }

  close(): void {
    this.#server.forceShutdown()
  }
}

/** The SDK's two services behind those interceptors, of which the scheme's guard should be one. */
export async function grpcAgent(
  scheme: TOTPServerAuthScheme,
  interceptors: ServerInterceptor[],
): Promise<{ server: GrpcTestServer; executor: RecordingExecutor }> {
  const { requestHandler, executor } = agentOf('http://127.0.0.1:1')
  const { userBuilder, contextBuilder } = new TOTPCallContextBuilder(scheme)
  const options = { requestHandler, userBuilder, contextBuilder }
  const server = new GrpcTestServer(interceptors)
    .add(guardedService(A2AService), grpcService(options))
    .add(guardedService(LegacyA2AService), legacyGrpcService(options))
  return { server: await server.listen(), executor }
}

export const services = { '1.0': A2AService, '0.3': LegacyA2AService } as const
export type GrpcVersion = keyof typeof services

/** The metadata that names the version; 0.3 knows none (A2A 1.0 §3.6). */
export const versionOf = (version: GrpcVersion): Record<string, string> =>
  version === '1.0' ? { 'a2a-version': '1.0' } : {}

/** What each version's methods are sent, where an empty message will not do. */
const sent: Record<GrpcVersion, Record<string, object>> = {
  '1.0': {
    sendMessage: {
      message: Message.fromJSON({ messageId: 'm1', role: 'ROLE_USER', parts: [{ text: 'hi' }] }),
    },
    getTask: { id: 'none' },
  },
  '0.3': {
    sendMessage: {
      request: {
        ...{ messageId: 'm1', contextId: '', taskId: '', role: 1, metadata: {}, extensions: [] },
        content: [{ part: { $case: 'text', value: 'hi' } }],
      },
    },
    getTask: { name: 'tasks/none' },
  },
}

/** A message with every field that encoding wants. */
export function messageFor(version: GrpcVersion, method: string): object {
  const { requestDeserialize } = (services[version] as ServiceDefinition)[method] ?? {}
  const blank = requestDeserialize?.(Buffer.alloc(0)) as object
  return { ...blank, ...sent[version][method === 'sendStreamingMessage' ? 'sendMessage' : method] }
}

/** How a call ended, and what came before. */
export interface Ending {
  readonly code: number
  readonly details: string
  /** The trailers of a call that failed. */
  readonly trailers: Metadata
  readonly messages: unknown[]
}

/** Metadata with those entries; a value that is a list is sent as several fields. */
export function metadataOf(fields: Readonly<Record<string, string | readonly string[]>>): Metadata {
  const metadata = new Metadata()
  for (const [key, values] of Object.entries(fields)) {
    for (const value of [values].flat()) metadata.add(key, value)
  }
  return metadata
}

type Unary = (
  message: object,
  metadata: Metadata,
  done: (error: ServiceError | null, answer?: unknown) => void,
) => void
type ServerStream = (message: object, metadata: Metadata) => NodeJS.ReadableStream

/** Calls a method of a service by hand, with nothing but that metadata. */
export async function callGrpc(
  address: string,
  service: ServiceDefinition,
  method: string,
  message: object,
  metadata: Metadata,
): Promise<Ending> {
  const definition = service[method]
  if (!definition) throw new Error(`no method ${method}`)
  const Generic = makeGenericClientConstructor(service, 'test')
  const client: Client = new Generic(address, credentials.createInsecure())
  const methods = client as unknown as Record<string, unknown>
  const messages: unknown[] = []
  try {
    await new Promise<void>((done, fail) => {
      if (definition.responseStream) {
        const stream = (methods[method] as ServerStream).call(client, message, metadata)
        stream.on('data', (one: unknown) => messages.push(one))
        stream.on('error', fail)
        stream.on('end', done)
      } else {
        ;(methods[method] as Unary).call(client, message, metadata, (error, answer) => {
          if (error) fail(error)
          else done(void messages.push(answer))
        })
      }
    })
    return { code: 0, details: '', trailers: new Metadata(), messages }
  } catch (error) {
    const { code, details, metadata: trailers } = error as ServiceError
    return { code, details, trailers, messages }
  } finally {
    client.close()
  }
}
