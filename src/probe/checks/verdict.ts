export type CheckStatus = 'pass' | 'fail' | 'warn' | 'skip'

/** The result of a check. */
export interface Verdict {
  readonly status: CheckStatus
  /** What the agent did. */
  readonly actual: string
  /** What that means or how to fix it; empty when there is nothing to add. */
  readonly detail: string
  /** How long its requests took, in milliseconds. */
  readonly durationMs?: number
  /** Set where it was a failure or warning that is ignored. */
  readonly ignored?: true
  /** Set where it failed because calls got no answer, which shows neither a refusal nor that anyone was let in. */
  readonly unanswered?: true
}

export const passed = (actual: string, detail = ''): Verdict => ({ status: 'pass', actual, detail })
export const failed = (actual: string, detail: string): Verdict => ({ status: 'fail', actual, detail })
export const warned = (actual: string, detail: string): Verdict => ({ status: 'warn', actual, detail })
export const skipped = (detail: string): Verdict => ({ status: 'skip', actual: 'not tested', detail })

/** The verdict if the agent did not answer at all. */
export const nothingAnswered = skipped('nothing answered')
