import { doubtOf, type Doubt } from './git.js'
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
/** How many bytes are read at once; larger versions are not read. */
const portion = 1 << 24

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
  const lines = listing.stdout.toString().split('\n')
  // Only objects with a path: commits have none.
  const ids = lines.flatMap((line) => /^([0-9a-f]+) ./.exec(line)?.[1] ?? [])
  const committed = await searchVersions(view, [...new Set(ids)], fits)
  if (committed.found) return committed
  const partial = lines.some((line) => line.startsWith('?')) ? partialClone : await shallow(view)
  return { found: false, doubt: staged.doubt ?? committed.doubt ?? partial }
}

const partialClone: Doubt = {
  reason: 'this clone lacks objects, so not every version can be read',
  advice: 'git fetch --refetch, then a2a-totp doctor again; or look in a full clone',
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
  { git, root }: KnownView,
  ids: readonly string[],
  fits: (version: Buffer) => boolean,
): Promise<History> {
  if (ids.length === 0) return { found: false, doubt: undefined }
  const check = ['cat-file', '--batch-check=%(objectname) %(objecttype) %(objectsize)']
  const sizes = await git(check, { input: linesOf(ids), timeoutMs })
  if (!sizes.ended || sizes.status !== 0) return { found: false, doubt: doubtOf(sizes, root) }
  const versions = readableVersions(sizes.stdout.toString())
  let { doubt } = versions
  for (const group of portionsOf(versions.blobs)) {
    const run = await git(['cat-file', '--batch'], { input: linesOf(group), timeoutMs })
    if (!run.ended || run.status !== 0) doubt = doubtOf(run, root)
    else if (versionsOf(run.stdout).some(fits)) return { found: true, doubt: undefined }
  }
  return { found: false, doubt }
}

interface Blob {
  readonly id: string
  readonly size: number
}

/** The versions that can be read and are not empty, and why others cannot: git prints `ID TYPE SIZE` for each. */
function readableVersions(sizes: string): { blobs: Blob[]; doubt: Doubt | undefined } {
  const blobs: Blob[] = []
  let doubt: Doubt | undefined
  for (const line of sizes.split('\n').filter(Boolean)) {
    const [id = '', type, size] = line.split(' ')
    if (type === 'missing') doubt = partialClone
    else if (type === 'blob' && Number(size) > portion) doubt = tooLarge
    else if (type === 'blob' && Number(size) > 0) blobs.push({ id, size: Number(size) })
  }
  return { blobs, doubt }
}

const tooLarge: Doubt = {
  reason: 'one version of the file is too large to read',
  advice: 'check it yourself',
}

/** Object ids in groups that are small enough to be read at once. */
function portionsOf(blobs: readonly Blob[]): string[][] {
  const groups: string[][] = []
  let room = 0
  for (const { id, size } of blobs) {
    if (groups.length === 0 || size > room) {
      groups.push([])
      room = portion
    }
    groups.at(-1)?.push(id)
    room -= size
  }
  return groups
}

const linesOf = (ids: readonly string[]): string => ids.map((id) => `${id}\n`).join('')

/** The content of each object: git prints `ID TYPE SIZE`, a newline, the object and a newline. */
function versionsOf(output: Buffer): Buffer[] {
  const versions: Buffer[] = []
  for (let at = 0; at < output.length;) {
    const end = output.indexOf('\n', at)
    if (end < 0) break
    const [, type, size] = output.subarray(at, end).toString('latin1').split(' ')
    if (type === 'missing') {
      at = end + 1
      continue
    }
    const length = Number(size)
    versions.push(output.subarray(end + 1, end + 1 + length))
    at = end + 1 + length + 1
  }
  return versions
}
