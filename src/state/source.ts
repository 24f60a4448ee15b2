import { isIPv4, isIPv6 } from 'node:net'
import { hashToken } from '../core/token.js'

/** Longer texts are no addresses. Their hashes are kept, so that what a caller writes takes no more memory. */
const longest = 64

/**
 * The key that requests of one source are counted by: an IPv4 address, or the /64 of an IPv6 address, because the host
 * or home that has one address of a /64 has all of them. An IPv4 address inside IPv6 (RFC 4291 §2.5.5.2, RFC 6052) is the
 * IPv4 address. Ports, brackets and zones are ignored; any other text is itself.
 *
 * @param source an address, or whatever else an agent calls a source
 */
export function sourceKey(source: string): string {
  if (!source.includes(':')) return short(source)
  const address = addressIn(source)
  if (isIPv4(address)) return address
  if (!isIPv6(address)) return short(source)
  const groups = groupsOf(address)
  const prefix = groups.slice(0, 6).join(':')
  if (prefix === '0:0:0:0:0:ffff' || prefix === '64:ff9b:0:0:0:0') {
    const [high = 0, low = 0] = groups.slice(6).map((group) => parseInt(group, 16))
    return [high >> 8, high & 255, low >> 8, low & 255].join('.')
  }
  return `${groups.slice(0, 4).join(':')}::/64`
}

const short = (source: string): string => (source.length > longest ? hashToken(source) : source)

/** `192.0.2.1:4711`, `[2001:db8::1]:4711` and `fe80::1%eth0` without port, brackets and zone. */
function addressIn(source: string): string {
  const address = /^\[([^\]]*)\](?::\d+)?$/.exec(source)?.[1] ?? source.replace(/^([\d.]+):\d+$/, '$1')
  return address.replace(/%.*$/s, '')
}

/** The eight groups of an IPv6 address, in lower case and without leading zeros. */
function groupsOf(address: string): string[] {
  const hex = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...bytes: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = bytes.map(Number)
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`
  })
  const [before = [], after = []] = hex.split('::').map((half) => (half ? half.split(':') : []))
  const zeros = Array<string>(8 - before.length - after.length).fill('0')
  return [...before, ...zeros, ...after].map((group) => parseInt(group, 16).toString(16))
}
