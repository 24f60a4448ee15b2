import { isBare, noContent } from '../../core/proof/no-content.js'
import type { ParsedProof } from '../../core/proof/profile.js'
import type { SchemePeer } from './peers.js'
import type { Refusal } from './refusal.js'
import type { AuthRequest } from './request.js'
import { contentUnseen, type ObservedContent } from './shown-proof.js'

/** Refuses a request after it was let in: its content turned out to be another one. */
export type RefuseContent = () => Refusal

/** What is seen of the request that a proof is about. */
export type View = 'whole' | 'head' | 'none'

/** @param signed the policy of the peer whose proof it is */
export function viewOf({ body, binding, method }: AuthRequest, { signed }: Pick<SchemePeer, 'signed'>): View {
  if (body === 'unchecked') return 'head'
  if (body === 'unchecked-unless-required') return signed === 'require' ? 'none' : 'head'
  if (body === 'unseen') return 'none'
  return body || (binding === 'http' && isBare(method)) ? 'whole' : 'none'
}

/** Whether the content is what the proof says; undefined if that will be seen on its way to the handler. */
export async function hasContent(
  { body }: AuthRequest,
  { digest }: ParsedProof,
  refuseContent: RefuseContent,
): Promise<boolean | undefined> {
  if (!body || typeof body === 'string') return digest.equals(noContent)
  const seen: unknown = await body.expectDigest('sha-256', digest, refuseContent)
  return seen === undefined ? undefined : seen === true
}

/**
 * Compares the content under `observe`, and withholds nothing.
 *
 * @param report called if the content turns out to be another one, or if nobody can compare it
 */
export function observeContent(
  request: AuthRequest,
  peer: Pick<SchemePeer, 'signed'>,
  { digest }: ParsedProof,
  report: (seen: ObservedContent) => void,
): void {
  const { body } = request
  const view = viewOf(request, peer)
  if (view === 'none') report(contentUnseen.cause)
  if (view !== 'whole') return
  if (!body || typeof body === 'string') {
    if (!digest.equals(noContent)) report('proof-digest')
  } else if (body.observeDigest) {
    body.observeDigest('sha-256', digest, () => report('proof-digest'))
  } else ignoreContent(request)
}

/** Tells the content's view that nothing is compared with it, so that it need not be hashed. */
export function ignoreContent({ body }: AuthRequest): void {
  if (typeof body !== 'string') body?.ignoreDigest?.()
}
