import { doubtOf, type Doubt } from './git.js'
import type { KnownView } from './git-view.js'

/** A version of a file, as git keeps it. */
export interface Blob {
  readonly id: string
  readonly size: number
}

/** How many bytes are read at once; a larger version is not read. */
export const portion = 1 << 24

export const partialClone: Doubt = {
  reason: 'this clone lacks objects, so not every version can be read',
  advice: 'git fetch --refetch, then a2a-totp doctor again; or look in a full clone',
}

type Repository = Pick<KnownView, 'git' | 'root'>

/** Those of some objects that are versions of files and not empty, with their sizes; or why git does not say. */
export async function blobsOf(
  { git, root }: Repository,
  ids: readonly string[],
  timeoutMs: number,
): Promise<{ readonly blobs: Blob[]; readonly missing: number } | Doubt> {
  const check = ['cat-file', '--batch-check=%(objectname) %(objecttype) %(objectsize)']
  const sizes = await git(check, { input: linesOf(ids), timeoutMs })
  if (!sizes.ended || sizes.status !== 0) return doubtOf(sizes, root)
  const lines = sizes.stdout.toString().split('\n')
  const blobs = lines.flatMap((line): Blob[] => {
    const [id = '', type, size] = line.split(' ')
    return type === 'blob' && Number(size) > 0 ? [{ id, size: Number(size) }] : []
  })
  return { blobs, missing: lines.filter((line) => line.endsWith(' missing')).length }
}

/** The content of some versions by their ids, or why git does not say. They may be as many as {@link portionsOf} puts together. */
export async function contentsOf(
  { git, root }: Repository,
  blobs: readonly Blob[],
  timeoutMs: number,
): Promise<ReadonlyMap<string, Buffer> | Doubt> {
  const run = await git(['cat-file', '--batch'], { input: linesOf(blobs.map(({ id }) => id)), timeoutMs })
  return run.ended && run.status === 0 ? contentsIn(run.stdout) : doubtOf(run, root)
}

/** Versions in groups that are small enough to be read at once. */
export function portionsOf(blobs: readonly Blob[]): Blob[][] {
  const groups: Blob[][] = []
  let room = 0
  for (const blob of blobs) {
    if (groups.length === 0 || blob.size > room) {
      groups.push([])
      room = portion
    }
    groups.at(-1)?.push(blob)
    room -= blob.size
  }
  return groups
}

const linesOf = (ids: readonly string[]): string => ids.map((id) => `${id}\n`).join('')

/** The content of each object: git prints `ID TYPE SIZE`, a newline, the object and a newline. */
function contentsIn(output: Buffer): Map<string, Buffer> {
  const contents = new Map<string, Buffer>()
  for (let at = 0; at < output.length;) {
    const end = output.indexOf('\n', at)
    if (end < 0) break
    const [id = '', type, size] = output.subarray(at, end).toString('latin1').split(' ')
    if (type === 'missing') {
      at = end + 1
      continue
    }
    const length = Number(size)
    contents.set(id, output.subarray(end + 1, end + 1 + length))
    at = end + 1 + length + 1
  }
  return contents
}
