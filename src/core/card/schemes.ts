import { asObject, asText, type JsonObject } from '../json.js'
import type { CardJson } from './shapes.js'

/** What a security scheme asks for, as far as it matters here. */
interface Variant {
  readonly kind: 'http' | 'apiKey'
  readonly body: JsonObject
}

/** Schemes whose tokens are sent as bearer tokens (RFC 6750). */
const bearerKinds = /^(oauth2|openIdConnect)(SecurityScheme)?$/

/** Whether a security scheme is HTTP bearer, in any shape seen in the wild. */
export function isBearerScheme(scheme: unknown): boolean {
  return variantsOf(scheme).some(
    ({ kind, body }) => kind === 'http' && String(body['scheme']).toLowerCase() === 'bearer',
  )
}

/** Whether a security scheme is an API key in that header, in any shape seen in the wild. */
export function isHeaderScheme(scheme: unknown, header: string): boolean {
  return headersIn(scheme).some((name) => name.toLowerCase() === header.toLowerCase())
}

/**
 * What a scheme wants of a caller: a bearer token (of OAuth 2 and OpenID Connect too), the code, or something else.
 * A scheme without content is unknown: agents on @a2a-js/sdk 1.3 garble theirs.
 */
export function kindOfScheme(scheme: unknown, header: string): 'bearer' | 'code' | 'other' | 'unknown' {
  if (isHeaderScheme(scheme, header)) return 'code'
  const object = asObject(scheme)
  const names = [object['type'], asObject(object['scheme'])['$case'], ...Object.keys(object)]
  if (isBearerScheme(scheme) || names.some((name) => bearerKinds.test(asText(name)))) return 'bearer'
  return Object.keys(object).length === 0 ? 'unknown' : 'other'
}

/** A card's security schemes, by name. */
export function schemesOf(card: CardJson): JsonObject {
  return asObject(card['securitySchemes'])
}

/** The names by which a card knows the schemes of a kind. */
export function schemeNames(card: CardJson, isIt: (scheme: unknown) => boolean): string[] {
  return Object.entries(schemesOf(card)).flatMap(([name, scheme]) => (isIt(scheme) ? [name] : []))
}

/** The headers in which a card wants API keys. */
export function keyHeadersOf(card: CardJson): string[] {
  return Object.values(schemesOf(card)).flatMap((scheme) => [...new Set(headersIn(scheme))])
}

/**
 * A scheme as the specification has it, where @a2a-js/sdk 1.3 serves its memory's shape:
 * `{ scheme: { $case: KIND, value } }` becomes `{ KIND: value }`.
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
 * The spellings that one scheme object can hold side by side: 0.3's `type`, 1.0's field per kind, and the
 * `$case` in which @a2a-js/sdk 1.3 serves cards.
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
