import { readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { decidingRule, listFiles, type WorkTreeFiles } from '../programs/git-files.js'
import { searchHistory } from '../programs/git-history.js'
import { askGit, askNamedRepository, otherRepositoryDoubt, type KnownView } from '../programs/git-view.js'
import type { Asker, Doubt } from '../programs/git.js'
import { untrackCommand } from '../programs/untrack-command.js'
import { realPath } from '../programs/work-tree.js'
import { recordPath } from '../store/change-record.js'
import { ignoreFileInGit, ignoreInGit } from '../store/ignore-file.js'
import { isEncrypted } from '../store/protection.js'
import type { Copy } from './copy-audit.js'
import type { Finding } from './finding.js'
import { holdsAny, type Needles } from './needles.js'

/** What git says about a store and the files around it. */
export interface GitReport {
  readonly findings: Finding[]
  /** The work tree of the store and its files; undefined outside one, and where git does not list them. */
  readonly tree: { readonly view: KnownView; readonly files: WorkTreeFiles } | undefined
}

/** What an audit of git works with. */
export interface GitQuestion {
  readonly path: string
  readonly tool: string
  readonly asker: Asker
  /** The store's live credentials. */
  readonly needles: Needles
  /** Files beside the store that hold seeds or tokens in plain text. */
  readonly copies: readonly Copy[]
}

/** Reports whether git tracks an unencrypted store or a copy, would add it, or has it in its history. */
export async function auditGit(question: GitQuestion): Promise<GitReport> {
  const { path, asker } = question
  const view = await askGit(path, asker)
  const doubt = view.kind === 'unknown' ? view : view.kind === 'known' ? view.doubt : undefined
  if (doubt?.reason === otherRepositoryDoubt.reason) {
    // The repository that the user's git uses here, and the one that is found in the folders above.
    const named = await askNamedRepository(path, asker)
    const own = view.kind === 'known' ? (await auditView(question, view)).findings : []
    if (named === undefined) return { findings: [...own, unknown(path, doubt)], tree: undefined }
    const { findings, tree } = await auditView(question, named)
    const more = own.filter(
      (one) => !findings.some(({ id, subject }) => id === one.id && subject === one.subject),
    )
    return { findings: [...findings, ...more], tree }
  }
  if (view.kind === 'outside') return { findings: [], tree: undefined }
  if (view.kind === 'unknown') return { findings: [unknown(path, view)], tree: undefined }
  return auditView(question, view)
}

async function auditView(question: GitQuestion, view: KnownView): Promise<GitReport> {
  const { path } = question
  const files = await listFiles(view)
  const listed = 'tracked' in files ? files : undefined
  const plain = !isEncrypted(readFileSync(path))
  const findings = [
    ...(plain ? await exposed(question, view) : []),
    ...(listed ? besides(question, view, listed, plain) : []),
    ...(await history(question, view, plain)),
    ...('reason' in files ? [unknown(path, files)] : []),
    ...(view.doubt && view.doubt !== otherRepositoryDoubt ? [unknown(path, view.doubt)] : []),
  ]
  return { findings, tree: listed && { view, files: listed } }
}

/** Whether git ignores a file now, as far as the repository of a view is concerned. */
export async function isIgnored(
  { git, root }: Pick<KnownView, 'git' | 'root'>,
  file: string,
): Promise<boolean> {
  const path = relative(root, realPath(file)).split(sep).join('/')
  const run = await git(['check-ignore', '-q', '--no-index', '--', `./${path}`])
  return run.ended && run.status === 0
}

/** Findings for an unencrypted store. Ignore rules have no effect on a file that is tracked. */
async function exposed({ path, tool, asker }: GitQuestion, view: KnownView): Promise<Finding[]> {
  const findings: Finding[] = []
  if (view.tracked !== undefined) {
    findings.push({
      id: 'git-tracked',
      severity: 'serious',
      subject: path,
      message: `git tracks this unencrypted store${alias(view)}, so .gitignore has no effect: the next commit publishes every seed and token`,
      fix: untrackCommand(trackedPath(view), view.root, asker.cwd),
    })
  }
  if (!view.ignored) {
    const rule = await overruled(view)
    findings.push({
      id: 'git-not-ignored',
      severity: 'serious',
      subject: path,
      message: `this unencrypted store is in a git work tree and not ignored${rule}: the next commit may include it`,
      fix: `${tool} doctor --fix`,
      joint: {
        noun: 'files',
        message: `git does not ignore them${rule}: the next commit may include seeds and tokens`,
      },
      repair: () => {
        if (ignoreInGit(path) === 'no-work-tree') ignoreFileInGit(path)
        return isIgnored(view, path)
      },
      otherwise: `move the store out of the work tree, or run ${tool} encrypt`,
    })
  }
  return findings
}

/** Which rule includes a file that others ignore. */
async function overruled(view: KnownView): Promise<string> {
  const rule = await decidingRule(view, view.path)
  return rule?.text.startsWith('!')
    ? `, since line ${rule.line} of ${rule.file} includes it again (${rule.text})`
    : ''
}

/** Findings for copies, and for the record of changes, which names peers. Encrypted stores may be committed with theirs. */
function besides(
  { path, tool, asker, copies }: GitQuestion,
  view: KnownView,
  { tracked, added }: WorkTreeFiles,
  plain: boolean,
): Finding[] {
  const { root } = view
  const inTree = (file: string): string => relative(root, realPath(file)).split(sep).join('/')
  const untrack = (files: readonly string[]): string =>
    files.map((file) => untrackCommand(join(root, inTree(file)), root, asker.cwd)).join(' && ')
  const findings: Finding[] = []
  for (const { path: file, backup } of copies) {
    if (tracked.includes(inTree(file))) {
      findings.push({
        id: 'git-tracked',
        severity: 'serious',
        subject: file,
        message:
          'git tracks this copy of the store in plain text: the next commit publishes its seeds and tokens',
        fix: untrack([file]),
        joint: {
          noun: 'files',
          message: 'git tracks them: the next commit publishes seeds and tokens',
          fix: untrack,
        },
      })
    } else if (backup && added.includes(inTree(file))) {
      findings.push({
        id: 'git-not-ignored',
        severity: 'serious',
        subject: file,
        message: 'git does not ignore this backup in plain text: the next commit may include it',
        fix: `${tool} doctor --fix`,
        joint: {
          noun: 'files',
          message: 'git does not ignore them: the next commit may include seeds and tokens',
        },
        repair: () => {
          ignoreFileInGit(file)
          return isIgnored(view, file)
        },
        otherwise: 'move it out of the work tree',
      })
    }
  }
  const record = recordPath(path)
  if (plain && added.includes(inTree(record))) {
    findings.push({
      id: 'git-not-ignored',
      severity: 'note',
      subject: record,
      message: 'git does not ignore the record of changes, which names users and peers',
      fix: `${tool} doctor --fix`,
      repair: () => {
        if (ignoreInGit(path) === 'no-work-tree') ignoreFileInGit(record)
        return isIgnored(view, record)
      },
      otherwise: 'move the store out of the work tree',
    })
  }
  return findings
}

/** What is left of a version in plain text is harmless once none of its credentials is valid. */
async function history(question: GitQuestion, view: KnownView, plain: boolean): Promise<Finding[]> {
  const { path, tool, asker, needles } = question
  const found = await searchHistory(view, (version) => !isEncrypted(version))
  const doubts = found.doubt ? [unknown(path, found.doubt)] : []
  if (!found.found) return doubts
  const live =
    needles.count === 0 ? found : await searchHistory(view, (version) => holdsAny(needles, version))
  if (!live.found && !live.doubt && !needles.incomplete) {
    const message =
      'the git history contains it unencrypted, but none of the seeds and tokens that are valid now'
    return [
      { id: 'git-committed', severity: 'note', subject: path, message, fix: 'nothing to do' },
      ...doubts,
    ]
  }
  const untrack =
    plain && view.tracked !== undefined
      ? ` && ${untrackCommand(trackedPath(view), view.root, asker.cwd)}`
      : ''
  const finding: Finding = {
    id: 'git-committed',
    severity: 'serious',
    subject: path,
    message: 'the git history contains it unencrypted: anyone with the repository has its seeds and tokens',
    fix: `${tool} rotate --all --now${untrack}`,
  }
  return [finding, ...doubts]
}

const trackedPath = ({ root, path, tracked = path }: KnownView): string => join(root, tracked)

const alias = ({ path, tracked = path }: KnownView): string => (tracked === path ? '' : ` as ${tracked}`)

function unknown(path: string, { reason, advice }: Doubt): Finding {
  return {
    id: 'git-unknown',
    severity: 'note',
    subject: path,
    message: `it is in a git work tree, but whether git tracks or ignores it cannot be checked: ${reason}`,
    fix: advice,
  }
}
