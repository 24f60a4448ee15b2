import { TOTPError } from '../../core/errors.js'
import { isLoopback, parseHttpUrl } from '../../core/url.js'

export interface DestinationOptions {
  /**
   * The origins that credentials may be sent to, such as `https://agent.example`, or `https://agent.example:50051` for
   * gRPC. By default the origin of the first request.
   */
  readonly origins?: readonly string[]
  /** Insecure: sends token and code unencrypted, to any host. For networks that encrypt all traffic themselves. */
  readonly allowInsecureHttp?: boolean
}

/** What must be equal for two URLs to belong to the same agent. */
export type Grain = 'origin' | 'host'

/** The places that token and code may be sent to. A card cannot add to them: it may name any host. */
export class Destinations {
  readonly #grain: Grain
  readonly #allowInsecureHttp: boolean
  #places: ReadonlySet<string> | undefined

  /** @throws {TOTPError} `ERR_CONFIG_INVALID` for an origin that is not an http(s) URL. */
  constructor({ origins, allowInsecureHttp = false }: DestinationOptions, grain: Grain = 'origin') {
    this.#grain = grain
    this.#allowInsecureHttp = allowInsecureHttp
    this.#places = origins && new Set(origins.map((origin) => this.#placeOf(parseOrigin(origin))))
  }

  /**
   * Admits a URL named by the caller rather than by the agent. Without `origins`, the first one decides.
   *
   * @throws {TOTPError} as {@link require}
   */
  settle(url: URL): void {
    this.requireSafe(url)
    this.#places ??= new Set([this.#placeOf(url)])
    this.require(url)
  }

  /**
   * Admits a URL named by anyone, such as a card.
   *
   * @throws {TOTPError} `ERR_INSECURE_TRANSPORT` for plain http beyond loopback; `ERR_HOST_FORBIDDEN` for a place
   *   that credentials may not be sent to, or if no such place is known yet.
   */
  require(url: URL): void {
    this.requireSafe(url)
    if (this.#places?.has(this.#placeOf(url))) return
    throw new TOTPError(
      'ERR_HOST_FORBIDDEN',
      this.#places
        ? `token and code are for ${[...this.#places].join(', ')}, not for ${this.#placeOf(url)}: add it to origins if it is the same agent`
        : `it is unknown whether token and code are for ${url.origin}; add it to origins, or fetch the card by its URL`,
    )
  }

  /**
   * @throws {TOTPError} `ERR_INSECURE_TRANSPORT` for an unencrypted transport beyond loopback, and for TLS whose
   *   certificates are not checked.
   */
  requireSafe(url: URL): void {
    const { protocol } = url
    const plain = protocol === 'http:' && (this.#allowInsecureHttp || isLoopback(url))
    if (protocol === 'https:' && !this.#allowInsecureHttp) requireCertificates()
    if (protocol === 'https:' || plain) return
    throw new TOTPError(
      'ERR_INSECURE_TRANSPORT',
      `token and code are not sent over plain ${protocol.slice(0, -1)}: use https, or set allowInsecureHttp on a network that encrypts all traffic`,
    )
  }

  #placeOf({ origin, hostname }: URL): string {
    return this.#grain === 'origin' ? origin : hostname
  }
}

/** Without them anyone on the way can answer for the agent. Node reads the variable for each connection. */
function requireCertificates(): void {
  if (process.env['NODE_TLS_REJECT_UNAUTHORIZED'] !== '0') return
  throw new TOTPError(
    'ERR_INSECURE_TRANSPORT',
    'token and code are not sent while NODE_TLS_REJECT_UNAUTHORIZED=0: certificates are not checked, so anyone can pose as the agent; unset it, and name your own authority in NODE_EXTRA_CA_CERTS',
  )
}

function parseOrigin(text: string): URL {
  const url = parseHttpUrl(text)
  if (url !== undefined) return url
  throw new TOTPError('ERR_CONFIG_INVALID', 'an origin must look like https://agent.example')
}
