import { lstatSync, mkdirSync, realpathSync } from 'node:fs'
import module from 'node:module'
import { isAbsolute, join } from 'node:path'
import type { Env } from '../programs/environment.js'
import { distrustFolder, look, upwardFrom } from '../store/trusted-folder.js'

/**
 * Turns on Node's compile cache, from Node 22.1 on, in a folder that only this user can write to: the cache is code that
 * runs in later commands. Without such a folder, and on Windows, there is no cache. Never throws.
 *
 * Node itself ignores the request if `NODE_DISABLE_COMPILE_CACHE` is set.
 */
export function useCompileCache(env: Env): void {
  // Not in the types of Node 20.
  const { enableCompileCache } = module as { enableCompileCache?: (folder: string) => unknown }
  if (!enableCompileCache || env['NODE_DISABLE_COMPILE_CACHE']) return
  const folder = cacheFolder(env)
  if (folder !== undefined && isOwn(folder)) enableCompileCache(folder)
}

/** By the XDG Base Directory Specification. */
function cacheFolder({ XDG_CACHE_HOME: caches, HOME: home }: Env): string | undefined {
  if (caches !== undefined && isAbsolute(caches)) return join(caches, 'a2a-totp')
  return home !== undefined && isAbsolute(home) ? join(home, '.cache', 'a2a-totp') : undefined
}

/**
 * Creates the folder if needed. Tells whether it is a folder of this user that nobody else can write to, in folders that
 * only this user and root can change: the path is used until the process ends. With another user's HOME, as under sudo,
 * there is none.
 */
function isOwn(folder: string): boolean {
  try {
    const existing = upwardFrom(folder).find((each) => look(each) !== undefined)
    if (existing === undefined || distrustFolder(realpathSync(existing)) !== undefined) return false
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const stats = lstatSync(folder)
    if (!stats.isDirectory() || stats.uid !== process.geteuid?.()) return false
    return distrustFolder(realpathSync(folder)) === undefined
  } catch {
    return false
  }
}
