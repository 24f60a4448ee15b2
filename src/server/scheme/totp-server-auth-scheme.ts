import type { TOTPProfile } from '../../core/profile.js'
import { hashToken } from '../../core/token.js'
import { isCode, timeStepAt } from '../../core/totp.js'
import type { Attempt, Decision, Comparison, State } from '../../state/state.js'
import { memoryState } from '../../state/memory-state.js'
import { StrangerLimit } from '../../state/stranger-limit.js'
import { emit, eventsOf, type OnEvent } from './events.js'
import { compareCode, type CodeMatch, type GuardedPeer } from './peer.js'
import { followServerFile, naming, type FromFileOptions } from '../file/from-file.js'
import type { Identity } from './first-factor.js'
import type { TOTPServerAuthSchemeOptions } from './options.js'
import { afterwards, isPending } from './pending.js'
import { refuse, type Refusal, type RefusalDetails } from './refusal.js'
import { credentialsOf, type AuthRequest, type Credentials } from './request.js'
import { rulesOf, type Rules } from './config.js'

/** Who called, and what proved it. */
export interface Caller extends CodeMatch {
  readonly peer: string
  /** What the delegate proved besides. */
  readonly claims: Readonly<Record<string, unknown>>
}

export type AuthOutcome =
  | { readonly caller: Caller; readonly refusal?: never }
  | { readonly refusal: Refusal; readonly caller?: never }

/** Of no token; as long as any other. */
const decoyTokenHash = hashToken('')

/** Whole seconds to stay away while a delegate or the state store is down. */
const retryAfterFailure = 5

/**
 * What {@link TOTPServerAuthScheme.authenticate} answers, without a promise where neither the delegate nor the guard
 * has to be waited for. For the guards in front of frameworks.
 */
export let answerOf: (
  scheme: TOTPServerAuthScheme,
  request: AuthRequest,
) => AuthOutcome | Promise<AuthOutcome>

/**
 * Both factors of a request: a bearer token, checked by a delegate, and a TOTP code (RFC 6238) of the peer that
 * the token belongs to. There is no way to ask about one of them alone.
 */
export class TOTPServerAuthScheme {
  #rules: Rules
  readonly #state: State
  /** Asked in place of the guard where the answer is clear, and not listened to. */
  readonly #decoyState = memoryState()
  readonly #strangers: StrangerLimit
  readonly #onEvent: OnEvent | undefined
  readonly #now: () => Date
  #stopFollowing: () => void = () => undefined

  static {
    // Whoever has put something in front of it must not be passed by.
    answerOf = (scheme, request) =>
      scheme.authenticate === TOTPServerAuthScheme.prototype.authenticate
        ? scheme.#answer(request)
        : scheme.authenticate(request)
  }

  /**
   * @throws {TOTPError} for what contradicts itself or could never pass: `ERR_CONFIG_INVALID`,
   *   `ERR_PROFILE_INVALID`, `ERR_SEED_MISSING`, `ERR_SEED_INVALID`, `ERR_SEED_WEAK`, `ERR_TOKEN_INVALID`.
   */
  constructor(options: TOTPServerAuthSchemeOptions) {
    const { throttle, now = () => new Date() } = options
    this.#state = options.state ?? memoryState({ since: now() })
    this.#rules = rulesOf(options, this.#state)
    this.#strangers = new StrangerLimit(throttle?.strangers)
    this.#onEvent = options.onEvent
    this.#now = now
  }

  /**
   * Like the constructor, and asks the delegate about every mapped token as well.
   *
   * @throws {TOTPError} also `ERR_CONFIG_INVALID` for a mapped token that can never pass.
   */
  static async create(options: TOTPServerAuthSchemeOptions): Promise<TOTPServerAuthScheme> {
    const scheme = new TOTPServerAuthScheme(options)
    await scheme.#rules.identification.requireUsable(options.tokenToPeer, scheme.#now())
    return scheme
  }

  /**
   * A scheme for the peers of a server file (`a2a-totp config server`), each with the policy and the codes that the
   * file says. Changes of the file are in force within a second, atomic swaps of a mounted one included, and no
   * request is refused for them: what the guard remembers stays. A new file that is broken or gone leaves the old
   * one in force, and is an event (`server_file_refused`). Following ends with {@link close}, and keeps no process
   * alive.
   *
   * @param path by default `$A2A_TOTP_SERVER_FILE`
   * @throws {TOTPError} `ERR_FILE_UNREADABLE`; `ERR_CONFIG_INVALID` without a path, or with the path of the field
   *   that is wrong and never its value; and what the constructor throws.
   */
  static fromFile(
    path: string | undefined = process.env['A2A_TOTP_SERVER_FILE'],
    options: FromFileOptions = {},
  ): TOTPServerAuthScheme {
    const file = followServerFile(path, options)
    const scheme = naming(path ?? '', () => new TOTPServerAuthScheme(file.options))
    file.follow((changed) => {
      scheme.#rules = rulesOf(changed, scheme.#state)
    })
    scheme.#stopFollowing = () => file.stop()
    return scheme
  }

  /** How codes are made and sent, unless a peer's own seed set says otherwise. */
  get profile(): TOTPProfile {
    return this.#rules.profile
  }

  /** Stops following the server file. The scheme goes on with what it knows. */
  close(): void {
    this.#stopFollowing()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  /**
   * Decides about a request. Ask once a request: under `once`, asking again is a replay.
   *
   * Both factors are always evaluated. Never throws for what a request holds; a delegate or a guard that throws
   * leads to a refusal of kind `unavailable`.
   */
  async authenticate(request: AuthRequest): Promise<AuthOutcome> {
    return this.#answer(request)
  }

  /** See {@link answerOf}. */
  #answer(request: AuthRequest): AuthOutcome | Promise<AuthOutcome> {
    const at = this.#now()
    const rules = this.#rules
    const credentials = credentialsOf(request, rules.codeField)
    const tokenHash = hashToken(credentials.token ?? '')
    const identified = rules.identification.identify(credentials.token, tokenHash, at)
    const asked = { request, credentials, at, rules }
    const outcome = afterwards(identified, (identity) => this.#decide(asked, identity))
    if (!this.#onEvent) return outcome
    return afterwards(outcome, (known) => {
      for (const event of eventsOf(known, request, at)) emit(this.#onEvent, event)
      return known
    })
  }

  #decide(asked: Asked, identity: Identity): AuthOutcome | Promise<AuthOutcome> {
    const { credentials, at, rules } = asked
    const { code, flaw } = credentials
    const peer = identity.peer ?? rules.decoy
    const wellFormed = code !== undefined && isCode(code, peer.profile)
    const match = compareCode(peer, wellFormed ? code : undefined, at)

    if (!identity.peer || flaw !== undefined || !wellFormed) {
      // Decided already. This only takes as long as asking does in memory, under one name, so that nothing piles up.
      const attempt = attemptOf(rules.decoy, decoyTokenHash, at, { kind: 'guess', code: '000000' })
      void this.#decoyState.decide(attempt)
      if (!identity.peer) return refused(asked, ...this.#toStranger(identity.reason, asked))
      return refused(asked, 'unauthenticated', { reason: flaw ?? 'code-malformed', peer: peer.name })
    }
    const comparison: Comparison = match ? { kind: 'match', ...match } : { kind: 'guess', code }
    const settle = (decision: Decision): AuthOutcome => {
      // Whatever a guard says, what did not match does not pass.
      if (decision.kind !== 'accepted' || !match) return refused(asked, ...refusalFor(decision, peer.name))
      const { seedId, timeStep, drift } = match
      return { caller: { peer: peer.name, seedId, timeStep, drift, claims: identity.claims } }
    }
    const fail = (): AuthOutcome => {
      const details = { reason: 'guard-failed', peer: peer.name, retryAfter: retryAfterFailure } as const
      return refused(asked, 'unavailable', details)
    }
    try {
      const decision = this.#state.decide(attemptOf(peer, identity.tokenHash, at, comparison))
      return isPending(decision) ? Promise.resolve(decision).then(settle).catch(fail) : settle(decision)
    } catch {
      return fail()
    }
  }

  /** A token that is nobody's: it touches no peer's budget, only the one of its source. */
  #toStranger(
    reason: Extract<Identity, { peer?: never }>['reason'],
    { credentials: { token, flaw }, request, at }: Asked,
  ): [Refusal['kind'], RefusalDetails] {
    if (token === undefined) return ['unauthenticated', { reason: flaw ?? 'token-missing' }]
    if (reason === 'delegate-failed') return ['unavailable', { reason, retryAfter: retryAfterFailure }]
    const retryAfter = reason === 'token-refused' ? this.#strangers.count(request.source ?? '', at) : 0
    if (retryAfter > 0) return ['throttled', { reason: 'strangers-exhausted', retryAfter }]
    return ['unauthenticated', { reason }]
  }
}

/** A request with all that a decision about it needs. */
interface Asked {
  readonly request: AuthRequest
  readonly credentials: Credentials
  readonly at: Date
  readonly rules: Rules
}

function refused({ rules, credentials }: Asked, kind: Refusal['kind'], details: RefusalDetails): AuthOutcome {
  return { refusal: refuse(kind, details, rules.profile.header, credentials.tokenGiven) }
}

function attemptOf(
  { name, profile, replay, budgets }: GuardedPeer,
  tokenHash: string,
  at: Date,
  comparison: Comparison,
): Attempt {
  const { period, window } = profile
  const timeStep = timeStepAt(profile, at)
  return { peer: name, tokenHash, policy: replay, budgets, at, timeStep, period, window, comparison }
}

function refusalFor(decision: Decision, peer: string): [Refusal['kind'], RefusalDetails] {
  switch (decision.kind) {
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
