import { readRequirements } from '../../core/card/requirements.js'
import { kindOfScheme, schemesOf } from '../../core/card/schemes.js'
import { asObject } from '../../core/json.js'
import { printable } from '../../core/text.js'

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
  const schemes = schemesOf(asObject(card))
  const alternatives = readRequirements(asObject(card))
    .filter(({ skill }) => skill === undefined)
    .map((requirement) => requirement.schemes)
  const wanted = alternatives.map((names) => names.map((name) => kindOfScheme(schemes[name], header)))
  if (wanted.length === 0) {
    return `the card demands nothing: the token and ${header} are sent all the same, but the agent may be open`
  }
  const possible = wanted.filter((kinds) => !kinds.includes('other'))
  if (possible.length === 0) {
    const others = alternatives.flat().filter((name) => kindOfScheme(schemes[name], header) === 'other')
    return `the card wants ${[...new Set(others)].map(quoted).join(', ')}: only a bearer token and ${header} are sent, so expect to be refused`
  }
  const knows = possible.some((kinds) => kinds.includes('code') || kinds.includes('unknown'))
  if (knows) return undefined
  return `the card does not mention ${header}: it is sent all the same, but the agent may not check it`
}

/** A name out of a card, which anybody may have written, for a message on one line. */
function quoted(name: string): string {
  return `"${printable(name.slice(0, 64)).replaceAll('"', "'")}"`
}
