import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { TOTPError } from '../../core/errors.js'
import { printable } from '../../core/text.js'
import { askGit, type GitView } from '../../programs/git-view.js'
import { ignoreInGit } from '../../store/ignore-file.js'
import { isEncrypted } from '../../store/protection.js'
import type { CliContext } from '../context.js'
import { workingFolderOrRoot } from '../io/path.js'
import { untrackCommand } from '../../programs/untrack-command.js'

export interface PlaintextOptions {
  readonly yes: boolean | undefined
  readonly gitignore: boolean
  /** What would be done, for the question, as in `Decrypt it`. */
  readonly action: string
  /** Called when a new rule ignores the store, for a command that makes several; by default that is said. */
  readonly onIgnored?: (name: string) => void
}

/**
 * Keeps a store out of git before it is written in plain text. If that is not possible, or cannot be checked for an
 * encrypted store, which may well be committed, the user has to confirm, or `--yes`.
 *
 * @returns what remains to be done, as a warning for after the store is written
 * @throws {TOTPError} `ERR_CONFIRMATION_NEEDED`, `ERR_DECLINED`; `ERR_FILE_UNWRITABLE` for .gitignore
 */
export async function keepOutOfGit(
  context: CliContext,
  path: string,
  { yes, gitignore, action, onIgnored }: PlaintextOptions,
): Promise<string | undefined> {
  const { output } = context
  const danger = dangerOf(await lookAt(context, path), path, context)
  if (danger) await agree(context, danger, action, yes)
  const added = gitignore && ignoreInGit(path) === 'added'
  if (danger?.kind === 'tracked') {
    if (added) output.say('the new rule in .gitignore takes effect once git no longer tracks the store')
    return danger.warning
  }
  const after = await lookAt(context, path)
  if (!gitignore || after.kind === 'outside') return danger?.warning
  if (after.kind === 'unknown' || after.doubt) {
    if (added) output.say('added the store to .gitignore, but whether git ignores it cannot be checked')
    return danger?.warning ?? `${reasonOf(after)}; make sure that git does not add ${nameOf(path)}`
  }
  if (after.ignored) {
    if (added && onIgnored) onIgnored(nameOf(path))
    else if (added) output.say('added the store to .gitignore')
    return danger?.warning
  }
  const open: Danger = {
    kind: 'not-ignored',
    what: `git does not ignore ${nameOf(path)}, despite .gitignore: the next commit may contain every seed and token in plain text.`,
    warning: `git does not ignore ${nameOf(path)}; move the store out of the work tree, or encrypt it`,
  }
  await agree(context, open, action, yes)
  return open.warning
}

interface Danger {
  readonly kind: 'tracked' | 'unknown' | 'not-ignored'
  readonly what: string
  readonly warning: string
}

async function lookAt(context: CliContext, path: string): Promise<GitView> {
  const { progress, env, signal } = context
  const view = await progress.during('checking git', () =>
    askGit(path, { cwd: workingFolderOrRoot(context), env, signal }),
  )
  signal.throwIfAborted()
  return view
}

function dangerOf(view: GitView, path: string, context: CliContext): Danger | undefined {
  if (view.kind === 'known' && view.tracked !== undefined) {
    const name = printable(view.tracked)
    const untrack = printable(
      untrackCommand(join(view.root, view.tracked), view.root, workingFolderOrRoot(context)),
    )
    return {
      kind: 'tracked',
      what: `git tracks ${name}: the next commit publishes every seed and token in plain text, and .gitignore has no effect on it. Run \`${untrack}\` first.`,
      warning: `git tracks ${name}, and .gitignore has no effect on it: the next commit publishes every seed and token; run: ${untrack}`,
    }
  }
  const reason = reasonOf(view)
  if (reason === undefined || !holdsCiphertext(path)) return undefined
  return {
    kind: 'unknown',
    what: `${reason}. If git tracks ${nameOf(path)}, the next commit publishes every seed and token in plain text.`,
    warning: `${reason}; if git tracks ${nameOf(path)}, remove it with git rm --cached before the next commit`,
  }
}

function reasonOf(view: GitView): string | undefined {
  const doubt = view.kind === 'unknown' ? view : view.kind === 'known' ? view.doubt : undefined
  return (
    doubt && `the store is in a git work tree, and git cannot tell whether it is tracked: ${doubt.reason}`
  )
}

async function agree({ confirm }: CliContext, { what }: Danger, action: string, yes = false): Promise<void> {
  if (yes || (await confirm(`${what} ${action} anyway?`, '--yes'))) return
  throw new TOTPError('ERR_DECLINED', 'the store was not changed')
}

const nameOf = (path: string): string => printable(basename(path))

/** An encrypted store may be committed, so it probably is. */
function holdsCiphertext(path: string): boolean {
  try {
    return isEncrypted(readFileSync(path))
  } catch {
    return false
  }
}
