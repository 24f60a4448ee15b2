import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  futimesSync,
  linkSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'

/** The real calls of node:fs that read, write and lock files. */
export const fileSystem = {
  closeSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  futimesSync,
  linkSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  unlinkSync,
  writeFileSync,
}

/** The same calls; a test can replace one to make it fail. */
export type FileSystem = Readonly<typeof fileSystem>

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants

/** Opens an existing file; does not follow a link or block on a FIFO. */
export const openExisting = O_RDONLY | O_NOFOLLOW | O_NONBLOCK

/** Creates a file; fails when something has the name. */
export const openNew = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW

/** Readable and writable by the owner alone. */
export const privateMode = 0o600

/** Removes a file if possible. For cleaning up, where a second error must not hide the first. */
export function removeQuietly(path: string, fs: FileSystem): void {
  try {
    fs.unlinkSync(path)
  } catch {
    // It is gone already, or stays until the next lock holder cleans up.
  }
}

/** Closes a descriptor whose errors do not matter: nothing was written since its last fsync. */
export function closeQuietly(file: number, fs: FileSystem): void {
  try {
    fs.closeSync(file)
  } catch {
    // The descriptor is closed either way.
  }
}
