import { TOTPError } from '../../core/errors.js'

/** A request in the only form that every `fetch` takes: a URL and its init. */
export interface Outgoing {
  readonly url: URL
  readonly init: RequestInit
}

const redirects = new Set([301, 302, 303, 307, 308])

/** What a body says about itself; it goes when the body goes (Fetch standard, HTTP-redirect fetch). */
const bodyHeaders = [
  'content-encoding',
  'content-language',
  'content-length',
  'content-location',
  'content-type',
]

/**
 * The request that a redirect asks for, with the method that the Fetch standard gives it, or undefined when the
 * response is none.
 *
 * @throws {TOTPError} `ERR_HOST_FORBIDDEN` when it leads to another origin: Node's fetch would drop Authorization
 *   there, but forward the code (nodejs/undici#4917). `ERR_AGENT_UNREACHABLE` when the Location is no URL, or the
 *   body cannot be sent twice.
 */
export function redirected({ url, init }: Outgoing, response: Response): Outgoing | undefined {
  const location = response.headers.get('location')
  if (!redirects.has(response.status) || location === null) return undefined
  const target = URL.canParse(location, url.href) ? new URL(location, url) : undefined
  if (!target) throw unreachable('the agent redirects to something that is no URL')
  if (target.origin !== url.origin) {
    throw new TOTPError(
      'ERR_HOST_FORBIDDEN',
      `the agent redirects to ${target.origin}, where token and code do not follow: call that URL itself if it is the same agent`,
    )
  }
  const method = init.method?.toUpperCase() ?? 'GET'
  if (becomesGet(response.status, method)) return { url: target, init: withoutBody(init) }
  if (!canBeSentAgain(init)) {
    throw unreachable(
      'the agent redirects a request whose body is a stream: give the body as text or bytes, or call the URL that it redirects to',
    )
  }
  return { url: target, init }
}

/** Whether the body is at hand for another attempt: any but a stream. */
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
