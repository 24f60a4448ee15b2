import { TOTPError } from '../core/errors.js'
import type { TOTPProfile } from '../core/profile.js'
import type { Finding } from './finding.js'

/** An HTTP date has whole seconds, and the answer takes time: a smaller difference means nothing. */
const noiseMs = 2000
const timeoutMs = 10_000

/**
 * Compares the clock of this machine with the Date of an HTTP response (RFC 9110 §6.6.1).
 *
 * @throws {TOTPError} `ERR_AGENT_UNREACHABLE` when there is no response, or none with a Date
 */
export async function auditClock(url: string, profile: TOTPProfile, now: () => Date): Promise<Finding[]> {
  const { host } = new URL(url)
  const asked = now().getTime()
  const date = await dateOf(url)
  const answered = now().getTime()
  // The server set its Date between the two, and cut off the fraction: half a second on average.
  const offMs = date.getTime() + 500 - (asked + answered) / 2
  if (Math.abs(offMs) <= noiseMs) return []
  const offSeconds = Math.round(Math.abs(offMs) / 1000)
  const toleratedMs = profile.window * profile.period * 1000
  const refused = Math.abs(offMs) > toleratedMs
  return [
    {
      id: 'clock',
      severity: refused ? 'serious' : 'warning',
      subject: host,
      message: `this machine's clock is ${offSeconds} s ${offMs > 0 ? 'behind' : 'ahead'}; ${refused ? 'agents refuse its codes' : 'its codes use up part of the window'}`,
      fix: 'timedatectl set-ntp true',
    },
  ]
}

async function dateOf(url: string): Promise<Date> {
  const answer = await fetch(url, {
    method: 'HEAD',
    redirect: 'manual',
    signal: AbortSignal.timeout(timeoutMs),
  }).catch(() => undefined)
  const date = new Date(answer?.headers.get('date') ?? NaN)
  if (!Number.isNaN(date.getTime())) return date
  throw new TOTPError(
    'ERR_AGENT_UNREACHABLE',
    'the URL of --clock returned no Date; use a server that answers HEAD',
  )
}
