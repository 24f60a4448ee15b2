import { isLoopback, portOf } from '../../core/url.js'

/** An HTTP proxy, reached over http or https. */
export interface Proxy {
  readonly url: URL
  /** For `Proxy-Authorization` (RFC 9110 §11.7.1). */
  readonly authorization?: string
}

/** Which proxy a URL is reached by, if any. */
export type ProxyChoice = (url: URL) => Proxy | undefined

/** Whether a proxy may be asked for a URL: what is encrypted to its end, and does not stay on this machine. */
export const mayUseProxy = (url: URL): boolean => url.protocol === 'https:' && !isLoopback(url)

/** The proxy that a URL is reached by, whatever a choice says of other URLs. */
export function proxyFor(url: URL, choice: ProxyChoice | undefined): Proxy | undefined {
  return mayUseProxy(url) ? choice?.(url) : undefined
}

/** A proxy as reports name it: without user and password. */
export const proxyName = ({ url }: Proxy): string => `${url.hostname}:${portOf(url)}`

/** The names of the proxies that URLs are reached by, each once. */
export function proxiesFor(urls: readonly URL[], choice: ProxyChoice | undefined): string[] {
  const proxies = urls.map((url) => proxyFor(url, choice)).filter((proxy) => proxy !== undefined)
  return [...new Set(proxies.map(proxyName))]
}
