import { dirname, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { count } from '../core/text.js'
import type { WorkTreeFiles } from '../programs/git-files.js'
import type { KnownView } from '../programs/git-view.js'
import type { Asker } from '../programs/git.js'
import { untrackCommand } from '../programs/untrack-command.js'
import { ignoreFileInGit } from '../store/ignore-file.js'
import { nameSubjects, type Finding } from './finding.js'
import { isIgnored } from './git-audit.js'
import { heldInFile } from './held-in-file.js'
import { nameOf, type Needle, type Needles } from './needles.js'
import { rotateNow } from './rotation-command.js'
import { readSmallFile, sizeOf } from './small-file.js'

/** Bounds of the search, which runs from timers too. A server file of thousands of peers is smaller. */
export const searchBounds = {
  fileBytes: 4 * 1024 * 1024,
  files: 20_000,
  bytes: 64 * 1024 * 1024,
  images: 100,
  ms: 10_000,
}

const filesAtOnce = 32

/** What a search of a work tree works with. */
export interface SecretSearch {
  readonly view: KnownView
  readonly files: WorkTreeFiles
  readonly needles: Needles
  /** Absolute paths of files that other audits report. */
  readonly known: readonly string[]
  readonly tool: string
  /** How many peers the store has. */
  readonly peers: number
  readonly asker: Asker
  readonly bounds?: typeof searchBounds
}

/**
 * Searches the files that the next commit has or would take for live seeds and tokens of a store: in plain text, and in
 * QR codes.
 */
export async function auditSecrets(search: SecretSearch): Promise<Finding[]> {
  const { view, files, needles, known, bounds = searchBounds } = search
  if (needles.count === 0) return []
  const skip = new Set(known)
  const tracked = new Set(files.tracked)
  const paths = inOrder(view, [...files.added, ...files.tracked])
  const findings: Finding[] = []
  const startedAt = performance.now()
  const left = { files: bounds.files, bytes: bounds.bytes, images: bounds.images }
  let unread = 0
  for (const path of paths) {
    const file = join(view.root, path)
    if (skip.has(file)) continue
    if (left.files <= 0 || left.bytes <= 0 || performance.now() - startedAt > bounds.ms) {
      unread++
      continue
    }
    // Lets an interruption come through.
    if (left.files % filesAtOnce === 0) await setImmediate()
    search.asker.signal.throwIfAborted()
    // A file may be in the index alone, as in a sparse checkout.
    const content = readSmallFile(file, bounds.fileBytes)
    if (content === undefined) continue
    left.files--
    left.bytes -= content.length
    const held = await heldInFile({ needles, left, signal: search.asker.signal }, path, content)
    if (held.length > 0) findings.push(findingOf(search, path, held, tracked.has(path)))
  }
  if (unread > 0) findings.push(partly(view.root, unread))
  return findings
}

/** Files in the folder of the store before others, and small ones before large ones: what holds secrets is small. */
function inOrder({ root, path: storePath }: KnownView, paths: readonly string[]): string[] {
  const folder = dirname(storePath)
  const files = paths.map((path) => ({
    path,
    far: Number(dirname(path) !== folder),
    bytes: sizeOf(join(root, path)),
  }))
  files.sort((one, other) => one.far - other.far || one.bytes - other.bytes)
  return files.map(({ path }) => path)
}

function findingOf(
  { view, tool, asker, peers }: SecretSearch,
  path: string,
  held: readonly Needle[],
  tracked: boolean,
): Finding {
  const { root } = view
  const file = join(root, path)
  const what = nameSubjects(held.map(nameOf))
  if (!tracked) {
    return {
      id: 'secret-not-ignored',
      severity: 'warning',
      subject: file,
      message: `it holds ${what}, and git does not ignore it: the next commit may include it`,
      fix: `${tool} doctor --fix`,
      joint: {
        noun: 'files',
        message:
          'they hold live seeds or tokens, and git does not ignore them: the next commit may include them',
      },
      repair: () => {
        ignoreFileInGit(file)
        return isIgnored(view, file)
      },
      otherwise: 'move it out of the work tree',
    }
  }
  return {
    id: 'secret-tracked',
    severity: 'serious',
    subject: file,
    message: `it holds ${what}, and git tracks it: anyone with the repository has them`,
    fix: `${untrackCommand(file, root, asker.cwd)} && ${rotateNow(tool, held, peers)}`,
    joint: {
      noun: 'files',
      message: 'they hold live seeds or tokens, and git tracks them: anyone with the repository has them',
      fix: (files) =>
        `${files.map((one) => untrackCommand(one, root, asker.cwd)).join(' && ')} && ${tool} rotate --all --now`,
    },
  }
}

const partly = (root: string, unread: number): Finding => ({
  id: 'search-partial',
  severity: 'note',
  subject: root,
  message: `the search for seeds and tokens in this work tree ended early: ${count(unread, 'file')} not read`,
  fix: 'keep the store in a smaller repository, or outside of any',
})
