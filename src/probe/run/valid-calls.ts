import { titleOf } from '../target/cells.js'
import type { Answer } from '../wire/answer.js'
import type { FieldLine } from '../wire/raw-answer.js'
import { askAgainBeforeValid } from './ask-again.js'
import type { CellRun } from './cell-run.js'
import { isControlled } from './control.js'
import type { Attempt } from './exchange.js'
import { bearerField, credentialFields, materialNow } from './material.js'
import { triesOlderStep } from './older-step.js'
import { isShown, isSuccess } from './reading.js'
import { repeatAfterSuccess } from './repeat.js'
import { callSpelledOddly } from './odd-spellings.js'
import type { Session } from './session.js'
import { callSigned, misuseSigned, type SignedCall } from './signed-calls.js'
import { saysUsed } from './used-code.js'
import { validCall } from './valid-call.js'
import type { ValidCodes } from './valid-codes.js'

/** How often a valid call is tried at an agent that reports a used code. */
const validTries = 3

/**
 * Calls every cell with right credentials, and repeats after each success what was refused before it. Where calls are
 * throttled, the run waits once, for the longest that was asked for, and calls those cells again.
 *
 * @returns what waits for the repeats: nothing but a valid call depends on them
 */
export async function callAllValid(
  session: Session,
  runs: readonly CellRun[],
  codes: ValidCodes,
): Promise<() => Promise<void>> {
  if (codes.once) announceSteps(session, runs)
  const round = new ValidRound(session, codes)
  await round.call(runs)
  const throttled = await waitForThrottled(session, runs)
  for (const run of throttled) await askAgainBeforeValid(session, run)
  await round.call(throttled)
  return () => round.finish()
}

/** The valid calls of a run, and what follows each. */
class ValidRound {
  #used: Used | undefined
  readonly #following: Promise<void>[] = []

  constructor(
    private readonly session: Session,
    private readonly codes: ValidCodes,
  ) {}

  async call(runs: readonly CellRun[]): Promise<void> {
    for (const [index, run] of runs.entries()) {
      await this.#enter(run)
      if (!this.#used || (this.codes.once && !this.session.proofs.matter)) continue
      // A code works for more than one call, if need be signed ones, so the other cells can be called in parallel.
      await Promise.all(runs.slice(index + 1).map((other) => this.#enter(other)))
      break
    }
  }

  /** Waits for what follows the successes. */
  async finish(): Promise<void> {
    await Promise.all(this.#following)
  }

  async #enter(run: CellRun): Promise<void> {
    const used = await callCell(this.session, run, this.codes, this.#used)
    if (!used) return
    if (used.fields !== undefined) this.#used = { at: used.at, fields: used.fields }
    // It needs no code that is used once, so the next cell need not wait for it.
    const following = follow(this.session, run, this.codes)
    // Its failure is seen by `finish`.
    following.catch(() => undefined)
    this.#following.push(following)
  }
}

/** Waits once for the longest that a throttled valid call asks for. Returns the cells to call again. */
async function waitForThrottled(
  { throttleWait }: Session,
  runs: readonly CellRun[],
): Promise<readonly CellRun[]> {
  const throttled = runs.filter(({ valid }) => valid !== undefined && isHeldBack(valid))
  await Promise.all(
    throttled.map(async (run) => {
      if (run.valid) run.waited = await throttleWait.for(run.valid)
    }),
  )
  return throttled.filter(({ waited }) => waited !== undefined && 'seconds' in waited)
}

/** An agent under `once` that has just started answers 503 to right credentials until it can check codes. */
const isHeldBack = ({ kind, status }: Answer): boolean => kind === 'throttled' || status === 503

/** Calls one cell with right credentials. Returns where it was let in, with the header lines if it was a plain call. */
async function callCell(
  session: Session,
  run: CellRun,
  codes: ValidCodes,
  usedElsewhere?: Used,
): Promise<{ readonly at: string; readonly fields?: readonly FieldLine[] } | undefined> {
  const { options, plan, proofs } = session
  const { performed } = plan
  if (codes.once && usedElsewhere && performed.has('replay')) {
    await replay(run, validCall(`a code that was used at ${usedElsewhere.at}`, usedElsewhere.fields))
  }
  await askAgainBeforeValid(session, run)
  // Where a plain call was shown elsewhere, and each would take a time step, a signed one is enough.
  const isEnough = codes.once && usedElsewhere !== undefined && (proofs.matter || wantsSigned(session))
  const early = isEnough ? await callSigned(session, run, codes, 'valid') : undefined
  const plain = early ? undefined : await callValid(session, run, codes)
  if (run.valid?.kind === 'throttled') await callAsStranger(session, run)
  if (!isShown(run)) return undefined
  if (performed.has('replay') && plain) {
    const { kind } = await replay(run, { ...plain, label: justUsed })
    if (kind === 'refused') {
      codes.learnOnce()
      await replayElsewhere(run, plain)
    }
  }
  if (wantsSigned(session)) {
    const signed =
      early ?? asSigned(plain) ?? (isEnough ? undefined : await callSigned(session, run, codes, 'signed'))
    if (signed) await misuseSigned(session, run, signed)
  }
  if (options.send !== undefined) {
    const code = proofs.matter ? codes.shared() : await codes.next()
    const message = validCall('a message', credentialFields(options.credentials, code))
    const asked = { ...message, operation: 'send', text: options.send } as const
    await run.send('message', { ...asked, ...(proofs.matter && { signing: 'right' }) }, 'of-valid-calls')
  }
  const fields = plain?.signing === undefined ? plain?.fields : undefined
  return { at: titleOf(run.cell), ...(fields && { fields }) }
}

/** Whether signed requests are a subject of this run: they can be made, and something is known of them. */
function wantsSigned({ plan, proofs }: Session): boolean {
  return plan.performed.has('signed.valid') && proofs.canSign && proofs.policy !== undefined
}

/** Where every request is signed, the call with right credentials is the signed one. */
function asSigned(call: Attempt | undefined): SignedCall | undefined {
  const { signing, taskId } = call ?? {}
  const { fixed } = typeof signing === 'object' ? signing : {}
  return call && taskId !== undefined && fixed ? { ...call, taskId, signing: { fixed } } : undefined
}

/** What shows something only after a success: other spellings, and what was refused before. */
async function follow(session: Session, run: CellRun, codes: ValidCodes): Promise<void> {
  if (!codes.once) await callSpelledOddly(session, run, codes)
  const { plan } = session
  if (!plan.performed.has('auth.after-valid')) return
  const again = plan.freeRefusals('before-valid', materialNow(session)).filter((one) => one.again)
  await repeatAfterSuccess(run, again)
}

const justUsed = 'a code that was just used'
const onOther = 'a used code on another connection'

/** Behind a balancer, other connections may lead to replicas that do not share what was used. */
const otherConnections = 3

async function replayElsewhere(run: CellRun, used: Attempt): Promise<void> {
  const again = { ...used, check: 'replay', label: onOther } as const
  await Promise.all(Array.from({ length: otherConnections }, () => run.send('replay', again, 'beside')))
}

function replay(run: CellRun, attempt: Attempt): ReturnType<CellRun['send']> {
  return run.send('replay', { ...attempt, check: 'replay' }, 'of-valid-calls')
}

/** Shows whether the agent throttles callers with an unknown token too. */
async function callAsStranger(session: Session, run: CellRun): Promise<void> {
  const { unknownToken, header, code } = materialNow(session)
  await run.send('stranger', validCall('a stranger', [bearerField(unknownToken), [header, code]]), 'beside')
}

/** Header lines that were let in, and the cell that let them in. */
interface Used {
  readonly at: string
  readonly fields: readonly FieldLine[]
}

/** Returns the last try. */
async function callValid(
  session: Session,
  run: CellRun,
  codes: ValidCodes,
  triesLeft: number = validTries,
): Promise<Attempt> {
  const { options, proofs } = session
  const code = await codes.next()
  const attempt: Attempt = {
    ...validCall('right credentials', credentialFields(options.credentials, code)),
    ...(proofs.requires && { taskId: run.nextTaskId(), signing: { fixed: proofs.fixed() } }),
  }
  const answer = await run.send('valid', attempt, 'of-valid-calls')
  const spent = saysUsed(answer, run)
  if (spent) codes.learnOnce()
  // It says that the code was used, but says so to any code if the seed is another.
  if (answer.kind === 'refused') codes.note(code, spent ? 'used' : 'refused')
  else if (isSuccess(answer, run)) codes.note(code, 'accepted')
  return spent && triesLeft > 1 ? callValid(session, run, codes, triesLeft - 1) : attempt
}

function announceSteps(session: Session, runs: readonly CellRun[]): void {
  const { options, plan, proofs, announce } = session
  const { credentials, send } = options
  if (proofs.matter) {
    announce('policy once: one valid call takes a time step, the others are signed and share one')
    return
  }
  const calls = runs.length * (send === undefined ? 1 : 2)
  const controls = isControlled(session) && !triesOlderStep(session) ? 1 : 0
  const steps = calls + (plan.hasLate ? 1 : 0) + controls
  // The previous step, the current one and, with a window, the next one can be used at once.
  const atOnce = 1 + 2 * Math.min(credentials.window, 1)
  const secondsFor = (count: number): number => Math.max(0, count - atOnce) * credentials.period
  const seconds = secondsFor(steps)
  // Beside the step that is left out; that is the one of the late calls, if there are any.
  const forOlder = triesOlderStep(session) ? secondsFor(calls + 2) - seconds : 0
  const more = forOlder > 0 ? `, and ${forOlder} s more to show that older steps are spent` : ''
  announce(
    `policy once: ${calls} valid calls need a time step each, about ${seconds} s${more}; use --only for fewer`,
  )
}
