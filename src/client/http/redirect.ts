import { TOTPError } from '../../core/errors.js'

/** A request as a URL and its init, the form that every `fetch` accepts. */
export interface Outgoing {
  readonly url: URL
  readonly init: RequestInit
}

const redirects = new Set([301, 302, 303, 307, 308])

/** Headers that describe a body; dropped together with it (Fetch standard, HTTP-redirect fetch). */
const bodyHeaders = [
  'content-encoding',
  'content-language',
  'content-length',
  'content-location',
  'content-type',
]

/**
 * The request that follows a redirect, with the method that the Fetch standard prescribes; undefined if the response
 * is not a redirect.
 *
 * @throws {TOTPError} `ERR_HOST_FORBIDDEN` for another origin: Node's fetch would drop Authorization there, but
 *   forward the code (nodejs/undici#4917). `ERR_AGENT_UNREACHABLE` if the Location is not a URL or the body cannot be
 *   sent twice.
 */
export function redirected({ url, init }: Outgoing, response: Response): Outgoing | undefined {
  const location = response.headers.get('location')
  if (!redirects.has(response.status) || location === null) return undefined
  const target = URL.canParse(location, url.href) ? new URL(location, url) : undefined
  if (!target) throw unreachable('the agent redirected to an invalid URL')
  if (target.origin !== url.origin) {
    throw new TOTPError(
      'ERR_HOST_FORBIDDEN',
      `the agent redirected to ${target.origin}; token and code are not sent to another origin: call that URL directly if it is the same agent`,
    )
  }
  const method = init.method?.toUpperCase() ?? 'GET'
  if (becomesGet(response.status, method)) return { url: target, init: withoutBody(init) }
  if (!canBeSentAgain(init)) {
    throw unreachable(
      'the agent redirected a request whose body is a stream; pass the body as text or bytes, or call the new URL directly',
    )
  }
  return { url: target, init }
}

/** Whether the body can be sent a second time; a stream cannot. */
export function canBeSentAgain({ body }: RequestInit): boolean {
  return typeof body !== 'object' || body === null || !(Symbol.asyncIterator in body)
}

function becomesGet(status: number, method: string): boolean {
  if (status === 303) return method !== 'GET' && method !== 'HEAD'
  return method === 'POST' && (status === 301 || status === 302)
}

function withoutBody(init: RequestInit): RequestInit {
  const headers = new Headers(init.headers)
  for (const name of bodyHeaders) headers.delete(name)
  return { ...init, method: 'GET', body: null, headers }
}

function unreachable(message: string): TOTPError {
  return new TOTPError('ERR_AGENT_UNREACHABLE', message)
}
