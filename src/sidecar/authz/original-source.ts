import { isIP } from 'node:net'

/**
 * Where a request came from, as the front says: the last address of `X-Forwarded-For`, which the front wrote. Addresses
 * of trusted proxies before it are skipped; what stands before one that is not trusted, anybody may have written.
 *
 * @param forwardedFor the lines of the field, in order
 * @returns undefined if the front does not say
 */
export function originalSource(
  forwardedFor: readonly string[],
  isTrustedProxy: (address: string) => boolean,
): string | undefined {
  let source: string | undefined
  for (const hop of forwardedFor.flatMap((line) => line.split(',')).reverse()) {
    const address = addressOf(hop.trim())
    if (address === undefined) return source
    source = address
    if (!isTrustedProxy(address)) return source
  }
  return source
}

/** An IP address without the brackets, the port and the prefix that some fronts write with it; undefined for anything else. */
function addressOf(text: string): string | undefined {
  const [, bracketed, v4] = /^(?:\[([^\]]+)\]|([\d.]+))(?::\d{1,5})?$/.exec(text) ?? []
  const address = (bracketed ?? v4 ?? text).replace(/^::ffff:(?=\d+\.)/i, '')
  return isIP(address) === 0 ? undefined : address
}
