import { doubtOf, type Doubt } from './git.js'
import { blobsOf, contentsOf, partialClone, portion, portionsOf, type Blob } from './git-objects.js'
import type { KnownView } from './git-view.js'

/** The result of a search through a file's history. */
export interface History {
  /** Whether a version fits. */
  readonly found: boolean
  /** Why some versions were not read. */
  readonly doubt: Doubt | undefined
}

/** How long one call of git may take. */
const timeoutMs = 60_000

/**
 * Reads every version of a file in the index and in all reachable commits, until one fits.
 *
 * Versions are read by object id: for a path, git could run filters that the repository configures.
 *
 * @param fits called with each version that is not empty
 */
export async function searchHistory(view: KnownView, fits: (version: Buffer) => boolean): Promise<History> {
  const { git, root } = view
  const staged = await searchVersions(view, view.staged, fits)
  if (staged.found) return staged
  const paths = [...new Set([view.path, view.tracked ?? view.path])]
  // Without --full-history, git skips what a merged branch added and removed again.
  const walk = ['rev-list', '--all', '--full-history', '--objects', '--missing=print', '--', ...paths]
  const listing = await git(['--literal-pathspecs', ...walk], { timeoutMs })
  if (!listing.ended || listing.status !== 0) return { found: false, doubt: doubtOf(listing, root) }
  const { paths: listed, missing } = objectsIn(listing.stdout)
  const committed = await searchVersions(view, [...listed.keys()], fits)
  if (committed.found) return committed
  const partial = missing > 0 ? partialClone : await shallow(view)
  return { found: false, doubt: staged.doubt ?? committed.doubt ?? partial }
}

/** What `rev-list --objects --missing=print` lists: the paths of objects by their ids, and how many the clone lacks. */
function objectsIn(listing: Buffer): { paths: Map<string, string>; missing: number } {
  const paths = new Map<string, string>()
  let missing = 0
  for (const line of listing.toString().split('\n')) {
    // Only objects with a path: commits have none.
    const [, id, path] = /^([0-9a-f]+) (.+)/s.exec(line) ?? []
    if (id !== undefined && path !== undefined) paths.set(id, path)
    else if (line.startsWith('?')) missing++
  }
  return { paths, missing }
}

async function shallow({ git, root }: KnownView): Promise<Doubt | undefined> {
  const run = await git(['rev-parse', '--is-shallow-repository'])
  if (!run.ended || run.status !== 0) return doubtOf(run, root)
  if (run.stdout.toString() !== 'true\n') return undefined
  return {
    reason: 'this clone is shallow, so older commits are not in it',
    advice: 'git fetch --unshallow, then a2a-totp doctor again',
  }
}

async function searchVersions(
  view: KnownView,
  ids: readonly string[],
  fits: (version: Buffer) => boolean,
): Promise<History> {
  if (ids.length === 0) return { found: false, doubt: undefined }
  const versions = await blobsOf(view, ids, timeoutMs)
  if ('reason' in versions) return { found: false, doubt: versions }
  let doubt = versions.missing > 0 ? partialClone : undefined
  if (versions.blobs.some(({ size }) => size > portion)) doubt = tooLarge
  for (const group of portionsOf(versions.blobs.filter(({ size }) => size <= portion))) {
    const contents = await contentsOf(view, group, timeoutMs)
    if ('reason' in contents) doubt = contents
    else if ([...contents.values()].some(fits)) return { found: true, doubt: undefined }
  }
  return { found: false, doubt }
}

const tooLarge: Doubt = {
  reason: 'one version of the file is too large to read',
  advice: 'check it yourself',
}

/** Bounds of {@link readHistory}. */
export interface HistoryBounds {
  /** Of one version. Larger ones are passed over. */
  readonly versionBytes: number
  /** Of all versions together. */
  readonly bytes: number
  readonly ms: number
}

/** A version of a file in some commit. */
export interface Version {
  /** One of its paths, relative to the root. */
  readonly path: string
  readonly content: Buffer
}

/** What of a history was not read. */
export interface Unread {
  /** How many versions, where git lists them. */
  readonly versions: number
  /** Why git does not list or print some. */
  readonly doubt: Doubt | undefined
}

/**
 * Reads every version of every file in all reachable commits within bounds, the smallest first: what holds secrets is small.
 *
 * @param visit called with each version that is not empty
 */
export async function readHistory(
  view: Pick<KnownView, 'git' | 'root'>,
  { versionBytes, bytes, ms }: HistoryBounds,
  visit: (version: Version) => Promise<void>,
): Promise<Unread> {
  const end = performance.now() + ms
  const listing = await view.git(['rev-list', '--all', '--objects', '--missing=print'], { timeoutMs: ms })
  if (!listing.ended || listing.status !== 0) return { versions: 0, doubt: doubtOf(listing, view.root) }
  const { paths, missing } = objectsIn(listing.stdout)
  const versions = await blobsOf(view, [...paths.keys()], ms)
  if ('reason' in versions) return { versions: 0, doubt: versions }
  const wanted = versions.blobs.filter(({ size }) => size <= versionBytes)
  const within = smallestOf(wanted, bytes)
  const unread = { versions: missing + versions.missing + wanted.length - within.length }
  let doubt: Doubt | undefined
  for (const group of portionsOf(within)) {
    const contents = performance.now() < end ? await contentsOf(view, group, ms) : undefined
    if (contents === undefined || 'reason' in contents) {
      unread.versions += group.length
      doubt ??= contents
    } else {
      for (const [id, content] of contents) {
        if (performance.now() < end) await visit({ path: paths.get(id) ?? id, content })
        else unread.versions++
      }
    }
  }
  return { ...unread, doubt }
}

/** The smallest of some versions, as many as have so many bytes together. */
function smallestOf(blobs: readonly Blob[], bytes: number): Blob[] {
  let left = bytes
  return [...blobs].sort((one, other) => one.size - other.size).filter(({ size }) => (left -= size) >= 0)
}
