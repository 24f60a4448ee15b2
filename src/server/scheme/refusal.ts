import { acceptSignature, challenges } from '../../core/challenge.js'
import type { ProofReason } from '../../core/proof/profile.js'
import type { Failure } from '../../state/failure.js'

/** Why a request was refused. For the log; a caller only learns the kind of refusal. */
export type RefusalReason =
  | 'code-doubled'
  | 'code-malformed'
  | 'code-missing'
  | 'code-replayed'
  | 'code-wrong'
  | 'delegate-failed'
  | 'guard-failed'
  | 'guesses-exhausted'
  | 'nonces-full'
  | 'peer-conflict'
  | 'peer-unknown'
  | 'replay-unknown'
  | 'strangers-exhausted'
  | 'token-doubled'
  | 'token-malformed'
  | 'token-missing'
  | 'token-refused'
  | ProofReason

/** An expected no. `kind` is what the caller learns, `reason` is for the log. */
export interface Refusal {
  readonly kind: 'unauthenticated' | 'throttled' | 'unavailable'
  readonly reason: RefusalReason
  /** The peer that the token belongs to, if known. For the log only. */
  readonly peer?: string
  /** In how many whole seconds a retry makes sense. */
  readonly retryAfter?: number
  /** Why the state or the delegate could not be asked. For the log only. */
  readonly failure?: Failure
  /** The values of WWW-Authenticate, one per field line; empty unless `unauthenticated`. */
  readonly challenges: readonly string[]
  /** The value of Accept-Signature (RFC 9421 §5.1); present with `challenges` where the agent requires proofs. */
  readonly acceptSignature?: string
}

/** Whole seconds to wait while a delegate, the state or the scheme itself fails. */
export const retryAfterFailure = 5

/** Where the scheme itself failed. Without a challenge, since it is not the caller's fault. */
export const schemeFailed: Refusal = {
  kind: 'unavailable',
  reason: 'guard-failed',
  retryAfter: retryAfterFailure,
  challenges: [],
}

/** A refusal as an HTTP answer; the header fields as name and value, in order, names possibly repeated. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: string
}

/** A refusal as a gRPC status; the trailers as key and value, in order, keys possibly repeated. */
export interface GrpcAnswer {
  /** The name of the code (google.rpc.Code). */
  readonly status: 'UNAUTHENTICATED' | 'RESOURCE_EXHAUSTED' | 'UNAVAILABLE'
  readonly details: string
  readonly trailers: readonly (readonly [key: string, value: string])[]
}

/** One answer per kind: status code and, shaped like google.rpc.Status, the body. */
const answers = {
  unauthenticated: {
    code: 401,
    status: 'UNAUTHENTICATED',
    message: 'a bearer token and a valid one-time code are required',
  },
  throttled: {
    code: 429,
    status: 'RESOURCE_EXHAUSTED',
    message: 'too many failed attempts; try again later',
  },
  unavailable: {
    code: 503,
    status: 'UNAVAILABLE',
    message: 'the request cannot be verified at the moment; try again later',
  },
} as const satisfies Record<Refusal['kind'], { code: number; status: string; message: string }>

/** A refusal without its challenges, which depend on the scheme's profile. */
export type RefusalDetails = Omit<Refusal, 'challenges' | 'acceptSignature'>

/**
 * @param header the field that carries the code, for the challenge
 * @param tokenGiven whether the request had an Authorization field
 * @param proofRequired whether the policy of the scheme is `require`
 */
export function refuse(
  details: RefusalDetails,
  header: string,
  tokenGiven: boolean,
  proofRequired: boolean,
): Refusal {
  if (details.kind !== 'unauthenticated') return { ...details, challenges: [] }
  const values = challenges(header, tokenGiven, proofRequired)
  return {
    ...details,
    challenges: values,
    ...(proofRequired && { acceptSignature: acceptSignature(header) }),
  }
}

/** The HTTP answer to a refusal: the same bytes for every reason of a kind. */
export function httpAnswer({ kind, retryAfter, challenges, acceptSignature: accepted }: Refusal): HttpAnswer {
  const body = JSON.stringify({ error: answers[kind] })
  return {
    status: answers[kind].code,
    headers: [
      ...challenges.map((value) => ['WWW-Authenticate', value] as const),
      ...(accepted === undefined ? [] : [['Accept-Signature', accepted] as const]),
      ...(retryAfter === undefined ? [] : [['Retry-After', String(retryAfter)] as const]),
      ['Cache-Control', 'no-store'],
      ['Content-Type', 'application/json'],
      ['Content-Length', String(Buffer.byteLength(body))],
    ],
    body,
  }
}

/** The gRPC status of a refusal: the same bytes for every reason of a kind. */
export function grpcAnswer({ kind, retryAfter, challenges, acceptSignature: accepted }: Refusal): GrpcAnswer {
  const { status, message } = answers[kind]
  return {
    status,
    details: message,
    trailers: [
      ...challenges.map((value) => ['www-authenticate', value] as const),
      ...(accepted === undefined ? [] : [['accept-signature', accepted] as const]),
      ...(retryAfter === undefined ? [] : [['retry-after', String(retryAfter)] as const]),
    ],
  }
}
