import { TOTPError, isTOTPError, type ErrorCode } from '../core/errors.js'

/** The name of a failed system call's error, such as `ENOSPC`; undefined for any other error. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/**
 * Runs calls on the file system and turns an error of the system into one of ours: the boundary between errnos and
 * users. Errors of ours, and errors without an errno, pass through unchanged, so calls can nest.
 *
 * @param failure what could not be done, such as `cannot write PATH`
 * @throws {TOTPError} `code`, with the system's error as its cause
 */
export function translateErrors<T>(code: ErrorCode, failure: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (isTOTPError(error) || errnoOf(error) === undefined) throw error
    throw new TOTPError(code, `${failure}: ${explain(error)}`, { cause: error })
  }
}

/** What a failed system call means to a person, and what to do about it. */
export function explain(error: unknown): string {
  const errno = errnoOf(error)
  return meanings[errno ?? ''] ?? `the system reported ${errno ?? 'an error'}; check the disk and try again`
}

const meanings: Readonly<Record<string, string>> = {
  EACCES: 'no permission; change the permissions, or run as its owner',
  EPERM: 'the operation is not permitted; change the permissions, or run as its owner',
  ENOSPC: 'the disk is full; free some space and try again',
  EDQUOT: 'your disk quota is used up; free some space and try again',
  EROFS: 'the file system is read-only; use another folder, or mount it writable',
  EBUSY: 'it is in use, for example mounted as a single file; mount its folder instead',
  EIO: 'the disk reported an input/output error; check it before you try again',
  ENOENT: 'the folder does not exist; create it first',
  ENOTDIR: 'part of the path is not a folder; correct the path',
  EISDIR: 'it is a folder; pass the path of a file',
  ELOOP: 'it is a symbolic link; pass the path of the file itself',
  ENAMETOOLONG: 'the name is too long; choose a shorter one',
  EMFILE: 'too many files are open; close some and try again',
  ENFILE: 'too many files are open on this machine; close some and try again',
}
