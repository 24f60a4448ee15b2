import { digestOf } from '../../src/core/proof/digest.js'
import type { Binding, SignedPolicy } from '../../src/core/proof/profile.js'
import type { Seed } from '../../src/core/seed.js'
import { memoryState } from '../../src/state/memory-state.js'
import type { PeerSeedsOptions } from '../../src/server/scheme/options.js'
import type { Refusal } from '../../src/server/scheme/refusal.js'
import type { AuthRequest } from '../../src/server/scheme/request.js'
import { codeOf, peers, requestWith, someInstant, type PeerName } from './guarded.js'
import { agent, proofOf } from './proof-of.js'

export interface SignedCall {
  readonly peer?: PeerName
  readonly seed?: Seed
  readonly token?: string
  /** False: none at all. */
  readonly code?: string | false
  readonly body?: string
  readonly at?: Date
  /** In seconds, from `at`. */
  readonly created?: number
  readonly life?: number
  readonly nonce?: string
  readonly agent?: string
  readonly method?: string
  readonly target?: string
  readonly binding?: Binding
}

/** The fields of a request, and its content. */
export interface Sent {
  readonly fields: Readonly<Record<string, string>>
  readonly body: string
  readonly method: string
  readonly target: string
  readonly binding: Binding
}

/** A request with token, code and proof. */
export function signed(call: SignedCall = {}): Sent {
  const { peer = 'alice', at = someInstant, body = '{"jsonrpc":"2.0"}', binding = 'http' } = call
  const { method = 'POST', target = '/a2a' } = call
  const { seed = peers[peer].seed, token = peers[peer].token, code = codeOf(peer, at) } = call
  const plain = {
    'content-type': 'application/json',
    authorization: `Bearer ${token}`,
    ...(code !== false && { 'x-totp': code }),
  }
  const nonce = call.nonce === undefined ? undefined : Buffer.from(call.nonce.padEnd(16))
  const request = { binding, method, target, headers: plain, body }
  const proof = proofOf({ ...call, ...request, seed, at, nonce })
  return { fields: { ...plain, ...proof }, body, method, target, binding }
}

/** Without some fields. */
export function without(sent: Sent, ...names: string[]): Sent {
  const fields = Object.fromEntries(Object.entries(sent.fields).filter(([name]) => !names.includes(name)))
  return { ...sent, fields }
}

/** Without its proof. */
export const stripped = (sent: Sent): Sent => without(sent, 'content-digest', 'signature-input', 'signature')

/** A request as an adapter passes it on that does not see its content. */
export function unseen(request: AuthRequest): AuthRequest {
  const { binding, method, target, source } = request
  return { binding, method, target, header: (name) => request.header(name), source }
}

/** What the view of a content was asked for. */
export interface SeenBody {
  readonly asked: string[]
  /** The refusal after the request was let in, if its content was another one. */
  refusal: Refusal | undefined
}

/**
 * A request as a guard passes it on, with a view of its content as an adapter has it.
 *
 * @param early whether the content is compared before the handler starts
 */
export function received(
  sent: Sent,
  { source = '192.0.2.1', early = false }: { source?: string; early?: boolean } = {},
): { request: AuthRequest; seen: SeenBody; arrive: () => void } {
  const seen: SeenBody = { asked: [], refusal: undefined }
  const actual = digestOf(sent.binding, Buffer.from(sent.body))
  let arrive = (): void => undefined
  const request: AuthRequest = {
    ...requestWith(sent.fields, source),
    method: sent.method,
    target: sent.target,
    binding: sent.binding,
    body: {
      expectDigest: (_, digest, refuse) => {
        seen.asked.push('expect')
        const isRight = actual.equals(digest)
        if (early) return isRight
        arrive = () => {
          if (!isRight) seen.refusal = refuse()
        }
        return undefined
      },
      observeDigest: (_, digest, mismatch) => {
        seen.asked.push('observe')
        arrive = () => {
          if (!actual.equals(digest)) mismatch()
        }
      },
      ignoreDigest: () => void seen.asked.push('ignore'),
    },
  }
  return { request, seen, arrive: () => arrive() }
}

/** Options of a scheme with a policy for proofs. */
export function signedOptions(
  policy: SignedPolicy,
  replay: 'reuse' | 'once' = 'reuse',
): Pick<PeerSeedsOptions, 'agent' | 'replay' | 'signed' | 'state'> {
  return { agent, replay, signed: policy, state: memoryState({ since: new Date(0) }) }
}
