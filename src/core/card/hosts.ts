import { TOTPError } from '../errors.js'
import { isListenOnly, isLoopback, parseHttpUrl, portOf } from '../url.js'
import type { Binding } from './interfaces.js'

/** The address of an interface, with its binding. */
export interface Place {
  readonly binding: Binding
  readonly url: URL
}

/** Where an agent may be called with credentials. */
export interface OwnHosts {
  /** The URLs that the user or the store names. A card cannot add any. */
  readonly known: readonly URL[]
  /** Other hosts, allowed by name: `HOST` or `HOST:PORT`. */
  readonly allowHosts?: readonly string[]
}

/**
 * Whether token and code may be sent to an interface: it is on the host of a known URL, or on one that was allowed by
 * name.
 */
export function isOursToCall(place: Place, { known, allowHosts = [] }: OwnHosts): boolean {
  return (
    known.some((url) => isSameHost(url, place)) || allowHosts.some((allowed) => isNamed(allowed, place.url))
  )
}

/** Whether credentials sent to a URL would be readable on the network. */
export function isExposed(url: URL): boolean {
  return url.protocol !== 'https:' && !isLoopback(url)
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

/** Whether two URLs name one host. The usual names of this machine are one. */
export function isSameName(one: URL, other: URL): boolean {
  return one.hostname === other.hostname || (usualNames.has(one.hostname) && usualNames.has(other.hostname))
}

/** The usual names of this machine: on one port they are one server. */
const usualNames = new Set(['localhost', '127.0.0.1', '[::1]'])

/**
 * Whether two URLs may lead to one host, for questions where a wrong yes sends less: as {@link isSameName}, and also
 * with a dot at the end, or with an IPv4 address in its IPv6 spelling (RFC 4291, section 2.5.5.2).
 */
export function mayBeSameName(one: URL, other: URL): boolean {
  return plainHost(one) === plainHost(other)
}

function plainHost({ hostname }: URL): string {
  const mapped = /^\[::ffff:([\da-f]{1,4}):([\da-f]{1,4})\]$/.exec(hostname)
  const bytes = mapped?.slice(1).flatMap((pair) => [parseInt(pair, 16) >> 8, parseInt(pair, 16) & 255])
  const plain = bytes?.join('.') ?? hostname.replace(/\.$/, '')
  return usualNames.has(plain) ? 'localhost' : plain
}

/** A name without a port allows every port of the host. */
function isNamed(allowed: string, url: URL): boolean {
  const text = `${url.protocol}//${allowed}`
  if (!URL.canParse(text)) return false
  const known = new URL(text)
  return isSameName(known, url) && (!/:\d+$/.test(allowed) || portOf(known) === portOf(url))
}

/**
 * On this machine another port is another server, to which an HTTP request may do anything. A gRPC call is harmless
 * there: its path is fixed.
 */
function isSameHost(known: URL, { binding, url }: Place): boolean {
  return isSameName(known, url) && (binding === 'grpc' || !isLoopback(url) || portOf(known) === portOf(url))
}
