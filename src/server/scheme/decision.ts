import type { ParsedProof } from '../../core/proof/profile.js'
import { timeStepAt } from '../../core/totp.js'
import type { Failure } from '../../state/failure.js'
import { failureOf } from '../../state/redis-failure.js'
import type { Attempt, Comparison, Decision, State } from '../../state/state.js'
import type { Canary } from './canaries.js'
import type { SchemeConfig } from './config.js'
import { hasContent, viewOf, type RefuseContent } from './content.js'
import type { NoOwner, TokenOwner } from './first-factor.js'
import { grantCaller } from './grants.js'
import type { Leases } from './leases.js'
import type { AuthOutcome } from './outcome.js'
import { liveSeedsOf, type CodeComparison, type SchemePeer } from './peers.js'
import { refusedProof, usedProof, type CheckedProof } from './proofs.js'
import { refuse, retryAfterFailure, type Refusal, type RefusalDetails } from './refusal.js'
import type { AuthRequest, Credentials } from './request.js'
import { contentUnseen } from './shown-proof.js'

/** A request as one try to be let in, with what each factor showed. */
export interface AuthAttempt {
  readonly request: AuthRequest
  readonly credentials: Credentials
  /** The first factor. */
  readonly owner: TokenOwner
  /** The second factor; undefined if no well-formed code was sent. */
  readonly comparison: CodeComparison | undefined
  /** What binds the request to a seed; undefined where no peer's proofs are looked at. */
  readonly proof: CheckedProof | undefined
  /** Set if the token is bait. Then it has no owner. */
  readonly canary: Canary | undefined
  readonly at: Date
}

/** What is remembered of attempts. */
export interface Memory {
  readonly state: State
  /** Asked instead of the state if the request is refused in any case. Its answer is ignored. */
  readonly decoyState: State
  /** What is open, and ends with its caller's credentials. */
  readonly leases: Leases
}

const decoyGuess: Comparison = { kind: 'guess', code: '000000' }

/** What was decided. */
export interface Decided {
  readonly outcome: AuthOutcome
  /** Set if a guess was counted, which may turn out to be a late code. */
  readonly counted?: CountedGuess
  /** Set if the content's view was asked to compare it. */
  readonly comparesContent?: true
}

/** A guess that a state has counted. */
export interface CountedGuess {
  readonly peer: SchemePeer
  /** The code as it was sent. */
  readonly code: string
  /** As the state was asked. */
  readonly attempt: Attempt
  /** Whether it exhausted a budget. */
  readonly tripped: boolean
}

/**
 * Decides whether an attempt is let in: the only place where the factors are put together. A caller needs a token of a
 * peer, a code that matched one of that peer's seeds, and a state that accepts it; where the policy says so, also a proof.
 */
export async function decide(
  attempt: AuthAttempt,
  refuseContent: RefuseContent,
  config: SchemeConfig,
  memory: Memory,
): Promise<Decided> {
  const { request, credentials, owner, comparison, proof, at } = attempt
  const refused = (details: RefusalDetails): Decided => ({
    outcome: { refusal: refusalIn(config, details, credentials.tokenGiven) },
  })

  const stopped = owner.peer && refusedProof(owner.peer.signed, proof)
  const used = owner.peer && usedProof(owner.peer.signed, proof)
  // A caller that can sign has the seed, so a wrong code beside a proof is a mistake and no guess.
  const isMistake = used !== undefined && comparison?.kind === 'guess'
  if (!owner.peer || stopped !== undefined || !comparison || isMistake) {
    // Refused already. Takes as long as a memory state would, under one name, so that it does not fill up.
    await memory.decoyState.decide(stateAttempt(config.decoy, {}, decoyGuess, at))
    if (!owner.peer) return refused(refusalOfStranger(attempt, owner))
    const reason = stopped ?? credentials.flaw ?? (isMistake ? 'code-wrong' : 'code-malformed')
    return refused({ kind: 'unauthenticated', reason, peer: owner.peer.name })
  }

  const { peer } = owner
  const view = used && viewOf(request, peer)
  if (view === 'none') return refused(stateFailed(peer.name, contentUnseen))
  const asked = stateAttempt(peer, owner, comparison, at, used?.proof)
  try {
    const decision = await memory.state.decide(asked)
    // A code that did not match is never accepted, whatever a state returns.
    if (decision.kind === 'accepted' && comparison.kind === 'match') {
      const compared = view === 'whole'
      if (used && compared && (await hasContent(request, used.proof, refuseContent)) === false) {
        const details = { kind: 'unauthenticated', reason: 'proof-digest', peer: peer.name } as const
        return { ...refused(details), comparesContent: true }
      }
      const shown = { comparison, proof: shownProofs[view ?? 'code'], agent: config.agent } as const
      const caller = grantCaller(owner, shown, config.leaseRules, memory.leases)
      return { outcome: { caller }, ...(compared && { comparesContent: true }) }
    }
    const decided = refused(refusalOf(decision, peer.name, used !== undefined))
    if (decision.kind !== 'wrong' || comparison.kind !== 'guess' || !isCounted(decision)) return decided
    const { tripped } = decision
    return { ...decided, counted: { peer, code: comparison.code, attempt: asked, tripped } }
  } catch (error) {
    return refused(stateFailed(peer.name, failureOf(error)))
  }
}

/** The refusal of a request that was let in, and whose content turned out to be another one. */
export function refusalOfContent({ owner, credentials }: AuthAttempt, config: SchemeConfig): Refusal {
  const peer = owner.peer?.name ?? ''
  const details = { kind: 'unauthenticated', reason: 'proof-digest', peer } as const
  return refusalIn(config, details, credentials.tokenGiven)
}

/** A refusal with the challenges of the scheme. */
function refusalIn({ profile, signed }: SchemeConfig, details: RefusalDetails, tokenGiven: boolean): Refusal {
  return refuse(details, profile.header, tokenGiven, signed === 'require')
}

const shownProofs = { whole: 'signed', head: 'signed-head', code: 'code' } as const

/** A state of the user's own may leave it out: then every wrong code counts. */
function isCounted({ counted }: { readonly counted?: boolean }): boolean {
  return counted !== false
}

function stateAttempt(
  peer: SchemePeer,
  { token, liveTokens }: Pick<Attempt, 'token' | 'liveTokens'>,
  comparison: Comparison,
  at: Date,
  proof?: ParsedProof,
): Attempt {
  const { name, profile, replay, budgets } = peer
  return {
    peer: name,
    seeds: liveSeedsOf(peer, at),
    token,
    liveTokens,
    policy: replay,
    budgets,
    at,
    timeStep: timeStepAt(profile, at),
    period: profile.period,
    window: profile.window,
    comparison,
    ...(proof && { proof: { nonce: proof.nonce, created: proof.created, expires: proof.expires } }),
  }
}

/** The refusal of a token that belongs to no peer. It touches no peer's budget, only the limit of its source. */
function refusalOfStranger(
  { credentials: { token, flaw } }: AuthAttempt,
  { reason, retryAfter, failure }: NoOwner,
): RefusalDetails {
  if (token === undefined) return { kind: 'unauthenticated', reason: flaw ?? 'token-missing' }
  if (reason === 'delegate-failed')
    return { kind: 'unavailable', reason, failure, retryAfter: retryAfterFailure }
  if (reason === 'strangers-exhausted') return { kind: 'throttled', reason, retryAfter }
  return { kind: 'unauthenticated', reason }
}

function refusalOf(decision: Decision, peer: string, signed: boolean): RefusalDetails {
  const kind = 'unauthenticated'
  switch (decision.kind) {
    case 'wrong':
      return { kind, reason: 'code-wrong', peer }
    case 'replayed':
      // A new time step does not make a spent nonce good.
      if (signed) return { kind, reason: 'proof-replayed', peer }
      return { kind, reason: 'code-replayed', peer, retryAfter: decision.retryAfter }
    case 'throttled':
      return { kind: 'throttled', reason: 'guesses-exhausted', peer, retryAfter: decision.retryAfter }
    case 'unknown':
      return { kind: 'unavailable', reason: 'replay-unknown', peer, retryAfter: decision.retryAfter }
    case 'full':
      return { kind: 'unavailable', reason: 'nonces-full', peer, retryAfter: decision.retryAfter }
    case 'accepted':
    default:
      // It accepted what did not match, or returned no decision: the state is broken.
      return stateFailed(peer, badDecision)
  }
}

const badDecision: Failure = {
  cause: 'bad-decision',
  advice: 'the state accepted a wrong code, or returned no decision: it is broken',
}

function stateFailed(peer: string, failure: Failure): RefusalDetails {
  return { kind: 'unavailable', reason: 'guard-failed', peer, failure, retryAfter: retryAfterFailure }
}
