import { asObject, type JsonObject } from '../json.js'
import { withoutAliases } from './aliases.js'

/** An agent card or a part of one, as JSON. */
export type CardJson = JsonObject

/** The path of an agent's card below its base URL (A2A 1.0 §8.2; the same in 0.3). */
export const cardPath = '/.well-known/agent-card.json'

/** How the URL of a card ends; in A2A 0.2 it was `agent.json`. */
export const wellKnownCard = /\/\.well-known\/agent(-card)?\.json$/

/** The two shapes of security in an agent card (A2A 0.3 §5.5, A2A 1.0 §4.5). */
export const cardProtocols = ['1.0', '0.3', 'both'] as const
export type CardProtocol = (typeof cardProtocols)[number]

export const protocolVersions = ['1.0', '0.3'] as const
export type ProtocolVersion = (typeof protocolVersions)[number]

/** How each protocol wraps one alternative: a map from scheme names to scopes. */
export const requirementShapes = {
  '1.0': {
    field: 'securityRequirements',
    noScopes: () => ({ list: [] }),
    schemesOf: (alternative: unknown) => asObject(asObject(alternative)['schemes']),
    wrap: (schemes: JsonObject, alternative: unknown) => ({
      ...withoutAliases(asObject(alternative), ['schemes']),
      schemes,
    }),
  },
  '0.3': {
    field: 'security',
    noScopes: () => [],
    schemesOf: (alternative: unknown) => asObject(alternative),
    wrap: (schemes: JsonObject) => schemes,
  },
} as const

/** The shapes that a card is written in, judged by its fields; 1.0 if none of them tells. */
export function protocolOf(card: CardJson): CardProtocol {
  const newer = 'supportedInterfaces' in card || 'securityRequirements' in card
  const older = 'preferredTransport' in card || 'security' in card || 'url' in card
  if (newer && older) return 'both'
  return older ? '0.3' : '1.0'
}
