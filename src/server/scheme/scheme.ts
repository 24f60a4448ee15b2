import type { TOTPProfile } from '../../core/profile.js'
import { hashToken } from '../../core/token.js'
import { memoryState } from '../../state/memory-state.js'
import { StrangerLimit } from '../../state/stranger-limit.js'
import { makeConfig, type SchemeConfig } from './config.js'
import { decide, type Memory } from './decision.js'
import { emit, eventsOf, type OnEvent } from './events.js'
import { followServerFile, namingFile, type FromFileOptions } from './from-file.js'
import type { TOTPServerAuthSchemeOptions } from './options.js'
import type { AuthOutcome } from './outcome.js'
import { compareCode } from './peers.js'
import { credentialsOf, type AuthRequest } from './request.js'

/**
 * Both factors of a request: a bearer token, checked by a delegate, and a TOTP code (RFC 6238) of the peer that
 * the token belongs to. There is no way to ask about one of them alone.
 */
export class TOTPServerAuthScheme {
  #config: SchemeConfig
  readonly #memory: Memory
  readonly #onEvent: OnEvent | undefined
  readonly #now: () => Date
  #stopFollowing: () => void = () => undefined

  /**
   * @throws {TOTPError} for what contradicts itself or could never pass: `ERR_CONFIG_INVALID`,
   *   `ERR_PROFILE_INVALID`, `ERR_SEED_MISSING`, `ERR_SEED_INVALID`, `ERR_SEED_WEAK`, `ERR_TOKEN_INVALID`.
   */
  constructor(options: TOTPServerAuthSchemeOptions) {
    const { throttle, now = () => new Date() } = options
    const state = options.state ?? memoryState({ since: now() })
    this.#config = makeConfig(options, state)
    this.#memory = { state, decoyState: memoryState(), strangers: new StrangerLimit(throttle?.strangers) }
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
    await scheme.#config.firstFactor.requireUsable(options.tokenToPeer, scheme.#now())
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
    const scheme = namingFile(path ?? '', () => new TOTPServerAuthScheme(file.options))
    file.follow((changed) => {
      scheme.#config = makeConfig(changed, scheme.#memory.state)
    })
    scheme.#stopFollowing = () => file.stop()
    return scheme
  }

  /** How codes are made and sent, unless a peer's own seed set says otherwise. */
  get profile(): TOTPProfile {
    return this.#config.profile
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
   * Both factors are always evaluated. Never throws for what a request holds; a delegate or a state that throws
   * leads to a refusal of kind `unavailable`.
   */
  async authenticate(request: AuthRequest): Promise<AuthOutcome> {
    const at = this.#now()
    const config = this.#config
    const credentials = credentialsOf(request, config.codeField)
    const tokenHash = hashToken(credentials.token ?? '')
    const owner = await config.firstFactor.identify(credentials.token, tokenHash, at)
    const comparison = compareCode(owner.peer ?? config.decoy, credentials.code, at)
    const outcome = await decide({ request, credentials, owner, comparison, at }, config, this.#memory)
    if (this.#onEvent) for (const event of eventsOf(outcome, request, at)) emit(this.#onEvent, event)
    return outcome
  }
}
