import type { CellEvidence } from '../../run/evidence.js'
import { isMalformedHttp } from '../../run/malformed.js'
import { isInconclusive, onlyThrottled, triedIn, type Tried } from '../../run/reading.js'
import { labelsOf } from './tried.js'

/** What the agent itself never answered in a cell, in words: a limiter or a gateway did, for all that was sent. */
export function unansweredIn(cell: CellEvidence): string[] {
  const tried = triedIn(cell)
  // These judge what others sent, after a success.
  const derived = onlyThrottled(cell).filter((check) => check === 'auth.after-valid' || check === 'replay')
  return [...new Set([...tried.map(({ check }) => check), ...derived])].flatMap((check) => {
    const ofCheck = tried.filter((one) => one.check === check)
    if (ofCheck.every(({ answer }) => answer.kind === 'throttled'))
      return [`every answer for ${check} was throttled`]
    const lost = ofCheck.filter((one) => isLost(one, ofCheck))
    const [first] = lost
    return first ? [`no answer of the agent for ${check} (${labelsOf(lost)}: ${first.answer.summary})`] : []
  })
}

/**
 * Whether a gateway answered, and nothing else did when the same was sent again. Where a check was refused otherwise, a
 * gateway's word on what is not valid HTTP is a refusal too: it answers 502 when the agent hangs up.
 */
function isLost(one: Tried, ofCheck: readonly Tried[]): boolean {
  if (one.answer.kind !== 'foreign' || !isInconclusive(one.answer)) return false
  const isHeld = isMalformedHttp(one) && ofCheck.some(({ answer }) => !isInconclusive(answer))
  const again = ofCheck.filter(({ label, stage }) => label === one.label && stage === 'asked-again')
  return !isHeld && (again.length === 0 || again.every(({ answer }) => isInconclusive(answer)))
}
