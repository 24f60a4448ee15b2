import type { ErrorCode } from '../core/errors.js'

/** What an exit code means: public API, see `a2a-totp --help`. */
export const exitCodes = {
  done: 0,
  no: 1,
  usage: 2,
  unusable: 3,
  unreachable: 4,
  bug: 70,
  interrupted: 130,
  terminated: 143,
} as const

/** Which exit code an error leads to. */
export const exitCodeOf: Readonly<Record<ErrorCode, number>> = {
  ERR_AGENT_UNREACHABLE: exitCodes.unreachable,
  ERR_CARD_INVALID: exitCodes.unusable,
  ERR_CONFIG_INVALID: exitCodes.unusable,
  ERR_CONFIRMATION_NEEDED: exitCodes.usage,
  ERR_CREDENTIAL_EXPIRED: exitCodes.no,
  ERR_DECLINED: exitCodes.no,
  ERR_FILE_EXISTS: exitCodes.no,
  ERR_FILE_UNREADABLE: exitCodes.unusable,
  ERR_FILE_UNWRITABLE: exitCodes.unusable,
  ERR_GUARD_MISSING: exitCodes.bug,
  ERR_HOST_FORBIDDEN: exitCodes.usage,
  ERR_INSECURE_TRANSPORT: exitCodes.usage,
  ERR_KEY_URI_INVALID: exitCodes.usage,
  ERR_NAME_INVALID: exitCodes.usage,
  ERR_PEER_EXISTS: exitCodes.no,
  ERR_PEER_UNKNOWN: exitCodes.no,
  ERR_PORT_UNAVAILABLE: exitCodes.unusable,
  ERR_PROFILE_INVALID: exitCodes.usage,
  ERR_SEED_INVALID: exitCodes.usage,
  ERR_SEED_MISSING: exitCodes.usage,
  ERR_SEED_WEAK: exitCodes.usage,
  ERR_STORE_EXISTS: exitCodes.no,
  ERR_STORE_INVALID: exitCodes.unusable,
  ERR_STORE_LOCKED: exitCodes.unusable,
  ERR_STORE_MISSING: exitCodes.unusable,
  ERR_STORE_PERMISSIONS: exitCodes.unusable,
  ERR_STORE_UNREADABLE: exitCodes.unusable,
  ERR_STORE_UNWRITABLE: exitCodes.unusable,
  ERR_STORE_VERSION: exitCodes.unusable,
  ERR_TOKEN_INVALID: exitCodes.usage,
  ERR_TOKEN_MISSING: exitCodes.usage,
  ERR_USAGE: exitCodes.usage,
}
