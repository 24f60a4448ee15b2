import type { TOTPProfile } from '../../core/profile.js'
import type { SignedPolicy } from '../../core/proof/profile.js'
import { hashToken } from '../../core/token.js'
import { memoryState } from '../../state/memory-state.js'
import { Anomalies } from './anomalies.js'
import { CanaryAlarm, ownerOfCanary } from './canaries.js'
import { makeConfig, type SchemeConfig } from './config.js'
import { seeContent, shownOf } from './content.js'
import { decide, refusalIn, type Memory } from './decision.js'
import { emit, emitLater, eventBase, eventsOf, proofObserved, type OnEvent } from './events.js'
import { followServerFile, namingFile, type FromFileOptions } from './from-file.js'
import { Leases } from './leases.js'
import type { TOTPServerAuthSchemeOptions } from './options.js'
import type { AuthOutcome } from './outcome.js'
import { comparedPeer, compareCode } from './peers.js'
import type { Refusal } from './refusal.js'
import { credentialsOf, type AuthRequest } from './request.js'
import { SecondLooks } from './second-looks.js'
import { StrangerGate } from './stranger-gate.js'
import { warningListener } from './warnings.js'

/**
 * Checks both factors of a request: a bearer token, by a delegate, and a TOTP code (RFC 6238) of the peer that the token
 * belongs to. One factor alone cannot be checked.
 */
export class TOTPServerAuthScheme {
  #config: SchemeConfig
  readonly #memory: Memory
  readonly #strangers: StrangerGate
  readonly #canaryAlarm = new CanaryAlarm()
  readonly #anomalies = new Anomalies()
  readonly #secondLooks: SecondLooks
  readonly #isListenedTo: boolean
  readonly #onEvent: OnEvent
  readonly #now: () => Date
  #stopFollowing: () => void = () => undefined

  /**
   * @throws {TOTPError} for options that contradict each other or could never let anyone in: `ERR_CONFIG_INVALID`,
   *   `ERR_PROFILE_INVALID`, `ERR_SEED_MISSING`, `ERR_SEED_INVALID`, `ERR_SEED_WEAK`, `ERR_TOKEN_INVALID`.
   */
  constructor(options: TOTPServerAuthSchemeOptions) {
    const { throttle, now = () => new Date() } = options
    const state = options.state ?? memoryState({ since: now() })
    this.#config = makeConfig(options, state)
    this.#memory = { state, decoyState: memoryState(), leases: new Leases(this.#config.leaseRules, now) }
    this.#strangers = new StrangerGate(throttle?.strangers)
    this.#isListenedTo = options.onEvent !== undefined
    this.#onEvent = options.onEvent ?? warningListener()
    this.#secondLooks = new SecondLooks(state, this.#onEvent)
    this.#now = now
  }

  /**
   * Like the constructor, but also asks the delegate about every mapped token.
   *
   * @throws {TOTPError} also `ERR_CONFIG_INVALID` for a mapped token that can never be accepted.
   */
  static async create(options: TOTPServerAuthSchemeOptions): Promise<TOTPServerAuthScheme> {
    const scheme = new TOTPServerAuthScheme(options)
    await scheme.#config.firstFactor.requireUsable(options.tokenToPeer, scheme.#now())
    return scheme
  }

  /**
   * A scheme for the peers of a server file (`a2a-totp config server`), each with its own policy and profile.
   *
   * Changes of the file are in force within a second, including atomic swaps of a mounted file, and no request is
   * refused because of them: the state stays. If the new file is broken or missing, the previous one stays in force, and
   * an event reports it (`server_file_refused`). {@link close} stops following; following keeps no process alive.
   *
   * @param path by default `$A2A_TOTP_SERVER_FILE`
   * @throws {TOTPError} `ERR_FILE_UNREADABLE`; `ERR_CONFIG_INVALID` without a path, or with the path of the bad field and
   *   never its value; and what the constructor throws.
   */
  static fromFile(
    path: string | undefined = process.env['A2A_TOTP_SERVER_FILE'],
    options: FromFileOptions = {},
  ): TOTPServerAuthScheme {
    const file = followServerFile(path, options)
    const scheme = namingFile(path ?? '', () => new TOTPServerAuthScheme(file.options))
    file.follow((changed) => {
      scheme.#config = makeConfig(changed, scheme.#memory.state)
      scheme.#memory.leases.review(scheme.#config.leaseRules)
    })
    scheme.#stopFollowing = () => file.stop()
    return scheme
  }

  /** How codes are made and sent, unless a peer's own seed set differs. */
  get profile(): TOTPProfile {
    return this.#config.profile
  }

  /** The agent's name, if it is known. */
  get agent(): string | undefined {
    return this.#config.agent
  }

  /** The scheme's own policy for proofs, for the agent card. A peer's own may differ. */
  get signed(): SignedPolicy {
    return this.#config.signed
  }

  /** Whether the proofs of any peer are looked at, so that guards have to see the content of signed requests. */
  get readsProofs(): boolean {
    return this.#config.proofs !== undefined
  }

  /**
   * Stops following the server file. The scheme continues with what it has read: open streams go on, and still end when
   * their credentials expire.
   */
  close(): void {
    this.#stopFollowing()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  /**
   * Decides about a request. Call it once per request: under `once`, a second call is a replay.
   *
   * Always evaluates both factors. Never throws because of a request's content; if a delegate or the state throws, the
   * refusal is of kind `unavailable`.
   *
   * @returns the caller if both factors are right and the state accepts; else a refusal of kind `unauthenticated` (401),
   *   `throttled` (429) or `unavailable` (503)
   */
  async authenticate(request: AuthRequest): Promise<AuthOutcome> {
    const at = this.#now()
    const config = this.#config
    const { firstFactor } = config
    const credentials = credentialsOf(request, config.codeField)
    const tokenHash = hashToken(credentials.token ?? '')
    const canary = config.canaries.find(tokenHash)
    const { token } = credentials
    const adjust = canary && ownerOfCanary
    const owner = await this.#strangers.identify(firstFactor, token, tokenHash, request, at, adjust)
    const proof = config.proofs?.check(request, owner.peer, at)
    const shown = shownOf(owner.peer, proof)
    const compared = owner.peer && comparedPeer(owner.peer, proof)
    const comparison = compareCode(compared, config.decoy, credentials.code, at)
    const refuseContent = (): Refusal => {
      const peer = owner.peer?.name ?? ''
      const details = { kind: 'unauthenticated', reason: 'proof-digest', peer } as const
      const refusal = refusalIn(config, details, credentials.tokenGiven)
      for (const event of eventsOf({ refusal }, request, at, shown)) emit(this.#onEvent, event)
      return refusal
    }
    const attempt = { request, credentials, owner, comparison, proof, at, refuseContent }
    const { outcome, counted } = await decide(attempt, config, this.#memory)
    // At once, since the socket may be closed later, and guesses are looked at in the order in which they were counted.
    if (counted) this.#secondLooks.add(counted, eventBase(request, at))
    this.#strangers.remember(outcome, firstFactor, tokenHash)
    // Without a listener of its own, nothing hears of callers.
    if (this.#isListenedTo || outcome.refusal) {
      for (const event of eventsOf(outcome, request, at, shown)) emit(this.#onEvent, event)
    }
    seeContent(request, outcome, proof, () => {
      if (!owner.peer) return
      emit(this.#onEvent, proofObserved(owner.peer.name, eventBase(request, at)))
    })
    const anomaly = this.#anomalies.observe({ peer: owner.peer, comparison, outcome, request, at })
    if (anomaly) emitLater(this.#onEvent, () => anomaly)
    if (!owner.peer && config.canaries.size > 0) {
      // For every unknown token, so that a canary does not take longer.
      const base = eventBase(request, at)
      emitLater(this.#onEvent, () => canary && this.#canaryAlarm.raise(canary, base))
    }
    return outcome
  }
}
