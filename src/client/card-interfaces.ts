import { TOTPError } from '../core/errors.js'
import { isLoopback } from './destinations.js'
import { grpcTarget, targetUrl } from './grpc-targets.js'

/**
 * The URL of an interface as a card spells it. gRPC has none as a rule, but `host:port`: that means TLS, except on
 * loopback.
 *
 * @throws {TOTPError} `ERR_CARD_INVALID` when it is neither.
 */
export function interfaceUrl(text: string): URL {
  if (/^https?:\/\//i.test(text) && URL.canParse(text)) return new URL(text)
  const target = grpcTarget(text)
  if (target !== undefined) {
    const secure = targetUrl(target, true)
    return isLoopback(secure.hostname) ? targetUrl(target, false) : secure
  }
  throw new TOTPError(
    'ERR_CARD_INVALID',
    'the card names an interface by something that is neither an http(s) URL nor, for gRPC, host:port',
  )
}

/**
 * The URLs of all interfaces that a card names, in 1.0's or 0.3's shape, the preferred one first.
 *
 * @throws {TOTPError} `ERR_CARD_INVALID` for one that leads nowhere.
 */
export function interfaceUrlsOf(card: object): URL[] {
  const { url, additionalInterfaces, supportedInterfaces } = card as Readonly<Record<string, unknown>>
  const named = [supportedInterfaces, additionalInterfaces].flatMap((list): unknown[] =>
    Array.isArray(list) ? list : [],
  )
  return [url, ...named.map((one) => (one as { url?: unknown } | null)?.url)]
    .filter((text): text is string => typeof text === 'string' && text !== '')
    .map(interfaceUrl)
}
