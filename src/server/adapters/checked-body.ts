import { digestOf } from '../../core/proof/digest.js'
import { noContent } from '../../core/proof/no-content.js'
import type { AuthOutcome } from '../scheme/outcome.js'
import type { Refusal } from '../scheme/refusal.js'
import type { AuthRequest, BodyExpectation } from '../scheme/request.js'
import type { TOTPServerAuthScheme } from '../scheme/scheme.js'
import { bufferedOf } from './arriving-content.js'
import { BodyTap } from './body-tap.js'
import { authRequestOf, fieldLines, type NodeRequest } from './http.js'
import { amend, decideThen } from './outcomes.js'

/** A request of Node's in front of its handler. */
export interface ArrivedRequest {
  readonly req: NodeRequest
  /** See {@link authRequestOf}. */
  readonly target?: string | undefined
  readonly source?: (() => string | undefined) | undefined
  /** Answers the request if its content turns out to be another one after its caller was let in. */
  readonly refuseLate: (refusal: Refusal) => void
}

/**
 * Asks the scheme about a request of Node's, and has its content compared if it has a proof.
 *
 * @param answer called with the outcome, unless the request was refused because of its content by then
 */
export function decideNode(
  scheme: TOTPServerAuthScheme,
  { req, target, source, refuseLate }: ArrivedRequest,
  answer: (outcome: AuthOutcome) => void,
): void {
  let body: AuthRequest['body']
  const request = (): AuthRequest => {
    body = bodyOf(scheme, req, (refusal) => {
      amend(scheme, req, refusal)
      refuseLate(refusal)
    })
    return authRequestOf(req, target, source, body)
  }
  decideThen(scheme, req, request, (outcome) => {
    if (!isRefusedLate(body, outcome)) answer(outcome)
  })
}

/** Whether the request was answered already, since its content is another one. Nobody waits for the content otherwise. */
export function isRefusedLate(body: AuthRequest['body'], { caller }: AuthOutcome): boolean {
  if (!(body instanceof BodyTap)) return false
  body.settle(caller !== undefined)
  return body.isRefusedLate
}

/**
 * What compares the content of a request that may have a proof. Has to be called as soon as the request has arrived; plain
 * requests are left as they are.
 *
 * @param onMismatch called if the content is another one, and its caller was let in already
 */
export function bodyOf(
  scheme: TOTPServerAuthScheme,
  req: NodeRequest,
  onMismatch: (refusal: Refusal) => void,
): AuthRequest['body'] {
  if (!scheme.readsProofs || fieldLines(req, 'signature-input').length === 0) return undefined
  const ready = readyContentOf(req)
  if (ready) return new ReadyContent(ready)
  const buffered = bufferedOf(req)
  return buffered ? new BodyTap(req, buffered, onMismatch) : 'unseen'
}

/** A content that is there as it was sent, as adapters of serverless platforms pass it. */
class ReadyContent implements BodyExpectation {
  readonly #digest: Buffer

  constructor(content: Uint8Array) {
    this.#digest = digestOf('http', content)
  }

  expectDigest(_algorithm: 'sha-256', digest: Uint8Array): boolean {
    return this.#digest.equals(digest)
  }

  observeDigest(_algorithm: 'sha-256', digest: Uint8Array, mismatch: () => void): void {
    if (!this.#digest.equals(digest)) mismatch()
  }
}

function readyContentOf(req: object): Uint8Array | undefined {
  const { rawBody, body } = req as { readonly rawBody?: unknown; readonly body?: unknown }
  if (rawBody instanceof Uint8Array) return rawBody
  return body instanceof Uint8Array ? body : undefined
}

/** The content of an upgrade, or of CONNECT: there is none, unless it is announced, and then nobody can compare it. */
export class UpgradeContent implements BodyExpectation {
  readonly #isAnnounced: boolean

  constructor(req: NodeRequest) {
    const length = fieldLines(req, 'content-length')
    this.#isAnnounced =
      length.some((line) => Number(line) !== 0) || fieldLines(req, 'transfer-encoding').length > 0
  }

  expectDigest(_algorithm: 'sha-256', digest: Uint8Array): boolean {
    return !this.#isAnnounced && noContent.equals(digest)
  }

  observeDigest(algorithm: 'sha-256', digest: Uint8Array, mismatch: () => void): void {
    if (!this.expectDigest(algorithm, digest)) mismatch()
  }
}
