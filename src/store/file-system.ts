import * as nodeFs from 'node:fs'

/** The calls through which files are written and locked: those of node:fs, so that a test can make one fail. */
export type FileSystem = Pick<
  typeof nodeFs,
  | 'closeSync'
  | 'fchmodSync'
  | 'fstatSync'
  | 'fsyncSync'
  | 'ftruncateSync'
  | 'futimesSync'
  | 'linkSync'
  | 'lstatSync'
  | 'openSync'
  | 'readdirSync'
  | 'readFileSync'
  | 'renameSync'
  | 'unlinkSync'
  | 'writeFileSync'
>

/** The real one. */
export const fileSystem: FileSystem = nodeFs

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = nodeFs.constants

/** Opens what is there, but follows no link and does not hang on a FIFO. */
export const openExisting = O_RDONLY | O_NOFOLLOW | O_NONBLOCK

/** Makes a file that was not there. */
export const openNew = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW

/** Readable and writable by the owner alone. */
export const privateMode = 0o600

/** Removes a file if it can be removed: for clearing up, where a second error must not hide a first. */
export function removeQuietly(path: string, fs: FileSystem): void {
  try {
    fs.unlinkSync(path)
  } catch {
    // It is gone already, or it stays until the next lock holder clears up.
  }
}

/** Closes a descriptor that nothing was written through since its last fsync: there is nothing left to fail. */
export function closeQuietly(file: number, fs: FileSystem): void {
  try {
    fs.closeSync(file)
  } catch {
    // The descriptor is gone either way.
  }
}
