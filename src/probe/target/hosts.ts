import type { UnderstoodInterface } from '../../core/card/interfaces.js'
import { TOTPError } from '../../core/errors.js'
import { isListenOnly, isLoopback, parseHttpUrl, portOf } from '../../core/url.js'
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

/** Whether credentials may travel to a URL: where the network cannot read them, or the user allows that. */
export function mayTravelTo(url: URL, { insecureHttp }: Pick<ProbeOptions, 'insecureHttp'>): boolean {
  return insecureHttp === true || !isExposed(url)
}

/**
 * Checks hosts that are allowed by name.
 *
 * @throws {TOTPError} `ERR_USAGE` for a text that is no host, and for one that is only listened on.
 */
export function requireHosts(allowed: readonly string[]): void {
  for (const text of allowed) {
    const url = /[/?#@\\]/.test(text) ? undefined : parseHttpUrl(`http://${text}`)
    if (url === undefined) {
      throw new TOTPError(
        'ERR_USAGE',
        'a host to allow is not one; expected HOST or HOST:PORT, an IPv6 address in brackets',
      )
    }
    if (isListenOnly(url)) {
      throw new TOTPError(
        'ERR_USAGE',
        `${url.hostname} is a listening address, which cannot be called; allow the address that clients call`,
      )
    }
  }
}

/** A name without a port allows every port of the host. */
function isNamed(allowed: string, url: URL): boolean {
  const text = `${url.protocol}//${allowed}`
  if (!URL.canParse(text)) return false
  const known = new URL(text)
  return isSameName(known, url) && (!/:\d+$/.test(allowed) || portOf(known) === portOf(url))
}

/** The usual names of this machine: on one port they are one server. */
const usualNames = new Set(['localhost', '127.0.0.1', '[::1]'])

/**
 * On this machine another port is another server, to which an HTTP request may do anything. A gRPC call is harmless
 * there: its path is fixed.
 */
function isSameHost(known: URL, { binding, url }: Place): boolean {
  return isSameName(known, url) && (binding === 'grpc' || !isLoopback(url) || portOf(known) === portOf(url))
}

function isSameName(one: URL, other: URL): boolean {
  return one.hostname === other.hostname || (usualNames.has(one.hostname) && usualNames.has(other.hostname))
}
