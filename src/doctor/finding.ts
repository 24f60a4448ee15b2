export const severities = ['serious', 'warning', 'note'] as const
export type Severity = (typeof severities)[number]

/** What `doctor` found: what it is, why it matters, and the command that mends it. Never a secret. */
export interface Finding {
  /** Stable: scripts hold on to it. */
  readonly id: string
  readonly severity: Severity
  /** A path, a peer or a host. */
  readonly subject: string
  readonly message: string
  readonly fix: string
  /** Fixes it where that is safe, for `--fix`, and looks again: whether it is gone. */
  readonly mend?: () => boolean | Promise<boolean>
}
