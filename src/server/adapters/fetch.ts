import type { AuthOutcome } from '../scheme/outcome.js'
import { httpAnswer, type Refusal } from '../scheme/refusal.js'
import type { AuthRequest } from '../scheme/request.js'
import type { TOTPServerAuthScheme } from '../scheme/scheme.js'
import { checkedRequestOf, failingWith, type CheckedRequest } from './checked-request.js'
import { sourceOf } from './http.js'
import { amend, decide } from './outcomes.js'

/**
 * @param url the request's URL, parsed
 * @param source returns the caller's address
 * @param body of a request with a proof
 */
export function authRequestOf(
  { method, headers }: Request,
  url: URL,
  source: () => string | undefined,
  body?: AuthRequest['body'],
): AuthRequest {
  return {
    binding: 'http',
    method,
    target: url.pathname + url.search,
    // A duplicate field is one value with a comma here, which is neither a token nor a code.
    header: (name) => {
      const value = headers.get(name)
      return value === null ? [] : [value]
    },
    source: sourceOf(source),
    ...(body && { body }),
  }
}

/**
 * Asks the scheme about a request, and has its content compared if it has a proof.
 *
 * @param key see {@link decide}
 * @returns the outcome, and the request whose content is compared, if there is one
 */
export async function decideFetch(
  scheme: TOTPServerAuthScheme,
  key: object,
  request: Request,
  ask: (body: AuthRequest['body']) => AuthRequest,
): Promise<{ readonly outcome: AuthOutcome; readonly checked: CheckedRequest | undefined }> {
  let body: ReturnType<typeof checkedRequestOf>
  const outcome = await decide(scheme, key, () => ask((body = checkedRequestOf(scheme, request))))
  if (!body || body === 'unseen' || !outcome.caller) return { outcome, checked: undefined }
  const { refusal } = body
  if (refusal) {
    amend(scheme, key, refusal)
    return { outcome: { refusal }, checked: undefined }
  }
  body.onRefused((late) => amend(scheme, key, late))
  return { outcome, checked: body }
}

/**
 * Passes a request on whose content is still to be compared.
 *
 * @returns the refusal, if the content turned out to be another one in the meantime, whatever the handler has done
 */
export async function respond(
  checked: CheckedRequest,
  next: () => Response | Promise<Response>,
): Promise<Response> {
  const refusal = (): Response | undefined =>
    checked.refusal && responseOf(checked.refusal, checked.request.method)
  try {
    const response = await next()
    return refusal() ?? failingWith(checked, response)
  } catch (error) {
    const refused = refusal()
    if (refused) return refused
    throw error
  }
}

/** The response to a refused request, whose body is not touched. */
export function responseOf(refusal: Refusal, method: string): Response {
  const { status, headers, body } = httpAnswer(refusal)
  const response = new Response(method === 'HEAD' ? null : body, { status })
  for (const [name] of headers) response.headers.delete(name)
  for (const [name, value] of headers) response.headers.append(name, value)
  return response
}
