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
import { queryRemoved } from '../core/card/targets.js'
import { TOTPError } from '../core/errors.js'
import { grpcFactory, type GrpcTls } from './sdk/grpc-transport.js'
import { Destinations, type DestinationOptions } from './scheme/destinations.js'
import { explainCard } from './sdk/explain-card.js'
import { fetchTo, type Fetch } from './http/fetch.js'
import type { TOTPClientAuthScheme } from './scheme/totp-client-auth-scheme.js'

export type { GrpcTls } from './sdk/grpc-transport.js'

export interface TOTPTransportsOptions extends DestinationOptions {
  /** Sends the requests; by default the global `fetch`. */
  readonly fetch?: Fetch
  /** Certificates for gRPC, or `false` for plaintext. By default TLS, and plaintext on loopback. */
  readonly grpcTls?: GrpcTls | false
  /** Whether SDK 1.x also calls agents of protocol 0.3; on by default. */
  readonly legacyCompat?: { readonly enabled: boolean }
  /**
   * Called when a card asks for something other than what is sent, or names an address of which a part is not sent. By
   * default `process.emitWarning`.
   */
  readonly onWarning?: (message: string) => void
}

/** Options for `ClientFactory`. */
export interface TOTPTransports {
  readonly transports: TransportFactory[]
  readonly cardResolver: AgentCardResolver
}

/**
 * Everything that a `ClientFactory` of @a2a-js/sdk needs to call a protected agent over JSON-RPC, HTTP+JSON and gRPC.
 * Every request carries the token and a fresh code, including the request for the card.
 *
 * ```ts
 * const client = await new ClientFactory(totpTransports(scheme)).createFromUrl('https://agent.example')
 * ```
 *
 * Credentials are sent only to `origins`; by default to the host that the card is requested from, on any port. Neither
 * the card nor a redirect can add to these. `ClientFactory` rejects for an interface elsewhere (`ERR_HOST_FORBIDDEN`),
 * over plain http beyond loopback (`ERR_INSECURE_TRANSPORT`), or at an address that cannot be called
 * (`ERR_CARD_INVALID`). Its clients reject as `totpFetch` and `totpGrpcInterceptor` do. `createFromAgentCard` requires
 * `origins`.
 *
 * @throws {TOTPError} `ERR_CONFIG_INVALID` for an invalid origin.
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
      const explanation = explained.has(card) ? undefined : explainCard(card, scheme.profile.header, scheme)
      explained.add(card)
      if (explanation !== undefined) onWarning(explanation)
      return inner.create(url, card)
    },
  })

  const http = { fetchImpl, legacyCompat: { ...legacyCompat } }
  const cardResolver = new AgentResolver(destinations, http)

  /** Reads the address of an interface. */
  const locate = (text: string, card: object, binding: Binding): URL => {
    const address = readAddress(text, binding, cardResolver.urlOf(card))
    if (!address.understood) {
      throw new TOTPError(
        'ERR_CARD_INVALID',
        `the card names an interface that cannot be called: ${address.why}`,
      )
    }
    const { url, query = '' } = address
    // A JSON-RPC endpoint may be told apart by its query. To those of REST and gRPC, paths are appended.
    const withQuery = binding === 'jsonrpc' && query !== ''
    const remarks = address.remarks.filter((remark) => !withQuery || remark !== queryRemoved)
    if (remarks.length > 0) onWarning(`the interface at ${url.origin}${url.pathname}: ${remarks.join('; ')}`)
    if (withQuery) url.search = query
    return url
  }

  const overHttp = (inner: TransportFactory, binding: Binding): TransportFactory => ({
    protocolName: inner.protocolName,
    create: async (text, card) => {
      const url = locate(text, card, binding)
      destinations.require(url)
      // The SDK appends paths to it.
      return inner.create(url.pathname === '/' && url.search === '' ? url.origin : url.href, card)
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

/** The SDK's resolver. The first URL that a card is requested from decides where credentials may go. */
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
    if (!URL.canParse(baseUrl))
      throw new TOTPError(
        'ERR_USAGE',
        'the URL of the agent is not valid; expected one such as https://agent.example',
      )
    this.#destinations.settle(new URL(baseUrl))
    const card = await super.resolve(baseUrl, path)
    this.#urls.set(card, new URL(path ?? cardPath.slice(1), baseUrl))
    return card
  }

  /** The URL that a card was fetched from; undefined for a card from elsewhere. */
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
