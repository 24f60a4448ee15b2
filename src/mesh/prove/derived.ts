import type { AgentShown, PairShown } from './shown.js'
import { isOpen, keepsOut } from './readings.js'

/**
 * Completes a pair for which nothing was sent: one that is not declared and has no credentials. It is kept out where no seed
 * and no token is in two stores and its agent refused all that it must, codes of other edges among them; where anybody is let
 * in, it is too.
 */
export function derivedFrom(one: PairShown, agents: readonly AgentShown[], isSeparate: boolean): PairShown {
  const { pair, shown } = one
  if (pair.edge !== undefined || shown.detail !== '' || shown.checks.length > 0) return one
  const report = agents.find(({ agent }) => agent === pair.agent)?.report
  const about = pair.standing.kind === 'absent' ? '' : 'its credentials have expired; '
  const say = (rest: Pick<PairShown['shown'], 'admitted' | 'status' | 'detail'>): PairShown => ({
    ...one,
    shown: { ...shown, ...rest, detail: about + rest.detail },
  })
  if (!report)
    return say({ admitted: null, status: 'skip', detail: 'not shown: nothing could be sent to the agent' })
  if (isOpen(report))
    return say({ admitted: true, status: 'fail', detail: 'the agent lets callers in without credentials' })
  if (!isSeparate)
    return say({
      admitted: null,
      status: 'skip',
      detail: 'not shown: stores share credentials; see mesh.separate',
    })
  if (!keepsOut(report))
    return say({ admitted: null, status: 'skip', detail: "not shown: the agent's own probe failed" })
  return say({
    admitted: false,
    status: 'pass',
    detail: 'it has no credentials here, and the agent refuses codes of other edges',
  })
}
