import { createRemoteJWKSet, customFetch } from 'jose'
import { TOTPError } from '../../core/errors.js'
import { isObject } from '../../core/json.js'
import { isLoopback } from '../../core/url.js'

/** An issuer's keys as a function that finds the key of a token, fetching them where necessary. */
export type PublishedKeys = ReturnType<typeof createRemoteJWKSet>

/** A usual key set has a few keys and a few kilobytes. These limits keep a broken one from costing much. */
const mostBytes = 1_048_576
const mostKeys = 1000

/**
 * The keys that an issuer publishes at a URL (RFC 7517 §5).
 *
 * @throws {TOTPError} `ERR_INSECURE_TRANSPORT` for keys over plain http beyond loopback.
 */
export function publishedKeys(url: URL, timeoutMs: number, cooldownMs: number): PublishedKeys {
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url))) {
    throw new TOTPError(
      'ERR_INSECURE_TRANSPORT',
      'jwksUrl must be https: an attacker who can change the keys in transit can make tokens',
    )
  }
  return createRemoteJWKSet(url, {
    timeoutDuration: timeoutMs,
    cooldownDuration: cooldownMs,
    [customFetch]: fetchKeys,
  })
}

/** Like `fetch`, but of limited size, and without the entries that are no public keys, as RFC 7517 §5 asks for. */
async function fetchKeys(url: string, init: RequestInit): Promise<Response> {
  const response = await fetch(url, init)
  if (response.status !== 200) throw new Error(`the issuer's keys: HTTP ${response.status} instead of 200`)
  const set: unknown = JSON.parse(await limitedText(response))
  if (!isObject(set) || !Array.isArray(set['keys'])) throw new Error("the issuer's keys: not a JWK set")
  if (set['keys'].length > mostKeys) throw new Error(`the issuer's keys: more than ${mostKeys}`)
  return Response.json({ keys: set['keys'].filter(isPublicKey) })
}

async function limitedText(response: Response): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength
    if (bytes > mostBytes) throw new Error(`the issuer's keys: more than ${mostBytes} bytes`)
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

/** Private and shared keys must not be published, so nothing that they sign proves anything. */
function isPublicKey(key: unknown): boolean {
  return isObject(key) && !['d', 'priv', 'k'].some((secret) => secret in key)
}
