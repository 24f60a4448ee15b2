import { parseHttpDate } from './instant.js'
import type { TOTPProfile } from './profile.js'
import { timeStepAt } from './totp.js'

/** An exchange over HTTP, as far as clocks matter. */
export interface TimedExchange {
  /** When the request was sent, by this machine's clock. */
  readonly sentAt: Date
  readonly receivedAt: Date
  /** The response's Date (RFC 9110 §6.6.1) and Age (RFC 9111 §5.1), if it has them. */
  readonly date: string | null | undefined
  readonly age?: string | null | undefined
}

const secondMs = 1000
/** A Date further off is a mistake or a lie, and no reason to set a clock. */
const mostMs = 365 * 24 * 3600 * secondMs

/**
 * How far this machine's clock is ahead of the other side's, in milliseconds; negative if it is behind. Undefined unless
 * the Date shows that the two are more time steps apart than the window allows, at whatever moment of the exchange, and
 * with a second of slack.
 */
export function clockDifferenceMs(
  profile: Pick<TOTPProfile, 'period' | 'window'>,
  exchange: TimedExchange,
): number | undefined {
  const theirs = sentBy(exchange)?.getTime()
  if (theirs === undefined) return undefined
  const ours = [exchange.sentAt.getTime(), exchange.receivedAt.getTime()]
  // A Date has whole seconds, rounded down.
  const step = (ms: number): number => timeStepAt(profile, new Date(ms))
  const behind = step(theirs - secondMs) - step(Math.max(...ours))
  const ahead = step(Math.min(...ours)) - step(theirs + 2 * secondMs)
  if (Math.max(behind, ahead) <= profile.window) return undefined
  const differenceMs = ours.reduce((sum, one) => sum + one) / 2 - theirs
  return Math.abs(differenceMs) <= mostMs ? differenceMs : undefined
}

/**
 * The time of the other side's clock when it sent a response: its Date, rounded down to a second. A cache keeps the Date
 * and adds how old it is (RFC 9111 §4.2.3). Undefined without a Date, and where one of the two is not understood.
 */
export function sentBy({ date, age, receivedAt }: Omit<TimedExchange, 'sentAt'>): Date | undefined {
  const at = parseHttpDate(date ?? '', receivedAt)
  if (at === undefined || !/^\s*\d{0,8}\s*$/.test(age ?? '')) return undefined
  return new Date(at.getTime() + Number(age ?? 0) * secondMs)
}

const units = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'min'],
  [1, 's'],
] as const

/** A duration in its largest unit and the one below, such as `2 min 10 s`. */
export function durationText(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / secondMs)
  const first = units.findIndex(([size]) => seconds >= size)
  let rest = seconds
  const parts = units.slice(0, first + 2).flatMap(([size, unit]) => {
    const count = Math.floor(rest / size)
    rest %= size
    return count === 0 ? [] : [`${count} ${unit}`]
  })
  return parts.join(' ') || '0 s'
}
