import type { CardJson } from '../../core/card/shapes.js'
import { digitCounts } from '../../core/profile.js'
import { generateCode } from '../../core/totp.js'
import { isSuccess, type CellRun } from '../run/cell-run.js'
import { otherHeaderOf } from './explain.js'
import type { FieldLine } from '../wire/raw-answer.js'
import { credentialFields, type Session } from '../run/session.js'

/** Why right credentials are let in nowhere, as far as a few requests can tell. */
export interface Diagnosis {
  /** The reason, when another request was let in. */
  readonly confirmed?: string
  /** What was tried without success. */
  readonly ruledOut: readonly string[]
}

/** Something that might be wrong, and the request that is let in if it is. */
interface Hypothesis {
  readonly tried: string
  readonly reason: string
  readonly fields: readonly FieldLine[]
}

/**
 * Where right credentials are refused in every cell: tries what is commonly mixed up, in one cell, and stops at the
 * first that is let in. Only what spends no guess is tried: codes of other algorithms, periods, clocks or peers would
 * be wrong codes beside a token that may be live, and no guess is sent before a valid call was let in.
 */
export async function diagnose(
  session: Session,
  runs: readonly CellRun[],
  cards: readonly CardJson[],
): Promise<Diagnosis | undefined> {
  const run = runs.find(({ valid }) => valid?.kind === 'refused' && valid.retryAfter === undefined)
  if (!run || runs.some((one) => one.valid && isSuccess(one.valid, one))) return undefined
  const ruledOut: string[] = []
  for (const { tried, reason, fields } of hypotheses(session, run, cards)) {
    const answer = await run.callScan(fields)
    if (isSuccess(answer, run)) return { confirmed: reason, ruledOut }
    if (answer.kind === 'throttled' || answer.kind === 'unreadable') break
    ruledOut.push(tried)
  }
  return { ruledOut }
}

/** The likeliest first. */
function hypotheses(session: Session, run: CellRun, cards: readonly CardJson[]): Hypothesis[] {
  return [...ofHeader(session, run, cards), ...ofDigits(session)]
}

function ofHeader(session: Session, run: CellRun, cards: readonly CardJson[]): Hypothesis[] {
  const { credentials, now } = session.options
  const name = run.valid && otherHeaderOf(run.valid, cards, credentials)
  if (name === undefined || !/^[!#$%&'*+.^_`|~\w-]+$/.test(name)) return []
  const code = generateCode(credentials.seed, credentials, now())
  const fields = credentialFields(session, code).map(([field, value]): FieldLine =>
    field === credentials.header ? [name, value] : [field, value],
  )
  const reason = `the agent asks for the code in ${name}, it was sent in ${credentials.header}; in ${name} it was let in`
  return [{ tried: `the header ${name}`, reason, fields }]
}

/** Codes of another length are malformed to an agent that is right about the length, so they are no guesses. */
function ofDigits(session: Session): Hypothesis[] {
  const { credentials, now } = session.options
  return digitCounts
    .filter((digits) => digits !== credentials.digits)
    .map((digits) => {
      const code = generateCode(credentials.seed, { ...credentials, digits }, now())
      return {
        fields: credentialFields(session, code),
        tried: `${digits} digits`,
        reason: `the agent wants codes of ${digits} digits, not ${credentials.digits}`,
      }
    })
}
