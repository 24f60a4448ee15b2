import { printable } from './text.js'

/**
 * The code of every error. Codes are public API and do not change; messages may be reworded in any release.
 */
export type ErrorCode =
  | 'ERR_AGENT_UNREACHABLE'
  | 'ERR_CANNOT_SIGN'
  | 'ERR_CARD_INVALID'
  | 'ERR_COMMAND_MISSING'
  | 'ERR_COMMAND_UNUSABLE'
  | 'ERR_CONFIG_INVALID'
  | 'ERR_CONFIRMATION_NEEDED'
  | 'ERR_CREDENTIAL_EXPIRED'
  | 'ERR_CREDENTIAL_REVOKED'
  | 'ERR_DECLINED'
  | 'ERR_DELIVERY_FAILED'
  | 'ERR_FILE_EXISTS'
  | 'ERR_FILE_UNREADABLE'
  | 'ERR_FILE_UNWRITABLE'
  | 'ERR_GUARD_MISSING'
  | 'ERR_HOST_FORBIDDEN'
  | 'ERR_IMPORT_INVALID'
  | 'ERR_INSECURE_TRANSPORT'
  | 'ERR_KEY_URI_INVALID'
  | 'ERR_NAME_INVALID'
  | 'ERR_NOTHING_PENDING'
  | 'ERR_NOTHING_TO_UNDO'
  | 'ERR_OVERLAP_FULL'
  | 'ERR_PEER_EXISTS'
  | 'ERR_PEER_UNKNOWN'
  | 'ERR_PORT_UNAVAILABLE'
  | 'ERR_PROFILE_INVALID'
  | 'ERR_RECIPIENT_EXISTS'
  | 'ERR_RECIPIENT_INVALID'
  | 'ERR_RECIPIENT_UNKNOWN'
  | 'ERR_ROTATION_PENDING'
  | 'ERR_SEED_INVALID'
  | 'ERR_SEED_MISSING'
  | 'ERR_SEED_WEAK'
  | 'ERR_STATE_UNAVAILABLE'
  | 'ERR_STEP_SPENT'
  | 'ERR_STORE_EXISTS'
  | 'ERR_STORE_INVALID'
  | 'ERR_STORE_KEY_MISSING'
  | 'ERR_STORE_KEY_WRONG'
  | 'ERR_STORE_LOCKED'
  | 'ERR_STORE_MISSING'
  | 'ERR_STORE_PERMISSIONS'
  | 'ERR_STORE_UNREADABLE'
  | 'ERR_STORE_UNWRITABLE'
  | 'ERR_STORE_VERSION'
  | 'ERR_TOKEN_INVALID'
  | 'ERR_TOKEN_MISSING'
  | 'ERR_TOKEN_UNKNOWN'
  | 'ERR_TOKEN_WEAK'
  | 'ERR_USAGE'

/**
 * A failure, as opposed to a refusal. The message says what is wrong, then what would be right. It never contains a
 * seed, a token or a code, and is a single line that is safe for terminals and logs.
 */
export class TOTPError extends Error {
  override readonly name = 'TOTPError'

  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(printable(message), options)
  }
}

/**
 * Returns whether a value is a {@link TOTPError}. Use it instead of `instanceof`, which fails when two copies of this
 * package are loaded.
 */
export function isTOTPError(error: unknown): error is TOTPError {
  return error instanceof Error && error.name === 'TOTPError' && 'code' in error
}
