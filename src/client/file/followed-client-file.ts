import { TOTPError, isTOTPError } from '../../core/errors.js'
import { FollowedFile, type FileContent } from '../../files/followed-file.js'
import { parseClientFile, type ClientFile } from './client-file.js'

/** What happens to a client file that is followed. */
export interface ClientFileListener {
  /** The file has changed and can be used. If this throws, the change counts as failed. */
  changed(file: ClientFile): void
  /** It has changed and cannot be used. The message names the file and what is wrong in it, and no secret. */
  failed(error: TOTPError): void
  /** Every user of this machine can read it. Once, until that was changed. */
  exposed?(message: string): void
}

/** A client file that is read now, and again within a second of a change, also where its path leads to another one. */
export class FollowedClientFile {
  readonly #file: FollowedFile
  readonly #path: string
  #exposed = false

  constructor(path: string) {
    this.#path = path
    this.#file = new FollowedFile(path)
  }

  /**
   * Reads it now.
   *
   * @throws {TOTPError} `ERR_FILE_UNREADABLE`, or `ERR_CONFIG_INVALID` with the path of the bad field; both name the file
   */
  read(listener: Partial<ClientFileListener> = {}): ClientFile {
    return namingFile(this.#path, () => this.#parse(this.#file.read(), listener))
  }

  /** Reads it again whenever it changes, until it is stopped. Keeps no process alive. */
  follow(listener: ClientFileListener): void {
    this.#file.follow({
      changed: (content) => listener.changed(this.#parse(content, listener)),
      failed: (error) => {
        const known = isTOTPError(error) ? error : new TOTPError('ERR_CONFIG_INVALID', 'cannot be used')
        listener.failed(inFile(this.#path, known))
      },
    })
  }

  stop(): void {
    this.#file.stop()
  }

  #parse({ text, exposed }: FileContent, listener: Partial<ClientFileListener>): ClientFile {
    const file = parseClientFile(text)
    if (exposed && !this.#exposed) {
      listener.exposed?.(
        `client file ${this.#path}: every user of this machine can read its seed and token; run chmod o-r`,
      )
    }
    this.#exposed = exposed
    return file
  }
}

/** Errors of a file name it. */
export function namingFile<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw isTOTPError(error) && !error.message.startsWith('client file ') ? inFile(path, error) : error
  }
}

function inFile(path: string, { code, message, cause }: TOTPError): TOTPError {
  return new TOTPError(code, `client file ${path}: ${message}`, { cause })
}
