import { TOTPError } from '../../core/errors.js'
import { closeQuietly, removeQuietly, type FileSystem } from '../file-system.js'
import { lockPath, readLockFile } from './lock-file.js'

/** How often a holder touches its lock file. */
const heartbeatMs = 1000

/** A store's lock, held by this process until it is released or this process ends. */
export interface Lock {
  /**
   * Checks the lock once more before a change becomes visible: a process that was suspended for long may have been
   * taken for dead.
   *
   * @throws {TOTPError} `ERR_STORE_LOCKED` when another process has taken the lock
   */
  assertHeld(): void
  /** Releases the lock. Does nothing when it is no longer held. */
  release(): void
}

/** A lock file that this process created, with its open descriptor. */
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

  /** Touches the file every second, through its descriptor, so that it never touches the file of another holder. */
  keepAlive(): void {
    this.#heart = setInterval(() => {
      const now = new Date()
      try {
        this.fs.futimesSync(this.file, now, now)
      } catch {
        // Another process may then take the lock, which assertHeld detects.
      }
    }, heartbeatMs).unref()
  }

  assertHeld(): void {
    if (this.#isMine()) return
    throw new TOTPError(
      'ERR_STORE_LOCKED',
      `another process took the lock of ${this.storePath} while this one was suspended; nothing was changed, try again`,
    )
  }

  release(): void {
    if (this.#released) return
    this.#released = true
    clearInterval(this.#heart)
    // A file that cannot be read or removed stays until this process ends; the next holder then removes it.
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
