import type { Socket } from 'node:net'
import * as tls from 'node:tls'
import { isIP } from 'node:net'
import { portOf } from '../../core/url.js'
import { bareHost, dial, opened, type Life } from './dial.js'
import { proxyFor, type ProxyChoice } from './proxy.js'
import type { Handshake } from './tls-trouble.js'
import { recognise } from './recognise.js'
import type { HttpAnswer, Trouble } from './raw-answer.js'
import { impasseIn } from './impasse.js'
import { explain } from './trouble.js'
import { secureContextOf, type Identity } from './trust.js'
import { tunnel } from './tunnel.js'

export interface RouteSettings extends Identity {
  readonly timeoutMs: number
  readonly proxy?: ProxyChoice
}

/** The protocol that a connection is for, by its name in TLS (RFC 7301). */
export type Protocol = 'http/1.1' | 'h2'

/** Opens connections to agents: directly or through a proxy, with TLS where the URL says https. */
export class Route {
  readonly #over = new AbortController()
  #context: tls.SecureContext | undefined
  readonly #recognised = new Map<string, Promise<Trouble | undefined>>()

  constructor(private readonly settings: RouteSettings) {}

  /**
   * A connection that is ready for a request.
   *
   * @param on told what is waited for, in words
   * @throws {NoConnection} with the reason, whatever the other side does
   */
  async open(url: URL, protocol: Protocol, on: (waitingFor: string) => void): Promise<Socket> {
    const { timeoutMs } = this.settings
    let waitingFor = 'connection'
    const say = (text: string): void => on((waitingFor = text))
    const life: Life = {
      signal: AbortSignal.any([this.#over.signal, AbortSignal.timeout(timeoutMs)]),
      ended: () => ({ reason: 'timeout', explanation: `no ${waitingFor} within ${timeoutMs} ms` }),
    }
    say(waitingFor)
    const proxy = proxyFor(url, this.settings.proxy)
    const place = { hostname: url.hostname, port: portOf(url) }
    const socket = proxy
      ? await tunnel(place, { proxy, ca: this.settings.ca }, life, say)
      : await dial(place, life)
    if (url.protocol !== 'https:') return socket
    say('TLS handshake')
    return this.#secure(socket, url, protocol, life)
  }

  /**
   * Why a port closed a connection, if it speaks something else than plain http; else what is known already. Each port is
   * looked at once.
   */
  async explainClosed(url: URL, trouble: Trouble): Promise<Trouble> {
    if (trouble.closed !== true || url.protocol !== 'http:') return trouble
    const place = { hostname: url.hostname, port: portOf(url) }
    const found = this.#recognised.get(url.host) ?? recognise(place, this.settings.timeoutMs)
    this.#recognised.set(url.host, found)
    return (await found) ?? trouble
  }

  /** Ends what is being opened. */
  close(): void {
    this.#over.abort()
  }

  /** What an answer shows of the transport, if it does not come from an agent. */
  impasseIn(answer: HttpAnswer): Trouble | undefined {
    return impasseIn(answer, this.settings.clientCertificate !== undefined)
  }

  /** What is known of the TLS connection that a request was sent on. */
  handshakeOf(socket: unknown): Handshake {
    const presented = this.settings.clientCertificate !== undefined
    return { presented, asked: askedForCertificate.has(socket as Socket) }
  }

  #secure(socket: Socket, url: URL, protocol: Protocol, life: Life): Promise<Socket> {
    const host = bareHost(url)
    this.#context ??= secureContextOf(this.settings)
    const secured = tls.connect({
      socket,
      host,
      ...(isIP(host) === 0 && { servername: host }),
      ALPNProtocols: [protocol],
      secureContext: this.#context,
      // Whatever NODE_TLS_REJECT_UNAUTHORIZED is set to: else the credentials could go to anyone.
      rejectUnauthorized: true,
    })
    watchForRequest(secured)
    return opened(secured, 'secureConnect', life, (error) =>
      explain(error, protocol, { ...this.handshakeOf(secured), incomplete: true }),
    )
  }
}

/** The TLS connections whose server asked for a client certificate. */
const askedForCertificate = new WeakSet<Socket>()

/**
 * Notes whether the server asks for a client certificate: only then its signature algorithms are known. They are gone when
 * the connection fails, so they are looked at when the keys are derived, which is after the request for a certificate.
 */
function watchForRequest(socket: tls.TLSSocket): void {
  const look = (): void => {
    if (socket.getSharedSigalgs().length > 0) askedForCertificate.add(socket)
  }
  socket.on('keylog', look)
  socket.once('secureConnect', look)
}
