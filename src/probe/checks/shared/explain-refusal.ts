import { demandsProof } from '../../../core/proof/demand.js'
import { jsonText } from '../../../core/text.js'
import type { ProbeCredentials } from '../../options.js'
import type { CellEvidence, Evidence } from '../../run/evidence.js'
import { isTelling } from '../../run/compared.js'
import { isShown, isSuccess, triedIn } from '../../run/reading.js'
import { saysUsed } from '../../run/used-code.js'
import { titleOf } from '../../target/cells.js'
import type { Answer } from '../../wire/answer.js'
import { hopelessOffsetMs } from './clock-offset.js'
import { declaresNoCode, noSecondFactor } from './no-second-factor.js'
import { otherHeaderOf } from './other-header.js'

/** Why right credentials were not let in: certain reasons first, then likely ones. */
export function explainRefusal(answer: Answer, cell: CellEvidence, evidence: Evidence): string {
  const { credentials } = evidence.options
  const certain = certainReason(answer, cell)
  if (certain !== undefined) return certain
  const { confirmed, ruledOut } = diagnosisIn(evidence)
  if (confirmed !== undefined) return confirmed
  if (saysCodeIsMissing(answer)) {
    return 'the agent reports that the code is missing, although it was sent: something in front strips the header, or the agent reads another one'
  }
  const { proofs } = evidence
  if ((answer.challenges.some(demandsProof) || proofs.policy === 'require') && !proofs.canSign) {
    return "the agent requires a proof, and the probe does not know the agent's name, which proofs are bound to; set $A2A_TOTP_AGENT, or probe with a NAME of the store"
  }
  const otherClock = clockReason(cell, credentials)
  if (otherClock !== undefined) return otherClock
  const otherHeader = otherHeaderOf(answer, evidence.discovery.cards, credentials.header)
  if (otherHeader !== undefined) {
    return `the agent asks for the code in ${otherHeader}, but it was sent in ${credentials.header}`
  }
  const elsewhere = evidence.cells.find(isShown)
  if (!elsewhere && declaresNoCode(evidence))
    return `${noSecondFactor}, so it may know nothing of this peer's token`
  if (elsewhere) {
    return (
      `the same credentials were let in by ${titleOf(elsewhere.cell)}: this guard has other settings, or ` +
      `something in front strips ${credentials.header}`
    )
  }
  return remainingReasons(credentials, ruledOut) + reasonsOfProofs(evidence)
}

/** What may be wrong besides where requests were signed, and where the policy says nothing of it. */
function reasonsOfProofs({ proofs, options }: Evidence): string {
  if (proofs.policy === 'require' && proofs.canSign) {
    const agent = jsonText(options.credentials.agent ?? '')
    return `; or the agent has another name than ${agent}, or something in front changes the path or a signed field, so that proofs are refused`
  }
  return proofs.policy === undefined
    ? '; or the peer has to sign: then set $A2A_TOTP_AGENT and $A2A_TOTP_SIGNED, or probe with a NAME of the store'
    : ''
}

function certainReason(answer: Answer, cell: CellEvidence): string | undefined {
  if (answer.kind === 'redirected') return 'redirects are not followed with credentials; probe the final URL'
  if (answer.kind === 'failed') {
    return answer.status === 503 && answer.retryAfter !== undefined
      ? `the agent cannot check the call now; it asks to wait ${answer.retryAfter} s. Its log says why: its state is down, or a body parser reads signed requests before the guard`
      : 'the agent failed on a correct call; see its log for the reason'
  }
  if (answer.kind === 'foreign') return explainForeign(answer)
  if (answer.offProtocol === true && answer.kind !== 'refused') {
    const who = triedIn(cell).some((tried) => tried.answer.signature === answer.signature)
      ? ' for everyone'
      : ''
    return `no answer of the protocol${who}: is this the A2A endpoint?`
  }
  if (answer.kind === 'unreadable') return answer.hint ?? 'no readable A2A answer to a correct call'
  if (answer.kind === 'other' && triedIn(cell).some((tried) => tried.answer.signature === answer.signature)) {
    return 'right credentials get the same answer as no credentials: they were refused, or the agent answers everyone like this'
  }
  if (saysUsed(answer, cell)) {
    return `the agent treats the code as used (Retry-After ${answer.retryAfter} s): the agent's policy is once`
  }
  return undefined
}

function explainForeign({ by = 'something in front', status }: Answer): string {
  if (status === 407) return 'a proxy on the way demands credentials of its own'
  const isGateway = (status ?? 0) >= 500
  return `${by} answered a correct call, not the agent: ${isGateway ? 'the agent was not reached' : 'it was blocked on the way'}`
}

/** The result of the diagnosis, in the one cell where it ran. */
function diagnosisIn({ cells }: Evidence): { confirmed?: string; ruledOut: string[] } {
  const ruledOut: string[] = []
  for (const cell of cells) {
    for (const { stage, label, shows, answer } of cell.exchanges) {
      if (stage !== 'diagnosis') continue
      if (isSuccess(answer, cell)) return { confirmed: shows, ruledOut }
      if (isTelling(answer)) ruledOut.push(label)
    }
  }
  return { ruledOut }
}

/** Set if the agent's clock differs too much for any current code. */
function clockReason({ exchanges }: CellEvidence, credentials: ProbeCredentials): string | undefined {
  const offsetMs = hopelessOffsetMs(exchanges, credentials)
  if (offsetMs === undefined) return undefined
  const seconds = Math.round(offsetMs / 1000)
  return `the agent's clock is ${Math.abs(seconds)} s ${seconds > 0 ? 'ahead' : 'behind'}: no current code can match`
}

function remainingReasons(
  { header, algorithm, digits, period }: ProbeCredentials,
  ruledOut: readonly string[],
): string {
  return (
    `the agent knows another token or seed for this peer, or other code settings than ${algorithm}, ` +
    `${digits} digits, ${period} s; or its clock is off; or something in front strips ${header}` +
    (ruledOut.length > 0 ? ` (tried without success: ${ruledOut.join(', ')})` : '')
  )
}

/** A message that names both factors is the same for all refusals, such as ours, and says nothing about this one. */
function saysCodeIsMissing({ message }: Answer): boolean {
  return (
    !/bearer|authorization/i.test(message) &&
    /missing|required|absent|not (sent|found|present)|\bno\b/i.test(message) &&
    /totp|otp\b|code|second factor/i.test(message)
  )
}
