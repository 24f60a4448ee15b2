import type { Refusal } from './refusal.js'

/**
 * One request as it arrived, before anything changed it: what a proof covers is read from here.
 */
export interface AuthRequest {
  readonly binding: 'http' | 'grpc'
  readonly method: string
  /** The origin-form as received, before any router strips it; for gRPC `/pkg.Service/Method`. */
  readonly target: string
  /** Returns all field lines of that name, in order and as sent. The name is in lower case. */
  header(name: string): readonly string[]
  /** Where it came from: the socket's address, or the address that a trusted proxy reports. */
  readonly source?: string | undefined
  /**
   * Compares the content with its digest, for requests with a proof. Without it GET, HEAD and DELETE count as having no
   * content, and for other methods a proof cannot be verified: it is refused where proofs matter. `unseen`, if there may be
   * a content that somebody else has read already: a proof is refused whatever the method. See {@link UncheckedBody} for
   * contents that nobody here will ever see.
   */
  readonly body?: BodyExpectation | UncheckedBody | 'unseen' | undefined
}

/**
 * The content goes past whoever asks, as in forward authentication: a proof counts by its head alone, and the caller's
 * `proof` is `signed-head`. `unchecked-unless-required`: but not for a peer whose policy is `require`, who was promised more.
 */
export type UncheckedBody = 'unchecked' | 'unchecked-unless-required'

/** The content of a request that has not been read yet: the body, or the message of gRPC (with its prefix). */
export interface BodyExpectation {
  /**
   * Called at most once, when everything else of a proof was right.
   *
   * @param refuse call it when the content turns out to be another one: it reports that, and returns the refusal to answer
   *   with. The end of the content must then never reach the handler.
   * @returns whether the content is right, or a promise of that, if it can be told before the handler starts: for GET,
   *   HEAD, DELETE, and where no content is announced. Undefined if it is compared on its way to the handler.
   */
  expectDigest(
    algorithm: 'sha-256',
    digest: Uint8Array,
    refuse: () => Refusal,
  ): boolean | Promise<boolean | undefined> | undefined
  /**
   * Called in place of `expectDigest` under the policy `observe`: nothing is withheld. Without it nothing is compared there,
   * and another content goes unreported.
   *
   * @param mismatch call it when the content turns out to be another one
   */
  observeDigest?(algorithm: 'sha-256', digest: Uint8Array, mismatch: () => void): void
  /** Called in place of both if the content need not be compared, so that it need not be hashed. */
  ignoreDigest?(): void
}

/** RFC 9110 §11.6.2 with RFC 6750 §2.1: the scheme in any case, spaces, then the token and nothing else. */
const bearerCredentials = /^bearer +([A-Za-z0-9\-._~+/]+=*)$/i

/** The content of the two header fields, or what is wrong with them. */
export interface Credentials {
  /** Whether there was an Authorization field at all. */
  readonly tokenGiven: boolean
  readonly token: string | undefined
  /** As sent. Whether it is well-formed depends on the peer. */
  readonly code: string | undefined
  readonly flaw:
    'token-missing' | 'token-malformed' | 'token-doubled' | 'code-missing' | 'code-doubled' | undefined
}

/**
 * Takes token and code out of a request. A duplicate field counts as missing: proxies and servers disagree on which of
 * the two is meant.
 *
 * @param codeField the name of the field that carries the code, in lower case
 */
export function credentialsOf(request: AuthRequest, codeField: string): Credentials {
  const authorization = linesOf(request.header('authorization'))
  const codes = linesOf(request.header(codeField))
  const token = authorization.length === 1 ? bearerCredentials.exec(authorization[0] ?? '')?.[1] : undefined
  const code = codes.length === 1 ? codes[0] : undefined
  const flaw = tokenFlaw(authorization, token) ?? codeFlaw(codes)
  return {
    tokenGiven: authorization.length > 0,
    token,
    code,
    flaw,
  }
}

/**
 * Where a request came from, as a text. In plain JavaScript a source can be anything, and reading it can fail; this never
 * throws.
 */
export function sourceOf(request: Pick<AuthRequest, 'source'>): string | undefined {
  try {
    const source: unknown = request.source
    if (source === undefined || source === null || typeof source === 'string') return source ?? undefined
    // Undefined for a symbol or a function.
    const text: unknown = JSON.stringify(source)
    return typeof text === 'string' ? text : unreadable
  } catch {
    return unreadable
  }
}

const unreadable = 'unreadable'

/** Requests made in plain JavaScript may return a single line as a string, or nothing. */
function linesOf(given: readonly string[] | string | null | undefined): readonly string[] {
  return typeof given === 'string' ? [given] : (given ?? [])
}

function tokenFlaw(lines: readonly string[], token: string | undefined): Credentials['flaw'] {
  if (lines.length === 0) return 'token-missing'
  if (lines.length > 1) return 'token-doubled'
  return token === undefined ? 'token-malformed' : undefined
}

function codeFlaw(lines: readonly string[]): Credentials['flaw'] {
  if (lines.length === 0) return 'code-missing'
  return lines.length > 1 ? 'code-doubled' : undefined
}
