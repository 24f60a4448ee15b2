import { readTotpExtension } from '../../core/card/extension.js'
import { readRequirements } from '../../core/card/requirements.js'
import { kindOfScheme, schemesOf } from '../../core/card/schemes.js'
import { asObject } from '../../core/json.js'
import { proofTag } from '../../core/proof/profile.js'
import { printable } from '../../core/text.js'

export interface ExplainCardOptions {
  /** Whether the client signs its requests. By default that is not known, and nothing is said of it. */
  readonly signs?: boolean
}

/**
 * Explains in one line how an agent card differs from what a client sends, bearer AND the code; undefined if one of
 * its alternatives asks for exactly these two, and its extension `urn:a2a-totp:v1` says nothing else. The card is one of
 * A2A 1.0 or 0.3, as JSON or as @a2a-js/sdk holds it in memory.
 *
 * Requirements are alternatives; each asks for all of its schemes together. OAuth 2 and OpenID Connect count as bearer.
 * An empty scheme gets the benefit of the doubt: agents on @a2a-js/sdk 1.3 garble theirs.
 *
 * It informs only: no card makes a client sign less.
 *
 * @param header the header that carries the code
 */
export function explainCard(
  card: object,
  header: string,
  options: ExplainCardOptions = {},
): string | undefined {
  const differences = [explainDemands(card, header), ...explainExtension(card, header, options)]
  const said = differences.filter((one) => one !== undefined)
  return said.length === 0 ? undefined : said.join('; ')
}

function explainDemands(card: object, header: string): string | undefined {
  const schemes = schemesOf(asObject(card))
  const alternatives = readRequirements(asObject(card))
    .filter(({ skill }) => skill === undefined)
    .map((requirement) => requirement.schemes)
  const wanted = alternatives.map((names) => names.map((name) => kindOfScheme(schemes[name], header)))
  if (wanted.length === 0) {
    return `the card demands nothing: the token and ${header} are sent anyway, but the agent may be open to anyone`
  }
  const possible = wanted.filter((kinds) => !kinds.includes('other'))
  if (possible.length === 0) {
    const others = alternatives.flat().filter((name) => kindOfScheme(schemes[name], header) === 'other')
    return `the card asks for ${[...new Set(others)].map(quoted).join(', ')}: only a bearer token and ${header} are sent, so expect to be refused`
  }
  const knows = possible.some((kinds) => kinds.includes('code') || kinds.includes('unknown'))
  if (knows) return undefined
  return `the card does not mention ${header}: it is sent anyway, but the agent may not check it`
}

function explainExtension(card: object, header: string, { signs }: ExplainCardOptions): string[] {
  const extension = readTotpExtension(asObject(card))
  const { policy = 'off', profile = proofTag } = extension?.signed ?? {}
  const said: string[] = []
  if (extension?.header !== undefined && extension.header.toLowerCase() !== header.toLowerCase())
    said.push(`the card's extension wants the code in ${quoted(extension.header)}: it is sent in ${header}`)
  if (policy === 'require' && signs === false)
    said.push('the card requires signed requests: this client does not sign, so expect to be refused')
  if (policy !== 'off' && profile !== proofTag && signs !== false)
    said.push(`the card wants signatures of another kind, ${quoted(profile)}: those of ${proofTag} are sent`)
  return said
}

/** Quotes a text from a card, which is untrusted, for a message of one line. */
function quoted(name: string): string {
  return `"${printable(name.slice(0, 64)).replaceAll('"', "'")}"`
}
