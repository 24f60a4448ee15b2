import { encodingOfMisread, wrongEncoding } from './encoding.js'
import { findJsonFault } from './json-fault.js'

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

/** How {@link requireJson} reads. */
export interface RequireJsonOptions {
  /**
   * Refuses an object that repeats a key, of which `JSON.parse` silently keeps the last. For documents whose keys are
   * names that people add.
   */
  readonly uniqueKeys?: boolean
}

/**
 * Returns the value of a JSON text that a person may have edited.
 *
 * @param what how the error names the document, such as `the store`
 * @param refuse makes the error of a message: `the store is not JSON: line 12, column 5: expected , or }`. The message
 *   contains nothing of the text, which may be a secret.
 */
export function requireJson(
  text: string,
  what: string,
  refuse: (message: string) => Error,
  { uniqueKeys = false }: RequireJsonOptions = {},
): unknown {
  const value = parseJson(text)
  if (value !== undefined && !(uniqueKeys && mayRepeatKey(text, value))) return value
  const encoding = encodingOfMisread(text)
  if (encoding !== undefined) throw refuse(wrongEncoding(what, encoding))
  const fault = findJsonFault(text)
  if (fault === undefined) {
    if (value !== undefined) return value
    throw refuse(`${what} is not JSON`)
  }
  const { kind, line, column, expected } = fault
  const problem = kind === 'syntax' ? 'is not JSON' : 'has a key twice'
  throw refuse(`${what} ${problem}: line ${line}, column ${column}: expected ${expected}`)
}

/**
 * Whether a text may have a key that its value lacks: then it has more quotes than the value has strings, as it has
 * with an escaped quote. Ten times faster than to look at each key of a store with many peers.
 */
function mayRepeatKey(text: string, value: unknown): boolean {
  let quotes = 0
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) quotes++
  return quotes !== 2 * countStrings(value)
}

/** How many strings a value of JSON holds, keys among them. It does not call itself: a file may be nested deeper than the stack. */
function countStrings(value: unknown): number {
  let strings = 0
  const open: object[] = []
  const count = (one: unknown): void => {
    if (typeof one === 'string') strings++
    else if (typeof one === 'object' && one !== null) open.push(one)
  }
  count(value)
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    if (Array.isArray(one)) for (const inner of one) count(inner)
    else
      for (const key of Object.keys(one)) {
        strings++
        count((one as JsonObject)[key])
      }
  }
  return strings
}
