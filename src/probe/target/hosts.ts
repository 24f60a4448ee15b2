import type { UnderstoodInterface } from '../../core/card/interfaces.js'
import { isLoopback, portOf } from '../../core/url.js'
import type { ProbeOptions } from '../run/options.js'

type Place = Pick<UnderstoodInterface, 'binding' | 'url'>

/**
 * Whether token and code may go to an interface: to the host that the user named or that the store has, or to one that was
 * allowed by name. Whatever else a card names does not get them.
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

/** Whether others could read credentials on their way to a URL. */
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

/** The usual names of this machine, which mean one server where the port is the same. */
const usualNames = /^(localhost|127\.0\.0\.1|\[::1\])$/

/**
 * On this machine each port is an agent of its own, so what a card names at another port is elsewhere. Not for gRPC:
 * its paths are fixed, so that it does no harm to ask another service.
 */
function isSameHost(known: URL, { binding, url }: Place): boolean {
  const sameName =
    known.hostname === url.hostname || (usualNames.test(known.hostname) && usualNames.test(url.hostname))
  return sameName && (binding === 'grpc' || !isLoopback(url) || portOf(known) === portOf(url))
}
