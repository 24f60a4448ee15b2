import { sentBy } from '../core/clock-difference.js'
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
  const date = await dateOf(url, now)
  const answered = now().getTime()
  // The server sent it between the two, and cut off the fraction: half a second on average.
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

/** The server's time when it sent the response, which may be older than the response's Date where a cache kept it. */
async function dateOf(url: string, now: () => Date): Promise<Date> {
  const answer = await fetch(url, {
    method: 'HEAD',
    redirect: 'manual',
    signal: AbortSignal.timeout(timeoutMs),
  }).catch(() => undefined)
  const field = (name: string): string | null => answer?.headers.get(name) ?? null
  const date = sentBy({ date: field('date'), age: field('age'), receivedAt: now() })
  if (date !== undefined) return date
  throw new TOTPError(
    'ERR_AGENT_UNREACHABLE',
    'the URL of --clock returned no Date; use a server that answers HEAD',
  )
}
