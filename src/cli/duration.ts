import { Option } from 'commander'
import { TOTPError } from '../core/errors.js'

const unitMs: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

/** A hundred years: the end of such an overlap is still a date that everybody can write down. */
const longestMs = 36_525 * 86_400_000

/** An option whose value is a length of time such as `24h`, in milliseconds. */
export function duration(flags: string, description: string): Option {
  const option = new Option(flags, description)
  return option.argParser((value) => {
    const [, count = '', unit = ''] = /^([0-9]{1,9})([smhdw])$/.exec(value) ?? []
    const ms = Number(count) * (unitMs[unit] ?? NaN)
    if (ms > 0 && ms <= longestMs) return ms
    throw new TOTPError(
      'ERR_USAGE',
      `${option.long ?? flags} must be a length of time such as 24h: a number, then s, m, h, d or w`,
    )
  })
}
