import { doubtOf, type Doubt } from './git.js'
import type { KnownView } from './git-view.js'

/** The files of a work tree that matter to the next commit, relative to its root. */
export interface WorkTreeFiles {
  readonly tracked: readonly string[]
  /** Those that `git add -A` would add: in no index, and not ignored. */
  readonly added: readonly string[]
}

/** How long git may take to walk a work tree. */
const timeoutMs = 30_000

/** Lists the files of a work tree, those of submodules and other repositories inside it excepted. */
export async function listFiles({
  git,
  root,
}: Pick<KnownView, 'git' | 'root'>): Promise<WorkTreeFiles | Doubt> {
  const lists: string[][] = []
  for (const which of [['--cached'], ['--others', '--exclude-standard']]) {
    const run = await git(['ls-files', '-z', ...which], { timeoutMs })
    if (!run.ended || run.status !== 0) return doubtOf(run, root)
    lists.push(
      run.stdout
        .toString()
        .split('\0')
        .filter((path) => path !== '' && !path.endsWith('/')),
    )
  }
  const [tracked = [], added = []] = lists
  return { tracked: [...new Set(tracked)], added }
}

/** A rule of an ignore file. */
export interface IgnoreRule {
  /** As git spells it: relative to the root, or absolute. */
  readonly file: string
  readonly line: string
  readonly text: string
}

/** The last rule that matches a file, which decides: one that starts with `!` includes it. */
export async function decidingRule(
  { git }: Pick<KnownView, 'git'>,
  path: string,
): Promise<IgnoreRule | undefined> {
  const run = await git(['check-ignore', '-v', '-z', '--stdin', '--no-index'], { input: `./${path}\0` })
  if (!run.ended) return undefined
  const [file, line, text] = run.stdout.toString().split('\0')
  return file && line && text ? { file, line, text } : undefined
}
