import { asList, asObject, asText, type JsonObject } from '../json.js'
import type { CardJson } from './shapes.js'

/** An extension that a card declares (A2A 1.0 §4.6, A2A 0.3 §5.5.2). */
export interface Extension {
  readonly uri: string
  /** Whether an agent refuses callers that do not activate it. */
  readonly required: boolean
  readonly params: JsonObject
}

/** The extensions that a card declares. What has no URI is none. */
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
