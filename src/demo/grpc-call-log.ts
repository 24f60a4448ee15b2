import { ServerInterceptingCall, status, type Metadata, type ServerInterceptor } from '@grpc/grpc-js'
import { outcomeOf } from '../server/grpc.js'
import { sinceMs, whoOf, type Log } from './call-log.js'

/** One line a call, like `callLog`: who, or why not; method, status, milliseconds. Stands before the guard. */
export function grpcCallLog(log: Log): ServerInterceptor {
  return ({ path }, call) => {
    const begin = process.hrtime.bigint()
    let seen: Metadata | undefined
    const write = (ending: string): void => {
      log(`${whoOf(seen && outcomeOf({ metadata: seen }))} ${path} ${ending} ${sinceMs(begin)} ms`)
    }
    let ended = false
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, pass) => {
            seen = metadata
            pass(metadata)
          },
          onCancel: () => {
            if (!ended) write('CANCELLED')
          },
        }),
      sendStatus: (ending, next) => {
        ended = true
        write(status[ending.code])
        next(ending)
      },
    })
  }
}
