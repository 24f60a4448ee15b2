import { verifyCode } from '../../core/totp.js'
import type { Answer } from '../wire/answer.js'
import type { CellRun } from './cell-run.js'
import { wrongCodesAt } from './codes.js'
import { isRefusalStage, type Attempt, type Exchange, type Stage } from './exchange.js'
import { credentialFields, materialNow } from './material.js'
import { triesOlderStep } from './older-step.js'
import { isInconclusive, isSuccess, isWorthless, lockedOutIn } from './reading.js'
import type { Session } from './session.js'
import { validCall } from './valid-call.js'

/** What a control call showed; `nothing` where something else answered, or nobody did. */
type Shown = 'let in' | 'refused' | 'nothing'

/** Stages of calls with right credentials: who is let in by one is not locked out. */
const ofRightCredentials: ReadonlySet<Stage> = new Set(['valid', 'spelling', 'message', 'signed', 'control'])

/**
 * Shows that refusals were meant for what was sent: calls with right credentials after them. An agent that locks out
 * whoever was refused too often refuses everything from then on, and so shows nothing of what it checks.
 */
export class Control {
  /** Taken before the guesses, because a lock may be over after the wait for a time step. */
  #unspent: string | undefined

  constructor(private readonly session: Session) {}

  /**
   * Before the guesses, calls the cells, or takes a step for the one call after them where each takes a time step.
   *
   * @returns the cells that were not found locked
   */
  async begin(runs: readonly CellRun[]): Promise<readonly CellRun[]> {
    const single = runs.filter((run) => this.#takesStep(run))
    await this.#call(runs.filter((run) => !single.includes(run)))
    if (single.length > 0 && isControlled(this.session)) this.#unspent = await this.session.codes.next()
    return runs.filter(({ isLocked }) => !isLocked)
  }

  /** After the guesses, calls the cells to which something was sent that should be refused. */
  async end(runs: readonly CellRun[]): Promise<void> {
    await this.#call(runs)
  }

  async #call(runs: readonly CellRun[]): Promise<void> {
    const single = isControlled(this.session) ? runs.filter((run) => this.#takesStep(run)) : []
    const others = runs.filter(
      (run) => !this.#takesStep(run) && sinceSuccess(run).some(({ stage }) => isRefusalStage(stage)),
    )
    const [shown, shownInOne] = await Promise.all([
      Promise.all(others.map((run) => this.#callCell(run))),
      this.#callOne(single),
    ])
    let refused = others.filter((_, index) => shown[index] === 'refused')
    const plain = refused.filter((run) => !this.#isSigned(run))
    // It may be an agent that accepts each code once, which nothing has shown so far.
    if ((await this.#callOne(plain)) === 'let in') refused = refused.filter((run) => !plain.includes(run))
    for (const run of refused) discredit(run)
    if (shownInOne === 'refused') for (const run of single) discredit(run)
  }

  /** Whether a call would take a time step of its own. */
  #takesStep(run: CellRun): boolean {
    return this.session.codes.once && !this.#isSigned(run)
  }

  /** Whether signed calls are let in, which share a time step. */
  #isSigned(run: CellRun): boolean {
    return (
      this.session.proofs.matter &&
      run.exchanges.some(
        ({ stage, isSigned, answer }) =>
          isSigned && (stage === 'valid' || stage === 'signed') && isSuccess(answer, run),
      )
    )
  }

  async #callCell(run: CellRun): Promise<Shown> {
    const { codes } = this.session
    return this.#isSigned(run)
      ? this.#send(run, codes.shared(), { signing: 'right' })
      : this.#send(run, await codes.next())
  }

  /** Calls the first of the cells with a code of its own, and takes its answer for all: a time step is long. */
  async #callOne(runs: readonly CellRun[]): Promise<Shown> {
    const [run] = runs
    return run ? this.#send(run, await this.#unspentCode()) : 'nothing'
  }

  async #unspentCode(): Promise<string> {
    const { codes, options } = this.session
    const { credentials, now } = options
    const code = this.#unspent
    this.#unspent = undefined
    const lives = code !== undefined && verifyCode(credentials.seed, credentials, code, now()).valid
    return lives ? code : codes.unspent()
  }

  async #send(run: CellRun, code: string, signing: Pick<Attempt, 'signing'> = {}): Promise<Shown> {
    const fields = credentialFields(this.session.options.credentials, code)
    const call = { ...validCall('right credentials again', fields), ...signing }
    return shownBy(await run.send('control', call, 'of-valid-calls'), run)
  }
}

/** Whether anything follows a success that a control call has to follow. */
export function isControlled(session: Session): boolean {
  const { plan, options } = session
  const { performed } = plan
  if (plan.hasLate || performed.has('auth.after-valid') || performed.has('auth.doors')) return true
  const guesses = plan.guesses(materialNow(session), wrongCodesAt(options, options.now()))
  return guesses.length > 0 || triesOlderStep(session)
}

/** Guesses are throttled on purpose, also those who know the code; what stays silent is reported by other checks. */
function shownBy(answer: Answer, run: CellRun): Shown {
  if (isLetInAgain(answer, run)) return 'let in'
  const { kind, status } = answer
  return kind === 'unreadable' || status === 503 || isInconclusive(answer) ? 'nothing' : 'refused'
}

/** What is no task and no result has to be what the valid call got: the words of a lock are none of the refusals either. */
function isLetInAgain(answer: Answer, run: CellRun): boolean {
  if (!isSuccess(answer, run)) return false
  if (answer.kind === 'authenticated' || answer.kind === 'answered') return true
  return run.valid?.kind === answer.kind && run.valid.signature === answer.signature
}

/** What was sent after the last call that was let in with right credentials. */
function sinceSuccess(run: CellRun): readonly Exchange[] {
  const { exchanges } = run
  const last = exchanges.findLastIndex(
    ({ stage, answer }) => ofRightCredentials.has(stage) && isLetInAgain(answer, run),
  )
  return exchanges.slice(last + 1)
}

/** Right credentials were refused: what was refused since they were let in shows nothing. */
function discredit(run: CellRun): void {
  run.discredit(sinceSuccess(run))
  const refused = run.exchanges.filter(
    (one) => (isRefusalStage(one.stage) || one.stage === 'replay') && isWorthless(one, run),
  )
  const checks = new Set(refused.map(({ stage, check }) => (stage === 'again' ? 'auth.after-valid' : check)))
  run.unfinished = new Set([...run.unfinished, ...checks])
  run.whyNotSent = 'right credentials were refused as well, although they had been let in'
  const seen = lockedOutIn(run).at(-1)?.summary ?? 'elsewhere'
  const gap = `right credentials were let in and then refused (${seen}), as by an agent that locks callers out`
  run.gaps = [...run.gaps, `${gap}, so these refusals show nothing: ${[...checks].join(', ')}`]
}
