import { randomBytes } from 'node:crypto'
import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import type { Env } from './environment.js'

/**
 * Opens a text for reading, from its start to its end, in a file that has no name any more: nobody else can open it, and
 * nothing is left of it.
 *
 * Not a pipe: when the writer of a pipe is killed, the reader sees the end of the text too early, and takes half of it for
 * the whole.
 *
 * @returns a descriptor, which the caller closes
 */
export function openPrivateInput(text: string, env: Env): number {
  const bytes = Buffer.from(text)
  const { path, writer } = create(env)
  try {
    const reader = openSync(path, 'r')
    // Nothing is in it before its name is gone.
    unlinkSync(path)
    for (let written = 0; written < bytes.length;) written += writeSync(writer, bytes, written)
    return reader
  } finally {
    closeSync(writer)
  }
}

/** In memory where there is such a folder, so that no seed reaches a disk. */
function create({ XDG_RUNTIME_DIR: runtime = '' }: Env): { path: string; writer: number } {
  const folders = [...(isAbsolute(runtime) ? [runtime] : []), '/dev/shm']
  const name = `a2a-totp-${randomBytes(8).toString('hex')}`
  for (const folder of folders) {
    try {
      const path = join(folder, name)
      return { path, writer: openSync(path, 'wx', 0o600) }
    } catch {
      // Not there, or not writable.
    }
  }
  const path = join(tmpdir(), name)
  return { path, writer: openSync(path, 'wx', 0o600) }
}
