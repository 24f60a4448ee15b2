import { randomBytes } from 'node:crypto'
import { isUint8Array } from 'node:util/types'
import { isTOTPError, TOTPError } from '../../core/errors.js'
import { digestOf } from '../../core/proof/digest.js'
import { ProofKey } from '../../core/proof/key.js'
import { isBare } from '../../core/proof/no-content.js'
import { longestLife, type Binding, type SignedRequest } from '../../core/proof/profile.js'
import { linesOfProof, nonceBytes, proofFields } from '../../core/proof/proof-fields.js'
import { requireSignable, signRequest } from '../../core/proof/sign.js'
import type { TOTPProfile } from '../../core/profile.js'
import type { Seed } from '../../core/seed.js'
import { oneOf, parseWord } from '../../core/words.js'
import type { ClientRequest } from './client-auth-scheme.js'

/**
 * Whether requests are signed. `auto`: wherever they can be. `always`: those that cannot be are not sent. `never`: none.
 */
export const signModes = ['auto', 'always', 'never'] as const
export type SignMode = (typeof signModes)[number]

/** @throws {TOTPError} `ERR_CONFIG_INVALID` for any other value, for callers without a type checker */
export const parseSignMode = (mode: unknown): SignMode => parseWord('sign', oneOf(signModes), mode)

/** A request that can be signed once it has its code. */
export interface Signable {
  readonly binding: Binding
  readonly method: string
  readonly target: string
  /** Without the code; names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** Of the content. */
  readonly digest: Buffer
}

/** The methods that HTTP clients write in upper case (Fetch standard, normalize a method). */
const usualMethods = new Set(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT'])

/** Signs the requests of one seed to one agent. */
export class RequestSigner {
  readonly #key: ProofKey
  readonly #header: string
  readonly #lifeSeconds: number

  /** @param windowKnown whether the window of the profile is the agent's; a proof of an unknown one lives for a period */
  constructor(seed: Seed, agent: string, profile: TOTPProfile, windowKnown: boolean) {
    this.#key = new ProofKey(seed, agent)
    this.#header = profile.header.toLowerCase()
    this.#lifeSeconds = windowKnown ? longestLife(profile) : profile.period
  }

  /**
   * Collects what is signed of a request.
   *
   * @param credentials the headers of the first factor, which the request will have too
   * @throws {TOTPError} `ERR_CANNOT_SIGN` if it cannot be signed; and what `request.body` rejects with
   */
  async prepare(request: ClientRequest, credentials: Readonly<Record<string, string>>): Promise<Signable> {
    const { binding, url } = request
    if (binding === undefined || url === undefined || request.method === undefined || !URL.canParse(url)) {
      throw cannotSign('is not known here; send it through totpTransports, totpFetch or totpGrpcInterceptor')
    }
    const { pathname, search } = new URL(url)
    const target = binding === 'grpc' ? pathname : pathname + search
    const method = usualMethod(request.method)
    const headers = { ...lowerCased(request.headers ?? {}), ...lowerCased(credentials) }
    for (const name of [...proofFields, this.#header]) Reflect.deleteProperty(headers, name)
    if (headers['authorization'] === undefined) {
      throw cannotSign('has no Authorization, which a proof covers; pass a delegate that returns it')
    }
    requireSignable(requestOf({ binding, method, target, headers }), this.#header)
    const none = binding === 'http' && isBare(method) ? null : undefined
    const body = request.body === undefined ? none : request.body
    if (body === undefined) {
      throw cannotSign('has a body that is not known here; pass it as text or bytes')
    }
    const content = typeof body === 'function' ? await body() : body
    return { binding, method, target, headers, digest: digestOf(binding, bytesOf(content)) }
  }

  /** Returns the fields of a fresh proof. */
  sign(request: Signable, code: string, at: Date): Record<string, string> {
    const created = Math.floor(at.getTime() / 1000)
    const { fields } = signRequest(
      requestOf({ ...request, headers: { ...request.headers, [this.#header]: code } }),
      {
        key: this.#key,
        header: this.#header,
        digest: request.digest,
        created,
        expires: created + this.#lifeSeconds,
        nonce: randomBytes(nonceBytes),
      },
    )
    return Object.fromEntries(linesOfProof(fields))
  }
}

/** Whether an error says that a request cannot be signed, rather than that something failed. */
export function isUnsignable(error: unknown): boolean {
  return isTOTPError(error) && error.code === 'ERR_CANNOT_SIGN'
}

/**
 * For integrations that return headers without seeing the request.
 *
 * @throws {TOTPError} `ERR_CANNOT_SIGN` if the scheme sends nothing unsigned
 */
export function requireCodeSuffices({ sign }: { readonly sign: SignMode }, integration: string): void {
  if (sign !== 'always') return
  throw new TOTPError(
    'ERR_CANNOT_SIGN',
    `${integration} does not see the request, so it can send only a code, and this scheme signs every request; use totpTransports, totpFetch or totpGrpcInterceptor`,
  )
}

/** The body of a request whose body is a stream: it cannot be signed. */
export function streamBody(): Promise<never> {
  return Promise.reject(cannotSign('has a body that is a stream; send one that is known as a whole'))
}

function cannotSign(why: string): TOTPError {
  return new TOTPError('ERR_CANNOT_SIGN', `the request cannot be signed: it ${why}`)
}

function requestOf({ headers, ...rest }: Omit<Signable, 'digest'>): SignedRequest {
  return {
    ...rest,
    header: (name) => {
      const value = Object.hasOwn(headers, name) ? headers[name] : undefined
      return value === undefined ? [] : [value]
    },
  }
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}

function usualMethod(method: string): string {
  const upper = method.toUpperCase()
  return usualMethods.has(upper) ? upper : method
}

/** Callers in plain JavaScript may pass a stream. */
function bytesOf(content: unknown): Uint8Array {
  if (content === null) return new Uint8Array()
  if (typeof content === 'string') return Buffer.from(content, 'utf8')
  if (isUint8Array(content)) return content
  throw cannotSign('has a body that is neither text nor bytes; send one that is known as a whole')
}
