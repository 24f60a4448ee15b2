import { parseShallowJson } from '../shallow-json.js'
import { isObject } from '../json.js'
import type { CardJson } from './shapes.js'

/** The most bytes that a card may have. */
export const largestCard = 1024 * 1024

/** A card as it was received, or why the text is none. */
export type ReceivedCard =
  { readonly ok: true; readonly card: CardJson } | { readonly ok: false; readonly why: string }

/**
 * Reads the bytes of a card, which are untrusted. What it returns can be walked through and written again: it is not
 * nested deeply, and all its text is Unicode. A byte order mark is passed over; of a repeated key the last is kept.
 */
export function readCard(bytes: Uint8Array): ReceivedCard {
  if (bytes.byteLength > largestCard) return no('larger than 1 MiB')
  const text = decode(bytes)
  if (text === undefined) return no('not UTF-8')
  const card = parseShallowJson(text)
  if (card === undefined) return no('not JSON')
  if (!isObject(card)) return no('not a JSON object')
  if (/\\u[dD][89a-fA-F]/.test(text) && hasLoneSurrogate(card)) return no('text that is not Unicode')
  return { ok: true, card }
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

function hasLoneSurrogate(value: unknown): boolean {
  if (typeof value === 'string') return /\p{Surrogate}/u.test(value)
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).some(([key, field]) => hasLoneSurrogate(key) || hasLoneSurrogate(field))
}

function no(why: string): ReceivedCard {
  return { ok: false, why }
}
