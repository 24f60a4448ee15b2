import { isLoopback } from '../../core/url.js'
import type { RequestHead } from '../forward/exchange.js'
import { linesOf } from '../forward/fields.js'

/** Where a listener can be reached, as far as the Host field of a request can show it. */
export interface OwnPlace {
  /** Undefined for a socket in the file system. */
  readonly port: number | undefined
  /** The host that was to be listened on, as it was written. */
  readonly host: string | undefined
}

/** Fields that browsers set and scripts cannot. `Sec-Fetch-Mode` is not among them: Node's own fetch sends it. */
const browserFields = ['origin', 'sec-fetch-site'] as const

/** OPTIONS is what a browser asks first; nothing of A2A uses it, nor TRACE. */
const refusedMethods = ['OPTIONS', 'TRACE', 'CONNECT']

/** Some clients ask to change to HTTP/2, unless told not to: Java's HttpClient, and `curl --http2`. */
const upgradeAdvice =
  'no Upgrade is accepted; have the client speak HTTP/1.1 (Java: HttpClient.Version.HTTP_1_1), or HTTP/2 from the start (curl --http2-prior-knowledge)'

/**
 * Why a request may be that of a web page, which any browser of this machine can send here; undefined if it cannot. By DNS
 * rebinding a page is of the same origin as this listener, and sends nothing but its own name in `Host`.
 */
export function browserSign({ method, fields }: Pick<RequestHead, 'method' | 'fields'>): string | undefined {
  const field = browserFields.find((name) => linesOf(fields, name).length > 0)
  if (field !== undefined)
    return `requests with ${field === 'origin' ? 'Origin' : 'Sec-Fetch-Site'} are those of browsers, which may not call here`
  if (refusedMethods.includes(method.toUpperCase())) return `${method.toUpperCase()} is not passed on`
  if (linesOf(fields, 'upgrade').length > 0) return upgradeAdvice
  return undefined
}

/**
 * Whether a Host field, or the authority of HTTP/2, is exactly a loopback name with our port: `localhost`, an address of
 * 127.0.0.0/8 or `[::1]`. So is the host that was to be listened on, unless that is every address of this machine: a page
 * can have any name, and reach `0.0.0.0`.
 */
export function isOwnHost(authority: string, { port, host }: OwnPlace): boolean {
  if (port === undefined && authority === 'localhost') return true
  const [, name = '', given = '80'] = /^(\[[\da-f:.]+\]|[^:]*)(?::(\d{1,5}))?$/i.exec(authority) ?? []
  if (port !== undefined && given !== String(port)) return false
  return isLoopbackName(name) || (host !== undefined && name === host && !isEveryAddress(host))
}

/** As written: a client that means this machine writes no other form, such as `127.1` or `localhost.`. */
function isLoopbackName(name: string): boolean {
  if (!isLoopback({ hostname: name })) return false
  return URL.canParse(`http://${name}`) && new URL(`http://${name}`).hostname === name
}

/** In the forms that a listener may be given. */
function isEveryAddress(host: string): boolean {
  return /^(0+(\.0+)*|\[[0:.]*\]|\[::ffff:[0:.]*\]|0x0+)$/i.test(host)
}
