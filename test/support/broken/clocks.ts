import { fails, warns, type Defect } from './defect.js'

const asctime = (at: Date): string => {
  const [day = '', date = '', month = '', year = '', time = ''] = at.toUTCString().split(/,? /)
  return `${day} ${month} ${date.replace(/^0/, ' ')} ${time} ${year}`
}

const rfc850 = (at: Date): string => {
  const day = at.toLocaleDateString('en-US', { weekday: 'long', timeZone: 'UTC' })
  const [, date = '', month = '', year = '', time = ''] = at.toUTCString().split(/,? /)
  return `${day}, ${date}-${month}-${year.slice(2)} ${time} GMT`
}

const ahead = { clockOffsetMs: 60_000, drifts: [-3, -2, -1, 0] }

/** Agents whose clock is off. */
export const clockDefects: readonly Defect[] = [
  { name: 'has a clock that is ahead, and a window to match', quirks: ahead, named: warns('clock') },
  {
    name: 'has a clock that is behind, and a window to match',
    quirks: { clockOffsetMs: -60_000, drifts: [3, 2, 1, 0] },
    named: warns('clock'),
  },
  ...(['ahead', 'behind'] as const).map((direction): Defect => ({
    name: `has a clock that is ${direction} by minutes`,
    quirks: { clockOffsetMs: direction === 'ahead' ? 150_000 : -150_000 },
    named: { ...fails('auth.valid', 'coverage'), ...warns('clock') },
  })),
  {
    name: 'has a clock that is ahead, and writes dates as asctime does',
    quirks: { ...ahead, timeFields: (at) => ({ Date: asctime(at) }) },
    named: warns('clock'),
  },
  {
    name: 'has a clock that is ahead, and writes dates as RFC 850 has them',
    quirks: { ...ahead, timeFields: (at) => ({ Date: rfc850(at) }) },
    named: warns('clock'),
  },
  {
    name: 'has a clock that is ahead, behind a cache that says how old its answers are',
    quirks: {
      ...ahead,
      timeFields: (at) => ({ Date: new Date(at.getTime() - 600_000).toUTCString(), Age: '600' }),
    },
    named: warns('clock'),
  },
]
