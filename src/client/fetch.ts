import { A2aTotpError } from '../core/errors.js'
import { Destinations, type DestinationOptions } from './destinations.js'
import { canBeSentAgain, redirected, type Outgoing } from './redirect.js'
import type { TOTPClientAuthScheme } from './totp-client-auth-scheme.js'

type Fetch = typeof globalThis.fetch

export interface TotpFetchOptions extends DestinationOptions {
  /** What really sends; by default the global `fetch`. */
  readonly fetch?: Fetch
}

/** As many as browsers follow. */
const mostRedirects = 20

/**
 * A `fetch` that sends token and code with every request, made at the moment of sending.
 *
 * Other spellings of the two headers are dropped first. Redirects are followed on the same origin only, each hop
 * with a code of its own. A 401 is tried again once, if the code's time step ended on the way; never with the
 * same code. Both need a body that is no stream.
 *
 * The function that it returns rejects as `fetch` does, and with an {@link A2aTotpError}: `ERR_INSECURE_TRANSPORT`
 * for plain http beyond loopback, `ERR_HOST_FORBIDDEN` for an origin that the credentials are not for,
 * `ERR_AGENT_UNREACHABLE` for redirects without end; and with what the scheme's delegate throws.
 *
 * @throws {A2aTotpError} `ERR_CONFIG_INVALID` for an origin that is none.
 */
export function totpFetch(scheme: TOTPClientAuthScheme, options: TotpFetchOptions = {}): Fetch {
  const send = options.fetch ?? globalThis.fetch
  const destinations = new Destinations(options)

  return async (input, init) => {
    let outgoing = opened(input, init)
    if (outgoing.init.redirect && outgoing.init.redirect !== 'follow') return attempt(outgoing)
    for (let hops = 0; hops <= mostRedirects; hops++) {
      const response = await attempt({ ...outgoing, init: { ...outgoing.init, redirect: 'manual' } })
      const next = redirected(outgoing, response)
      if (!next) return response
      await response.body?.cancel()
      outgoing = next
    }
    throw new A2aTotpError('ERR_AGENT_UNREACHABLE', `the agent redirects more than ${mostRedirects} times`)
  }

  async function attempt({ url, init }: Outgoing): Promise<Response> {
    destinations.require(url)
    const headers = await authorized(scheme, { url, init })
    const response = await send(url.href, { ...init, headers })
    const code = headers[scheme.profile.header.toLowerCase()] ?? ''
    if (response.status !== 401 || !canBeSentAgain(init) || !scheme.isOver(code)) return response
    await response.body?.cancel()
    return send(url.href, { ...init, headers: await authorized(scheme, { url, init }) })
  }
}

/** The headers to send: those of the caller, but for any credentials, and fresh credentials. */
async function authorized(
  scheme: TOTPClientAuthScheme,
  { url, init }: Outgoing,
): Promise<Record<string, string>> {
  const headers = new Headers(init.headers)
  for (const name of ['authorization', scheme.profile.header]) headers.delete(name)
  const fresh = await scheme.authorize({
    binding: 'http',
    method: init.method ?? 'GET',
    url: url.href,
    headers: Object.fromEntries(headers),
  })
  for (const [name, value] of Object.entries(fresh)) headers.set(name, value)
  // A plain object: other wrappers, such as @a2a-js/sdk 0.3.14's, lose a Headers instance.
  return Object.fromEntries(headers)
}

/** Takes what `fetch` takes apart. A Request need not be of this realm, and its body counts as a stream. */
function opened(input: Parameters<Fetch>[0], init: RequestInit = {}): Outgoing {
  if (typeof input === 'string' || !('url' in input)) return { url: new URL(input), init }
  const { url, method, headers, body, signal, redirect } = input
  const own = { method, headers, signal, redirect, ...(body ? { body, duplex: 'half' as const } : {}) }
  return { url: new URL(url), init: { ...own, ...init } }
}
