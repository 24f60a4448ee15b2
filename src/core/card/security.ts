import { TOTPError } from '../errors.js'
import { parseProfile } from '../profile.js'

/** The two shapes in which an agent card says what it demands (A2A 0.3 §5.5, A2A 1.0 §4.5). */
export const cardProtocols = ['1.0', '0.3', 'both'] as const
export type CardProtocol = (typeof cardProtocols)[number]

/** An agent card or a part of one, as JSON. */
export type CardJson = Readonly<Record<string, unknown>>

type JsonObject = Record<string, unknown>

export interface TOTPSecurityOptions {
  /** The header that carries the code, `X-TOTP` by default. */
  readonly header?: string
  /** Which shape to write; by default the one the card has. */
  readonly protocol?: CardProtocol
  /** Drop alternatives that do without bearer, instead of refusing the card. */
  readonly replace?: boolean
}

const totpDescription = 'RFC 6238 code, fresh for each request'

type Protocol = '1.0' | '0.3'
const bothProtocols = ['1.0', '0.3'] as const

const bearerScheme: Readonly<Record<Protocol, () => JsonObject>> = {
  '1.0': () => ({ httpAuthSecurityScheme: { scheme: 'Bearer' } }),
  '0.3': () => ({ type: 'http', scheme: 'bearer' }),
}

const totpScheme: Readonly<Record<Protocol, (header: string) => JsonObject>> = {
  '1.0': (name) => ({ apiKeySecurityScheme: { location: 'header', name, description: totpDescription } }),
  '0.3': (name) => ({ type: 'apiKey', in: 'header', name, description: totpDescription }),
}

/**
 * Makes a card demand bearer AND the code: in every alternative, those of skills too, the code joins bearer.
 *
 * `bearer` is written before `totp` in each requirement, because crewAI and the Python SDK's interceptors act on
 * the first key. A card that demands nothing yet gets one requirement. Nothing is appended beside an
 * alternative, since alternatives are an OR: a second one would be a way round the first. For the same reason
 * requirements in the shape that was not asked for are guarded too, where the card has any. Schemes in the
 * `$case` shape that @a2a-js/sdk 1.3 serves are put right. The card that was given is not changed; doing it
 * twice is as good as once. It is for cards as JSON: for those in the memory of @a2a-js/sdk there is
 * `totpAgentCard` of `a2a-totp/server/a2a`.
 *
 * @throws {TOTPError} `ERR_CARD_INVALID` when an alternative does without bearer and `replace` is not set, or
 *   when the card uses a scheme name that is needed for something else; `ERR_PROFILE_INVALID` for a header that
 *   cannot carry a code.
 */
export function withTotpSecurity<Card extends CardJson>(card: Card, options: TOTPSecurityOptions = {}): Card {
  const { header } = parseProfile({ header: options.header })
  const asked = spelledOut(options.protocol ?? protocolOf(card))
  const protocols = bothProtocols.filter((protocol) => asked.includes(protocol) || demands(card, protocol))
  const names = schemeNames(card, header)
  const schemes = Object.entries(asObject(card['securitySchemes']))
  const securitySchemes = Object.fromEntries(schemes.map(([name, scheme]) => [name, untagged(scheme)]))
  for (const [name, shape] of [
    [names.newBearer, (protocol: Protocol) => bearerScheme[protocol]()],
    [names.totp, (protocol: Protocol) => totpScheme[protocol](header)],
  ] as const) {
    // What a scheme says already is kept; it gains the shapes that it lacks.
    securitySchemes[name] = Object.assign({}, ...protocols.map(shape), asObject(securitySchemes[name]))
  }

  const result: JsonObject = { ...card, securitySchemes }
  const rule = { ...names, replace: options.replace ?? false }
  for (const protocol of protocols) {
    const { field } = shapes[protocol]
    result[field] = guarded(card[field], protocol, rule, 'the card')
  }
  if (Array.isArray(card['skills'])) {
    result['skills'] = card['skills'].map((skill: unknown, index) => guardedSkill(skill, index, rule))
  }
  return result as Card
}

/**
 * Just the part of a card that demands bearer AND the code.
 *
 * @throws {TOTPError} `ERR_PROFILE_INVALID` for a header that cannot carry a code.
 */
export function totpSecurityOf(protocol: CardProtocol, header: string): CardJson {
  return withTotpSecurity({}, { protocol, header })
}

/** Whether a security scheme is HTTP bearer, in any shape seen in the wild. */
export function isBearerScheme(scheme: unknown): boolean {
  return variantsOf(scheme).some(
    ({ kind, body }) => kind === 'http' && String(body['scheme']).toLowerCase() === 'bearer',
  )
}

/** Whether a security scheme is that header, in any shape seen in the wild. */
export function isHeaderScheme(scheme: unknown, header: string): boolean {
  return variantsOf(scheme).some(
    ({ kind, body }) =>
      kind === 'apiKey' &&
      (body['location'] ?? body['in']) === 'header' &&
      String(body['name']).toLowerCase() === header.toLowerCase(),
  )
}

/**
 * The spellings that one scheme object can hold side by side: 0.3's `type`, 1.0's field per kind, and the
 * `$case` in which @a2a-js/sdk 1.3 serves cards.
 */
function variantsOf(scheme: unknown): { kind: 'http' | 'apiKey'; body: JsonObject }[] {
  const object = asObject(scheme)
  const found: { kind: 'http' | 'apiKey'; body: JsonObject }[] = []
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

/**
 * A scheme as the specification has it, where @a2a-js/sdk 1.3 serves its memory's shape:
 * `{ scheme: { $case: KIND, value } }` becomes `{ KIND: value }`.
 */
function untagged(scheme: unknown): unknown {
  const { $case: kind, value } = asObject(asObject(scheme)['scheme'])
  if (typeof kind !== 'string') return scheme
  const others = Object.entries(asObject(scheme)).filter(([field]) => field !== 'scheme')
  return Object.fromEntries([...others, [kind, value]])
}

/** How each protocol wraps one alternative: a map from scheme names to scopes. */
const shapes = {
  '1.0': {
    field: 'securityRequirements',
    noScopes: () => ({ list: [] }),
    schemesOf: (alternative: unknown) => asObject(asObject(alternative)['schemes']),
    wrap: (schemes: JsonObject, alternative: unknown) => ({ ...asObject(alternative), schemes }),
  },
  '0.3': {
    field: 'security',
    noScopes: () => [],
    schemesOf: (alternative: unknown) => asObject(alternative),
    wrap: (schemes: JsonObject) => schemes,
  },
} as const

interface SchemeNames {
  /** Names by which the card knows bearer. */
  readonly bearers: readonly string[]
  /** The name to use where nothing demands bearer yet. */
  readonly newBearer: string
  readonly totp: string
}

type Rule = SchemeNames & { readonly replace: boolean }

function schemeNames(card: CardJson, header: string): SchemeNames {
  const schemes = Object.entries(asObject(card['securitySchemes']))
  const bearers = schemes.filter(([, scheme]) => isBearerScheme(scheme)).map(([name]) => name)
  const headers = schemes.filter(([, scheme]) => isHeaderScheme(scheme, header)).map(([name]) => name)
  const newBearer = bearers[0] ?? 'bearer'
  const totp = headers[0] ?? 'totp'
  for (const [name, isIt] of [
    [newBearer, bearers.length > 0],
    [totp, headers.length > 0],
  ] as const) {
    if (isIt || !schemes.some(([taken]) => taken === name)) continue
    throw new TOTPError(
      'ERR_CARD_INVALID',
      `the card has a security scheme "${name}" that means something else; rename it first`,
    )
  }
  return { bearers: bearers.length > 0 ? bearers : [newBearer], newBearer, totp }
}

function guarded(given: unknown, protocol: Protocol, rule: Rule, where: string): unknown[] {
  const { noScopes, schemesOf, wrap } = shapes[protocol]
  const alternatives: unknown[] = Array.isArray(given) ? given : []
  const kept: unknown[] = []
  for (const alternative of alternatives) {
    const schemes = schemesOf(alternative)
    const bearer = rule.bearers.find((name) => Object.hasOwn(schemes, name))
    if (bearer !== undefined) {
      const { [bearer]: scopes, [rule.totp]: totpScopes, ...others } = schemes
      // a2a-go writes a bare list in 1.0 as well, and reads nothing else.
      const none = Array.isArray(scopes) ? [] : noScopes()
      kept.push(wrap({ [bearer]: scopes, [rule.totp]: totpScopes ?? none, ...others }, alternative))
    } else if (!rule.replace) {
      throw new TOTPError(
        'ERR_CARD_INVALID',
        `${where} has an alternative without bearer, which would be a way round the second factor; remove it, or have it replaced (option replace, --replace of config card)`,
      )
    }
  }
  return kept.length > 0 ? kept : [wrap({ [rule.newBearer]: noScopes(), [rule.totp]: noScopes() }, {})]
}

function guardedSkill(skill: unknown, index: number, rule: Rule): unknown {
  const result = { ...asObject(skill) }
  for (const protocol of bothProtocols) {
    const { field } = shapes[protocol]
    if (demands(result, protocol)) {
      result[field] = guarded(result[field], protocol, rule, `skill ${index + 1}`)
    }
  }
  return result
}

/** Whether a card or a skill has requirements in the shape of a protocol. */
function demands(cardOrSkill: CardJson, protocol: Protocol): boolean {
  const given = cardOrSkill[shapes[protocol].field]
  return Array.isArray(given) && given.length > 0
}

function protocolOf(card: CardJson): CardProtocol {
  const newer = 'supportedInterfaces' in card || 'securityRequirements' in card
  const older = 'preferredTransport' in card || 'security' in card || 'url' in card
  if (newer && older) return 'both'
  return older ? '0.3' : '1.0'
}

function spelledOut(protocol: CardProtocol): readonly Protocol[] {
  return protocol === 'both' ? bothProtocols : [protocol]
}

function asObject(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {}
}
