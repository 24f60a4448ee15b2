/** JavaScript takes hour 24 for the next day's hour 0; RFC 3339 has none. */
const rfc3339 = /^(\d{4})-(\d{2})-(\d{2})[Tt ](?!24)(\d{2}):(\d{2}):(\d{2})(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/

/** The instant that an RFC 3339 text (§5.6) names, or none for anything else, days that do not exist included. */
export function parseRfc3339(text: string): Date | undefined {
  const match = rfc3339.exec(text)
  if (!match) return undefined
  const [, year = '', month = '', day = ''] = match
  // JavaScript rolls 30 February over to March.
  const daysInMonth = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate()
  const at = new Date(text.replace(' ', 'T').toUpperCase())
  return Number(day) <= daysInMonth && !Number.isNaN(at.getTime()) ? at : undefined
}

/** Whether a value is an instant at all: a date, and not `Invalid Date`, which is before and after no other. */
export function isInstant(value: unknown): value is Date {
  return value instanceof Date && !Number.isNaN(value.getTime())
}
