import type { CheckId } from '../check-ids.js'

/** A duplicate or malformed header may be answered by the HTTP server or a proxy in front of the agent. */
export function isMalformedHttp({ check }: { readonly check: CheckId }): boolean {
  return check === 'auth.malformed-code' || check === 'auth.duplicate-header'
}
