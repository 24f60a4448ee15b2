import type { CellEvidence, Evidence } from '../run/evidence.js'
import { wasLetIn } from '../run/reading.js'
import type { CellCheck } from './check.js'
import { judgeSigned, unlessSpent } from './shared/signed.js'
import { warned, type Verdict } from './verdict.js'

export const signedStripped: CellCheck = {
  id: 'signed.stripped',
  scope: 'cell',
  proves: 'the code of a signed request is worth nothing without its proof',
  expects: 'refused',
  needs: ['auth.none', 'signed.valid', 'replay'],
  judge: judgeStripped,
  means:
    'A signed request was let in, and then its token and code were let in without the proof, for the same body or another one: anyone who sees a signed request can strip the proof, change the body and use the code. Under policy `reuse` beside `accept` that is what the policies say, and a warning. It sends no guess: the code is right.',
  fix: [
    'Set policy `require` where every client of the peer signs: `a2a-totp set NAME --signed require`.',
    'Or set `--replay once`: then a signed request spends its code for plain ones.',
    'A server of your own: claim the nonce and raise the mark of the last time step in one atomic step.',
  ],
}

/** Whether token and code of a signed request were refused without its proof. */
function judgeStripped(cell: CellEvidence, evidence: Evidence): Verdict {
  const judged = judgeSigned('signed.stripped', cell, evidence)
  const verdict = unlessSpent('signed.stripped', judged, cell, evidence)
  const { policy } = evidence.proofs
  if (verdict.status !== 'fail' || policy === 'require' || verdict.unanswered) return verdict
  return isOnce(cell, evidence) ? verdict : warned(verdict.actual, letInByPolicy(evidence))
}

/** Whether a code is good for one plain request: by the store, else by what the agent did. */
function isOnce(cell: CellEvidence, { options: { credentials } }: Evidence): boolean {
  if (credentials.replay !== undefined) return credentials.replay === 'once'
  const again = cell.exchanges.filter(({ stage }) => stage === 'replay')
  return again.some(({ answer }) => wasLetIn(answer, cell) === 'no' && answer.kind !== 'throttled')
}

function letInByPolicy({ options: { credentials } }: Evidence): string {
  const accepted =
    'proofs are accepted and not required, and a code may be used again, so the code of a signed request lets a plain one in: a proof protects nothing that its code can do alone'
  return credentials.replay === undefined ? accepted : `policy reuse beside accept: ${accepted}`
}
