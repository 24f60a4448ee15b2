import type { CellEvidence, Evidence } from '../run/evidence.js'
import { isSuccess } from '../run/reading.js'
import { usesProofs } from '../../core/proof/profile.js'
import type { CellCheck } from './check.js'
import { policyInWords, signedCall, whyNotSigned } from './shared/signed.js'
import { failed, passed, skipped, warned, type Verdict } from './verdict.js'

export const signedValid: CellCheck = {
  id: 'signed.valid',
  scope: 'cell',
  proves: 'a signed request is let in',
  expects: 'authenticated',
  needs: ['auth.none'],
  judge: judgeValid,
  means:
    'A request with the right token, the right code and a right proof was not let in. A proof covers method, path, query, the digest of the body, the token, the code and a few header fields, exactly as they are sent: a proxy that rewrites one of them makes it invalid. Under policies `off` and `observe`, where proofs decide nothing, this is a warning: find the reason before you turn to `accept`. Nor does `ok` say there that the proof was right: the events of the agent do (`a2a-totp doctor --events`).',
  fix: [
    'A proxy strips or rewrites the path: give `pathPrefix` to the scheme, and turn on `observe` first; its events have the reason.',
    "The name of the agent must be the one in the agent's store, in `A2A_TOTP_AGENT` as well: proofs are bound to it.",
    'Compare the clocks: a proof is good for (window + 1) × period.',
    'Something in front compresses bodies, decodes paths, or sends a request twice.',
    'The guard must be in front of any body parser, or it cannot compare the body with its digest.',
  ],
}

/** Whether a request with right credentials and a right proof was let in. */
function judgeValid(cell: CellEvidence, { proofs }: Evidence): Verdict {
  const why = whyNotSigned(proofs)
  if (why !== undefined) return skipped(why)
  const call = signedCall(cell)
  if (!call)
    return skipped(cell.exchanges.some(({ stage }) => stage === 'valid') ? notLetIn : cell.whyNotSent)
  const { answer } = call
  const { durationMs } = answer
  const decides = proofs.policy !== undefined && usesProofs(proofs.policy)
  if (isSuccess(answer, cell)) return { ...passed(answer.summary, decides ? '' : unjudged), durationMs }
  if (answer.kind === 'throttled') {
    return { ...skipped('throttled, which shows nothing: not tested'), actual: answer.summary, durationMs }
  }
  const judged = decides ? failed : warned
  const seen =
    proofs.policy === 'require'
      ? 'a signed request was not let in'
      : 'a plain call was let in, a signed one was not'
  return { ...judged(answer.summary, `${seen}; ${policyInWords(proofs)}`), durationMs }
}

const unjudged =
  "proofs decide nothing here: whether this one was right is in the agent's events (a2a-totp doctor --events)"

const notLetIn = 'no plain call was let in, so none was signed'
