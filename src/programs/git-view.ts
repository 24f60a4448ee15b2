import { lstatSync } from 'node:fs'
import { isAbsolute, join, relative, resolve, sep } from 'node:path'
import { doubtOf, gitIn, lookYourself, type Asker, type Doubt, type Git } from './git.js'
import { realFolder, realPath, workTreesAbove } from './work-tree.js'

/** What git says about a file. */
export type GitView =
  /** No work tree holds it. */
  | { readonly kind: 'outside' }
  /** One may, but git cannot be asked. */
  | ({ readonly kind: 'unknown' } & Doubt)
  | KnownView

export interface KnownView {
  readonly kind: 'known'
  readonly git: Git
  /** The top of its work tree. */
  readonly root: string
  /** From there, as git spells paths. */
  readonly path: string
  /** Its path in the index, which may differ from {@link path} in case. A commit takes what the index has. */
  readonly tracked: string | undefined
  /** Versions in the index: object ids. */
  readonly staged: readonly string[]
  /** Whether a rule ignores it. That has no effect while it is tracked. */
  readonly ignored: boolean
  /** Another repository may take it too, and is not asked. */
  readonly doubt: Doubt | undefined
}

/** Asks git about a file, which need not be there. Nothing that its repository names is run. */
export async function askGit(path: string, asker: Asker): Promise<GitView> {
  const real = realPath(path)
  const roots = workTreesAbove(real)
  const broken: Doubt = { reason: 'the .git above it is no repository', advice: lookYourself }
  for (const root of roots) {
    const git = gitIn(root, asker)
    const about = await git(['rev-parse', '--is-inside-work-tree', '--show-cdup'])
    if (about.ended && about.status === 0) {
      // A setting may say that the work tree is another folder.
      if (about.stdout.toString() === 'true\n\n') return viewOf(real, root, git, asker)
      return unknown({ reason: 'its repository has another folder for a work tree', advice: lookYourself })
    }
    // As git does: a folder .git that is no repository is passed over.
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
  // It takes no `literal` magic, and wildcards as they are.
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
  /** Rather than a link or a submodule. */
  readonly isFile: boolean
}

/** Entries of the index that stand for a file: one of the same name, or of one that is the same but for its case. */
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

/** `$GIT_DIR` has git use another repository than the one that is found. It is not asked, so that is said. */
async function otherRepository(real: string, { env, cwd }: Asker, git?: Git): Promise<Doubt | undefined> {
  const { GIT_DIR: named = '', GIT_WORK_TREE: tree = '' } = env
  if (named === '') return undefined
  const within = relative(realFolder(resolve(cwd, tree)), real)
  if (within.startsWith('..') || isAbsolute(within)) return undefined
  const found = await git?.(['rev-parse', '--absolute-git-dir'])
  if (
    found?.ended &&
    realFolder(found.stdout.toString().replace(/\n$/, '')) === realFolder(resolve(cwd, named))
  )
    return undefined
  return {
    reason: '$GIT_DIR names another repository, which is not asked',
    advice: 'unset GIT_DIR, or look for yourself',
  }
}
