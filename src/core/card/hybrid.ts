import { asList, asObject, asText, isObject, type JsonObject } from '../json.js'
import { inOwnSpelling } from './aliases.js'
import { canonicalJson } from './canonical.js'
import { withoutTag } from './schemes.js'
import { requirementShapes, type CardJson } from './shapes.js'

/** The field of each kind of security scheme in 1.0, and its `type` in 0.3. */
const olderTypes = {
  apiKeySecurityScheme: 'apiKey',
  httpAuthSecurityScheme: 'http',
  oauth2SecurityScheme: 'oauth2',
  openIdConnectSecurityScheme: 'openIdConnect',
  mtlsSecurityScheme: 'mutualTLS',
} as const

/**
 * Returns a card of A2A 1.0 in the one shape that readers of 1.0 and of 0.3 both take, for clients that do not say which
 * of the two they speak.
 *
 * Every scheme object has both spellings. Requirements are in `security` alone: readers of 1.0 take them from there, and
 * a2a-go fails on the `{"list": []}` of `securityRequirements`. `url`, `preferredTransport` and `additionalInterfaces`
 * name the card's interfaces of 0.3; without one, no reader of 0.3 can use the card. `signatures` are left out, since
 * none would verify.
 *
 * @param source a card as JSON, or a card of `totpAgentCard`
 */
export function hybridCard(source: object): CardJson {
  // A card that the SDK holds in memory has another shape, and is as JSON what clients read.
  const card = inOwnSpelling(asObject(JSON.parse(JSON.stringify(source))))
  const unsigned = Object.fromEntries(
    Object.entries(withOlderRequirements(card)).filter(([field]) => field !== 'signatures'),
  )
  const [primary, ...others] = olderInterfaces(card)
  const { extendedAgentCard } = asObject(card['capabilities'])
  const schemes = Object.entries(asObject(card['securitySchemes']))
  return {
    ...unsigned,
    ...(primary && {
      url: primary['url'],
      preferredTransport: primary['protocolBinding'],
      protocolVersion: asText(primary['protocolVersion']) || '0.3',
    }),
    ...(others.length > 0 && {
      additionalInterfaces: others.map(({ url, protocolBinding }) => ({ url, transport: protocolBinding })),
    }),
    ...(typeof extendedAgentCard === 'boolean' && { supportsAuthenticatedExtendedCard: extendedAgentCard }),
    ...(schemes.length > 0 && {
      securitySchemes: Object.fromEntries(
        schemes.map(([name, scheme]) => [name, inBothShapes(asObject(withoutTag(scheme)))]),
      ),
    }),
  }
}

/**
 * Returns a card whose requirements, and those of its skills, are in `security` alone. What is in both fields is there
 * once.
 */
export function withOlderRequirements(card: CardJson): CardJson {
  const moved = withoutNewerField(card)
  if (!Array.isArray(card['skills'])) return moved
  const skills = card['skills'].map((skill: unknown) => withoutNewerField(asObject(skill)))
  return { ...moved, skills }
}

/**
 * Returns a card with its requirements, and those of its skills, in `securityRequirements` where they are in `security`
 * alone: how SDKs of 1.0 read a hybrid card, and therefore what its signature covers.
 */
export function withNewerRequirements(card: CardJson): CardJson {
  const read = withNewerField(card)
  if (!Array.isArray(card['skills'])) return read
  return { ...read, skills: card['skills'].map((skill: unknown) => withNewerField(asObject(skill))) }
}

function withNewerField(owner: JsonObject): JsonObject {
  const { field: newer } = requirementShapes['1.0']
  const { field: older } = requirementShapes['0.3']
  if (newer in owner || !(older in owner)) return owner
  const requirements = asList(owner[older]).map((requirement) => ({
    schemes: Object.fromEntries(
      Object.entries(asObject(requirement)).map(([name, scopes]) => [name, { list: scopesOf(scopes) }]),
    ),
  }))
  return { ...owner, [newer]: requirements }
}

function withoutNewerField(owner: JsonObject): JsonObject {
  const { field: newer, schemesOf } = requirementShapes['1.0']
  const { field: older } = requirementShapes['0.3']
  if (!(newer in owner)) return owner
  const { [newer]: requirements, ...rest } = owner
  const translated = asList(requirements).map((requirement) =>
    Object.fromEntries(
      Object.entries(schemesOf(requirement)).map(([name, scopes]) => [name, scopesOf(scopes)]),
    ),
  )
  const all = [...asList(owner[older]), ...translated]
  const known = new Set<string>()
  const distinct = all.filter((one) => !known.has(canonicalJson(one)) && known.add(canonicalJson(one)))
  return { ...rest, [older]: distinct }
}

/** `{"list": […]}`, the bare list of a2a-go, and nothing at all. */
function scopesOf(scopes: unknown): unknown[] {
  return [...asList(Array.isArray(scopes) ? scopes : asObject(scopes)['list'])]
}

function olderInterfaces(card: CardJson): JsonObject[] {
  return asList(card['supportedInterfaces'])
    .filter(isObject)
    .filter(({ protocolVersion }) => /^(0\..*)?$/.test(asText(protocolVersion)))
}

function inBothShapes(scheme: JsonObject): JsonObject {
  for (const [field, type] of Object.entries(olderTypes)) {
    if (!(field in scheme) || 'type' in scheme) continue
    const { location, ...body } = asObject(scheme[field])
    return { ...scheme, type, ...body, ...(location !== undefined && { in: location }) }
  }
  return scheme
}
