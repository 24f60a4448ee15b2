import { TOTPError } from '../errors.js'
import { asObject, type JsonObject } from '../json.js'
import { insecureProfileRules, parseProfile, type TOTPProfile } from '../profile.js'
import { parseSigned, type SignedPolicy } from '../proof/profile.js'
import { inOwnSpelling } from './aliases.js'
import { withTotpExtension } from './extension.js'
import { withOlderRequirements } from './hybrid.js'
import { isBearerScheme, isHeaderScheme, schemeNames, schemesOf, withoutTag } from './schemes.js'
import { dropStaleSignatures } from './signatures.js'
import {
  protocolOf,
  protocolVersions,
  requirementShapes,
  type CardJson,
  type CardProtocol,
  type ProtocolVersion,
} from './shapes.js'

export interface TOTPSecurityOptions {
  /** The header that carries the code; by default that of `profile`, which is `X-TOTP`. */
  readonly header?: string
  /**
   * How codes are made: says so in the card, in an extension that clients read (`urn:a2a-totp:v1`). What is left out has its
   * default.
   */
  readonly profile?: Partial<TOTPProfile>
  /** What the agent does with signed requests, for that extension; by default `off`. Never the policy of one peer. */
  readonly signed?: SignedPolicy
  /**
   * The shape to write; by default that of the card. `both` is one shape for readers of either: scheme objects have both
   * spellings, and requirements are in `security` alone, which readers of 1.0 take too (see `hybridCard`).
   */
  readonly protocol?: CardProtocol
  /** Drops alternatives without bearer instead of refusing the card. */
  readonly replace?: boolean
  /** Called if signatures of the card were dropped because the card has changed. By default nobody hears of it. */
  readonly onWarning?: (message: string) => void
}

const totpDescription = 'RFC 6238 code, fresh for each request'

/** The fields by which a scheme has the shape of a protocol already. */
const shapeFields: Readonly<Record<ProtocolVersion, readonly string[]>> = {
  '1.0': ['httpAuthSecurityScheme', 'apiKeySecurityScheme'],
  '0.3': ['type'],
}

const bearerScheme: Readonly<Record<ProtocolVersion, () => JsonObject>> = {
  '1.0': () => ({ httpAuthSecurityScheme: { scheme: 'Bearer' } }),
  '0.3': () => ({ type: 'http', scheme: 'bearer' }),
}

const totpScheme: Readonly<Record<ProtocolVersion, (header: string) => JsonObject>> = {
  '1.0': (name) => ({ apiKeySecurityScheme: { location: 'header', name, description: totpDescription } }),
  '0.3': (name) => ({ type: 'apiKey', in: 'header', name, description: totpDescription }),
}

/**
 * Returns a copy of a card that demands bearer AND the code: it adds the code to every alternative with bearer, including
 * those of skills. The function is idempotent.
 *
 * Each requirement has `bearer` before `totp`, because crewAI and the interceptors of the Python SDK act on the first
 * key. A card without requirements gets one. No alternative is added to existing ones: alternatives are an OR, so a new
 * one would bypass the others. For the same reason, existing requirements in the other protocol's shape are extended
 * too, and so are those in a field whose name is in snake case, which gets its own name. Schemes in the `$case` shape
 * that @a2a-js/sdk 1.3 serves are corrected. This is for cards as JSON; for cards in the memory of @a2a-js/sdk, use
 * `totpAgentCard` of `a2a-totp/server/a2a`.
 *
 * A card that is changed loses its `signatures` (A2A 1.0 §8.4), which no longer verify: sign the result with `signCard`
 * of `a2a-totp/server/card`. A card that demands both already keeps them.
 *
 * @throws {TOTPError} `ERR_CARD_INVALID` for an alternative without bearer, unless `replace` is set, and for a card that
 *   uses a required scheme name for something else; `ERR_PROFILE_INVALID` for a header that cannot carry a code, or a
 *   profile that is not allowed; `ERR_CONFIG_INVALID` for an unknown policy.
 */
export function withTotpSecurity<Card extends CardJson>(
  given: Card,
  options: TOTPSecurityOptions = {},
): Card {
  const profile = profileOf(options)
  const { header } = profile
  const read = inOwnSpelling(given)
  const asked = options.protocol ?? protocolOf(read)
  // Of a card that happens to be in both shapes nothing is moved: it may be signed.
  const card = options.protocol === 'both' ? withOlderRequirements(read) : read
  const shapes = protocolVersions.filter((one) => asked === 'both' || asked === one || demands(card, one))
  const names = namesIn(card, header)
  const securitySchemes: Record<string, unknown> = Object.fromEntries(
    Object.entries(schemesOf(card)).map(([name, scheme]) => [name, withoutTag(scheme)]),
  )
  for (const [name, shape] of [
    [names.newBearer, (protocol: ProtocolVersion) => bearerScheme[protocol]()],
    [names.totp, (protocol: ProtocolVersion) => totpScheme[protocol](header)],
  ] as const) {
    // A shape that the scheme has is kept as it is; missing shapes are added.
    const existing = asObject(securitySchemes[name])
    const missing = shapes.filter((protocol) => !shapeFields[protocol].some((field) => field in existing))
    securitySchemes[name] = Object.assign({}, ...missing.map(shape), existing)
  }

  const result: Record<string, unknown> = { ...card, securitySchemes }
  if (options.profile !== undefined || options.signed !== undefined) {
    const signed = parseSigned(options.signed ?? 'off')
    result['capabilities'] = withTotpExtension(card, profile, signed)
  }
  const rule = { ...names, replace: options.replace ?? false }
  for (const protocol of shapes) {
    const { field } = requirementShapes[protocol]
    if (asked === 'both' && protocol === '1.0' && !demands(card, protocol)) continue
    result[field] = guarded(card[field], protocol, rule, 'the card')
  }
  if (Array.isArray(card['skills'])) {
    result['skills'] = card['skills'].map((skill: unknown, index) => guardedSkill(skill, index, rule))
  }
  return dropStaleSignatures(given, result, options.onWarning) as Card
}

/**
 * Returns only the part of a card that demands bearer AND the code.
 *
 * @param extension what the extension says, as in `withTotpSecurity`; by default there is none
 * @throws {TOTPError} `ERR_PROFILE_INVALID` for a header that cannot carry a code.
 */
export function totpSecurityOf(
  protocol: CardProtocol,
  header: string,
  extension: Pick<TOTPSecurityOptions, 'profile' | 'signed'> = {},
): CardJson {
  return withTotpSecurity({}, { ...extension, protocol, header })
}

/** A scheme may have been allowed a wider window than is usual. */
function profileOf({ header, profile }: TOTPSecurityOptions): TOTPProfile {
  return parseProfile({ ...profile, header: header ?? profile?.header }, insecureProfileRules)
}

interface SchemeNames {
  /** The names of the card's bearer schemes. */
  readonly bearers: readonly string[]
  /** The name to use if no requirement demands bearer yet. */
  readonly newBearer: string
  readonly totp: string
}

type Rule = SchemeNames & { readonly replace: boolean }

function namesIn(card: CardJson, header: string): SchemeNames {
  const bearers = schemeNames(card, isBearerScheme)
  const headers = schemeNames(card, (scheme) => isHeaderScheme(scheme, header))
  const newBearer = bearers[0] ?? 'bearer'
  const totp = headers[0] ?? 'totp'
  for (const [name, isIt] of [
    [newBearer, bearers.length > 0],
    [totp, headers.length > 0],
  ] as const) {
    if (isIt || !Object.hasOwn(schemesOf(card), name)) continue
    throw new TOTPError(
      'ERR_CARD_INVALID',
      `the card uses the name "${name}" for a different security scheme; rename that scheme first`,
    )
  }
  return { bearers: bearers.length > 0 ? bearers : [newBearer], newBearer, totp }
}

function guarded(given: unknown, protocol: ProtocolVersion, rule: Rule, where: string): unknown[] {
  const { noScopes, schemesOf, wrap } = requirementShapes[protocol]
  const alternatives: unknown[] = Array.isArray(given) ? given : []
  const kept: unknown[] = []
  for (const alternative of alternatives) {
    const schemes = schemesOf(alternative)
    const bearer = rule.bearers.find((name) => Object.hasOwn(schemes, name))
    if (bearer !== undefined) {
      const { [bearer]: scopes, [rule.totp]: totpScopes, ...others } = schemes
      // a2a-go writes a bare list in 1.0 too, and reads only that.
      const none = Array.isArray(scopes) ? [] : noScopes()
      kept.push(wrap({ [bearer]: scopes, [rule.totp]: totpScopes ?? none, ...others }, alternative))
    } else if (!rule.replace) {
      throw new TOTPError(
        'ERR_CARD_INVALID',
        `${where} has an alternative without bearer, which would bypass the second factor; remove it, or replace it (option replace, --replace of config card)`,
      )
    }
  }
  return kept.length > 0 ? kept : [wrap({ [rule.newBearer]: noScopes(), [rule.totp]: noScopes() }, {})]
}

function guardedSkill(skill: unknown, index: number, rule: Rule): unknown {
  const result: Record<string, unknown> = { ...asObject(skill) }
  for (const protocol of protocolVersions) {
    const { field } = requirementShapes[protocol]
    if (demands(result, protocol)) {
      result[field] = guarded(result[field], protocol, rule, `skill ${index + 1}`)
    }
  }
  return result
}

/** Whether a card or a skill has requirements in the shape of a protocol version. */
function demands(cardOrSkill: CardJson, protocol: ProtocolVersion): boolean {
  const given = cardOrSkill[requirementShapes[protocol].field]
  return Array.isArray(given) && given.length > 0
}
