/** Longest text of an agent that enters a report. */
const longest = 300

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
