// A namespace, because SDK 0.3 has no such value to import and this file must load beside it all the same.
import * as sdk from '@a2a-js/sdk'
import { canonicalJson } from '../../core/card/canonical.js'
import { cardMessage } from '../../core/card/card-message.js'
import { withTotpSecurity, type TOTPSecurityOptions } from '../../core/card/security.js'
import { signaturesDropped, withoutSignatures } from '../../core/card/signatures.js'
import type { CardJson } from '../../core/card/shapes.js'
import { TOTPError } from '../../core/errors.js'
import { asList, asObject } from '../../core/json.js'
import type { TOTPProfile } from '../../core/profile.js'
import type { SignedPolicy } from '../../core/proof/profile.js'

export interface TOTPAgentCardOptions {
  /** The header that carries the code; by default that of the profile, which is X-TOTP. */
  readonly header?: string
  /** The scheme in front of the agent: the card then says how codes are made, and its policy on signed requests. */
  readonly scheme?: { readonly profile: TOTPProfile; readonly signed?: SignedPolicy }
  /** The same without a scheme; before what the scheme says. */
  readonly profile?: Partial<TOTPProfile>
  readonly signed?: SignedPolicy
  /** Drop alternatives that do without bearer, instead of refusing the card. */
  readonly replace?: boolean
  /** Called if signatures of the card were dropped because it changed; by default a process warning. */
  readonly onWarning?: (message: string) => void
}

export interface SignedTOTPAgentCardOptions extends TOTPAgentCardOptions {
  /** Returns the card with its signatures, as `signCard` of `a2a-totp/server/card` does. */
  readonly signCard: (card: CardJson) => CardJson | Promise<CardJson>
}

/**
 * An agent card that demands bearer AND the code, for the handlers of @a2a-js/sdk 1.x.
 *
 * Signatures of a card that demands both already are kept; a card that has to be changed loses them, with a warning.
 * {@link signedTotpAgentCard} signs again.
 *
 * @param card the card as JSON in A2A 1.0's shape, or as the SDK holds it in memory
 * @returns the card as the SDK holds it in memory. The SDK's `agentCardHandler` serializes that form as it is,
 *   `$case` and all, which clients then misread; so this one carries a `toJSON` that gives the shape of the
 *   specification. It is not enumerable, because the handler for 0.3 translates the card field by field.
 * @throws {TOTPError} `ERR_CARD_INVALID` when an alternative does without bearer; see `withTotpSecurity`.
 */
export function totpAgentCard(
  card: sdk.AgentCard | CardJson,
  options: TOTPAgentCardOptions = {},
): sdk.AgentCard {
  const onWarning = options.onWarning ?? emitWarning
  return inMemory(withTotpSecurity(jsonOf(card), { ...securityOf(options), onWarning }), onWarning)
}

/**
 * The same, signed (A2A 1.0 §8.4). Signatures that the card had are replaced.
 *
 * ```ts
 * const card = await signedTotpAgentCard(json, { signCard: (card) => signCard(card, key, { kid: 'card-1', alg: 'ES256' }) })
 * ```
 *
 * It also fits as the signature generator of the SDK's `DefaultRequestHandler`, which then signs extended cards too.
 *
 * @throws {TOTPError} `ERR_CARD_INVALID` as `totpAgentCard`; `ERR_CONFIG_INVALID` if `signCard` returns no signatures.
 * @throws what `signCard` throws
 */
export async function signedTotpAgentCard(
  card: sdk.AgentCard | CardJson,
  { signCard, ...options }: SignedTOTPAgentCardOptions,
): Promise<sdk.AgentCard> {
  const secured = withTotpSecurity(withoutSignatures(jsonOf(card)), securityOf(options))
  const unsigned = cardMessage(sdk.AgentCard.toJSON(sdk.AgentCard.fromJSON(secured)) as CardJson)
  const signatures = asList((await signCard(unsigned))['signatures'])
  if (signatures.length === 0) {
    throw new TOTPError(
      'ERR_CONFIG_INVALID',
      'signCard returned a card without signatures; return the signed card',
    )
  }
  return inMemory({ ...unsigned, signatures }, options.onWarning ?? emitWarning)
}

function securityOf({ scheme, ...options }: TOTPAgentCardOptions): TOTPSecurityOptions {
  const { profile = scheme?.profile, signed = scheme?.signed } = options
  return { ...options, profile, signed, protocol: '1.0' }
}

/**
 * The card as the SDK holds it. It serializes with its signatures only while it is the card that was signed. What the SDK
 * serves for 0.3 is a translation, so a card that names an interface of 0.3 has no signatures in memory.
 */
function inMemory(json: CardJson, onWarning: (message: string) => void): sdk.AgentCard {
  const card = sdk.AgentCard.fromJSON(json)
  const signatures = asList(json['signatures'])
  const signed = signatures.length > 0 ? canonicalJson(cardMessage(json)) : undefined
  let warned = false
  const toJSON = (current: CardJson): CardJson => {
    if (signed === undefined) return current
    const message = cardMessage(current)
    if (canonicalJson(message) === signed) return { ...message, signatures }
    if (!warned) onWarning(signaturesDropped)
    warned = true
    card.signatures = []
    return withoutSignatures(current)
  }
  // What the SDK does not keep is found at once.
  toJSON(sdk.AgentCard.toJSON(card) as CardJson)
  if (card.supportedInterfaces.some(({ protocolVersion }) => !/^[1-9]/.test(protocolVersion)))
    card.signatures = []
  return Object.defineProperty(card, 'toJSON', {
    value(this: sdk.AgentCard) {
      return toJSON(sdk.AgentCard.toJSON(this) as CardJson)
    },
  })
}

/** The card as the specification writes it. */
function jsonOf(card: sdk.AgentCard | CardJson): CardJson {
  const { toJSON } = asObject(card)
  // One of ours has signatures that the SDK does not see.
  if (typeof toJSON === 'function') return asObject(toJSON.call(card))
  return isInMemory(card) ? (sdk.AgentCard.toJSON(card) as CardJson) : card
}

/** Without security schemes the two forms look alike, and either reading gives the same. */
function isInMemory(card: sdk.AgentCard | CardJson): card is sdk.AgentCard {
  const schemes = Object.values(asObject(card.securitySchemes))
  return schemes.some((scheme) => '$case' in asObject(asObject(scheme)['scheme']))
}

function emitWarning(message: string): void {
  process.emitWarning(message, { type: 'SecurityWarning', code: 'A2A_TOTP_CARD_SIGNATURES' })
}
