import { flattenedVerify, type CryptoKey, type FlattenedJWS, type KeyObject } from 'jose'
import { withoutSignatures } from '../../src/core/card/signatures.js'
import type { CardJson } from '../../src/core/card/shapes.js'

/** How many of a card's signatures verify over a text. */
export async function verifiedOver(
  text: string,
  card: CardJson,
  key: CryptoKey | KeyObject,
): Promise<number> {
  const payload = Buffer.from(text).toString('base64url')
  const signatures = (card['signatures'] ?? []) as FlattenedJWS[]
  const verdicts = await Promise.all(
    signatures.map((one) =>
      flattenedVerify({ ...one, payload }, key).then(
        () => true,
        () => false,
      ),
    ),
  )
  return verdicts.filter(Boolean).length
}

/** The canonical text of a card as it was received, for ASCII keys: written apart from the code under test. */
export function canonicalAsReceived(card: CardJson): string {
  const sorted = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(sorted)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value)
        .sort(([one], [other]) => (one < other ? -1 : 1))
        .map(([name, field]) => [name, sorted(field)]),
    )
  }
  return JSON.stringify(sorted(withoutSignatures(card)))
}
