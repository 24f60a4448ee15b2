import { asObject } from '../../core/json.js'
import { sendMethods } from '../../core/send-methods.js'

/** A request that was refused. */
export interface RefusedRequest {
  readonly url: URL
  readonly init: { readonly method?: string | undefined; readonly body?: unknown }
}

/** Sent twice, they may be done twice. */
const sends = new Set<string>(Object.values(sendMethods).flatMap(({ send, stream }) => [send, stream]))

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS', 'DELETE'])

/**
 * Whether a signed request may be sent once more after a 401. A proxy or an HTTP library may have sent it twice; then the
 * agent served the first one, and refused the second. So only what is known to send no message may be repeated: a request
 * without effects, and a JSON-RPC request of another method.
 */
export function mayBeRepeated({ url, init: { method = 'GET', body } }: RefusedRequest): boolean {
  if (safeMethods.has(method)) return true
  if (/\/message(:|%3a)(send|stream)$/i.test(url.pathname) || !(body instanceof Uint8Array)) return false
  const name = methodOf(Buffer.from(body).toString('utf8'))
  return name !== undefined && !sends.has(name)
}

/** The method of a JSON-RPC request; undefined for anything else, and for a batch. */
function methodOf(text: string): string | undefined {
  try {
    const { method } = asObject(JSON.parse(text))
    return typeof method === 'string' ? method : undefined
  } catch {
    return undefined
  }
}
