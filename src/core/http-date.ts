const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']

/** The three forms of RFC 9110 §5.6.7, all in UTC: IMF-fixdate, RFC 850 and asctime. */
const forms = [
  /^[a-z]{3}, (?<day>\d\d) (?<month>[a-z]{3}) (?<year>\d{4}) (?<time>\d\d:\d\d:\d\d) GMT$/i,
  /^[a-z]{6,9}, (?<day>\d\d)-(?<month>[a-z]{3})-(?<year>\d\d) (?<time>\d\d:\d\d:\d\d) GMT$/i,
  /^[a-z]{3} (?<month>[a-z]{3}) (?<day>[ \d]\d) (?<time>\d\d:\d\d:\d\d) (?<year>\d{4})$/i,
]

/**
 * Parses an HTTP date (RFC 9110 §5.6.7); returns undefined for any other text. `Date.parse` would read an asctime date
 * in the local time zone.
 *
 * @param now resolves a two-digit year: a date more than 50 years in the future is in the past
 */
export function parseHttpDate(text: string, now: Date): Date | undefined {
  const parts = forms.map((form) => form.exec(text.trim())?.groups).find((groups) => groups !== undefined)
  if (!parts) return undefined
  const { day = '', month = '', year = '', time = '' } = parts
  const number = months.indexOf(month.toLowerCase()) + 1
  const two = (value: number): string => String(value).padStart(2, '0')
  const iso = `${fullYear(year, now)}-${two(number)}-${two(Number(day))}T${time}Z`
  const at = new Date(iso)
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
