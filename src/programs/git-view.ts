import { lstatSync } from 'node:fs'
import { isAbsolute, join, relative, resolve, sep } from 'node:path'
import { doubtOf, gitIn, lookYourself, type Asker, type Doubt, type Git } from './git.js'
import { realFolder, realPath, workTreesAbove } from './work-tree.js'

/** What git knows about a file. */
export type GitView =
  /** It is in no work tree. */
  | { readonly kind: 'outside' }
  /** It may be in a work tree, but git cannot tell. */
  | ({ readonly kind: 'unknown' } & Doubt)
  | KnownView

export interface KnownView {
  readonly kind: 'known'
  readonly git: Git
  /** The top of its work tree. */
  readonly root: string
  /** Relative to the root, in git's spelling. */
  readonly path: string
  /** Its path in the index, which may differ from {@link path} in case. A commit contains what the index has. */
  readonly tracked: string | undefined
  /** Object ids of its versions in the index. */
  readonly staged: readonly string[]
  /** Whether a rule ignores it, which has no effect while it is tracked. */
  readonly ignored: boolean
  /** Set when another repository may contain it too, which was not checked. */
  readonly doubt: Doubt | undefined
}

/** Asks git about a file, which need not exist. Runs nothing that the repository configures. */
export async function askGit(path: string, asker: Asker): Promise<GitView> {
  const real = realPath(path)
  const roots = workTreesAbove(real)
  const broken: Doubt = { reason: 'the .git above it is not a repository', advice: lookYourself }
  for (const root of roots) {
    const git = gitIn(root, asker)
    const about = await git(['rev-parse', '--is-inside-work-tree', '--show-cdup'])
    if (about.ended && about.status === 0) {
      // A setting can move the work tree to another folder.
      if (about.stdout.toString() === 'true\n\n') return viewOf(real, root, git, asker)
      return unknown({ reason: 'its repository uses another folder as its work tree', advice: lookYourself })
    }
    // Like git, skip a .git folder that is not a repository.
    if (!about.ended || !/^fatal: not a git repository \(or any/m.test(about.stderr.toString()))
      return unknown(doubtOf(about, root))
  }
  const elsewhere = await otherRepository(real, asker)
  if (elsewhere) return unknown(elsewhere)
  return roots.length === 0 ? { kind: 'outside' } : unknown(broken)
}

const unknown = (doubt: Doubt): GitView => ({ kind: 'unknown', ...doubt })

async function viewOf(real: string, root: string, git: Git, asker: Asker): Promise<GitView> {
  const path = relative(root, real).split(sep).join('/')
  const index = await git(['ls-files', '-z', '--stage', '--', `:(top,literal,icase)${path}`])
  if (!index.ended || index.status !== 0) return unknown(doubtOf(index, root))
  const entries = await entriesOf(index.stdout.toString(), path, root, git)
  // check-ignore has no `literal` magic and takes wildcards literally.
  const rules = await git(['check-ignore', '-q', '--no-index', '--', `./${path}`])
  if (!rules.ended || rules.status > 1) return unknown(doubtOf(rules, root))
  return {
    kind: 'known',
    git,
    root,
    path,
    tracked: entries[0]?.path,
    staged: entries.filter(({ isFile }) => isFile).map(({ id }) => id),
    ignored: rules.status === 0,
    doubt: await otherRepository(real, asker, git),
  }
}

interface IndexEntry {
  readonly path: string
  readonly id: string
  /** False for a link or a submodule. */
  readonly isFile: boolean
}

/** The index entries of a file: the one with its exact path, else those that differ only in case and are the same file. */
async function entriesOf(listing: string, path: string, root: string, git: Git): Promise<IndexEntry[]> {
  const entries = listing.split('\0').flatMap((line): IndexEntry[] => {
    const [, mode = '', id, name] = /^(\d+) ([0-9a-f]+) \d\t(.*)$/s.exec(line) ?? []
    return id === undefined || name === undefined ? [] : [{ path: name, id, isFile: mode.startsWith('100') }]
  })
  const exact = entries.filter((entry) => entry.path === path)
  if (exact.length > 0) return exact
  const found: IndexEntry[] = []
  for (const entry of entries)
    if (sameFile(join(root, entry.path), join(root, path)) || (await ignoresCase(git))) found.push(entry)
  return found
}

async function ignoresCase(git: Git): Promise<boolean> {
  const run = await git(['config', '--bool', '--get', 'core.ignorecase'])
  return run.ended && run.stdout.toString().trim() === 'true'
}

function sameFile(one: string, other: string): boolean {
  try {
    const [a, b] = [lstatSync(one), lstatSync(other)]
    return a.dev === b.dev && a.ino === b.ino
  } catch {
    return false
  }
}

/** `$GIT_DIR` makes the user's git use another repository, which is not checked here; the doubt reports that. */
async function otherRepository(real: string, asker: Asker, git?: Git): Promise<Doubt | undefined> {
  const named = namedRepository(real, asker)
  if (named === undefined) return undefined
  const found = await git?.(['rev-parse', '--absolute-git-dir'])
  if (found?.ended && realFolder(found.stdout.toString().replace(/\n$/, '')) === named.folder)
    return undefined
  return otherRepositoryDoubt
}

/** What {@link askGit} reports where {@link askNamedRepository} can tell more. */
export const otherRepositoryDoubt: Doubt = {
  reason: '$GIT_DIR names another repository, which was not checked',
  advice: 'unset GIT_DIR, or check it yourself',
}

/** The repository that `$GIT_DIR` names, and its work tree, if a file is in that. */
function namedRepository(
  real: string,
  { env, cwd }: Asker,
): { readonly folder: string; readonly tree: string } | undefined {
  const { GIT_DIR: named = '', GIT_WORK_TREE: tree = '' } = env
  if (named === '') return undefined
  const root = realFolder(resolve(cwd, tree))
  const within = relative(root, real)
  if (within.startsWith('..') || isAbsolute(within)) return undefined
  return { folder: realFolder(resolve(cwd, named)), tree: root }
}

/**
 * Asks the repository that `$GIT_DIR` names about a file, as the user's git does: managers of dotfiles keep one without a
 * `.git` above the file. Undefined if there is none, or if it does not answer.
 */
export async function askNamedRepository(path: string, asker: Asker): Promise<KnownView | undefined> {
  const real = realPath(path)
  const named = namedRepository(real, asker)
  if (named === undefined) return undefined
  const { folder, tree } = named
  const plain = gitIn(tree, asker)
  const git: Git = (args, options) => plain([`--git-dir=${folder}`, `--work-tree=${tree}`, ...args], options)
  const view = await viewOf(real, tree, git, { ...asker, env: {} })
  return view.kind === 'known' ? view : undefined
}
