import { isIP } from 'node:net'

/**
 * Where a request came from, as proxies say: the last address of `X-Forwarded-For` that is not trusted. What stands before
 * that one was written by somebody who is not trusted.
 *
 * @param lines of the field, in order
 * @param sender the source where the field does not say
 */
export function forwardedSource<Sender extends string | undefined>(
  lines: readonly string[],
  isTrusted: (address: string) => boolean,
  sender: Sender,
): string | Sender {
  let source: string | Sender = sender
  for (const hop of lines.flatMap((line) => line.split(',')).reverse()) {
    const address = plainAddress(hop.trim())
    // A proxy that is trusted writes addresses. What is none came through it from somebody else.
    if (address === undefined) return source
    source = address
    if (!isTrusted(address)) return source
  }
  return source
}

/**
 * An IP address without brackets, port, zone and the prefix that maps IPv4 to IPv6.
 *
 * @returns undefined for any other text
 */
export function plainAddress(text: string): string | undefined {
  const [, inBrackets, v4] = /^(?:\[([^\]]+)\]|([\d.]+))(?::\d{1,5})?$/.exec(text) ?? []
  const address = (inBrackets ?? v4 ?? text).replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '')
  return isIP(address) === 0 ? undefined : address
}
