import { usesProofs } from '../../../core/proof/profile.js'
import type { CellCheckId } from '../../check-ids.js'
import type { CellEvidence, Evidence } from '../../run/evidence.js'
import type { Exchange } from '../../run/exchange.js'
import { bearerField, type Material } from '../../run/material.js'
import type { Fault, ProofKnowledge } from '../../run/proof-knowledge.js'
import { isSuccess, triedIn, wasLetIn } from '../../run/reading.js'
import { titleOf } from '../../target/cells.js'
import type { Ask } from '../check.js'
import { skipped, type Verdict } from '../verdict.js'
import { judgeRefusedLate } from './refused.js'

/** Why no signed request can be judged; undefined if one can. */
export function whyNotSigned({ policy, canSign }: ProofKnowledge): string | undefined {
  if (policy === undefined) {
    return "this peer's policy on proofs is not known here, and the agent advertises none; probe with a NAME of the store, or set $A2A_TOTP_AGENT and $A2A_TOTP_SIGNED"
  }
  if (canSign) return undefined
  return "the agent's name is not known, and proofs are bound to it; set $A2A_TOTP_AGENT, or probe with a NAME of the store"
}

/** Why faulty proofs are not tested: nothing is decided by them; undefined if something is. */
export function whyNotDecisive(proofs: ProofKnowledge): string | undefined {
  const why = whyNotSigned(proofs)
  if (why !== undefined || proofs.policy === undefined || usesProofs(proofs.policy)) return why
  return `under policy ${proofs.policy} proofs decide nothing`
}

/** A policy in words, with where it is known from. */
export function policyInWords({ policy, isAdvertised }: ProofKnowledge): string {
  return isAdvertised ? `the agent advertises ${policy ?? ''}` : `the policy is ${policy ?? ''}`
}

/** The signed request with right credentials: the last that was sent. */
export function signedCall(cell: CellEvidence): Exchange | undefined {
  return cell.exchanges.findLast(
    ({ stage, isSigned }) => isSigned && (stage === 'valid' || stage === 'signed'),
  )
}

/** Whether what a check sent was refused, where proofs decide and a right one is let in. */
export function judgeSigned(check: CellCheckId, cell: CellEvidence, { proofs }: Evidence): Verdict {
  const why = whyNotDecisive(proofs)
  if (why !== undefined) return skipped(why)
  const call = signedCall(cell)
  if (!call || !isSuccess(call.answer, cell)) {
    return skipped('no signed request was let in, so a refusal of another one shows nothing')
  }
  const verdict = judgeRefusedLate(check, cell)
  if (verdict.status !== 'fail' || verdict.unanswered) return verdict
  return { ...verdict, detail: `${verdict.detail}; ${policyInWords(proofs)}` }
}

/**
 * A plain call that is let in spends its code under `once`, also for the other cells: that it is refused there shows
 * nothing.
 */
export function unlessSpent(
  check: CellCheckId,
  verdict: Verdict,
  cell: CellEvidence,
  { cells }: Evidence,
): Verdict {
  const spentAt = cells.find(
    (other) =>
      other !== cell &&
      triedIn(other).some((one) => one.check === check && wasLetIn(one.answer, other) === 'yes'),
  )
  if (verdict.status !== 'pass' || !spentAt) return verdict
  return {
    ...skipped(`the code was spent where it was let in: ${titleOf(spentAt.cell)}`),
    actual: verdict.actual,
  }
}

/** The right token and code with a proof that has one fault; none where proofs decide nothing. */
export function signedWith(
  { token, header, code, signed }: Material,
  faults: readonly (readonly [label: string, fault: Fault])[],
): readonly Ask[] {
  if (signed === undefined) return []
  const fields = [bearerField(token), [header, code]] as const
  return faults.map(([label, fault]) => ({ label, fields, signing: { fault } }))
}
