import { A2aTotpError } from '../core/errors.js'

export interface DestinationOptions {
  /** Where the credentials may go, such as `https://agent.example`. By default the origin of the first request. */
  readonly origins?: readonly string[]
  /** Insecure: sends token and code in the clear, to any host. For a network that encrypts by itself. */
  readonly allowInsecureHttp?: boolean
}

/** Where token and code may go. A card can name any host, so what it names is not enough. */
export class Destinations {
  #origins: ReadonlySet<string> | undefined
  readonly #allowInsecureHttp: boolean

  /** @throws {A2aTotpError} `ERR_CONFIG_INVALID` for an origin that is no http(s) URL. */
  constructor({ origins, allowInsecureHttp = false }: DestinationOptions) {
    this.#origins = origins && new Set(origins.map(originOf))
    this.#allowInsecureHttp = allowInsecureHttp
  }

  /**
   * Lets a URL pass. The first one decides on the origin, where none was given.
   *
   * @throws {A2aTotpError} `ERR_INSECURE_TRANSPORT` for plain http beyond loopback; `ERR_HOST_FORBIDDEN` for an
   *   origin that credentials may not go to.
   */
  require(url: URL): void {
    const plain = url.protocol === 'http:' && (this.#allowInsecureHttp || isLoopback(url.hostname))
    if (url.protocol !== 'https:' && !plain) {
      throw new A2aTotpError(
        'ERR_INSECURE_TRANSPORT',
        `token and code are not sent over plain ${url.protocol.slice(0, -1)}: use https, or set allowInsecureHttp on a network that is safe`,
      )
    }
    this.#origins ??= new Set([url.origin])
    if (this.#origins.has(url.origin)) return
    throw new A2aTotpError(
      'ERR_HOST_FORBIDDEN',
      `token and code are for ${[...this.#origins].join(', ')}, not for ${url.origin}: name it in origins if it is the same agent`,
    )
  }
}

/** Whether a host, as the URL standard spells it, can only be this machine. */
export function isLoopback(hostname: string): boolean {
  return /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)
}

function originOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return url.origin
  throw new A2aTotpError('ERR_CONFIG_INVALID', 'an origin must look like https://agent.example')
}
