import { streamBody } from '../scheme/request-signer.js'
import { canBeSentAgain, type Outgoing } from './redirect.js'

/**
 * The request as `fetch` sends it: with the method in its usual spelling, the Content-Type that `fetch` adds itself, and
 * the bytes of the body in place of text, a form or a Blob; without the fragment and an empty query. So a proof is about
 * what is sent. The body of a stream stays one.
 */
export async function signableRequest({ url, init }: Outgoing): Promise<Outgoing> {
  const target = new URL(url)
  target.hash = ''
  if (target.search === '') target.search = ''
  const stream = !canBeSentAgain(init)
  const parts = { method: init.method, headers: init.headers, body: stream ? null : init.body }
  // Not with its own URL: one with a password would be an error of fetch, which quotes it.
  const { method, headers, body } = await read(new Request('https://agent.invalid', definedOf(parts)))
  return { url: target, init: { ...init, method, headers, ...(!stream && { body }) } }
}

/** The body of such a request, for the scheme. */
export function contentOf({ body }: RequestInit): Uint8Array | null | typeof streamBody {
  if (body === undefined || body === null) return null
  return body instanceof Uint8Array ? body : streamBody
}

async function read(request: Request): Promise<{
  readonly method: string
  readonly headers: Headers
  readonly body: Uint8Array<ArrayBuffer> | null
}> {
  const { method, headers } = request
  return { method, headers, body: request.body && new Uint8Array(await request.arrayBuffer()) }
}

function definedOf(parts: Record<string, unknown>): RequestInit {
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined))
}
