import { httpAnswer, type Refusal } from '../scheme/refusal.js'
import type { AuthRequest } from '../scheme/request.js'
import { sourceOf } from './http.js'

/**
 * @param url the request's URL, parsed
 * @param source returns the caller's address
 */
export function authRequestOf(
  { method, headers }: Request,
  url: URL,
  source: () => string | undefined,
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
