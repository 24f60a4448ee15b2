import { listSome } from '../../core/text.js'
import type { AgentShown, PairShown } from './shown.js'
import { isOpen, keepsOut, notRefusedIn } from './readings.js'

/**
 * Completes a pair for which nothing was sent: one that is not declared and has no credentials. It is kept out where no seed
 * and no token is in two stores and its agent was seen to refuse all that it must, a code of another edge among it; where
 * anybody is let in, it is too.
 */
export function derivedFrom(one: PairShown, agents: readonly AgentShown[], isSeparate: boolean): PairShown {
  const { pair, shown } = one
  if (pair.edge !== undefined || shown.detail !== '' || shown.checks.length > 0) return one
  const { lead, report, other } = agents.find(({ agent }) => agent === pair.agent) ?? {}
  const about = pair.standing.kind === 'absent' ? '' : 'its credentials have expired; '
  const say = (rest: Pick<PairShown['shown'], 'admitted' | 'status' | 'detail'>): PairShown => ({
    ...one,
    shown: { ...shown, ...rest, detail: about + rest.detail },
  })
  if (!report)
    return say({ admitted: null, status: 'skip', detail: 'not shown: nothing could be sent to the agent' })
  if (isOpen(report))
    return say({ admitted: true, status: 'fail', detail: 'the agent lets callers in without credentials' })
  if (!lead) return say({ admitted: null, status: 'skip', detail: 'not shown: no peer can call the agent' })
  if (!isSeparate)
    return say({
      admitted: null,
      status: 'skip',
      detail: 'not shown: stores share credentials; see mesh.separate',
    })
  if (!keepsOut(report))
    return say({ admitted: null, status: 'skip', detail: "not shown: the agent's own probe failed" })
  const missing = notRefusedIn(report, { withCodes: other !== undefined })
  if (missing.length > 0)
    return say({ admitted: null, status: 'skip', detail: `not tried at the agent: ${listSome(missing, 3)}` })
  const seen = other
    ? `the agent refuses a code of another edge, ${other.peer} at ${other.agent}`
    : 'no other edge has a code that could be tried'
  return say({ admitted: false, status: 'pass', detail: `it has no credentials here, and ${seen}` })
}
