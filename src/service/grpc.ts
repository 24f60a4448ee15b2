import {
  ServerCredentials,
  ServerInterceptingCall,
  status,
  type Metadata,
  type Server,
  type ServerInterceptor,
} from '@grpc/grpc-js'
import { shownHost } from './address.js'
import { shownPath, stopwatch, type CallLog, type LoggedOutcome } from './call-log.js'
import { loopback, portError, type Listener } from './listener.js'

/**
 * Starts a gRPC server, without TLS. It needs a port of its own: gRPC is HTTP/2.
 *
 * @param port 0 for any free one
 * @param host an IP address of this machine; by default the loopback address
 * @throws {TOTPError} `ERR_PORT_UNAVAILABLE` when the port is in use or not allowed, or the address is not this machine's
 */
export async function listenGrpc(server: Server, port: number, host: string = loopback): Promise<Listener> {
  const shown = shownHost(host)
  const bound = await new Promise<number>((done, fail) => {
    server.bindAsync(`${shown}:${port}`, ServerCredentials.createInsecure(), (error, bound) => {
      if (error) fail(portError(port, error))
      else done(bound)
    })
  })
  return {
    address: `${shown}:${bound}`,
    stop: () => {
      server.forceShutdown()
      return Promise.resolve()
    },
  }
}

/**
 * Returns an interceptor that reports each call when it is over. It goes before the guard.
 *
 * @param outcomeOf returns the guard's outcome for a call; called when the call is over
 */
export function logGrpcCalls(
  outcomeOf: (call: { readonly metadata: Metadata }) => LoggedOutcome | undefined,
  log: CallLog,
): ServerInterceptor {
  return ({ path }, call) => {
    const elapsed = stopwatch()
    let received: Metadata | undefined
    let ended = false
    const finish = (status: string): void => {
      const outcome = received && outcomeOf({ metadata: received })
      log({ outcome, path: shownPath(path), status, durationMs: elapsed() })
    }
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, pass) => {
            received = metadata
            pass(metadata)
          },
          onCancel: () => {
            if (!ended) finish('CANCELLED')
          },
        }),
      sendStatus: (ending, next) => {
        ended = true
        finish(status[ending.code])
        next(ending)
      },
    })
  }
}
