import { TOTPError } from '../errors.js'
import { digestOf } from './digest.js'
import type { Binding, SignedRequest } from './profile.js'

/** A content that has not been read yet: what servers and their adapters have in place of it. */
export interface ContentComparison {
  /** Returns whether the content has that digest, if it can be told at once. */
  expectDigest(
    algorithm: 'sha-256',
    digest: Uint8Array,
    refuse: () => never,
  ): boolean | Promise<boolean | undefined> | undefined
}

/** A request whose proof is to be verified: an `AuthRequest`, or the same with its fields and its content at hand. */
export interface ProofRequest {
  /** Default `http`. */
  readonly binding?: Binding | undefined
  /** For gRPC `POST`. */
  readonly method: string
  /** The origin-form as received; for gRPC `/pkg.Service/Method`. */
  readonly target: string
  /** Returns all field lines of that name, in order and as sent. The name is in lower case. */
  header?(name: string): readonly string[] | string | null | undefined
  /** In place of `header`: the field lines as pairs of name and value, in order; names in any case. */
  readonly headers?: Iterable<readonly [name: string, value: string]> | undefined
  /**
   * The content as sent; for gRPC the serialised message without its prefix. Absent: no content, so that a proof over
   * any other is refused. A comparison is called with the digest; where it cannot tell at once, the verdict is about the
   * head alone.
   */
  readonly body?: Uint8Array | ArrayBuffer | string | ContentComparison | null | undefined
}

/** @throws {TOTPError} `ERR_CONFIG_INVALID` for another shape */
export function readRequest(request: ProofRequest): SignedRequest {
  const { binding, method, target }: { binding?: unknown; method: unknown; target: unknown } = request
  if (typeof method !== 'string' || typeof target !== 'string')
    throw new TOTPError('ERR_CONFIG_INVALID', 'method and target of a request must be strings')
  if (binding !== undefined && binding !== 'http' && binding !== 'grpc')
    throw new TOTPError('ERR_CONFIG_INVALID', 'binding of a request must be http or grpc')
  return { binding: binding ?? 'http', method, target, header: headerOf(request) }
}

function headerOf(request: ProofRequest): SignedRequest['header'] {
  // It may return anything in plain JavaScript: see `linesOf`.
  if (typeof request.header === 'function') return (name) => request.header?.(name) as readonly string[]
  const { headers }: { headers?: unknown } = request
  if (typeof headers !== 'object' || headers === null || !(Symbol.iterator in headers))
    throw new TOTPError(
      'ERR_CONFIG_INVALID',
      'a request must have header, a function, or headers, a list of pairs of name and value',
    )
  const lines = new Map<string, string[]>()
  for (const [name, value] of headers as Iterable<readonly [unknown, string]>) {
    const key = String(name).toLowerCase()
    const before = lines.get(key)
    if (before) before.push(value)
    else lines.set(key, [value])
  }
  return (name) => lines.get(name) ?? []
}

/**
 * Returns whether the content of a request has a digest, as far as it can be told at once.
 *
 * @throws {TOTPError} `ERR_CONFIG_INVALID` for a body that is neither text nor bytes nor a comparison
 */
export function mayHaveDigest({ binding, body }: ProofRequest, digest: Buffer): boolean {
  if (isComparison(body)) return isEqualContent(body, digest)
  return digestOf(binding ?? 'http', contentOf(body)).equals(digest)
}

function isEqualContent(body: ContentComparison, digest: Buffer): boolean {
  const refuse = (): never => {
    throw new TOTPError(
      'ERR_CONFIG_INVALID',
      'verifyProof has returned; only a scheme can refuse a content later',
    )
  }
  const told = body.expectDigest('sha-256', digest, refuse)
  if (told instanceof Promise) told.catch(() => undefined)
  return told !== false
}

function isComparison(body: unknown): body is ContentComparison {
  return typeof body === 'object' && body !== null && 'expectDigest' in body
}

function contentOf(body: unknown): Uint8Array {
  if (body === undefined || body === null) return new Uint8Array()
  if (typeof body === 'string') return Buffer.from(body)
  if (ArrayBuffer.isView(body)) return new Uint8Array(body.buffer, body.byteOffset, body.byteLength)
  if (body instanceof ArrayBuffer) return new Uint8Array(body)
  throw new TOTPError('ERR_CONFIG_INVALID', 'body of a request must be the bytes or the text that was sent')
}
