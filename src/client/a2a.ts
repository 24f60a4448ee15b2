/** For clients on @a2a-js/sdk, 0.3 and 1.x. gRPC is part of it where @grpc/grpc-js is installed. */
import { createRequire } from 'node:module'
import {
  DefaultAgentCardResolver,
  JsonRpcTransportFactory,
  RestTransportFactory,
  type AgentCardResolver,
  type TransportFactory,
} from '@a2a-js/sdk/client'
import { readAddress, type Binding } from '../core/card/interfaces.js'
import { cardPath } from '../core/card/shapes.js'
import { TOTPError } from '../core/errors.js'
import { grpcFactory, type GrpcTls } from './sdk/grpc-transport.js'
import { Destinations, type DestinationOptions } from './scheme/destinations.js'
import { explainCard } from './sdk/explain-card.js'
import { fetchTo, type Fetch } from './http/fetch.js'
import type { TOTPClientAuthScheme } from './scheme/totp-client-auth-scheme.js'

export type { GrpcTls } from './sdk/grpc-transport.js'

export interface TOTPTransportsOptions extends DestinationOptions {
  /** What really sends over HTTP; by default the global `fetch`. */
  readonly fetch?: Fetch
  /** Certificates for gRPC; `false` for plaintext. By default TLS, but plaintext on loopback. */
  readonly grpcTls?: GrpcTls | false
  /** Whether SDK 1.x also talks to agents of protocol 0.3; by default it does. */
  readonly legacyCompat?: { readonly enabled: boolean }
  /** Hears when a card wants something else than what is sent; by default `process.emitWarning`. */
  readonly onWarning?: (message: string) => void
}

/** Options for `ClientFactory`. */
export interface TOTPTransports {
  readonly transports: TransportFactory[]
  readonly cardResolver: AgentCardResolver
}

/**
 * Everything that a `ClientFactory` of @a2a-js/sdk needs to call a protected agent: over JSON-RPC, HTTP+JSON and gRPC,
 * with token and a fresh code on every request, that for the card included.
 *
 * ```ts
 * const client = await new ClientFactory(totpTransports(scheme)).createFromUrl('https://agent.example')
 * ```
 *
 * The credentials go to `origins`; without these, to the host in the URL that the card is asked for, on any port. What
 * the card itself names, or a redirect, never adds to that: a client for an interface elsewhere is not made
 * (`ERR_HOST_FORBIDDEN`), nor for one over plain http beyond loopback (`ERR_INSECURE_TRANSPORT`). One that is made
 * rejects as `totpFetch` and `totpGrpcInterceptor` do. `createFromAgentCard` needs `origins`.
 *
 * @throws {TOTPError} `ERR_CONFIG_INVALID` for an origin that is none.
 */
export function totpTransports(
  scheme: TOTPClientAuthScheme,
  options: TOTPTransportsOptions = {},
): TOTPTransports {
  const { legacyCompat = { enabled: true }, onWarning = emitWarning } = options
  const destinations = new Destinations(options, options.origins ? 'origin' : 'host')
  const fetchImpl = fetchTo(scheme, (url) => destinations.require(url), options.fetch)
  const explained = new WeakSet<object>()

  const explaining = (inner: TransportFactory): TransportFactory => ({
    protocolName: inner.protocolName,
    create: async (url, card) => {
      const explanation = explained.has(card) ? undefined : explainCard(card, scheme.profile.header)
      explained.add(card)
      if (explanation !== undefined) onWarning(explanation)
      return inner.create(url, card)
    },
  })

  const http = { fetchImpl, legacyCompat: { ...legacyCompat } }
  const cardResolver = new AgentResolver(destinations, http)

  /** Where the card says that an interface is. */
  const locate = (text: string, card: object, binding: Binding): URL => {
    const address = readAddress(text, binding, cardResolver.urlOf(card))
    if (!address.understood) {
      throw new TOTPError(
        'ERR_CARD_INVALID',
        `the card names an interface that cannot be called: ${address.why}`,
      )
    }
    const { url, remarks } = address
    if (remarks.length > 0) onWarning(`the interface at ${url.origin}${url.pathname}: ${remarks.join('; ')}`)
    return url
  }

  const overHttp = (inner: TransportFactory, binding: Binding): TransportFactory => ({
    protocolName: inner.protocolName,
    create: async (text, card) => {
      const url = locate(text, card, binding)
      destinations.require(url)
      // The SDK puts paths behind it.
      return inner.create(url.pathname === '/' ? url.origin : url.href, card)
    },
  })

  const factories = [
    overHttp(new JsonRpcTransportFactory(http), 'jsonrpc'),
    overHttp(new RestTransportFactory(http), 'rest'),
  ]
  if (isInstalled('@grpc/grpc-js')) {
    const locateGrpc = (text: string, card: object): URL => locate(text, card, 'grpc')
    factories.push(
      grpcFactory(scheme, destinations, { tls: options.grpcTls, legacyCompat, locate: locateGrpc }),
    )
  }
  return { transports: factories.map(explaining), cardResolver }
}

/** The SDK's resolver, which learns where the agent is from whoever asks for its card. */
class AgentResolver extends DefaultAgentCardResolver {
  readonly #destinations: Destinations
  readonly #urls = new WeakMap<object, URL>()

  constructor(
    destinations: Destinations,
    options: ConstructorParameters<typeof DefaultAgentCardResolver>[0],
  ) {
    super(options)
    this.#destinations = destinations
  }

  override async resolve(
    ...[baseUrl, path]: Parameters<DefaultAgentCardResolver['resolve']>
  ): ReturnType<DefaultAgentCardResolver['resolve']> {
    if (!URL.canParse(baseUrl)) throw new TOTPError('ERR_USAGE', 'the URL of the agent is no URL')
    this.#destinations.settle(new URL(baseUrl))
    const card = await super.resolve(baseUrl, path)
    this.#urls.set(card, new URL(path ?? cardPath.slice(1), baseUrl))
    return card
  }

  /** Where a card was found; undefined for one that came another way. */
  urlOf(card: object): URL | undefined {
    return this.#urls.get(card)
  }
}

function isInstalled(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name)
    return true
  } catch {
    return false
  }
}

function emitWarning(message: string): void {
  process.emitWarning(message, { type: 'SecurityWarning', code: 'A2A_TOTP_CARD' })
}
