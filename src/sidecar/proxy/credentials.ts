import { isTOTPError, TOTPError } from '../../core/errors.js'
import type { ClientCredentials } from '../../client/file/client-file.js'
import { FollowedSource } from '../../files/followed-source.js'

/** What a source says while it is followed. */
export interface CredentialListener {
  changed(credentials: ClientCredentials): void
  /** The change cannot be used. */
  failed(error: TOTPError): void
  /** The source is good and has no credentials for this agent any more. */
  gone(error: TOTPError): void
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
 * Credentials of a store, which is read again whenever the file changes.
 *
 * @param read makes the credentials of what the store has now
 */
export function storeCredentials(path: string, read: () => Promise<ClientCredentials>): CredentialSource {
  const store = new FollowedSource(path, read)
  return {
    read: () => store.read(),
    follow: (listener) => {
      store.follow({
        changed: (credentials) => listener.changed(credentials),
        failed: (error) => listener.failed(known(error)),
      })
    },
    stop: () => store.stop(),
  }
}

/** The message of any other error may quote the store. */
export function known(error: unknown): TOTPError {
  return isTOTPError(error) ? error : new TOTPError('ERR_STORE_UNREADABLE', 'it cannot be used')
}

/** Whether an agent would judge requests with either the same. */
export function sameCredentials(one: ClientCredentials, other: ClientCredentials): boolean {
  const textOf = ({ token, seed, ...rest }: ClientCredentials): string =>
    JSON.stringify([token.value, seed.base32, rest])
  return textOf(one) === textOf(other)
}
