import { TOTPError } from '../../core/errors.js'
import { closeQuietly, removeQuietly, type FileSystem } from '../file-system.js'
import { lockPath, readLockFile } from './lock-file.js'

/** How often a holder touches its lock file. */
const heartbeatMs = 1000

/** A store's lock, held by this process until it is released or this process ends. */
export interface Lock {
  /**
   * Asks once more before a change becomes visible: a process that was stopped for long may have been taken for
   * dead.
   *
   * @throws {TOTPError} `ERR_STORE_LOCKED` when the lock has gone to another.
   */
  assertHeld(): void
  /** Gives the lock back. Does nothing when it is no longer held. */
  release(): void
}

/** A lock file that this process has put up, with the descriptor that it is touched through. */
export class HeldLock implements Lock {
  readonly #path: string
  #heart: NodeJS.Timeout | undefined
  #released = false

  constructor(
    private readonly storePath: string,
    private readonly number: number,
    private readonly file: number,
    private readonly nonce: string,
    private readonly fs: FileSystem,
  ) {
    this.#path = lockPath(storePath, number)
  }

  /** Touches the file through its descriptor, so that it can never be another's file that is touched. */
  keepAlive(): void {
    this.#heart = setInterval(() => {
      const now = new Date()
      try {
        this.fs.futimesSync(this.file, now, now)
      } catch {
        // Others may take the lock over then, which assertHeld notices.
      }
    }, heartbeatMs).unref()
  }

  assertHeld(): void {
    if (this.#isMine()) return
    throw new TOTPError(
      'ERR_STORE_LOCKED',
      `the lock of ${this.storePath} went to another process while this one stood still; nothing was changed, try again`,
    )
  }

  release(): void {
    if (this.#released) return
    this.#released = true
    clearInterval(this.#heart)
    // One that cannot be looked at or removed stays until this process ends; the next holder removes it then.
    if (this.#isMine()) removeQuietly(this.#path, this.fs)
    closeQuietly(this.file, this.fs)
  }

  #isMine(): boolean {
    try {
      return readLockFile(this.#path, this.number, this.fs)?.holder?.nonce === this.nonce
    } catch {
      return false
    }
  }
}
