/** RFC 3339 has no hour 24; JavaScript reads it as hour 0 of the next day. */
const rfc3339 = /^\d{4}-\d{2}-\d{2}[Tt ](?!24)\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/

/** The three forms of RFC 9110 §5.6.7: IMF-fixdate, RFC 850 and asctime. All of them are in UTC. */
const httpDates = [
  /^[a-z]{3}, (?<day>\d\d) (?<month>[a-z]{3}) (?<year>\d{4}) (?<time>\d\d:\d\d:\d\d) GMT$/i,
  /^[a-z]{6,9}, (?<day>\d\d)-(?<month>[a-z]{3})-(?<year>\d\d) (?<time>\d\d:\d\d:\d\d) GMT$/i,
  /^[a-z]{3} (?<month>[a-z]{3}) (?<day>[ \d]\d) (?<time>\d\d:\d\d:\d\d) (?<year>\d{4})$/i,
]

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']

/** Returns whether a value is a valid date. `Invalid Date` is not: it is neither before nor after any other. */
export function isInstant(value: unknown): value is Date {
  return value instanceof Date && !Number.isNaN(value.getTime())
}

/** Parses an RFC 3339 date-time (§5.6); returns undefined for any other text and for days that do not exist. */
export function parseRfc3339(text: string): Date | undefined {
  if (!rfc3339.test(text)) return undefined
  const at = new Date(text.replace(' ', 'T').toUpperCase())
  return isInstant(at) && isDay(text.slice(0, 'YYYY-MM-DD'.length)) ? at : undefined
}

const firstWritable = Date.parse('0000-01-01T00:00:00Z')
const lastWritable = Date.parse('9999-12-31T23:59:59.999Z')

/** Returns whether an instant can be written in UTC as RFC 3339 demands: its year has four digits. */
export function isWritable(at: Date): boolean {
  return at.getTime() >= firstWritable && at.getTime() <= lastWritable
}

/** Like {@link parseRfc3339}, for an instant that is kept: an offset can lead to a year that cannot be written. */
export function parseKeptInstant(text: string): Date | undefined {
  const at = parseRfc3339(text)
  return at && isWritable(at) ? at : undefined
}

/** JavaScript turns 30 February into 2 March. */
function isDay(date: string): boolean {
  const [year, month, day] = date.split('-').map(Number) as [number, number, number]
  return day <= 28 || day <= new Date(Date.UTC(year, month, 0)).getUTCDate()
}

/**
 * Parses an HTTP date; returns undefined for any other text. `Date.parse` would read an asctime date in the time zone
 * of the machine, hours off.
 *
 * @param now decides the century of a two-digit year: a date more than 50 years ahead is in the past
 */
export function parseHttpDate(text: string, now: Date): Date | undefined {
  const parts = httpDates.map((form) => form.exec(text.trim())?.groups).find((groups) => groups !== undefined)
  if (!parts) return undefined
  const { day = '', month = '', year = '', time = '' } = parts
  const number = months.indexOf(month.toLowerCase()) + 1
  const two = (value: number): string => String(value).padStart(2, '0')
  const at = new Date(`${fullYear(year, now)}-${two(number)}-${two(Number(day))}T${time}Z`)
  // JavaScript turns 30 February into 2 March.
  return at.getUTCDate() === Number(day) ? at : undefined
}

function fullYear(year: string, now: Date): string {
  if (year.length === 4) return year
  const thisYear = now.getUTCFullYear()
  const near = thisYear - (thisYear % 100) + Number(year)
  const candidate = near > thisYear + 50 ? near - 100 : near <= thisYear - 50 ? near + 100 : near
  return String(candidate).padStart(4, '0')
}
