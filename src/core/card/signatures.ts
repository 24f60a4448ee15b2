import { asList, type JsonObject } from '../json.js'
import { canonicalJson } from './canonical.js'
import { cardMessage } from './card-message.js'
import { withNewerRequirements } from './hybrid.js'
import { protocolOf, type CardJson } from './shapes.js'

/** What is said when signatures of a card are dropped. */
export const signaturesDropped =
  'the card has changed, so its signatures no longer verify and were dropped; sign it again (signCard of ' +
  'a2a-totp/server/card)'

/**
 * Returns every text that verifiers compute for a card, the most complete one first. A signature verifies where one of
 * its texts is signed, so {@link signCard} signs them all.
 *
 * 1. The card as it is, canonical (RFC 8785): what a reader of the JSON sees. A2A 0.3 knows no other.
 * 2. For cards of A2A 1.0, the form of §8.4.1: the fields of the protocol, by presence.
 * 3. For cards of A2A 1.0, the form of the Python and JavaScript SDKs: as 2, without anything empty. A requirement without
 *    scopes is empty, so this form does not cover which schemes a card demands.
 *
 * @param forSdks false leaves the third out
 */
export function signedTexts(card: CardJson, forSdks: boolean): readonly string[] {
  const content = withoutSignatures(card)
  const forms: unknown[] = [content]
  if (protocolOf(content) !== '0.3') {
    const message = cardMessage(withNewerRequirements(content))
    forms.push(message)
    if (forSdks) forms.push(withoutEmpty(message) ?? {})
  }
  return [...new Set(forms.map(canonicalJson))]
}

/**
 * Returns a card that was made from another, without signatures unless both are equal but for the order of keys: a
 * signature over another card verifies nowhere, and is worse than none.
 */
export function dropStaleSignatures(
  before: CardJson,
  after: CardJson,
  onWarning: ((message: string) => void) | undefined,
): CardJson {
  if (!isSigned(after)) return after
  const [unsigned, original] = [withoutSignatures(after), withoutSignatures(before)]
  if (canonicalJson(unsigned) === canonicalJson(original)) return after
  onWarning?.(signaturesDropped)
  return unsigned
}

export function isSigned({ signatures }: CardJson): boolean {
  return Array.isArray(signatures) ? signatures.length > 0 : signatures !== undefined && signatures !== null
}

export function withoutSignatures(card: CardJson): CardJson {
  return Object.fromEntries(Object.entries(card).filter(([field]) => field !== 'signatures'))
}

/** A value without empty texts, lists and objects, at any depth; undefined if nothing is left. */
function withoutEmpty(value: unknown): unknown {
  if (value === '' || value === null) return undefined
  if (typeof value !== 'object') return value
  if (Array.isArray(value)) {
    const kept = asList(value).map(withoutEmpty).filter(isDefined)
    return kept.length > 0 ? kept : undefined
  }
  const kept = Object.entries(value as JsonObject)
    .map(([name, field]) => [name, withoutEmpty(field)] as const)
    .filter(([, field]) => isDefined(field))
  return kept.length > 0 ? Object.fromEntries(kept) : undefined
}

function isDefined(value: unknown): boolean {
  return value !== undefined
}
