import { randomBytes } from 'node:crypto'
import { A2aTotpError } from '../core/errors.js'
import { parseProfile, type TotpProfile } from '../core/profile.js'
import { makeSeed } from '../core/seed.js'
import { hashToken } from '../core/token.js'
import { isCode, timeStepAt } from '../core/totp.js'
import { parseBudgets } from '../guards/budgets.js'
import type { Decision, Guard } from '../guards/guard.js'
import { memoryGuard } from '../guards/memory-guard.js'
import { StrangerLimit } from '../guards/stranger-limit.js'
import { emit, eventsOf, type OnEvent } from './events.js'
import { compareCode, guardedPeer, parseReplay, type CodeMatch, type GuardedPeer } from './guarded-peer.js'
import { Identification, type Identity } from './identity.js'
import type { TOTPServerAuthSchemeOptions } from './options.js'
import { peerDirectory } from './peer-directory.js'
import { refuse, type Refusal, type RefusalDetails } from './refusal.js'
import { credentialsOf, type AuthRequest, type Credentials } from './request.js'

/** Who called, and what proved it. */
export interface Caller extends CodeMatch {
  readonly peer: string
  /** What the delegate proved besides. */
  readonly claims: Readonly<Record<string, unknown>>
}

export type AuthOutcome =
  | { readonly caller: Caller; readonly refusal?: never }
  | { readonly refusal: Refusal; readonly caller?: never }

/** Whole seconds to stay away while a delegate or the state store is down. */
const retryAfterFailure = 5

/**
 * Both factors of a request: a bearer token, checked by a delegate, and a TOTP code (RFC 6238) of the peer that
 * the token belongs to. There is no way to ask about one of them alone.
 */
export class TOTPServerAuthScheme {
  /** How codes are made and sent, unless a peer's own seed set says otherwise. */
  readonly profile: TotpProfile
  readonly #identification: Identification
  readonly #guard: Guard
  readonly #strangers: StrangerLimit
  /** Stands in for the peer when a token is nobody's, so that this takes as long as a wrong code. */
  readonly #decoy: GuardedPeer
  readonly #onEvent: OnEvent | undefined
  readonly #now: () => Date

  /**
   * @throws {A2aTotpError} for what contradicts itself or could never pass: `ERR_CONFIG_INVALID`,
   *   `ERR_PROFILE_INVALID`, `ERR_SEED_MISSING`, `ERR_SEED_INVALID`, `ERR_SEED_WEAK`, `ERR_TOKEN_INVALID`.
   */
  constructor(options: TOTPServerAuthSchemeOptions) {
    const { throttle, now = () => new Date() } = options
    this.profile = parseProfile({ ...options.profile })
    const defaults = {
      profile: this.profile,
      replay: parseReplay(options.replay),
      budgets: parseBudgets(throttle?.budgets),
      allowWeakSeeds: options.allowWeakSeeds ?? false,
    }
    const peers = peerDirectory(options, defaults)
    this.#identification = new Identification(options, peers)
    this.#guard = options.guard ?? memoryGuard({ since: now() })
    if (peers.once && !this.#guard.supports.once) {
      throw new A2aTotpError(
        'ERR_CONFIG_INVALID',
        'replay is "once", which this guard does not support; give one that does',
      )
    }
    this.#strangers = new StrangerLimit(throttle?.strangers)
    this.#decoy = guardedPeer('', makeSeed(this.profile.algorithm, randomBytes), defaults)
    this.#onEvent = options.onEvent
    this.#now = now
  }

  /**
   * Like the constructor, and asks the delegate about every mapped token as well.
   *
   * @throws {A2aTotpError} also `ERR_CONFIG_INVALID` for a mapped token that can never pass.
   */
  static async create(options: TOTPServerAuthSchemeOptions): Promise<TOTPServerAuthScheme> {
    const scheme = new TOTPServerAuthScheme(options)
    await scheme.#identification.requireUsable(options.tokenToPeer, scheme.#now())
    return scheme
  }

  /**
   * Decides about a request. Ask once a request: under `once`, asking again is a replay.
   *
   * Both factors are always evaluated. Never throws for what a request holds; a delegate or a guard that throws
   * leads to a refusal of kind `unavailable`.
   */
  async authenticate(request: AuthRequest): Promise<AuthOutcome> {
    const at = this.#now()
    const outcome = await this.#decide(request, credentialsOf(request, this.profile.header), at)
    for (const event of eventsOf(outcome, request, at)) emit(this.#onEvent, event)
    return outcome
  }

  async #decide(request: AuthRequest, credentials: Credentials, at: Date): Promise<AuthOutcome> {
    const { token, code, flaw } = credentials
    const tokenHash = hashToken(token ?? '')
    const identity = await this.#identification.identify(token, tokenHash, at)
    const peer = identity.peer ?? this.#decoy
    const match = compareCode(peer, code, at)
    const refused = (kind: Refusal['kind'], details: RefusalDetails): AuthOutcome => ({
      refusal: refuse(kind, details, this.profile.header, credentials.tokenGiven),
    })

    if (!identity.peer) return refused(...this.#toStranger(identity.reason, credentials, request, at))
    const { name } = peer
    if (flaw) return refused('unauthenticated', { reason: flaw, peer: name })
    if (code === undefined || !isCode(code, peer.profile)) {
      return refused('unauthenticated', { reason: 'code-malformed', peer: name })
    }
    let decision: Decision
    try {
      decision = await this.#guard.decide({
        peer: name,
        tokenHash,
        policy: peer.replay,
        budgets: peer.budgets,
        at,
        timeStep: timeStepAt(peer.profile, at),
        period: peer.profile.period,
        window: peer.profile.window,
        finding: match ? { kind: 'match', ...match } : { kind: 'guess', code },
      })
    } catch {
      return refused('unavailable', { reason: 'guard-failed', peer: name, retryAfter: retryAfterFailure })
    }
    // Whatever a guard says, what did not match does not pass.
    if (decision.outcome === 'accepted' && match) {
      return { caller: { peer: name, ...match, claims: identity.claims } }
    }
    return refused(...refusalFor(decision, name))
  }

  /** A token that is nobody's: it touches no peer's budget, only the one of its source. */
  #toStranger(
    reason: Extract<Identity, { peer?: never }>['reason'],
    { token, flaw }: Credentials,
    { source }: AuthRequest,
    at: Date,
  ): [Refusal['kind'], RefusalDetails] {
    if (token === undefined) return ['unauthenticated', { reason: flaw ?? 'token-missing' }]
    if (reason === 'delegate-failed') return ['unavailable', { reason, retryAfter: retryAfterFailure }]
    const retryAfter = reason === 'token-refused' ? this.#strangers.count(source ?? '', at) : 0
    if (retryAfter > 0) return ['throttled', { reason: 'strangers-exhausted', retryAfter }]
    return ['unauthenticated', { reason }]
  }
}

function refusalFor(decision: Decision, peer: string): [Refusal['kind'], RefusalDetails] {
  switch (decision.outcome) {
    case 'wrong':
      return [
        'unauthenticated',
        { reason: 'code-wrong', peer, ...(decision.tripped && { compromiseSuspected: true }) },
      ]
    case 'replayed':
      return ['unauthenticated', { reason: 'code-replayed', peer, retryAfter: decision.retryAfter }]
    case 'throttled':
      return ['throttled', { reason: 'guesses-exhausted', peer, retryAfter: decision.retryAfter }]
    case 'unknown':
      return ['unavailable', { reason: 'replay-unknown', peer, retryAfter: decision.retryAfter }]
    case 'accepted':
      return ['unavailable', { reason: 'guard-failed', peer, retryAfter: retryAfterFailure }]
  }
}
