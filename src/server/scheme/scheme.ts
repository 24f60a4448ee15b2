import type { TOTPProfile } from '../../core/profile.js'
import type { SignedPolicy } from '../../core/proof/profile.js'
import { hashToken } from '../../core/token.js'
import { memoryState } from '../../state/memory-state.js'
import { ownerOfCanary } from './canaries.js'
import { makeConfig, type SchemeConfig } from './config.js'
import { ignoreContent, observeContent } from './content.js'
import { decide, refusalOfContent, type AuthAttempt, type Memory } from './decision.js'
import {
  followServerFile,
  namingFile,
  type FollowedServerFile,
  type FromFileOptions,
  type ServerFileInForce,
} from './from-file.js'
import { Leases } from './leases.js'
import type { TOTPServerAuthSchemeOptions } from './options.js'
import type { AuthOutcome } from './outcome.js'
import { compareCode } from './peers.js'
import { comparedPeer } from './proofs.js'
import type { Refusal } from './refusal.js'
import { Reports } from './reports.js'
import { credentialsOf, type AuthRequest } from './request.js'
import type { ShownProof } from './shown-proof.js'
import { StrangerGate } from './stranger-gate.js'

/**
 * Checks both factors of a request: a bearer token, by a delegate, and a TOTP code (RFC 6238) of the peer that the token
 * belongs to. One factor alone cannot be checked.
 */
export class TOTPServerAuthScheme {
  #config: SchemeConfig
  readonly #memory: Memory
  readonly #strangers: StrangerGate
  readonly #reports: Reports
  readonly #now: () => Date
  #file: FollowedServerFile | undefined

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
    this.#reports = new Reports(state, options.onEvent, now)
    this.#now = now
  }

  /**
   * Like the constructor, but also asks the delegate about every mapped token. About one that is mapped by its hash, only
   * `PeerTokenAuth` and `SimpleTokenAuth` can be asked.
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
    return namingFile(path ?? '', () => TOTPServerAuthScheme.following(file))
  }

  /**
   * A scheme for peers that are kept in a server file, or elsewhere, and may change.
   *
   * @internal
   * @throws {TOTPError} what the constructor throws
   */
  static following(file: FollowedServerFile): TOTPServerAuthScheme {
    const scheme = new TOTPServerAuthScheme(file.options)
    file.follow((changed) => {
      scheme.#config = makeConfig(changed, scheme.#memory.state, scheme.#config)
      scheme.#memory.leases.review(scheme.#config.leaseRules)
    })
    scheme.#file = file
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

  /** Whether the scheme's own policy, or any peer's, lets nobody in without a proof. */
  get requiresProofs(): boolean {
    return this.#config.requiresProofs
  }

  /** The server file in force; undefined for a scheme that was not made from one. */
  get serverFile(): ServerFileInForce | undefined {
    return this.#file?.inForce
  }

  /**
   * Reads the server file at once, whether or not it looks changed. What became of it is an event, before this returns; if it
   * is broken or missing, the previous one stays in force. Does nothing for a scheme that was not made from a file.
   */
  reload(): void {
    this.#file?.readAgain()
  }

  /**
   * Stops following the server file. The scheme continues with what it has read: open streams go on, and still end when
   * their credentials expire.
   */
  close(): void {
    this.#file?.stop()
    this.#reports.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  /**
   * Decides about a request. Call it once per request: under `once`, and for a signed request, a second call is a replay.
   *
   * Always evaluates both factors, and the proof (RFC 9421) where any peer's proofs are looked at. Never throws because of a
   * request's content; if a delegate or the state throws, the refusal is of kind `unavailable`.
   *
   * The content of a signed request is not read here: {@link AuthRequest.body} compares it, before this returns or on its way
   * to the handler. If it turns out to be another one after this returned a caller, the view of the content gets the
   * refusal to answer with, and withholds the end of the content.
   *
   * @returns the caller if both factors are right, the peer's policy for proofs is met and the state accepts; else a refusal
   *   of kind `unauthenticated` (401), `throttled` (429) or `unavailable` (503)
   */
  async authenticate(request: AuthRequest): Promise<AuthOutcome> {
    const config = this.#config
    const attempt = await this.#see(request, config)
    const refuseContent = (): Refusal => {
      const refusal = refusalOfContent(attempt, config)
      this.#reports.otherContent(attempt, refusal)
      return refusal
    }
    const decided = await decide(attempt, refuseContent, config, this.#memory)
    const { outcome, comparesContent } = decided
    this.#strangers.remember(outcome, config.firstFactor, attempt.tokenHash)
    this.#reports.decided(attempt, decided, config.canaries.size > 0)
    if (!comparesContent) this.#observe(attempt, outcome)
    return outcome
  }

  /** Has a content compared that no proof decides about, if its caller was let in. */
  #observe(attempt: AuthAttempt, { caller }: AuthOutcome): void {
    const { request, owner, proof } = attempt
    if (caller && owner.peer && proof?.kind === 'valid')
      observeContent(request, owner.peer, proof.proof, (seen) => this.#reports.observed(attempt, seen))
    else ignoreContent(request)
  }

  /**
   * Call it before the first request, to ask {@link TOTPServerAuthScheme.shownIn} later.
   *
   * @internal
   */
  keepShown(): void {
    this.#reports.keepShown()
  }

  /**
   * What the event of an outcome says of the proof, for the log of a gate: under `observe` the outcome does not tell.
   *
   * @internal
   */
  shownIn(outcome: AuthOutcome): ShownProof {
    return this.#reports.shownIn(outcome)
  }

  /** What a request shows of token, code and proof, all of which are evaluated, whatever is wrong with the others. */
  async #see(
    request: AuthRequest,
    { firstFactor, codeField, canaries, proofs, decoy }: SchemeConfig,
  ): Promise<AuthAttempt & { readonly tokenHash: string }> {
    const at = this.#now()
    const credentials = credentialsOf(request, codeField)
    const { token, code } = credentials
    const tokenHash = hashToken(token ?? '')
    const canary = canaries.find(tokenHash)
    const adjust = canary && ownerOfCanary
    const owner = await this.#strangers.identify(firstFactor, token, tokenHash, request, at, adjust)
    const proof = proofs?.check(request, owner.peer, at)
    const compared = owner.peer && comparedPeer(owner.peer, proof)
    const comparison = compareCode(compared, decoy, code, at)
    return { request, credentials, tokenHash, owner, comparison, proof, canary, at }
  }
}
