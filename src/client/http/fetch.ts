import { cardPath } from '../../core/card/shapes.js'
import { TOTPError } from '../../core/errors.js'
import { Destinations, type DestinationOptions } from '../scheme/destinations.js'
import { plainFetch } from './plain-http.js'
import { canBeSentAgain, redirected, type Outgoing } from './redirect.js'
import { mayBeRepeated } from './repeat.js'
import { contentOf, signableRequest } from './signable-request.js'
import type { AttemptOptions } from '../scheme/step-queue.js'
import type { TOTPClientAuthScheme } from '../scheme/totp-client-auth-scheme.js'

export type Fetch = typeof globalThis.fetch

export interface TOTPFetchOptions extends DestinationOptions {
  /**
   * Sends the requests, through proxies and resolvers of its own. By default the global `fetch`, but for plain http: that
   * goes straight to the host, past any proxy, and to `localhost` without a resolver.
   */
  readonly fetch?: Fetch
}

/** As many as browsers follow. */
const mostRedirects = 20

/**
 * A `fetch` that adds the token and a fresh code to every request, at the moment of sending, and signs it if the scheme
 * knows the agent's name. Then it sends the body as the bytes that were signed; a stream is not signed.
 *
 * It replaces these headers if the caller set them, in any capitalisation; `Signature`, `Signature-Input` and
 * `Content-Digest` too where it signs, since a signature of the caller's would no longer fit the request. It follows
 * redirects on the same origin only, with a new code for each hop. It retries a 401 once, always with another code: when
 * the code's time step ended on the way, and under policy `once` when the agent reports the step as spent. Redirects and
 * retries need a body that is not a stream. It retries no signed request that may send a message: the agent may have
 * accepted it already. If the Date of a 401 shows that this machine's clock is off, the scheme warns of it, once.
 *
 * The returned function rejects as `fetch` does, and with a {@link TOTPError}: `ERR_INSECURE_TRANSPORT` for plain http
 * beyond loopback, `ERR_HOST_FORBIDDEN` for an origin that the credentials are not for, `ERR_AGENT_UNREACHABLE` for too
 * many redirects, `ERR_USAGE` for a URL with a user name or password; and with what the scheme throws, such as `ERR_STEP_SPENT`
 * and `ERR_CANNOT_SIGN`.
 *
 * @throws {TOTPError} `ERR_CONFIG_INVALID` for an invalid origin.
 */
export function totpFetch(scheme: TOTPClientAuthScheme, options: TOTPFetchOptions = {}): Fetch {
  const destinations = new Destinations(options)
  return fetchTo(scheme, (url) => destinations.settle(url), options.fetch)
}

/**
 * {@link totpFetch} for callers that decide about destinations themselves.
 *
 * @param admit throws for a URL that the credentials may not go to
 */
export function fetchTo(scheme: TOTPClientAuthScheme, admit: (url: URL) => void, given?: Fetch): Fetch {
  const send = senderOf(given)
  return async (input, init) => {
    let outgoing = openRequest(input, init)
    if (scheme.signs) outgoing = await signableRequest(outgoing)
    if (outgoing.init.redirect && outgoing.init.redirect !== 'follow') return attempt(outgoing)
    for (let hops = 0; hops <= mostRedirects; hops++) {
      const response = await attempt({ ...outgoing, init: { ...outgoing.init, redirect: 'manual' } })
      const next = redirected(outgoing, response)
      if (!next) return response
      await response.body?.cancel()
      outgoing = next
    }
    throw new TOTPError('ERR_AGENT_UNREACHABLE', `the agent redirected more than ${mostRedirects} times`)
  }

  async function attempt(outgoing: Outgoing): Promise<Response> {
    requireNoPassword(outgoing.url)
    admit(outgoing.url)
    if (scheme.replay === 'once' && isCardRequest(outgoing)) {
      const response = await sendWith(outgoing, bareHeaders(scheme, outgoing))
      if (response.status !== 401) return response
      await response.body?.cancel()
    }
    const { response, retry, signed } = await sendAuthorized(outgoing)
    if (!retry || !canBeSentAgain(outgoing.init) || (signed && !mayBeRepeated(outgoing))) return response
    await response.body?.cancel()
    return (await sendAuthorized(outgoing, retry)).response
  }

  async function sendAuthorized(
    outgoing: Outgoing,
    options?: AttemptOptions,
  ): Promise<{ response: Response; retry: AttemptOptions | undefined; signed: boolean }> {
    const { headers, signed } = await authorized(scheme, outgoing, options)
    const sentAt = scheme.now()
    const response = await sendWith(outgoing, headers)
    const code = headers[scheme.profile.header.toLowerCase()] ?? ''
    return { response, retry: scheme.retryOf(code, response, sentAt, signed), signed }
  }

  function sendWith({ url, init }: Outgoing, headers: Record<string, string>): Promise<Response> {
    return send(url.href, { ...init, headers })
  }
}

/** What sends the requests: the `fetch` that was given, or the global one, but not for plain http. */
export function senderOf(given: Fetch | undefined): Fetch {
  return given === undefined || given === globalThis.fetch ? directFetch : given
}

const directFetch: Fetch = (input, init) =>
  typeof input === 'string' && input.startsWith('http:')
    ? plainFetch(input, init)
    : globalThis.fetch(input, init)

/** `fetch` would quote it in its own error. */
export function requireNoPassword({ username, password }: URL): void {
  if (username === '' && password === '') return
  throw new TOTPError('ERR_USAGE', 'the URL contains a user name or password; remove them')
}

/** The card is usually public. Under `once`, a code spent on it would make the next call wait. */
function isCardRequest({ url, init: { method = 'GET' } }: Outgoing): boolean {
  return method === 'GET' && url.pathname.endsWith(cardPath)
}

/** The caller's headers with fresh credentials in place of any that were set. */
async function authorized(
  scheme: TOTPClientAuthScheme,
  outgoing: Outgoing,
  { notBefore }: AttemptOptions = {},
): Promise<{ headers: Record<string, string>; signed: boolean }> {
  const { url, init } = outgoing
  const headers = bareHeaders(scheme, outgoing)
  const request = {
    binding: 'http',
    method: init.method ?? 'GET',
    url: url.href,
    headers: { ...headers },
    ...(scheme.signs && { body: contentOf(init) }),
  } as const
  const fresh = await scheme.authorize(request, { signal: init.signal ?? undefined, notBefore })
  for (const [name, value] of Object.entries(fresh)) headers[name.toLowerCase()] = value
  return { headers, signed: 'Signature-Input' in fresh }
}

/** The caller's headers without credentials, as a plain object: some wrappers lose a `Headers` instance. */
function bareHeaders(scheme: TOTPClientAuthScheme, { init }: Outgoing): Record<string, string> {
  const headers = new Headers(init.headers)
  for (const name of ['authorization', scheme.profile.header]) headers.delete(name)
  return Object.fromEntries(headers)
}

/** Splits the arguments of `fetch`. A Request may come from another realm; its body counts as a stream. */
export function openRequest(input: Parameters<Fetch>[0], init: RequestInit = {}): Outgoing {
  if (typeof input === 'string' || !('url' in input)) return { url: new URL(input), init }
  const { url, method, headers, body, signal, redirect } = input
  const own = { method, headers, signal, redirect, ...(body ? { body, duplex: 'half' as const } : {}) }
  return { url: new URL(url), init: { ...own, ...init } }
}
