import { performance } from 'node:perf_hooks'
import { decide } from '../../server/adapters/outcomes.js'
import type { AuthOutcome } from '../../server/scheme/outcome.js'
import type { UncheckedBody } from '../../server/scheme/request.js'
import type { TOTPServerAuthScheme } from '../../server/scheme/scheme.js'
import { shownPath } from '../../service/call-log.js'
import type { Observer, SidecarCall } from '../sidecar.js'
import type { FrontToken } from './front-token.js'
import { withIdentity, type Identity, type IdentityOf } from './identity.js'
import type { OriginalRequest } from './original-request.js'
import type { UncheckedProofs } from './unchecked-proofs.js'

/** What deciding for a front needs. */
export interface AuthzRules {
  readonly scheme: TOTPServerAuthScheme
  readonly identityOf: IdentityOf
  /** Undefined where only programs of this machine can ask. */
  readonly frontToken: FrontToken | undefined
  readonly body: UncheckedBody
  readonly proofs: Pick<UncheckedProofs, 'look'>
  /** Of proxies in front of the front. */
  readonly isTrustedProxy: (address: string) => boolean
  readonly observer: Pick<Observer, 'call'>
}

/** What was decided about the request that a front holds. */
export interface DecidedOriginal {
  readonly outcome: AuthOutcome
  /** What the agent is told; empty for a refusal. */
  readonly identity: Identity
  /** For the log. */
  readonly seen: Partial<SidecarCall>
}

/**
 * Decides about the request that a front holds. Never rejects: what fails is refused.
 *
 * @param key the sub-request's own object
 */
export async function decideOriginal(
  { scheme, proofs, identityOf }: AuthzRules,
  key: object,
  original: OriginalRequest,
): Promise<DecidedOriginal> {
  proofs.look()
  const begin = performance.now()
  const decided = await decide(scheme, key, () => original)
  const decisionMs = performance.now() - begin
  const { outcome, identity } = withIdentity(decided, identityOf)
  const { method, target, source } = original
  const { caller } = outcome
  const seen = {
    outcome,
    decisionMs,
    ...(method !== '' && { method }),
    ...(target !== '' && { path: shownPath(target) }),
    ...(source !== undefined && { source }),
    shown: scheme.shownIn(decided),
    ...(caller && { proof: caller.proof === 'code' ? ('plain' as const) : caller.proof }),
  }
  return { outcome, identity, seen }
}
