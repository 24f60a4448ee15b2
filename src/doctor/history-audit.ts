import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { count } from '../core/text.js'
import { readHistory, type HistoryBounds, type Unread } from '../programs/git-history.js'
import type { KnownView } from '../programs/git-view.js'
import type { Asker } from '../programs/git.js'
import { nameSubjects, type Finding } from './finding.js'
import { heldInFile } from './held-in-file.js'
import { heldIn, nameOf, type Needle, type Needles } from './needles.js'
import { rotateNow } from './rotation-command.js'
import { readSmallFile } from './small-file.js'

/** Bounds of the search, which runs from timers too. */
export const historyBounds = {
  versionBytes: 4 * 1024 * 1024,
  bytes: 256 * 1024 * 1024,
  images: 100,
  ms: 10_000,
}

/** What a search of a history works with. */
export interface HistorySearch {
  readonly view: Pick<KnownView, 'git' | 'root'>
  readonly needles: Needles
  /** Absolute paths of tracked files whose credentials other findings say to rotate. */
  readonly reported: readonly string[]
  readonly tool: string
  /** How many peers the store has. */
  readonly peers: number
  readonly asker: Asker
  readonly bounds?: HistoryBounds & { readonly images: number }
}

/** Searches all commits for live seeds and tokens of a store: a file that git no longer tracks is still in them. */
export async function auditHistory(search: HistorySearch): Promise<Finding[]> {
  const { view, needles, asker, bounds = historyBounds } = search
  if (needles.count === 0) return []
  const held = new Map<string, Set<Needle>>()
  const files = { needles, left: { images: bounds.images }, signal: asker.signal }
  let read = 0
  const unread = await readHistory(view, bounds, async ({ path, content }) => {
    // Lets an interruption come through.
    if (read++ % 32 === 0) await setImmediate()
    asker.signal.throwIfAborted()
    for (const needle of await heldInFile(files, path, content)) {
      const file = join(view.root, path)
      held.set(file, (held.get(file) ?? new Set()).add(needle))
    }
  })
  withoutReported(held, search)
  return [...committed(held, search), ...partly(view.root, unread)]
}

/** What a tracked file holds is reported with it. */
function withoutReported(held: Map<string, Set<Needle>>, { needles, reported }: HistorySearch): void {
  for (const file of reported) {
    const content = held.has(file) && readSmallFile(file, historyBounds.versionBytes)
    if (content) for (const needle of heldIn(needles, content)) held.get(file)?.delete(needle)
    if (held.get(file)?.size === 0) held.delete(file)
  }
}

function committed(
  held: ReadonlyMap<string, ReadonlySet<Needle>>,
  { tool, peers }: HistorySearch,
): Finding[] {
  const fix = (files: readonly string[]): string =>
    rotateNow(
      tool,
      files.flatMap((file) => [...(held.get(file) ?? [])]),
      peers,
    )
  return [...held].map(([file, needles]) => ({
    id: 'secret-committed',
    severity: 'serious',
    subject: file,
    message: `the git history has a version with ${nameSubjects([...needles].map(nameOf))}: anyone with the repository has them, whether or not the file is still there`,
    fix: fix([file]),
    joint: {
      noun: 'files',
      message:
        'the git history has versions with live seeds or tokens: anyone with the repository has them, whether or not the files are still there',
      fix,
    },
  }))
}

function partly(root: string, { versions, doubt }: Unread): Finding[] {
  if (versions === 0 && !doubt) return []
  const why = doubt?.reason ?? `${count(versions, 'version')} of files not read`
  return [
    {
      id: 'search-partial',
      severity: 'note',
      subject: root,
      message: `the search for seeds and tokens in the git history ended early: ${why}`,
      fix: 'keep the store in a smaller repository, or outside of any; rotate what may have been committed',
    },
  ]
}
