import { TOTPError } from '../../core/errors.js'
import { isLoopback, parseHttpUrl } from '../../core/url.js'

export interface DestinationOptions {
  /**
   * Where the credentials may go, such as `https://agent.example`, or `https://agent.example:50051` for gRPC. By
   * default where the first request goes.
   */
  readonly origins?: readonly string[]
  /** Insecure: sends token and code in the clear, to any host. For a network that encrypts by itself. */
  readonly allowInsecureHttp?: boolean
}

/** What has to be the same for two URLs to be of the same agent. */
export type Grain = 'origin' | 'host'

/** Where token and code may go. A card can name any host, so what it names is not enough. */
export class Destinations {
  readonly #grain: Grain
  readonly #allowInsecureHttp: boolean
  #places: ReadonlySet<string> | undefined

  /** @throws {TOTPError} `ERR_CONFIG_INVALID` for an origin that is no http(s) URL. */
  constructor({ origins, allowInsecureHttp = false }: DestinationOptions, grain: Grain = 'origin') {
    this.#grain = grain
    this.#allowInsecureHttp = allowInsecureHttp
    this.#places = origins && new Set(origins.map((origin) => this.#placeOf(parseOrigin(origin))))
  }

  /**
   * Lets a URL pass that the caller named, not the agent. The first one decides, where no origins were given.
   *
   * @throws {TOTPError} as {@link require}
   */
  settle(url: URL): void {
    this.requireSafe(url)
    this.#places ??= new Set([this.#placeOf(url)])
    this.require(url)
  }

  /**
   * Lets a URL pass, whoever named it.
   *
   * @throws {TOTPError} `ERR_INSECURE_TRANSPORT` for plain http beyond loopback; `ERR_HOST_FORBIDDEN` for a place
   *   that credentials may not go to, or when nobody said yet where they may.
   */
  require(url: URL): void {
    this.requireSafe(url)
    if (this.#places?.has(this.#placeOf(url))) return
    throw new TOTPError(
      'ERR_HOST_FORBIDDEN',
      this.#places
        ? `token and code are for ${[...this.#places].join(', ')}, not for ${this.#placeOf(url)}: name it in origins if it is the same agent`
        : `nobody said whether token and code are for ${url.origin}: name it in origins, or give the URL of the card`,
    )
  }

  /** @throws {TOTPError} `ERR_INSECURE_TRANSPORT` where nothing protects what is sent on its way. */
  requireSafe(url: URL): void {
    const { protocol } = url
    const plain = protocol === 'http:' && (this.#allowInsecureHttp || isLoopback(url))
    if (protocol === 'https:' || plain) return
    throw new TOTPError(
      'ERR_INSECURE_TRANSPORT',
      `token and code are not sent over plain ${protocol.slice(0, -1)}: use https, or set allowInsecureHttp on a network that is safe`,
    )
  }

  #placeOf({ origin, hostname }: URL): string {
    return this.#grain === 'origin' ? origin : hostname
  }
}

function parseOrigin(text: string): URL {
  const url = parseHttpUrl(text)
  if (url !== undefined) return url
  throw new TOTPError('ERR_CONFIG_INVALID', 'an origin must look like https://agent.example')
}
