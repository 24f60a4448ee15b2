/** Why something could not be asked: a state, or a delegate. Contains no text of the error, only words from a list. */
export interface Failure {
  /** Stable, for alerts: an error code of Redis or Node, such as `NOPERM` or `ECONNREFUSED`, or a word of ours. */
  readonly cause: string
  /** What to do, as a sentence. */
  readonly advice: string
}

/** Error codes of Node, of its `fetch`, and of jose, by what to do about them. */
const codes = {
  'is it running, and reachable from here?': [
    ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH', 'EPIPE'],
    ...['ENETDOWN', 'EADDRNOTAVAIL', 'ENOENT', 'UND_ERR_SOCKET', 'ERR_SOCKET_CLOSED'],
  ],
  'it did not answer in time: is it overloaded, or the network slow?': [
    ...['ETIMEDOUT', 'ERR_JWKS_TIMEOUT', 'UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT'],
    'UND_ERR_BODY_TIMEOUT',
  ],
  'its host name cannot be resolved: check the name, and DNS': ['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL'],
  'its certificate is not accepted: check it, and the trusted issuers': [
    ...['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN'],
    ...['UNABLE_TO_GET_ISSUER_CERT', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ...['ERR_TLS_CERT_ALTNAME_INVALID', 'EPROTO'],
  ],
  'this process lacks a resource or a permission: check its limits': [
    ...['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EACCES', 'EPERM', 'EROFS', 'ENOSPC'],
  ],
  'it answered with something else than keys: check jwksUrl': ['ERR_JOSE_GENERIC', 'ERR_JWKS_INVALID'],
  'the state failed; its own log says more': ['ERR_STATE_UNAVAILABLE'],
} as const satisfies Record<string, readonly string[]>

const adviceOfCode: ReadonlyMap<string, string> = new Map(
  Object.entries(codes).flatMap(([advice, listed]) => listed.map((code) => [code, advice])),
)

export const timedOut: Failure = {
  cause: 'timeout',
  advice: 'it did not answer in time: is it overloaded, or the network slow?',
}

/** Of an error that is on no list. */
const unknownFailure: Failure = {
  cause: 'unknown',
  advice: 'the reason is not one that is known; its own log says more',
}

/** For errors that only a certain kind of service has. @returns undefined for any other */
export type KnowsFailure = (error: { readonly name: string; readonly message: string }) => Failure | undefined

/**
 * Finds out why something failed, by the name and the code of an error, and of the errors that caused it. It quotes
 * nothing: text of an error may contain a key, a user's name, or a token.
 */
export function findFailure(error: unknown, knows: KnowsFailure = () => undefined): Failure {
  try {
    return search(error, knows, 0) ?? unknownFailure
  } catch {
    // A getter of the error threw.
    return unknownFailure
  }
}

const deepest = 5

/** Fields of errors of Node, and of two of ioredis and node-redis. */
interface ErrorFields {
  readonly name?: unknown
  readonly message?: unknown
  readonly code?: unknown
  readonly cause?: unknown
  readonly errors?: unknown
  readonly originalError?: unknown
  readonly lastNodeError?: unknown
}

function search(error: unknown, knows: KnowsFailure, depth: number): Failure | undefined {
  if (typeof error !== 'object' || error === null || depth > deepest) return undefined
  const { name, message, code, cause, errors, originalError, lastNodeError } = error as ErrorFields
  // First what caused it, which is more precise: `fetch failed` by `ECONNREFUSED`.
  const causes = [
    cause,
    originalError,
    lastNodeError,
    ...(Array.isArray(errors) ? (errors as readonly unknown[]).slice(0, 3) : []),
  ]
  for (const one of causes) {
    const found = search(one, knows, depth + 1)
    if (found) return found
  }
  if (typeof name === 'string' && typeof message === 'string') {
    const found = knows({ name, message })
    if (found) return found
  }
  if (name === 'TimeoutError') return timedOut
  const advice = typeof code === 'string' ? adviceOfCode.get(code) : undefined
  return advice === undefined ? undefined : { cause: String(code), advice }
}
