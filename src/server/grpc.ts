/** The guard for gRPC, on @grpc/grpc-js. */
import {
  Metadata,
  ServerInterceptingCall,
  status,
  type MethodDefinition,
  type ServerInterceptor,
  type ServiceDefinition,
} from '@grpc/grpc-js'
import type { ServerHttp2Stream } from 'node:http2'
import { TOTPError } from '../core/errors.js'
import { cancel, drainStream, isHttp2Stream } from './adapters/drain.js'
import * as outcomes from './adapters/outcomes.js'
import { EndingCall } from './adapters/ending-call.js'
import { MessageContent } from './adapters/message-content.js'
import { bytesOf, ReleasedAnswer, sealMessage, unsealMessage } from './adapters/sealed-message.js'
import type { AuthOutcome, Caller } from './scheme/outcome.js'
import { grpcAnswer, type Refusal } from './scheme/refusal.js'
import type { AuthRequest } from './scheme/request.js'
import type { TOTPServerAuthScheme } from './scheme/scheme.js'

type Definition = MethodDefinition<unknown, unknown>
type Call = Parameters<ServerInterceptor>[1]

export interface GrpcGuardOptions {
  /**
   * Leaves `Check`, `Watch` and `List` of `grpc.health.v1.Health` open, for load balancers and orchestrators, which have no
   * credentials. Their handlers have no caller. By default they are guarded like everything else.
   */
  readonly health?: boolean
}

/** The methods of the health checking protocol, spelled as a server keeps them: a call has to match one exactly. */
const healthMethods: ReadonlySet<string> = new Set(
  ['Check', 'Watch', 'List'].map((name) => `/grpc.health.v1.Health/${name}`),
)

/**
 * An interceptor that lets only calls with both factors pass, unary calls and streams:
 *
 * ```ts
 * const server = new grpc.Server({ interceptors: [grpcGuard(scheme)] })
 * server.addService(guardedService(A2AService), grpcService({ requestHandler, ...new TOTPCallContextBuilder(scheme) }))
 * ```
 *
 * A refused call ends with UNAUTHENTICATED and the challenge in its trailers, with RESOURCE_EXHAUSTED or with
 * UNAVAILABLE; none of its messages is read. The interceptor guards every service of the server, reflection and health
 * checks included ({@link GrpcGuardOptions.health}). The server answers an unknown method with UNIMPLEMENTED before any
 * interceptor runs. Handlers behind it use `callerOf(call)`.
 *
 * A call with a proof needs {@link guardedService}, whose messages are compared with it; without, it is refused as
 * UNAVAILABLE where proofs matter. A stream of messages is signed by its first one, and a second one is refused.
 */
export function grpcGuard(scheme: TOTPServerAuthScheme, options: GrpcGuardOptions = {}): ServerInterceptor {
  return (method, call) => {
    const isOpen = options.health === true && healthMethods.has(method.path)
    const ending = new EndingCall(call)
    let content: MessageContent | undefined
    /** Set once the call was refused because of its content: then nothing more comes in or goes out. */
    let isRefused = false
    const refuse = (refusal: Refusal): void => {
      isRefused = true
      refuseCall(call, refusal)
    }
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, pass) => {
            if (isOpen) {
              pass(metadata)
              return
            }
            const request = (): AuthRequest => ({
              binding: 'grpc',
              method: 'POST',
              target: method.path,
              header: (name) => metadata.get(name).map(String),
              source: sourceOf(call),
              body: content,
            })
            if (scheme.readsProofs && isGuarded(method) && metadata.get('signature-input').length > 0) {
              content = new MessageContent((refusal) => {
                outcomes.amend(scheme, metadata, refusal)
                refuse(refusal)
              })
            }
            outcomes.decideThen(scheme, metadata, request, ({ caller, refusal }) => {
              if (!caller) {
                refuseCall(call, refusal)
                return
              }
              if (method.requestStream || method.responseStream) ending.tieTo(caller)
              if (!ending.ended) pass(metadata)
            })
          },
          // Messages are requested only after the metadata has passed, so these come from a caller that was let in.
          onReceiveMessage: (message: unknown, pass) => {
            if (ending.ended || isRefused) return
            if (content?.take(bytesOf(message)) === false) return
            let opened: unknown
            try {
              opened = unsealMessage(message)
            } catch {
              call.sendStatus({ code: status.INTERNAL, details: 'Error deserializing request' })
              return
            }
            pass(opened)
          },
          onReceiveHalfClose: (pass) => {
            if (!isRefused && content?.takeEnd() !== false) pass()
          },
          onCancel: () => ending.release(),
        }),
      sendMessage: (message: unknown, next) => {
        if (!ending.ended && !isRefused) next(isGuarded(method) ? ReleasedAnswer.of(message) : message)
      },
    })
  }
}

/** Marks the methods of {@link guardedService} by their functions, which are all that a server keeps of them. */
const guardedSerializers = new WeakSet<Definition['responseSerialize']>()

const isGuarded = ({ responseSerialize }: Pick<Definition, 'responseSerialize'>): boolean =>
  guardedSerializers.has(responseSerialize)

/**
 * Wraps a service so that it does not work without {@link grpcGuard}: if the interceptor was forgotten, handlers cannot
 * read a message, none of their answers is sent, and the call ends with an error. With the interceptor the service works
 * as before, and messages are parsed only after their caller was let in.
 */
export function guardedService<S extends ServiceDefinition>(service: S): S {
  const methods = Object.entries(service as Readonly<Record<string, Definition>>).map(([name, method]) => {
    const { requestDeserialize, responseSerialize } = method
    const guarded: Definition = {
      ...method,
      requestDeserialize: (bytes) => sealMessage(bytes, () => requestDeserialize(bytes), guardMissing),
      responseSerialize: (answer) => {
        if (!(answer instanceof ReleasedAnswer)) throw guardMissing()
        return responseSerialize(answer.message)
      },
    }
    guardedSerializers.add(guarded.responseSerialize)
    return [name, guarded]
  })
  return Object.fromEntries(methods) as S
}

/** The caller of a call, see {@link outcomes.callerOf}. */
export function callerOf(
  call: { readonly metadata: Metadata },
  scheme?: TOTPServerAuthScheme,
): Caller | undefined {
  return outcomes.callerOf(call.metadata, scheme)
}

/** The outcome of a call, for logs, see {@link outcomes.outcomeOf}. */
export function outcomeOf(
  call: { readonly metadata: Metadata },
  scheme?: TOTPServerAuthScheme,
): AuthOutcome | undefined {
  return outcomes.outcomeOf(call.metadata, scheme)
}

function refuseCall(call: Call, refusal: Refusal): void {
  const { status: name, details, trailers } = grpcAnswer(refusal)
  const metadata = new Metadata()
  for (const [key, value] of trailers) metadata.add(key, value)
  call.sendStatus({ code: status[name], details, metadata })
  const stream = streamOf(call)
  // Not NO_ERROR, which leaves the stream open at a client on Node that is still sending.
  if (stream) drainStream(stream, cancel)
}

/**
 * The HTTP/2 stream of a call. grpc-js leaves it open for as long as a refused client sends, and has no public way to
 * close it. Where the fields are called otherwise, it stays so.
 */
function streamOf(call: object): ServerHttp2Stream | undefined {
  let inner: { readonly stream?: unknown; readonly nextCall?: object } | undefined = call
  while (inner && !isHttp2Stream(inner.stream)) inner = inner.nextCall
  return inner?.stream as ServerHttp2Stream | undefined
}

/** The peer's address without its port. */
function sourceOf(call: Call): string {
  return call.getPeer().replace(/:\d+$/, '')
}

function guardMissing(): TOTPError {
  return new TOTPError(
    'ERR_GUARD_MISSING',
    'no guard has let this call pass; add the interceptor grpcGuard(scheme) to the server',
  )
}
