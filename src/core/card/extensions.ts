import { asList, asObject, asText, type JsonObject } from '../json.js'
import type { CardJson } from './shapes.js'

/** An extension that a card declares (A2A 1.0 §4.6, A2A 0.3 §5.5.2). */
export interface Extension {
  readonly uri: string
  /** Whether the agent refuses clients that do not activate it. */
  readonly required: boolean
  readonly params: JsonObject
}

/** Reads the extensions that a card declares. Entries without a URI are left out. */
export function readExtensions(card: CardJson): Extension[] {
  return asList(asObject(card['capabilities'])['extensions'])
    .map(asObject)
    .map(({ uri, required, params }) => ({
      uri: asText(uri),
      required: required === true,
      params: asObject(params),
    }))
    .filter(({ uri }) => uri !== '')
}
