import { endOfStep, generateCodeOfStep, timeStepAt } from '../../core/totp.js'
import { untilNextStep } from './codes.js'
import type { ProbeCredentials, ProbeOptions } from '../options.js'

/**
 * Distinct codes to try at an agent that refuses right credentials: it counts each as a wrong one. Where it says that they
 * were used, another client, or the last run, may have spent the steps next to now.
 */
const mostRefused = 2
const mostUsed = 3

/** At this distance from the edges of a step, a small clock difference does not get a code refused. */
const marginMs = 1500

type Tools = Pick<ProbeOptions, 'now'> & {
  readonly credentials: ProbeCredentials
  readonly sleep: (ms: number, what?: string) => Promise<void>
  readonly announce: (text: string) => void
  /** Whether every request is signed, and so may share its code with others. */
  readonly allSigned?: () => boolean
}

/**
 * Hands out the codes for calls that should succeed. Under policy `once` each call takes its own time step, in rising
 * order: the previous one, the current one, the next one, then one per period.
 */
export class ValidCodes {
  #once: boolean
  #last = -Infinity
  #accepted = false
  readonly #refused = new Map<string, { readonly step: number; readonly used: boolean }>()

  constructor(private readonly tools: Tools) {
    this.#once = tools.credentials.replay === 'once'
  }

  /** Whether each call takes a time step of its own. */
  get once(): boolean {
    return this.#once && this.tools.allSigned?.() !== true
  }

  /** The agent refused a repeated code: from now on each call takes a new step. */
  learnOnce(): void {
    this.#once = true
  }

  /** Codes that were refused: right as far as the probe knows, wrong for the agent. */
  get refused(): ReadonlySet<string> {
    return new Set(this.#refused.keys())
  }

  /** Notes whether the code that was handed out last was accepted, or refused as one that was used. */
  note(code: string, answer: 'accepted' | 'refused' | 'used'): void {
    if (answer === 'accepted') this.#accepted = true
    else this.#refused.set(code, { step: this.#last, used: answer === 'used' })
  }

  /** A code that should be accepted now, after waiting for its step if necessary. */
  async next(): Promise<string> {
    const { credentials, now } = this.tools
    const again = this.#refusedBefore()
    if (again !== undefined) return again
    if (this.once) return this.#nextStep()
    // With a window of 0, a code sent at the very end of its step arrives too late.
    const left = untilNextStep(credentials, now())
    if (credentials.window === 0 && left < marginMs) await this.tools.sleep(left)
    return this.#codeOf(timeStepAt(credentials, now()))
  }

  /** A code that no call has used, after waiting for its step if necessary. */
  unspent(): Promise<string> {
    return this.#nextStep()
  }

  /**
   * The code of the current step for signed calls, which may share it, spent or not. To plain calls it is spent from now
   * on.
   */
  shared(): string {
    const { credentials, now } = this.tools
    const step = timeStepAt(credentials, now())
    this.#last = Math.max(this.#last, step)
    return generateCodeOfStep(credentials.seed, credentials, step)
  }

  /** While nothing was let in, returns the same code again, because agents count distinct ones. */
  #refusedBefore(): string | undefined {
    const [code, refusal] = [...this.#refused].at(-1) ?? []
    if (this.#accepted || !refusal) return undefined
    const { credentials, now } = this.tools
    const lives = refusal.step >= timeStepAt(credentials, now()) - Math.min(credentials.window, 1)
    // Under `once` another client may have spent the step, so another one is worth a try.
    const most = [...this.#refused.values()].every(({ used }) => used) ? mostUsed : mostRefused
    return (lives && !this.once) || this.#refused.size >= most ? code : undefined
  }

  async #nextStep(): Promise<string> {
    const { credentials, now, sleep, announce } = this.tools
    const reach = Math.min(credentials.window, 1)
    const at = now()
    const current = timeStepAt(credentials, at)
    const earliest = current - reach + (untilNextStep(credentials, at) < marginMs ? 1 : 0)
    const step = Math.max(this.#last + 1, earliest)
    // Taken before the wait, so that concurrent calls do not get the same step.
    this.#last = step
    const usableFrom = endOfStep(credentials, step - reach - 1).getTime() + (step > current ? marginMs : 0)
    const waitMs = usableFrom - at.getTime()
    if (waitMs > 0) {
      announce(`policy once: waiting ${Math.ceil(waitMs / 1000)} s for an unspent time step`)
      await sleep(waitMs, 'an unspent time step')
    }
    return this.#codeOf(step)
  }

  #codeOf(step: number): string {
    this.#last = step
    return generateCodeOfStep(this.tools.credentials.seed, this.tools.credentials, step)
  }
}
