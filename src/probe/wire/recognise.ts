import type { Socket } from 'node:net'
import * as tls from 'node:tls'
import { bareHost, dial, type Life, type Place } from './dial.js'
import type { Trouble } from './raw-answer.js'
import { codeOf, onlyHttp2, onlyTls, protocolOf } from './trouble.js'

/** How long a server may take to show what it speaks. */
const longestMs = 2000

/**
 * Finds out what is spoken on a port that closed without an answer to plain http: some servers that speak TLS or HTTP/2 only
 * do so. Nothing but a greeting is sent.
 *
 * @returns undefined if it is neither
 */
export async function recognise(place: Place, timeoutMs: number): Promise<Trouble | undefined> {
  const greet = async (look: (socket: Socket, done: (found?: Trouble) => void) => void) => {
    const signal = AbortSignal.timeout(Math.min(timeoutMs, longestMs))
    const life: Life = { signal, ended: () => ({ reason: 'timeout', explanation: 'no connection' }) }
    try {
      const socket = await dial(place, life)
      const found = await new Promise<Trouble | undefined>((resolve) => {
        signal.addEventListener('abort', () => resolve(undefined), { once: true })
        socket.once('close', () => resolve(undefined))
        look(socket, resolve)
      })
      socket.destroy()
      return found
    } catch {
      return undefined
    }
  }
  return (await greet((socket, done) => lookForTls(socket, place, done))) ?? (await greet(lookForHttp2))
}

/** A server that sends a certificate or an alert speaks TLS, whether or not it is trusted. */
function lookForTls(socket: Socket, place: Place, done: (found?: Trouble) => void): void {
  const secured = tls.connect({ socket, host: bareHost(place), rejectUnauthorized: true })
  secured.once('secureConnect', () => done(onlyTls))
  secured.on('error', (error: Error) => {
    if (/_ALERT_|CERT|SELF_SIGNED|UNABLE_TO/.test(codeOf(error))) done(onlyTls)
  })
}

/** The preface of a client, with empty SETTINGS (RFC 9113 §3.4). */
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1')

function lookForHttp2(socket: Socket, done: (found?: Trouble) => void): void {
  socket.once('data', (bytes: Buffer) => {
    const found = protocolOf(bytes)
    done(found === onlyHttp2 ? found : undefined)
  })
  socket.write(preface)
}
