import type { ErrorCode } from '../core/errors.js'
import { jsonText, printable } from '../core/text.js'

/** Exit codes: public API, see `a2a-totp --help`. */
export const exitCodes = {
  done: 0,
  no: 1,
  usage: 2,
  unusable: 3,
  unreachable: 4,
  bug: 70,
  /** Of a command that `exec` was to run, as shells have it. */
  notRunnable: 126,
  notFound: 127,
  interrupted: 130,
  terminated: 143,
} as const

/** The exit code of each error. */
export const exitCodeOf: Readonly<Record<ErrorCode, number>> = {
  ERR_AGENT_UNREACHABLE: exitCodes.unreachable,
  ERR_CANNOT_SIGN: exitCodes.usage,
  ERR_CARD_INVALID: exitCodes.unusable,
  ERR_COMMAND_MISSING: exitCodes.notFound,
  ERR_COMMAND_UNUSABLE: exitCodes.notRunnable,
  ERR_CONFIG_INVALID: exitCodes.unusable,
  ERR_CONFIRMATION_NEEDED: exitCodes.usage,
  ERR_CREDENTIAL_EXPIRED: exitCodes.no,
  ERR_CREDENTIAL_REVOKED: exitCodes.no,
  ERR_DECLINED: exitCodes.no,
  ERR_DELIVERY_FAILED: exitCodes.no,
  ERR_FILE_EXISTS: exitCodes.no,
  ERR_FILE_UNREADABLE: exitCodes.unusable,
  ERR_FILE_UNWRITABLE: exitCodes.unusable,
  ERR_GUARD_MISSING: exitCodes.bug,
  ERR_HOST_FORBIDDEN: exitCodes.usage,
  ERR_IMPORT_INVALID: exitCodes.unusable,
  ERR_INSECURE_TRANSPORT: exitCodes.usage,
  ERR_KEY_URI_INVALID: exitCodes.usage,
  ERR_NAME_INVALID: exitCodes.usage,
  ERR_NOTHING_PENDING: exitCodes.no,
  ERR_NOTHING_TO_UNDO: exitCodes.no,
  ERR_OVERLAP_FULL: exitCodes.no,
  ERR_PEER_EXISTS: exitCodes.no,
  ERR_PEER_UNKNOWN: exitCodes.no,
  ERR_PORT_UNAVAILABLE: exitCodes.unusable,
  ERR_PROFILE_INVALID: exitCodes.usage,
  ERR_RECIPIENT_EXISTS: exitCodes.no,
  ERR_RECIPIENT_INVALID: exitCodes.usage,
  ERR_RECIPIENT_UNKNOWN: exitCodes.no,
  ERR_ROTATION_PENDING: exitCodes.no,
  ERR_SEED_INVALID: exitCodes.usage,
  ERR_SEED_MISSING: exitCodes.usage,
  ERR_SEED_WEAK: exitCodes.usage,
  ERR_STATE_UNAVAILABLE: exitCodes.unusable,
  ERR_STEP_SPENT: exitCodes.no,
  ERR_STORE_EXISTS: exitCodes.no,
  ERR_STORE_INVALID: exitCodes.unusable,
  ERR_STORE_KEY_MISSING: exitCodes.unusable,
  ERR_STORE_KEY_WRONG: exitCodes.unusable,
  ERR_STORE_LOCKED: exitCodes.unusable,
  ERR_STORE_MISSING: exitCodes.unusable,
  ERR_STORE_PERMISSIONS: exitCodes.unusable,
  ERR_STORE_UNREADABLE: exitCodes.unusable,
  ERR_STORE_UNWRITABLE: exitCodes.unusable,
  ERR_STORE_VERSION: exitCodes.unusable,
  ERR_TOKEN_INVALID: exitCodes.usage,
  ERR_TOKEN_MISSING: exitCodes.usage,
  ERR_TOKEN_UNKNOWN: exitCodes.unusable,
  ERR_TOKEN_WEAK: exitCodes.usage,
  ERR_USAGE: exitCodes.usage,
}

/** Whether errors are wanted as JSON. Decided from the raw arguments, since unparsable ones are an error as well. */
export function asksForJson(args: readonly string[]): boolean {
  const end = args.indexOf('--')
  return args.slice(0, end < 0 ? undefined : end).some((arg) => /^--json(=|$)/.test(arg))
}

/** An error as printed on stderr: always one line. */
export function errorLine({ code, message }: { code: string; message: string }, json: boolean): string {
  const line = oneLine(message)
  return json ? `${jsonText({ error: { code, message: line } })}\n` : `error: ${line} (${code})\n`
}

export function oneLine(text: string): string {
  return printable(text.replace(/\s*\n\s*/g, ' '))
}
