import { isAbsolute, join, resolve } from 'node:path'
import { findUpward, type PassedOver } from './find-upward.js'
import { look } from './trusted-folder.js'

const defaultName = 'a2a-totp.json'

export interface Located {
  /** The store's absolute path; when none was found, its path in the working directory. */
  readonly path: string
  /** Whether something is there. */
  readonly found: boolean
  /** Whether its path was given, rather than searched for. */
  readonly named: boolean
  /** Nearer stores that were not trusted, nearest first, each with the reason. */
  readonly passedOver: readonly PassedOver[]
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
 * working directory or above that is trusted: an attacker who can plant a store chooses the seeds.
 */
export function locateStore(options: LocateOptions): Located {
  const { store, env, here = false } = options
  const named = store ?? env['A2A_TOTP_STORE'] ?? ''
  if (named !== '') {
    const path = isAbsolute(named) ? resolve(named) : resolve(options.cwd, named)
    return { path, found: look(path) !== undefined, named: true, passedOver: [] }
  }
  const { start, path, passedOver } = findUpward(options.cwd, [defaultName], here)
  return { path: path ?? join(start, defaultName), found: path !== undefined, named: false, passedOver }
}
