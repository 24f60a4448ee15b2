import { cardPath } from '../../core/card/shapes.js'
import { TOTPError } from '../../core/errors.js'
import { Destinations, type DestinationOptions } from '../scheme/destinations.js'
import { canBeSentAgain, redirected, type Outgoing } from './redirect.js'
import type { AttemptOptions } from '../scheme/step-queue.js'
import type { TOTPClientAuthScheme } from '../scheme/totp-client-auth-scheme.js'

export type Fetch = typeof globalThis.fetch

export interface TOTPFetchOptions extends DestinationOptions {
  /** What really sends; by default the global `fetch`. */
  readonly fetch?: Fetch
}

/** As many as browsers follow. */
const mostRedirects = 20

/**
 * A `fetch` that sends token and code with every request, made at the moment of sending.
 *
 * Other spellings of the two headers are dropped first. Redirects are followed on the same origin only, each hop
 * with a code of its own. A 401 is tried again once, if the code's time step ended on the way, or if the agent says
 * under policy `once` that the step was spent; never with the same code. Both need a body that is no stream.
 *
 * The function that it returns rejects as `fetch` does, and with an {@link TOTPError}: `ERR_INSECURE_TRANSPORT`
 * for plain http beyond loopback, `ERR_HOST_FORBIDDEN` for an origin that the credentials are not for,
 * `ERR_AGENT_UNREACHABLE` for redirects without end; and with what the scheme throws, `ERR_STEP_SPENT` for one.
 *
 * @throws {TOTPError} `ERR_CONFIG_INVALID` for an origin that is none.
 */
export function totpFetch(scheme: TOTPClientAuthScheme, options: TOTPFetchOptions = {}): Fetch {
  const destinations = new Destinations(options)
  return fetchTo(scheme, (url) => destinations.settle(url), options.fetch)
}

/**
 * The same, for destinations that others decide about.
 *
 * @param admit throws for a URL that the credentials may not go to
 */
export function fetchTo(
  scheme: TOTPClientAuthScheme,
  admit: (url: URL) => void,
  send: Fetch = globalThis.fetch,
): Fetch {
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
    throw new TOTPError('ERR_AGENT_UNREACHABLE', `the agent redirects more than ${mostRedirects} times`)
  }

  async function attempt(outgoing: Outgoing): Promise<Response> {
    admit(outgoing.url)
    if (scheme.replay === 'once' && isCardRequest(outgoing)) {
      const response = await sendWith(outgoing, bareHeaders(scheme, outgoing))
      if (response.status !== 401) return response
      await response.body?.cancel()
    }
    const headers = await authorized(scheme, outgoing)
    const response = await sendWith(outgoing, headers)
    const retry = scheme.retryOf(headers[scheme.profile.header.toLowerCase()] ?? '', response)
    if (!retry || !canBeSentAgain(outgoing.init)) return response
    await response.body?.cancel()
    return sendWith(outgoing, await authorized(scheme, outgoing, retry))
  }

  function sendWith({ url, init }: Outgoing, headers: Record<string, string>): Promise<Response> {
    return send(url.href, { ...init, headers })
  }
}

/** The card is public as a rule. Under `once` a code for it would cost the call behind it a wait. */
function isCardRequest({ url, init: { method = 'GET' } }: Outgoing): boolean {
  return method === 'GET' && url.pathname.endsWith(cardPath)
}

/** The headers to send: those of the caller, but for any credentials, and fresh credentials. */
async function authorized(
  scheme: TOTPClientAuthScheme,
  outgoing: Outgoing,
  { notBefore }: AttemptOptions = {},
): Promise<Record<string, string>> {
  const { url, init } = outgoing
  const headers = bareHeaders(scheme, outgoing)
  const request = {
    binding: 'http',
    method: init.method ?? 'GET',
    url: url.href,
    headers: { ...headers },
  } as const
  const fresh = await scheme.authorize(request, { signal: init.signal ?? undefined, notBefore })
  for (const [name, value] of Object.entries(fresh)) headers[name.toLowerCase()] = value
  return headers
}

/** The caller's headers without any credentials, in a plain object: other wrappers lose a `Headers` instance. */
function bareHeaders(scheme: TOTPClientAuthScheme, { init }: Outgoing): Record<string, string> {
  const headers = new Headers(init.headers)
  for (const name of ['authorization', scheme.profile.header]) headers.delete(name)
  return Object.fromEntries(headers)
}

/** Takes what `fetch` takes apart. A Request need not be of this realm, and its body counts as a stream. */
function opened(input: Parameters<Fetch>[0], init: RequestInit = {}): Outgoing {
  if (typeof input === 'string' || !('url' in input)) return { url: new URL(input), init }
  const { url, method, headers, body, signal, redirect } = input
  const own = { method, headers, signal, redirect, ...(body ? { body, duplex: 'half' as const } : {}) }
  return { url: new URL(url), init: { ...own, ...init } }
}
