export const severities = ['serious', 'warning', 'note'] as const
export type Severity = (typeof severities)[number]

/** What `doctor` reports: what is wrong, why it matters, and how to fix it. Never contains a secret. */
export interface Finding {
  /** Stable, for scripts. */
  readonly id: string
  readonly severity: Severity
  /** A path, a peer or a host. */
  readonly subject: string
  readonly message: string
  readonly fix: string
  /** For `--fix`, where fixing is safe: fixes the cause, checks again, and returns whether the finding is gone. */
  readonly repair?: () => boolean | Promise<boolean>
}
