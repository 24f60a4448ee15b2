import { dirname } from 'node:path'
import { quoteForShell } from '../core/shell.js'
import { printable } from '../core/text.js'
import type { Env } from './environment.js'
import { runProgram, type ProgramRun, type RunOptions } from './run.js'

/** Where git's questions come from: what a command knows of its surroundings. */
export interface Asker {
  readonly cwd: string
  readonly env: Env
  readonly signal: AbortSignal
}

/** Puts a question to git in one work tree. */
export type Git = (
  args: readonly string[],
  options?: Pick<RunOptions, 'input' | 'timeoutMs'>,
) => Promise<ProgramRun>

/** A command that does nothing. */
const nothing = 'false'

/**
 * A repository that somebody else made brings its own settings, in `.git/config`, in files that this includes, and in
 * `config.worktree`. Settings on the command line win over all of them, so each that starts a program is set here.
 *
 * The names of some others are the stranger's to choose (`filter.*.clean`, `diff.*.textconv`, `merge.*.driver`,
 * `remote.*.uploadpack`, `alias.*`, `pager.*`, `hook.*.command`). They cannot be listed, so no question may lead to
 * them: only plumbing that reads objects by their id, the index and the ignore rules, and that writes nothing.
 * Settings of the machine and of its user are read as ever, because what is ignored and whom git trusts is theirs to
 * say (`core.excludesFile`, `safe.directory`).
 */
const settings: Readonly<Record<string, string>> = {
  // Empty is off in every version. Up to git 2.35 "false" would be the name of a program.
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
  // git before 2.45 cannot be told not to fetch what a partial clone lacks; see also GIT_ALLOW_PROTOCOL.
  'protocol.allow': 'never',
  // A folder of the work tree that looks like a bare repository is none. Known since git 2.38.
  'safe.bareRepository': 'explicit',
  // Filters of the commit graph, which could hide commits, are part of the repository too.
  'core.commitGraph': 'false',
}

const variables: Readonly<Record<string, string>> = {
  GIT_OPTIONAL_LOCKS: '0',
  GIT_NO_LAZY_FETCH: '1',
  GIT_TERMINAL_PROMPT: '0',
  // Wins over every `protocol.NAME.allow`. No protocol has this name.
  GIT_ALLOW_PROTOCOL: 'none',
  GIT_PAGER: 'cat',
  // Grafts make history look shorter.
  GIT_GRAFT_FILE: '/dev/null',
}

const options = [
  '--no-pager',
  '--no-replace-objects',
  ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]),
]

/** git in a work tree, started in a way that runs nothing which the repository names. */
export function gitIn(root: string, { env, signal }: Asker): Git {
  // Where the `.git` of this folder is no repository, git must not go on to another one.
  const own = { ...variables, GIT_CEILING_DIRECTORIES: dirname(root) }
  return (args, { input, timeoutMs } = {}) =>
    runProgram('git', [...options, ...args], { cwd: root, own, env, input, timeoutMs }, signal)
}

/** Why an answer is missing, and what can be done. */
export interface Doubt {
  readonly reason: string
  readonly advice: string
}

/** Why git did not answer, in words. */
export function doubtOf(run: ProgramRun, root: string): Doubt {
  if (!run.ended) return { reason: run.reason, advice: run.missing ? 'install git' : lookYourself }
  const lines = run.stderr.toString().split('\n')
  const said = lines.find((line) => /^(fatal|error): /.test(line)) ?? ''
  if (/dubious ownership|unsafe repository/.test(said)) {
    return {
      reason: 'git refuses it, as another user owns it',
      advice: `if you trust it, git config --global --add safe.directory ${printable(quoteForShell(root))}`,
    }
  }
  const words = printable(said.replace(/^\w+: /, '')).slice(0, 200)
  return {
    reason: words === '' ? `git ended with ${run.status}` : `git says: ${words}`,
    advice: lookYourself,
  }
}

export const lookYourself = 'look with git yourself'
