import {
  decodeProtectedHeader,
  errors,
  jwtVerify,
  type CryptoKey,
  type JWK,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  type KeyObject,
} from 'jose'

export type Key = CryptoKey | KeyObject | JWK | Uint8Array

/** How many keys of a set are tried for one token. Each costs a signature check. */
const mostCandidates = 8

/** Codes of errors that are about the token, or about the one key that it names. */
const faultsOfToken: ReadonlySet<string> = new Set([
  errors.JOSEAlgNotAllowed.code,
  errors.JOSENotSupported.code,
  errors.JWKSMultipleMatchingKeys.code,
  errors.JWKSNoMatchingKey.code,
  errors.JWSInvalid.code,
  errors.JWSSignatureVerificationFailed.code,
  errors.JWTClaimValidationFailed.code,
  errors.JWTExpired.code,
  errors.JWTInvalid.code,
])

/** Names of the `DOMException` for a key that cannot be imported. Those of a request are `AbortError`, `TimeoutError`. */
const faultsOfOneKey: ReadonlySet<string> = new Set([
  ...['DataError', 'InvalidAccessError', 'NotSupportedError', 'OperationError', 'SyntaxError'],
])

/** The issuer's keys cannot be had. Everything else that goes wrong is the token's fault. */
class KeysUnavailable extends Error {}

export type Verification =
  | { readonly claims: JWTPayload; readonly refusal?: never }
  /** The code of the error, for documentation. */
  | { readonly refusal: string; readonly claims?: never }

/**
 * Verifies a token with a key, or with a function that finds the key. Where the function finds several, they are tried
 * in turn, at most 8 of them.
 *
 * @param timeoutMs limit for the whole verification if the keys come from a function
 * @throws if the keys cannot be had in time; never because of the token
 */
export async function verifyToken(
  token: string,
  key: Key | JWTVerifyGetKey,
  options: JWTVerifyOptions,
  timeoutMs: number,
): Promise<Verification> {
  try {
    if (typeof key !== 'function') return { claims: (await jwtVerify(token, key, options)).payload }
    return { claims: await within(timeoutMs, verifyWithSet(token, key, options)) }
  } catch (error) {
    if (error instanceof KeysUnavailable) throw error
    return { refusal: codeOf(error) ?? 'the key does not fit the token' }
  }
}

async function verifyWithSet(
  token: string,
  keys: JWTVerifyGetKey,
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  try {
    return await verifyWithCandidates(token, keys, options)
  } catch (error) {
    // Without a key id, only the signature tells that the issuer has changed its keys.
    if (codeOf(error) !== errors.JWSSignatureVerificationFailed.code || namesKey(token)) throw error
    if (!(await refresh(keys))) throw error
    return verifyWithCandidates(token, keys, options)
  }
}

async function verifyWithCandidates(
  token: string,
  keys: JWTVerifyGetKey,
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  const find: JWTVerifyGetKey = async (header, jws) => {
    try {
      return await keys(header, jws)
    } catch (error) {
      throw isAboutToken(error) ? error : new KeysUnavailable('no keys of the issuer', { cause: error })
    }
  }
  try {
    return (await jwtVerify(token, find, options)).payload
  } catch (error) {
    if (!hasCandidates(error)) throw error
    let tried = 0
    for await (const candidate of error) {
      if (tried++ === mostCandidates) throw error
      try {
        return (await jwtVerify(token, candidate, options)).payload
      } catch (failure) {
        if (!isAboutKey(failure)) throw failure
      }
    }
    throw new errors.JWSSignatureVerificationFailed()
  }
}

/** Whether the next candidate may still fit: the signature is of another key, or this one is unusable. */
function isAboutKey(error: unknown): boolean {
  const code = codeOf(error)
  return code === undefined || code === errors.JWSSignatureVerificationFailed.code
}

/** The error of a key set in which several keys fit iterates over them. */
function hasCandidates(error: unknown): error is errors.JWKSMultipleMatchingKeys {
  return (
    codeOf(error) === errors.JWKSMultipleMatchingKeys.code &&
    Symbol.asyncIterator in (error as errors.JWKSMultipleMatchingKeys)
  )
}

function isAboutToken(error: unknown): boolean {
  const code = codeOf(error)
  // Node's own errors of arguments: a key with members of the wrong type.
  if (code !== undefined) return faultsOfToken.has(code) || code.startsWith('ERR_INVALID_ARG_')
  return error instanceof DOMException && faultsOfOneKey.has(error.name)
}

/** Not by class: a project may have a second copy of jose. */
function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : undefined
}

function namesKey(token: string): boolean {
  return decodeProtectedHeader(token).kid !== undefined
}

/** Fetches the keys again, unless that was done a moment ago. Returns whether there are new ones. */
async function refresh(keys: JWTVerifyGetKey): Promise<boolean> {
  const { reload, coolingDown } = keys as Partial<{ reload: () => Promise<void>; coolingDown: boolean }>
  if (!reload || coolingDown !== false) return false
  try {
    await reload()
    return true
  } catch {
    // The keys at hand are still valid, and the token is signed by none of them.
    return false
  }
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new KeysUnavailable(`no keys of the issuer within ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
