import { keyHeadersOf } from '../../core/card/schemes.js'
import type { CardJson } from '../../core/card/shapes.js'
import type { Answer } from '../wire/answer.js'
import { isSuccess, type CellRun } from '../run/cell-run.js'
import { titleOf } from '../target/cells.js'
import type { Diagnosis } from './diagnosis.js'
import type { ProbeCredentials } from '../options.js'
import { clockOffsetMs } from './clock.js'

/** What is known besides the cell's own answers. */
export interface Surroundings {
  readonly credentials: ProbeCredentials
  readonly cards: readonly CardJson[]
  /** Every cell of the agent. */
  readonly runs: readonly CellRun[]
  /** What trying other credentials brought, where it was done. */
  readonly diagnosis?: Diagnosis | undefined
}

/** Why right credentials were not let in: what an answer shows for certain, before what can only be guessed. */
export function explain(answer: Answer, run: CellRun, surroundings: Surroundings): string {
  const { credentials, cards, runs, diagnosis } = surroundings
  const certain = certainReason(answer, run)
  if (certain !== undefined) return certain
  if (diagnosis?.confirmed !== undefined) return diagnosis.confirmed
  if (saysCodeIsMissing(answer)) {
    return 'the agent says that the code is missing, though it was sent: something in front strips it, or it reads another header'
  }
  const elsewhere = runs.find((other) => other.valid && isSuccess(other.valid, other))
  const otherHeader = otherHeaderOf(answer, cards, credentials)
  const drift = otherClock(run, credentials)
  if (drift) return drift.text
  if (otherHeader !== undefined) {
    return `the agent asks for the code in ${otherHeader}, it was sent in ${credentials.header}`
  }
  if (elsewhere) {
    return (
      `the same credentials were let in by ${titleOf(elsewhere.cell)}: here the guard has other settings, or ` +
      `something in front strips ${credentials.header}`
    )
  }
  return remainingReasons(credentials, diagnosis)
}

function certainReason(answer: Answer, run: CellRun): string | undefined {
  if (answer.kind === 'redirected') return 'redirects are not followed with credentials; probe the final URL'
  if (answer.kind === 'failed') {
    return answer.status === 503 && answer.retryAfter !== undefined
      ? `the agent cannot check codes now (its state is down?); it says to wait ${answer.retryAfter} s`
      : 'the agent failed on a correct call; its log should say why'
  }
  if (answer.kind === 'unreadable') return 'no readable A2A answer to a correct call'
  if (answer.kind === 'other' && run.tried.some((tried) => tried.answer.signature === answer.signature)) {
    return 'right credentials get the same answer as none: they were refused, or the agent answers everyone so'
  }
  if (answer.retryAfter !== undefined) {
    return `the code counts as used already (Retry-After ${answer.retryAfter} s): the agent's policy is once`
  }
  return undefined
}

function remainingReasons(
  { header, algorithm, digits, period }: ProbeCredentials,
  diagnosis?: Diagnosis,
): string {
  const tried = diagnosis?.ruledOut ?? []
  return (
    `the agent knows another token or seed for this peer, or other code settings than ${algorithm}, ` +
    `${digits} digits, ${period} s; or its clock is off; or something in between strips ${header}` +
    (tried.length > 0 ? ` (tried without success: ${tried.join(', ')})` : '')
  )
}

/** How far the agent's clock is off, when that is too far for any code of now; in milliseconds and in words. */
export function otherClock(
  run: CellRun,
  { window, period }: ProbeCredentials,
): { readonly offsetMs: number; readonly text: string } | undefined {
  const offsetMs = clockOffsetMs(run.answers)
  if (offsetMs === undefined || Math.abs(offsetMs) <= (window + 0.5) * period * 1000) return undefined
  const seconds = Math.round(offsetMs / 1000)
  const text = `the agent's clock is ${Math.abs(seconds)} s ${seconds > 0 ? 'ahead' : 'behind'}: no code of now can match`
  return { offsetMs, text }
}

/** The header that the agent names for the code, in its challenge or its card, when it is not the one used. */
export function otherHeaderOf(
  answer: Answer,
  cards: readonly CardJson[],
  { header }: ProbeCredentials,
): string | undefined {
  // What refuses a call knows better than a card which header it reads.
  const challenged = challengedHeaders(answer)
  const named = challenged.length > 0 ? challenged : cards.flatMap(keyHeadersOf)
  const isOurs = (name: string): boolean => name.toLowerCase() === header.toLowerCase()
  return named.some(isOurs) ? undefined : named[0]
}

/** The header that a `TOTP` challenge names. */
function challengedHeaders({ challenges }: Answer): string[] {
  return challenges.flatMap(
    (challenge) => /\bTOTP\b.*?\bheader="([^"]{1,64})"/i.exec(challenge.slice(0, 500))?.[1] ?? [],
  )
}

/** A message that names both factors is one for all refusals, such as ours, and tells nothing of this one. */
function saysCodeIsMissing({ message }: Answer): boolean {
  return (
    !/bearer|authorization/i.test(message) &&
    /missing|required|absent|not (sent|found|present)|\bno\b/i.test(message) &&
    /totp|otp\b|code|second factor/i.test(message)
  )
}
