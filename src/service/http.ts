import { once } from 'node:events'
import type { RequestListener, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { shownAddress } from './address.js'
import { shownPath, stopwatch, type CallLog, type LoggedOutcome } from './call-log.js'
import { loopback, portError, type Listener } from './listener.js'

/**
 * Starts an HTTP server.
 *
 * @param port 0 for any free one
 * @param host an IP address of this machine; by default the loopback address
 * @throws {TOTPError} `ERR_PORT_UNAVAILABLE` when the port is in use or not allowed, or the address is not this machine's
 */
export async function listenHttp(server: Server, port: number, host: string = loopback): Promise<Listener> {
  server.listen(port, host)
  await once(server, 'listening').catch((error: unknown) => {
    throw portError(port, error)
  })
  return {
    address: shownAddress({ host, port: (server.address() as AddressInfo).port }),
    stop: async () => {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

/**
 * Wraps a handler so that each call is reported when it is over. It goes around everything, the guard included.
 *
 * @param outcomeOf returns the guard's outcome for a request; called when the call is over
 */
export function logHttpCalls(
  handler: RequestListener,
  outcomeOf: (request: object) => LoggedOutcome | undefined,
  log: CallLog,
): RequestListener {
  return (request, response) => {
    // Read before a router rewrites the URL.
    const { method = '', url = '' } = request
    const elapsed = stopwatch()
    response.once('close', () => {
      const status = response.writableFinished
        ? String(response.statusCode)
        : `${response.statusCode} (cut off)`
      log({ outcome: outcomeOf(request), method, path: shownPath(url), status, durationMs: elapsed() })
    })
    handler(request, response)
  }
}
