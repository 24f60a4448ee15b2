import { A2aTotpError } from '../core/errors.js'
import type { FileSystem } from './file-system.js'
import { lockPath, readLockFile } from './lock-file.js'

/** How often a holder touches its lock file. */
const heartbeatMs = 1000

/** A store's lock, held by this process until it is released or this process ends. */
export interface Lock {
  /**
   * Asks once more before a change becomes visible: a process that was stopped for long may have been taken for
   * dead.
   *
   * @throws {A2aTotpError} `ERR_STORE_LOCKED` when the lock has gone to another.
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
    throw new A2aTotpError(
      'ERR_STORE_LOCKED',
      `the lock of ${this.storePath} went to another process while this one stood still; nothing was changed, try again`,
    )
  }

  release(): void {
    if (this.#released) return
    this.#released = true
    clearInterval(this.#heart)
    try {
      if (this.#isMine()) this.fs.unlinkSync(this.#path)
    } catch {
      // It stays behind as a dead holder's, and the next holder removes it.
    } finally {
      this.fs.closeSync(this.file)
    }
  }

  #isMine(): boolean {
    try {
      return readLockFile(this.#path, this.number, this.fs)?.holder?.nonce === this.nonce
    } catch {
      return false
    }
  }
}
