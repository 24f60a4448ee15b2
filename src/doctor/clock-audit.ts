import { sentBy } from '../core/clock-difference.js'
import { TOTPError } from '../core/errors.js'
import type { TOTPProfile } from '../core/profile.js'
import type { Finding } from './finding.js'

/** A smaller difference means nothing. */
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
  const { date, cached } = await dateOf(url, now)
  const answered = now().getTime()
  // The server sent it between the two, and cut off the fraction: half a second on average. Age is cut off as well.
  const offMs = date.getTime() + 500 - (asked + answered) / 2
  const uncertainMs = 500 + (answered - asked) / 2 + (cached ? 1000 : 0)
  const leastMs = Math.abs(offMs) - uncertainMs
  if (leastMs <= noiseMs) return []
  const toleratedMs = profile.window * profile.period * 1000
  const refused = leastMs > toleratedMs
  return [
    {
      id: 'clock',
      severity: refused ? 'serious' : 'warning',
      subject: host,
      message: `this machine's clock is ${seconds(offMs)} s (± ${seconds(Math.max(uncertainMs, 1000))} s) ${offMs > 0 ? 'behind' : 'ahead'}; ${refused ? 'agents refuse its codes' : 'its codes use up part of the window'}`,
      fix: 'timedatectl set-ntp true',
    },
  ]
}

const seconds = (ms: number): number => Math.round(Math.abs(ms) / 1000)

/** The server's time when it sent the response, which may be older than the response's Date where a cache kept it. */
async function dateOf(url: string, now: () => Date): Promise<{ date: Date; cached: boolean }> {
  const answer = await fetch(url, {
    method: 'HEAD',
    redirect: 'manual',
    signal: AbortSignal.timeout(timeoutMs),
  }).catch(() => undefined)
  const field = (name: string): string | null => answer?.headers.get(name) ?? null
  const date = sentBy({ date: field('date'), age: field('age'), receivedAt: now() })
  if (date !== undefined) return { date, cached: field('age') !== null }
  throw new TOTPError(
    'ERR_AGENT_UNREACHABLE',
    'the URL of --clock returned no Date; use a server that answers HEAD',
  )
}
