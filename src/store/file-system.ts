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

/** The name of a failed system call, like `ENOSPC`; undefined for any other error. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** What a failed system call means to a person, and what to do about it. */
export function explain(error: unknown): string {
  const errno = errnoOf(error)
  return (
    meanings[errno ?? ''] ?? `the system answered ${errno ?? 'with an error'}; check the disk and try again`
  )
}

const meanings: Readonly<Record<string, string>> = {
  EACCES: 'no permission; change the permissions, or run as its owner',
  EPERM: 'the system does not permit it; change the permissions, or run as its owner',
  ENOSPC: 'the disk is full; make room and try again',
  EDQUOT: 'your disk quota is used up; make room and try again',
  EROFS: 'the file system is read-only; choose another place, or mount it writable',
  EBUSY: 'it is in use, as a file that is mounted by itself is; mount its folder instead',
  EIO: 'the disk has an input/output error; check it before you try again',
  ENOENT: 'the folder does not exist; make it first',
  ENOTDIR: 'a part of its path is not a folder; correct the path',
  EISDIR: 'it is a folder; name a file',
  ELOOP: 'it is a link; name the file itself',
  ENAMETOOLONG: 'the name is too long; choose a shorter one',
  EMFILE: 'too many files are open; close some and try again',
  ENFILE: 'too many files are open on this machine; close some and try again',
}

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
