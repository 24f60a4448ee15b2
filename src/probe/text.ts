/** Longest text of an agent that enters a report. */
const longest = 300

/**
 * Makes a text from outside harmless to terminals and to readers: no control, escape, direction or invisible
 * characters, on one line.
 */
export function printable(text: string): string {
  // Most texts are plain, and to compile the classes of Unicode takes longer than to read hundreds of texts.
  return (plain.test(text) ? text : text.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ')).trim()
}

const plain = /^[\x20-\x7e]*$/

/** Cuts a text that would swamp a report. */
export function shortened(text: string, limit: number = longest): string {
  return text.length <= limit ? text : `${text.slice(0, limit)}...`
}

/** A JSON object, or an empty one for anything else. */
export function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {}
}

export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

export function asText(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** The value of a JSON text, or undefined where it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
