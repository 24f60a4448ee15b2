import { closeSync, constants, fstatSync, openSync, readFileSync, type BigIntStats } from 'node:fs'
import { stat } from 'node:fs/promises'
import { TOTPError } from '../../core/errors.js'

/** A file as it was read. */
export interface FileContent {
  readonly text: string
  /** Whether every user of the machine may read it. (On Windows modes do not tell.) */
  readonly exposed: boolean
}

export interface FollowedFileListener {
  /** What the path leads to has changed. What this throws makes the change a failed one. */
  changed(content: FileContent): void
  /** It changed, and cannot be used. */
  failed(error: unknown): void
}

/** A change is seen within a second; a look is one `stat`. */
const lookEveryMs = 100

/** What a path leads to, when it leads nowhere. */
const gone = 'gone'

/**
 * A file that is read again whenever its path leads to something else.
 *
 * It looks at the path and not at the file: a mounted secret is replaced by swapping a symbolic link, which no
 * watch on the file notices.
 */
export class FollowedFile {
  readonly #path: string
  #seen = gone
  /** A failure is told only when the next look finds the same file: it may have been half written. */
  #failure: { readonly error: unknown; readonly told: boolean } | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(path: string) {
    this.#path = path
  }

  /** @throws {TOTPError} `ERR_FILE_UNREADABLE` with the cause. */
  read(): FileContent {
    const { text, stats } = readRegularFile(this.#path)
    this.#seen = signatureOf(stats)
    return { text, exposed: process.platform !== 'win32' && (stats.mode & 0o004n) !== 0n }
  }

  /** Looks until it is stopped. Keeps no process alive. */
  follow(listener: FollowedFileListener): void {
    this.#timer = setTimeout(() => {
      void this.#look(listener).then(() => this.#timer && this.follow(listener))
    }, lookEveryMs).unref()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  async #look(listener: FollowedFileListener): Promise<void> {
    const found = await stat(this.#path, { bigint: true }).then(signatureOf, () => gone)
    if (!this.#timer) return
    const before = found === this.#seen ? this.#failure : undefined
    if (found === this.#seen) {
      if (!before) return
      if (!before.told) listener.failed(before.error)
      // What was read and is no good stays so; what could not be read may be readable by now, and the same file.
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
      this.#failure = { error, told: before !== undefined && isUnreadable(error) }
    }
  }
}

/** Changes whenever the file or its content does. */
function signatureOf({ dev, ino, size, mode, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mode, mtimeNs, ctimeNs].join(' ')
}

/** Opened without waiting, since a pipe would make it wait for a writer. */
function readRegularFile(path: string): { text: string; stats: BigIntStats } {
  let file: number | undefined
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const stats = fstatSync(file, { bigint: true })
    if (!stats.isFile()) throw unreadable('it is no regular file')
    return { text: readFileSync(file, 'utf8'), stats }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') throw unreadable('there is no such file', error)
    if (code === 'EACCES') throw unreadable('this user may not', error)
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
