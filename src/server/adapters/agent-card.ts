// A namespace, because SDK 0.3 has no such value to import and this file must load beside it all the same.
import * as sdk from '@a2a-js/sdk'
import { withTotpSecurity } from '../../core/card/security.js'
import type { CardJson } from '../../core/card/shapes.js'
import { asObject } from '../../core/json.js'

export interface TOTPAgentCardOptions {
  /** The header that carries the code; by default X-TOTP. */
  readonly header?: string
  /** Drop alternatives that do without bearer, instead of refusing the card. */
  readonly replace?: boolean
}

/**
 * An agent card that demands bearer AND the code, for the handlers of @a2a-js/sdk 1.x.
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
  const json = isInMemory(card) ? (sdk.AgentCard.toJSON(card) as CardJson) : card
  const guarded = sdk.AgentCard.fromJSON(withTotpSecurity(json, { ...options, protocol: '1.0' }))
  return Object.defineProperty(guarded, 'toJSON', {
    value(this: sdk.AgentCard) {
      return sdk.AgentCard.toJSON(this)
    },
  })
}

/** Without security schemes the two forms look alike, and either reading gives the same. */
function isInMemory(card: sdk.AgentCard | CardJson): card is sdk.AgentCard {
  const schemes = Object.values(asObject(card.securitySchemes))
  return schemes.some((scheme) => '$case' in asObject(asObject(scheme)['scheme']))
}
