import type { Stats } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import { realFolder } from '../programs/work-tree.js'
import { distrustFolder, look, upwardFrom } from './trusted-folder.js'

const defaultName = 'a2a-totp.json'

export interface Located {
  /** The store's absolute path; when none was found, its path in the working directory. */
  readonly path: string
  /** Whether something is there. */
  readonly found: boolean
  /** Nearer stores that were not trusted, nearest first, each with the reason. */
  readonly passedOver: readonly { readonly path: string; readonly reason: string }[]
}

export interface LocateOptions {
  /** The value of `--store`. */
  readonly store?: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** The working directory, which is asked for only where it matters: it may have been deleted. */
  readonly cwd: string
  /** Searches only the working directory. */
  readonly here?: boolean
}

/**
 * Finds the store: the path in `store`, else the one in `$A2A_TOTP_STORE`, else the nearest `a2a-totp.json` in the
 * working directory or above.
 *
 * The search trusts only a regular file that the user owns, in folders that only the user and root can write to: an
 * attacker who can plant a store chooses the seeds. On Windows, owners and modes cannot be checked.
 */
export function locateStore(options: LocateOptions): Located {
  const { store, env, here = false } = options
  const named = store ?? env['A2A_TOTP_STORE'] ?? ''
  if (named !== '') {
    const path = isAbsolute(named) ? resolve(named) : resolve(options.cwd, named)
    return { path, found: look(path) !== undefined, passedOver: [] }
  }
  const passedOver = []
  const start = realFolder(options.cwd)
  for (const folder of here ? [start] : upwardFrom(start)) {
    const path = join(folder, defaultName)
    const stats = look(path)
    if (stats === undefined) continue
    const reason = distrust(stats, folder)
    if (reason === undefined) return { path, found: true, passedOver }
    passedOver.push({ path, reason })
  }
  return { path: join(start, defaultName), found: false, passedOver }
}

function distrust(store: Stats, folder: string): string | undefined {
  if (store.isSymbolicLink()) return 'it is a symbolic link'
  if (!store.isFile()) return 'it is not a regular file'
  const caller = process.geteuid?.()
  if (caller === undefined) return undefined
  if (store.uid !== caller) return `it belongs to another user (uid ${store.uid})`
  return distrustFolder(folder)
}
