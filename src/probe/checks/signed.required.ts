import type { CellEvidence, Evidence } from '../run/evidence.js'
import { bearerField } from '../run/material.js'
import type { CellCheck } from './check.js'
import { judgeSigned, unlessSpent, whyNotDecisive } from './shared/signed.js'
import { skipped, type Verdict } from './verdict.js'

export const signedRequired: CellCheck = {
  id: 'signed.required',
  scope: 'cell',
  proves: 'where proofs are required, nobody is let in without one',
  expects: 'refused',
  needs: ['auth.none', 'signed.valid'],
  late: true,
  attempts: ({ token, header, unspentBySigned, signed }) =>
    signed === 'require'
      ? [
          {
            label: 'the right token and code without a proof',
            fields: [bearerField(token), [header, unspentBySigned]],
            signing: 'none',
          },
        ]
      : [],
  judge: judgeRequired,
  means:
    'The policy is `require`, and a request with the right token and code was let in without a proof: anyone who gets hold of token and code needs no seed while the code lives.',
  fix: [
    'Check the proof where the code is checked, and refuse a request that has none.',
    'Load the server file anew: an agent that was started before `set --signed require` may still have the old policy.',
    'A server of version 0.1 ignores proofs: upgrade servers before the policy is changed.',
  ],
}

/** Whether a plain request was refused under the policy `require`. */
function judgeRequired(cell: CellEvidence, evidence: Evidence): Verdict {
  const why = whyNotDecisive(evidence.proofs)
  if (why !== undefined) return skipped(why)
  if (evidence.proofs.policy !== 'require') {
    return skipped('under policy accept a request without a proof is let in by its code')
  }
  return unlessSpent('signed.required', judgeSigned('signed.required', cell, evidence), cell, evidence)
}
