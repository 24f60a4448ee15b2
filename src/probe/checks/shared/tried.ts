import type { Tried } from '../../run/reading.js'

/** A duplicate or malformed header may be answered by the HTTP server or a proxy in front of the agent. */
export function isMalformedHttp({ check }: Pick<Tried, 'check'>): boolean {
  return check === 'auth.malformed-code' || check === 'auth.duplicate-header'
}

export function labelsOf(tried: readonly Tried[]): string {
  return [...new Set(tried.map(({ label }) => label))].join(', ')
}
