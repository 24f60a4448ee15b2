import type { CellEvidence } from '../../run/evidence.js'
import { isMalformedHttp } from '../../run/malformed.js'
import { triedIn, wasLetIn, type Tried } from '../../run/reading.js'

/**
 * Whether something in front of the agent refused a request: a firewall, a proxy or the HTTP server. Of a malformed or
 * duplicate header that also shows by a page that the agent itself answers to nobody, and by a gateway's 502, because an
 * HTTP server may hang up on it.
 */
export function refusedInFront(one: Tried, cell: CellEvidence): boolean {
  const { answer } = one
  if (answer.kind === 'foreign') return isMalformedHttp(one) || wasLetIn(answer, cell) === 'no'
  if (!isMalformedHttp(one) || answer.offProtocol !== true) return false
  if ((answer.status ?? 0) < 400) return false
  return !triedIn(cell).some(
    (other) =>
      !isMalformedHttp(other) &&
      other.answer.offProtocol === true &&
      other.answer.signature === answer.signature,
  )
}
