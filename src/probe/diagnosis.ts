import type { CardJson } from '../core/agent-card.js'
import { algorithms, digitCounts, type CodeProfile } from '../core/profile.js'
import { generateCode } from '../core/totp.js'
import { isSuccess, type CellRun } from './cell-run.js'
import { clockOffsetMs } from './checks/clock.js'
import { otherClock, otherHeaderOf } from './checks/explain.js'
import type { FieldLine } from './outcome.js'
import { credentialFields, type Session } from './session.js'

/** Wrong codes that a run has for guesses. The right one is another to an agent that refuses it. */
const mostGuesses = 4
/** Periods that agents have, in seconds. */
const usualPeriods = [30, 60]

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
  /** The code, where an agent that knows the token and is right about the rest counts it as wrong. */
  readonly guess?: string
}

/**
 * Where right credentials are refused in every cell: tries what is commonly mixed up, in one cell, within the guesses
 * that a run has, and stops at the first that is let in. Adds to `spent`, also the right codes that were refused.
 */
export async function diagnose(
  session: Session,
  runs: readonly CellRun[],
  cards: readonly CardJson[],
  { spent, refused }: { readonly spent: Set<string>; readonly refused: ReadonlySet<string> },
): Promise<Diagnosis | undefined> {
  const run = runs.find(({ valid }) => valid?.kind === 'refused' && valid.retryAfter === undefined)
  if (!run || runs.some((one) => one.valid && isSuccess(one.valid, one))) return undefined
  const ruledOut: string[] = []
  const wrong = new Set(refused)
  for (const { tried, reason, fields, guess } of hypotheses(session, run, cards)) {
    if (guess !== undefined && wrong.size >= mostGuesses) continue
    const answer = await run.callScan(fields)
    if (isSuccess(answer, run)) {
      // Codes of another length or in another header were no guesses after all.
      if (guess !== undefined) addAll(spent, wrong)
      return { confirmed: reason, ruledOut }
    }
    if (answer.kind === 'throttled' || answer.kind === 'unreadable') break
    if (guess !== undefined) wrong.add(guess)
    ruledOut.push(tried)
  }
  addAll(spent, wrong)
  return { ruledOut }
}

function addAll(set: Set<string>, more: Iterable<string>): void {
  for (const one of more) set.add(one)
}

/** The likeliest first, and what costs no guess before what does. */
function hypotheses(session: Session, run: CellRun, cards: readonly CardJson[]): Hypothesis[] {
  return [
    ...ofHeader(session, run, cards),
    ...ofDigits(session),
    ...ofClock(session, run),
    ...ofOtherPeer(session),
    ...ofSettings(session),
  ]
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
      const { fields } = withProfile(session, { ...credentials, digits }, now())
      return {
        fields,
        tried: `${digits} digits`,
        reason: `the agent wants codes of ${digits} digits, not ${credentials.digits}`,
      }
    })
}

function ofClock(session: Session, run: CellRun): Hypothesis[] {
  const { credentials, now } = session.options
  const clock = otherClock(run, credentials)
  const at = (offsetMs: number): Date => new Date(Math.max(0, now().getTime() + offsetMs))
  if (clock) {
    const { code, fields } = withProfile(session, credentials, at(clock.offsetMs))
    const reason = `${clock.text}; the code of its own time was let in`
    return [{ tried: "the agent's own time", reason, fields, guess: code }]
  }
  // A Date that agrees rules the clock out, as far as it is the clock that codes are checked by.
  if (clockOffsetMs(run.answers) !== undefined) return []
  const beyondMs = (credentials.window + 1) * credentials.period * 1000
  return (
    [
      [-1, 'behind'],
      [1, 'ahead'],
    ] as const
  ).map(([sign, word]) => {
    const { code, fields } = withProfile(session, credentials, at(sign * beyondMs))
    const reason = `the agent's clock is ${word}: a code of ${beyondMs / 1000} s ${sign < 0 ? 'ago' : 'from now'} was let in`
    return { tried: `a clock that is ${word}`, reason, fields, guess: code }
  })
}

function ofOtherPeer(session: Session): Hypothesis[] {
  const { credentials, otherPeer, now } = session.options
  if (!otherPeer || otherPeer.seed.base32 === credentials.seed.base32) return []
  const code = generateCode(otherPeer.seed, otherPeer, now())
  const reason = "token and seed are of different peers: the other peer's code was let in with this token"
  return [{ tried: "the other peer's seed", reason, fields: credentialFields(session, code), guess: code }]
}

function ofSettings(session: Session): Hypothesis[] {
  const { credentials, now } = session.options
  type Variant = readonly [tried: string, own: string, profile: CodeProfile]
  const ofAlgorithm = algorithms
    .filter((algorithm) => algorithm !== credentials.algorithm)
    .map((algorithm): Variant => [algorithm, credentials.algorithm, { ...credentials, algorithm }])
  const ofPeriod = usualPeriods
    .filter((period) => period !== credentials.period)
    .map((period): Variant => [
      `a period of ${period} s`,
      `${credentials.period} s`,
      { ...credentials, period },
    ])
  // The guesses seldom suffice for all of them, so each kind comes before a second of one kind.
  const variants = [...ofAlgorithm.slice(0, 1), ...ofPeriod, ...ofAlgorithm.slice(1)]
  return variants.map(([tried, own, profile]) => {
    const { code, fields } = withProfile(session, profile, now())
    return {
      tried,
      reason: `the agent has ${tried}, not ${own}: such a code was let in`,
      fields,
      guess: code,
    }
  })
}

function withProfile(
  session: Session,
  profile: CodeProfile,
  at: Date,
): { readonly code: string; readonly fields: readonly FieldLine[] } {
  const code = generateCode(session.options.credentials.seed, profile, at)
  return { code, fields: credentialFields(session, code) }
}
