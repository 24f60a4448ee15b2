import type { UnderstoodInterface } from '../../core/card/interfaces.js'
import { isLoopback, portOf } from '../../core/url.js'
import type { ProbeOptions } from '../options.js'

type Place = Pick<UnderstoodInterface, 'binding' | 'url'>

/**
 * Whether token and code may be sent to an interface: on the host that the user or the store names, or on one that was
 * allowed by name. A card cannot add other hosts.
 */
export function mayReceiveCredentials(
  place: Place,
  target: URL,
  { trustedUrl, allowHosts = [] }: Pick<ProbeOptions, 'trustedUrl' | 'allowHosts'>,
): boolean {
  const trusted = trustedUrl !== undefined && URL.canParse(trustedUrl) ? [new URL(trustedUrl)] : []
  return (
    [target, ...trusted].some((known) => isSameHost(known, place)) ||
    allowHosts.some((allowed) => isNamed(allowed, place.url))
  )
}

/** Whether credentials sent to a URL would be readable on the network. */
export function isExposed(url: URL): boolean {
  return url.protocol !== 'https:' && !isLoopback(url)
}

/** A name without a port allows every port of the host. */
function isNamed(allowed: string, url: URL): boolean {
  const text = `${url.protocol}//${allowed}`
  if (!URL.canParse(text)) return false
  const { host, hostname } = new URL(text)
  return /:\d+$/.test(allowed) ? host === url.host : hostname === url.hostname
}

/** The usual names of this machine: on one port they are one server. */
const usualNames = new Set(['localhost', '127.0.0.1', '[::1]'])

/**
 * On this machine another port is another server, to which an HTTP request may do anything. A gRPC call is harmless
 * there: its path is fixed.
 */
function isSameHost(known: URL, { binding, url }: Place): boolean {
  const sameName =
    known.hostname === url.hostname || (usualNames.has(known.hostname) && usualNames.has(url.hostname))
  return sameName && (binding === 'grpc' || !isLoopback(url) || portOf(known) === portOf(url))
}
