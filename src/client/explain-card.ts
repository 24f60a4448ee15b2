import { isBearerScheme, isHeaderScheme } from '../core/card/security.js'
import { printable } from '../core/text.js'

type JsonObject = Readonly<Record<string, unknown>>

/** Schemes whose tokens are sent as bearer tokens (RFC 6750). */
const bearerKinds = /^(oauth2|openIdConnect)(SecurityScheme)?$/

/**
 * What a client that sends bearer AND the code should know about an agent card, in a sentence; undefined when the card
 * has an alternative that wants just these two. The card is one of A2A 1.0 or 0.3, as JSON or in @a2a-js/sdk's memory.
 *
 * Requirements are alternatives, of each of which all schemes are wanted together. OAuth 2 and OpenID Connect count
 * as bearer. A scheme that says nothing of itself gets the benefit of the doubt: agents on @a2a-js/sdk 1.3 garble theirs.
 *
 * @param header the field that carries the code
 */
export function explainCard(card: object, header: string): string | undefined {
  const { securitySchemes, securityRequirements, security } = card as JsonObject
  const schemes = asObject(securitySchemes)
  const alternatives = [...asList(securityRequirements), ...asList(security)].map((requirement) =>
    Object.keys(asObject(asObject(requirement)['schemes'] ?? requirement)),
  )
  const wanted = alternatives.map((names) => names.map((name) => kindOf(schemes[name], header)))
  if (wanted.length === 0) {
    return `the card demands nothing: the token and ${header} are sent all the same, but the agent may be open`
  }
  const possible = wanted.filter((kinds) => !kinds.includes('other'))
  if (possible.length === 0) {
    const others = alternatives.flat().filter((name) => kindOf(schemes[name], header) === 'other')
    return `the card wants ${[...new Set(others)].map(quoted).join(', ')}: only a bearer token and ${header} are sent, so expect to be refused`
  }
  const knows = possible.some((kinds) => kinds.includes('code') || kinds.includes('unknown'))
  if (knows) return undefined
  return `the card does not mention ${header}: it is sent all the same, but the agent may not check it`
}

function kindOf(scheme: unknown, header: string): 'bearer' | 'code' | 'other' | 'unknown' {
  if (isHeaderScheme(scheme, header)) return 'code'
  const object = asObject(scheme)
  const tagged = asObject(object['scheme'])['$case']
  const names = [object['type'], tagged, ...Object.keys(object)]
  if (isBearerScheme(scheme) || names.some((name) => typeof name === 'string' && bearerKinds.test(name))) {
    return 'bearer'
  }
  return Object.keys(object).length === 0 ? 'unknown' : 'other'
}

/** A name out of a card, which anybody may have written, for a message on one line. */
function quoted(name: string): string {
  return `"${printable(name.slice(0, 64)).replaceAll('"', "'")}"`
}

function asObject(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {}
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
