const unitMs: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

/** A hundred years: an overlap that long still ends on a date with a four-digit year. */
const longestMs = 36_525 * 86_400_000

/** How a message describes a duration. */
export const durationRule = 'a duration such as 24h: a number followed by s, m, h, d or w'

/** Parses a duration such as `24h`, in milliseconds; returns undefined for any other text, and for 0. */
export function parseDuration(text: string): number | undefined {
  const [, count = '', unit = ''] = /^([0-9]{1,9})([smhdw])$/.exec(text) ?? []
  const ms = Number(count) * (unitMs[unit] ?? NaN)
  return ms > 0 && ms <= longestMs ? ms : undefined
}
