/** RFC 3339 has no hour 24; JavaScript reads it as hour 0 of the next day. */
const rfc3339 = /^(\d{4})-(\d{2})-(\d{2})[Tt ](?!24)(\d{2}):(\d{2}):(\d{2})(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/

/** Parses an RFC 3339 date-time (§5.6); returns undefined for any other text and for days that do not exist. */
export function parseRfc3339(text: string): Date | undefined {
  const match = rfc3339.exec(text)
  if (!match) return undefined
  const [, year = '', month = '', day = ''] = match
  // JavaScript turns 30 February into 2 March.
  const daysInMonth = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate()
  const at = new Date(text.replace(' ', 'T').toUpperCase())
  return Number(day) <= daysInMonth && !Number.isNaN(at.getTime()) ? at : undefined
}

/** Returns whether a value is a valid date. `Invalid Date` is not: it is neither before nor after any other. */
export function isInstant(value: unknown): value is Date {
  return value instanceof Date && !Number.isNaN(value.getTime())
}
