import { stat } from 'node:fs/promises'
import { isTOTPError, TOTPError } from '../../core/errors.js'
import type { ClientCredentials, ClientFile } from '../../client/file/client-file.js'
import { FollowedClientFile, namingFile } from '../../client/file/followed-client-file.js'

/** What a source says while it is followed. */
export interface CredentialListener {
  changed(credentials: ClientCredentials): void
  /** The change cannot be used. */
  failed(error: TOTPError): void
  warn(message: string): void
}

/** Where the credentials of a peer come from. */
export interface CredentialSource {
  /** @throws {TOTPError} if they cannot be used */
  read(listener?: Pick<CredentialListener, 'warn'>): Promise<ClientCredentials>
  /** Tells every change from now on, until it is stopped. */
  follow?(listener: CredentialListener): void
  stop?(): void
}

/** Credentials that do not change: those of an environment. */
export function fixedCredentials(credentials: ClientCredentials): CredentialSource {
  return { read: () => Promise.resolve(credentials) }
}

/**
 * Credentials of a client file.
 *
 * @param choose which of its agents is meant; throws if none is
 */
export function clientFileCredentials(
  path: string,
  choose: (file: ClientFile) => ClientCredentials,
): CredentialSource {
  const file = new FollowedClientFile(path)
  return {
    read: (listener) => {
      const read = (): ClientFile => file.read({ exposed: (message) => listener?.warn(message) })
      return Promise.resolve().then(() => namingFile(path, () => choose(read())))
    },
    follow: (listener) => {
      file.follow({
        changed: (content) => listener.changed(choose(content)),
        failed: (error) => listener.failed(error),
        exposed: (message) => listener.warn(message),
      })
    },
    stop: () => file.stop(),
  }
}

/** A change of the store is in force within a second. Each look is one `stat`. */
const lookEveryMs = 200

/**
 * Credentials of a store, which is read again whenever the file changes.
 *
 * @param read makes the credentials of what the store has now
 */
export function storeCredentials(path: string, read: () => Promise<ClientCredentials>): CredentialSource {
  let seen: string | undefined
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  const readNow = async (): Promise<ClientCredentials> => {
    // Looked at first: a change while it is read is another look.
    seen = await signatureOf(path)
    return read()
  }
  const look = async (listener: CredentialListener): Promise<void> => {
    if ((await signatureOf(path)) === seen) return
    try {
      const credentials = await readNow()
      if (!stopped) listener.changed(credentials)
    } catch (error) {
      listener.failed(known(error))
    }
  }
  const follow = (listener: CredentialListener): void => {
    timer = setTimeout(() => {
      void look(listener).then(() => {
        if (!stopped) follow(listener)
      })
    }, lookEveryMs).unref()
  }
  return {
    read: readNow,
    follow,
    stop: () => {
      stopped = true
      clearTimeout(timer)
    },
  }
}

/** The message of any other error may quote the store. */
export function known(error: unknown): TOTPError {
  return isTOTPError(error) ? error : new TOTPError('ERR_STORE_UNREADABLE', 'it cannot be used')
}

/** Differs whenever the file at the path does, or its content. */
async function signatureOf(path: string): Promise<string> {
  return stat(path, { bigint: true }).then(
    ({ dev, ino, size, mode, mtimeNs, ctimeNs }) => [dev, ino, size, mode, mtimeNs, ctimeNs].join(' '),
    () => 'gone',
  )
}
