import { dirname } from 'node:path'
import { quoteForShell } from '../core/shell.js'
import { printable } from '../core/text.js'
import type { Env } from './environment.js'
import { runProgram, type ProgramRun, type RunOptions } from './run.js'

/** What a call of git needs to know about the command that makes it. */
export interface Asker {
  readonly cwd: string
  readonly env: Env
  readonly signal: AbortSignal
}

/** Runs git in one work tree. */
export type Git = (
  args: readonly string[],
  options?: Pick<RunOptions, 'input' | 'timeoutMs'>,
) => Promise<ProgramRun>

/** A command that does nothing. */
const nothing = 'false'

/**
 * A repository from an attacker brings its own settings, in `.git/config`, in files that this includes, and in
 * `config.worktree`. Settings on the command line override all of them, so every setting that starts a program is set
 * here.
 *
 * The attacker can choose the names of some other settings (`filter.*.clean`, `diff.*.textconv`, `merge.*.driver`,
 * `remote.*.uploadpack`, `alias.*`, `pager.*`, `hook.*.command`). They cannot be listed, so no call of git may reach
 * them: only plumbing that reads objects by id, the index and the ignore rules, and that writes nothing. Settings of
 * the system and the user still apply: they decide what is ignored and which repositories git trusts
 * (`core.excludesFile`, `safe.directory`).
 */
const settings: Readonly<Record<string, string>> = {
  // Empty means off in every version. Up to git 2.35, "false" is the name of a program to run.
  'core.fsmonitor': '',
  'core.untrackedCache': 'false',
  'core.hooksPath': '/dev/null',
  'core.alternateRefsCommand': nothing,
  'core.pager': 'cat',
  'core.editor': nothing,
  'sequence.editor': nothing,
  'core.askPass': '',
  'core.sshCommand': nothing,
  'core.gitProxy': nothing,
  'credential.helper': '',
  'diff.external': nothing,
  'interactive.diffFilter': 'cat',
  'log.showSignature': 'false',
  'gpg.program': nothing,
  'gpg.openpgp.program': nothing,
  'gpg.x509.program': nothing,
  'gpg.ssh.program': nothing,
  'gpg.ssh.defaultKeyCommand': nothing,
  'uploadpack.packObjectsHook': nothing,
  'submodule.recurse': 'false',
  'fetch.recurseSubmodules': 'false',
  'gc.auto': '0',
  'maintenance.auto': 'false',
  // Before 2.45, git has no option against fetching what a partial clone lacks; see also GIT_ALLOW_PROTOCOL.
  'protocol.allow': 'never',
  // Ignores a bare repository inside the work tree. Since git 2.38.
  'safe.bareRepository': 'explicit',
  // The commit graph is part of the repository too; its filters could hide commits.
  'core.commitGraph': 'false',
}

const variables: Readonly<Record<string, string>> = {
  GIT_OPTIONAL_LOCKS: '0',
  GIT_NO_LAZY_FETCH: '1',
  GIT_TERMINAL_PROMPT: '0',
  // Overrides every `protocol.NAME.allow`. No protocol has this name.
  GIT_ALLOW_PROTOCOL: 'none',
  GIT_PAGER: 'cat',
  // Grafts can hide history.
  GIT_GRAFT_FILE: '/dev/null',
}

const options = [
  '--no-pager',
  '--no-replace-objects',
  ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]),
]

/** git in a work tree, run so that it starts nothing that the repository configures. */
export function gitIn(root: string, { env, signal }: Asker): Git {
  // If the `.git` in this folder is not a repository, git must not look for one further up.
  const own = { ...variables, GIT_CEILING_DIRECTORIES: dirname(root) }
  return (args, { input, timeoutMs } = {}) =>
    runProgram('git', [...options, ...args], { cwd: root, own, env, input, timeoutMs }, signal)
}

/** Why git's answer is missing or incomplete, and what to do about it. */
export interface Doubt {
  readonly reason: string
  readonly advice: string
}

/** Why git did not answer. */
export function doubtOf(run: ProgramRun, root: string): Doubt {
  if (!run.ended) return { reason: run.reason, advice: run.missing ? 'install git' : lookYourself }
  const lines = run.stderr.toString().split('\n')
  const said = lines.find((line) => /^(fatal|error): /.test(line)) ?? ''
  if (/dubious ownership|unsafe repository/.test(said)) {
    return {
      reason: 'git refuses to read the repository, because another user owns it',
      advice: `if you trust it, git config --global --add safe.directory ${printable(quoteForShell(root))}`,
    }
  }
  const words = printable(said.replace(/^\w+: /, '')).slice(0, 200)
  return {
    reason: words === '' ? `git ended with ${run.status}` : `git reports: ${words}`,
    advice: lookYourself,
  }
}

export const lookYourself = 'check with git yourself'
