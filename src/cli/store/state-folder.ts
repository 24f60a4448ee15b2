import { mkdirSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { isTOTPError } from '../../core/errors.js'
import type { Env } from '../../programs/environment.js'
import { writeNewFile } from '../../store/atomic-write.js'
import { readStoreBytes } from '../../store/read-file.js'
import { distrustFolder } from '../../store/trusted-folder.js'

// What commands remember for the user alone, such as commands that may run: outside the folders that a project's files are
// in, and never from a file that others could have written.

/**
 * Returns a folder of ours for what is remembered, by the XDG Base Directory Specification; undefined where there is no home
 * folder.
 */
export function stateFolder(
  { XDG_STATE_HOME: state = '', HOME: home = '' }: Env,
  name: string,
): string | undefined {
  if (isAbsolute(state)) return join(state, 'a2a-totp', name)
  return isAbsolute(home) ? join(home, '.local', 'state', 'a2a-totp', name) : undefined
}

/**
 * Writes a file in such a folder, readable by the user alone.
 *
 * @returns why that is not possible; undefined when it was done
 */
export function writeState(folder: string | undefined, file: string, text: string): string | undefined {
  if (folder === undefined) return 'there is no home folder'
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const distrust = distrustFolder(folder)
    if (distrust !== undefined) return distrust
    writeNewFile(join(folder, file), text, { force: true })
    return undefined
  } catch (error) {
    return isTOTPError(error) ? error.message : `${folder} cannot be created`
  }
}

/** Returns what is in such a file; undefined when nothing is, or others could have written it. */
export function readState(folder: string | undefined, file: string): string | undefined {
  if (folder === undefined || distrustFolder(folder) !== undefined) return undefined
  try {
    // With the rules of a store: a regular file of the user alone.
    return Buffer.from(readStoreBytes(join(folder, file))).toString()
  } catch {
    return undefined
  }
}
