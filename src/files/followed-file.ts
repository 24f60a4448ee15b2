import { closeSync, constants, fstatSync, openSync, readFileSync, type BigIntStats } from 'node:fs'
import { stat } from 'node:fs/promises'
import { TOTPError } from '../core/errors.js'
import { gone, Looks, signatureOf } from './looks.js'

/** A file as it was read. */
export interface FileContent {
  readonly text: string
  /** Whether every user of the machine can read it. (Not known on Windows.) */
  readonly exposed: boolean
}

export interface FollowedFileListener {
  /** The content has changed. If this throws, the change counts as failed. */
  changed(content: FileContent): void
  /** The content has changed, and cannot be used. */
  failed(error: unknown): void
}

/** A change is seen within a second. Each look is one `stat`. */
const lookEveryMs = 100

/**
 * A file that is read again whenever it changes, or its path leads to another file.
 *
 * It looks at the path, not at the file: a mounted secret is replaced by swapping a symbolic link, which a watch on the
 * file does not notice. `fs.watchFile` looks at the path too, but compares with its own first look, so it misses a change
 * between reading the file and that look; and it does not look again at a file that was half written or unreadable.
 */
export class FollowedFile {
  readonly #path: string
  readonly #looks = new Looks(lookEveryMs)
  #seen = gone
  /** A failure is reported only if the next look finds the same file: it may have been half written. */
  #failure: { readonly error: unknown; readonly reported: boolean } | undefined

  constructor(path: string) {
    this.#path = path
  }

  /** @throws {TOTPError} `ERR_FILE_UNREADABLE` with the cause. */
  read(): FileContent {
    const { text, stats } = readRegularFile(this.#path)
    this.#seen = signatureOf(stats)
    return { text, exposed: process.platform !== 'win32' && (stats.mode & 0o004n) !== 0n }
  }

  /** Looks at the path until it is stopped. Keeps no process alive. */
  follow(listener: FollowedFileListener): void {
    this.#looks.start(() => this.#look(listener))
  }

  /** Reads the file at once, whether or not it looks changed, and tells the listener before it returns. */
  readAgain(listener: FollowedFileListener): void {
    this.#failure = undefined
    try {
      listener.changed(this.read())
    } catch (error) {
      listener.failed(error)
    }
  }

  stop(): void {
    this.#looks.stop()
  }

  async #look(listener: FollowedFileListener): Promise<void> {
    const found = await stat(this.#path, { bigint: true }).then(signatureOf, () => gone)
    if (this.#looks.hasStopped()) return
    const before = found === this.#seen ? this.#failure : undefined
    if (found === this.#seen) {
      if (!before) return
      if (!before.reported) listener.failed(before.error)
      // Bad content stays bad, but a file that could not be read may be readable now.
      if (found === gone || !isUnreadable(before.error)) {
        this.#failure = undefined
        return
      }
    }
    this.#seen = found
    this.#failure = undefined
    try {
      listener.changed(this.read())
    } catch (error) {
      this.#failure = { error, reported: before !== undefined && isUnreadable(error) }
    }
  }
}

/** Opened without blocking, since opening a pipe would wait for a writer. */
function readRegularFile(path: string): { text: string; stats: BigIntStats } {
  let file: number | undefined
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const stats = fstatSync(file, { bigint: true })
    if (!stats.isFile()) throw unreadable('it is not a regular file')
    return { text: readFileSync(file, 'utf8'), stats }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') throw unreadable('there is no such file', error)
    if (code === 'EACCES') throw unreadable('permission denied', error)
    throw error instanceof TOTPError ? error : unreadable(`${code ?? 'unknown'} error`, error)
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

function isUnreadable(error: unknown): boolean {
  return error instanceof TOTPError && error.code === 'ERR_FILE_UNREADABLE'
}

function unreadable(why: string, cause?: unknown): TOTPError {
  return new TOTPError('ERR_FILE_UNREADABLE', `cannot be read: ${why}`, { cause })
}
