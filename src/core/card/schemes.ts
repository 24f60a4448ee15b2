import { asObject, asText, type JsonObject } from '../json.js'
import { inOwnSpelling } from './aliases.js'
import type { CardJson } from './shapes.js'

/** One spelling of a security scheme, reduced to the kinds used here. */
interface Variant {
  readonly kind: 'http' | 'apiKey'
  readonly body: JsonObject
}

/** Schemes whose tokens are sent as bearer tokens (RFC 6750). */
const bearerKinds = /^(oauth2|openIdConnect)(SecurityScheme)?$/

/** Whether a security scheme is HTTP bearer, in any shape that agents serve. */
export function isBearerScheme(scheme: unknown): boolean {
  return variantsOf(scheme).some(
    ({ kind, body }) => kind === 'http' && String(body['scheme']).toLowerCase() === 'bearer',
  )
}

/** Whether a security scheme is an API key in the given header, in any shape that agents serve. */
export function isHeaderScheme(scheme: unknown, header: string): boolean {
  return headersIn(scheme).some((name) => name.toLowerCase() === header.toLowerCase())
}

/**
 * What a scheme asks of a caller: a bearer token (OAuth 2 and OpenID Connect included), the code, or something else. An
 * empty scheme is unknown: agents on @a2a-js/sdk 1.3 garble theirs.
 */
export function kindOfScheme(scheme: unknown, header: string): 'bearer' | 'code' | 'other' | 'unknown' {
  if (isHeaderScheme(scheme, header)) return 'code'
  const object = asObject(scheme)
  const names = [object['type'], asObject(object['scheme'])['$case'], ...Object.keys(object)]
  if (isBearerScheme(scheme) || names.some((name) => bearerKinds.test(asText(name)))) return 'bearer'
  return Object.keys(object).length === 0 ? 'unknown' : 'other'
}

/** Whether a scheme asks for a client certificate. */
export function isMutualTls(scheme: unknown): boolean {
  const object = asObject(withoutTag(scheme))
  return object['type'] === 'mutualTLS' || 'mtlsSecurityScheme' in object
}

/** A card's security schemes, by name. */
export function schemesOf(card: CardJson): JsonObject {
  return asObject(inOwnSpelling(card)['securitySchemes'])
}

/** The names of a card's schemes that satisfy a predicate. */
export function schemeNames(card: CardJson, isIt: (scheme: unknown) => boolean): string[] {
  return Object.entries(schemesOf(card)).flatMap(([name, scheme]) => (isIt(scheme) ? [name] : []))
}

/** The headers that a card's API key schemes name. */
export function keyHeadersOf(card: CardJson): string[] {
  return Object.values(schemesOf(card)).flatMap((scheme) => [...new Set(headersIn(scheme))])
}

/**
 * Turns the shape that @a2a-js/sdk 1.3 serves into that of the specification: `{ scheme: { $case: KIND, value } }`
 * becomes `{ KIND: value }`.
 */
export function withoutTag(scheme: unknown): unknown {
  const { $case: kind, value } = asObject(asObject(scheme)['scheme'])
  if (typeof kind !== 'string') return scheme
  const others = Object.entries(asObject(scheme)).filter(([field]) => field !== 'scheme')
  return Object.fromEntries([...others, [kind, value]])
}

function headersIn(scheme: unknown): string[] {
  return variantsOf(scheme).flatMap(({ kind, body }) =>
    kind === 'apiKey' && (body['location'] ?? body['in']) === 'header' && asText(body['name']) !== ''
      ? [asText(body['name'])]
      : [],
  )
}

/**
 * The spellings that one scheme object can contain side by side: the `type` of 0.3, the field per kind of 1.0, and the
 * `$case` of @a2a-js/sdk 1.3.
 */
function variantsOf(scheme: unknown): Variant[] {
  const object = asObject(scheme)
  const found: Variant[] = []
  if (object['type'] === 'http' || object['type'] === 'apiKey')
    found.push({ kind: object['type'], body: object })
  const tagged = asObject(object['scheme'])
  for (const [field, kind] of [
    ['httpAuthSecurityScheme', 'http'],
    ['apiKeySecurityScheme', 'apiKey'],
  ] as const) {
    if (field in object) found.push({ kind, body: asObject(object[field]) })
    if (tagged['$case'] === field) found.push({ kind, body: asObject(tagged['value']) })
  }
  return found
}
