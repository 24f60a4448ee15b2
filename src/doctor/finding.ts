import { quoteForShell } from '../core/shell.js'
import { listSome } from '../core/text.js'

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
  /** How several findings of the kind are put in one line, unless their messages or fixes are the same anyway. */
  readonly joint?: Joint
  /** The store that it is about. */
  readonly store?: string
  /** For `--fix`, where fixing is safe: fixes the cause, checks again, and returns whether the finding is gone. */
  readonly repair?: () => boolean | Promise<boolean>
  /** How to fix it where the repair had no effect. */
  readonly otherwise?: string
}

export interface Joint {
  /** What the subjects are, as in `3 peers`. */
  readonly noun: 'peers' | 'files'
  /** The message in general words. */
  readonly message?: string
  /** One fix for these subjects of one store. */
  readonly fix?: (subjects: readonly string[]) => string
}

/** A command names at most this many; others are left to the reader. */
const mostInCommand = 5

/** What findings are about, for one line. */
export const nameSubjects = (subjects: readonly string[]): string => listSome(subjects, 3)

/**
 * The words of a command for some of all peers: their names; if they are many, `all` for every one of them, else `NAME`.
 *
 * @param most how many are named
 */
export function chosen(names: readonly string[], total: number, all: string, most = mostInCommand): string {
  if (names.length > mostInCommand && names.length === total) return all
  return names.length <= most ? names.join(' ') : 'NAME'
}

/** The command that removes files. */
export const removeCommand = (paths: readonly string[]): string =>
  `rm ${paths.map((path) => quoteForShell(path)).join(' ')}`
