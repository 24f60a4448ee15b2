import type { ProbeOptions } from '../run/options.js'

/** Whether a host name means this machine. */
export function isLoopback({ hostname }: URL): boolean {
  return /^(localhost|.*\.localhost|127(\.\d{1,3}){3}|\[::1\])$/i.test(hostname)
}

/**
 * Whether token and code may go to a URL: to the host that the user named or that the store has, or to one that
 * was allowed by name. What a card names otherwise is not to be trusted with them.
 */
export function mayReceiveCredentials(
  url: URL,
  target: URL,
  { trustedUrl, allowHosts = [] }: Pick<ProbeOptions, 'trustedUrl' | 'allowHosts'>,
): boolean {
  const trusted = trustedUrl !== undefined && URL.canParse(trustedUrl) ? [new URL(trustedUrl)] : []
  return (
    [target, ...trusted].some((known) => isSameHost(known, url)) ||
    allowHosts.some((allowed) => isNamed(allowed, url))
  )
}

/** Whether credentials would travel readable for others. */
export function isExposed(url: URL): boolean {
  return url.protocol !== 'https:' && !isLoopback(url)
}

/** Without a port, every port of the host is meant. */
function isNamed(allowed: string, url: URL): boolean {
  const text = `${url.protocol}//${allowed}`
  if (!URL.canParse(text)) return false
  const { host, hostname } = new URL(text)
  return /:\d+$/.test(allowed) ? host === url.host : hostname === url.hostname
}

/** All names of loopback are one host. */
function isSameHost(one: URL, other: URL): boolean {
  return one.hostname === other.hostname || (isLoopback(one) && isLoopback(other))
}
