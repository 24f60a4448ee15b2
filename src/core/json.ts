/** A JSON object whose fields are unchecked. */
export type JsonObject = Readonly<Record<string, unknown>>

/** Whether a value is a JSON object: neither null nor an array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A JSON object, or an empty one for anything else. */
export function asObject(value: unknown): JsonObject {
  return isObject(value) ? value : {}
}

/** An array, or an empty one for anything else. */
export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** A string, or an empty one for anything else. */
export function asText(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/**
 * The value of a JSON text; undefined, which JSON cannot express, if the text is not JSON. The parser's own error is
 * dropped on purpose: it quotes the text around the mistake, which may be a secret.
 */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
