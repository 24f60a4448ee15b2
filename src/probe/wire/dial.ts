import { connect, type Socket } from 'node:net'
import type { Trouble } from './raw-answer.js'
import { explain, NoConnection } from './trouble.js'

/** Where to connect to: the host as in a URL, with brackets around an IPv6 address. */
export interface Place {
  readonly hostname: string
  readonly port: number
}

/** How long a connection may take to open. */
export interface Life {
  readonly signal: AbortSignal
  /** What is reported when the signal ends it. */
  readonly ended: () => Trouble
}

/** A host without the brackets of an IPv6 address. */
export const bareHost = ({ hostname }: Pick<Place, 'hostname'>): string => hostname.replace(/^\[|\]$/g, '')

/**
 * Opens a TCP connection. `localhost` is this machine, whatever a resolver says: 127.0.0.1, or `::1` where nothing
 * listens on the former.
 *
 * @throws {NoConnection}
 */
export async function dial(place: Place, life: Life): Promise<Socket> {
  const { port } = place
  if (place.hostname !== 'localhost') return dialHost(bareHost(place), port, life)
  try {
    return await dialHost('127.0.0.1', port, life)
  } catch (refusal) {
    if (life.signal.aborted) throw refusal
    return dialHost('::1', port, life).catch(() => {
      throw refusal
    })
  }
}

function dialHost(host: string, port: number, life: Life): Promise<Socket> {
  const socket = connect({ host, port, noDelay: true })
  return opened(socket, 'connect', life, (error) => explain(error, 'http/1.1'))
}

/**
 * Waits until a socket is ready.
 *
 * @param ready the event that says so
 * @param troubleOf what an error before it means
 * @throws {NoConnection}
 */
export function opened(
  socket: Socket,
  ready: 'connect' | 'secureConnect',
  { signal, ended }: Life,
  troubleOf: (error: NodeJS.ErrnoException) => Trouble,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      reject(new NoConnection(ended()))
      socket.destroy()
    }
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
    socket.once(ready, () => {
      signal.removeEventListener('abort', stop)
      resolve(socket)
    })
    // Stays for good: an error between two requests has no other listener.
    socket.on('error', (error) => {
      signal.removeEventListener('abort', stop)
      reject(new NoConnection(troubleOf(error)))
    })
  })
}
