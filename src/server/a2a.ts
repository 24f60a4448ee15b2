/** For @a2a-js/sdk: the caller for its executors, and an agent card that demands both factors. */
import { ServerCallContext, type ServerCallContextBuilderOptions, type User } from '@a2a-js/sdk/server'
import { TOTPError } from '../core/errors.js'
import { callerOf } from './adapters/outcomes.js'
import type { Caller } from './scheme/outcome.js'
import type { TOTPServerAuthScheme } from './scheme/scheme.js'

export {
  signedTotpAgentCard,
  totpAgentCard,
  type SignedTOTPAgentCardOptions,
  type TOTPAgentCardOptions,
} from './adapters/agent-card.js'

/** The key of the {@link Caller} in the call context's state. */
export const callerStateKey = 'a2a-totp.caller'

/** The caller in the SDK's form. The SDK keeps tasks apart by `userName`, which is the peer's name here. */
class PeerUser implements User {
  readonly isAuthenticated = true
  readonly #scheme: TOTPServerAuthScheme

  constructor(
    readonly caller: Caller,
    scheme: TOTPServerAuthScheme,
  ) {
    this.#scheme = scheme
  }

  get userName(): string {
    return this.caller.peer
  }

  /** Whether this scheme let the caller pass. */
  isFrom(scheme: TOTPServerAuthScheme): boolean {
    return this.#scheme === scheme
  }
}

/**
 * Reports the caller to the SDK. It verifies nothing itself: the scheme's guard in front has done so, once. Unless that
 * guard let this very request pass, both functions throw, so a forgotten guard never leaves an agent open. The guard of
 * another scheme does not count.
 *
 * ```ts
 * app.use('/a2a', totpGuard(scheme))
 * const { userBuilder, contextBuilder } = new TOTPCallContextBuilder(scheme)
 * app.use('/a2a', jsonRpcHandler({ requestHandler, userBuilder, contextBuilder }))
 * ```
 *
 * Both also work for `grpcService` behind `grpcGuard(scheme)`. The executor finds the peer's name in
 * `context.user.userName`, and the caller in `context.state.get(callerStateKey)`. (SDK 0.3 takes the `userBuilder`
 * only.)
 */
export class TOTPCallContextBuilder {
  /** @throws {TOTPError} `ERR_GUARD_MISSING` if the scheme's guard did not let this request pass. */
  readonly userBuilder: (request: object) => Promise<User>

  /** @throws {TOTPError} `ERR_GUARD_MISSING` for a user that did not come from this scheme's user builder. */
  readonly contextBuilder: (options: ServerCallContextBuilderOptions) => ServerCallContext

  /**
   * @param scheme the scheme whose guard is in front
   * @throws {TOTPError} `ERR_CONFIG_INVALID` without a scheme.
   */
  constructor(scheme: TOTPServerAuthScheme) {
    requireScheme(scheme)
    this.userBuilder = (request) => {
      // On gRPC the guard sees only the metadata; the call object is created later.
      const caller = callerOf(request, scheme) ?? callerOf(metadataOf(request), scheme)
      return caller ? Promise.resolve(new PeerUser(caller, scheme)) : Promise.reject(guardMissing())
    }
    this.contextBuilder = ({ user, headers, extensions, ...rest }) => {
      if (!(user instanceof PeerUser) || !user.isFrom(scheme)) throw guardMissing()
      return new ServerCallContext({
        ...rest,
        ...(extensions && { requestedExtensions: extensions }),
        user,
        state: new Map<string, unknown>([
          ['headers', headers],
          [callerStateKey, user.caller],
        ]),
      })
    }
  }
}

/** For plain JavaScript, and for code from before the builder took a scheme. */
function requireScheme(scheme: TOTPServerAuthScheme | undefined): void {
  if (typeof scheme?.authenticate === 'function') return
  throw new TOTPError(
    'ERR_CONFIG_INVALID',
    'TOTPCallContextBuilder needs the scheme of the guard in front; write new TOTPCallContextBuilder(scheme)',
  )
}

function guardMissing(): TOTPError {
  return new TOTPError(
    'ERR_GUARD_MISSING',
    "this scheme's guard did not let the request pass; mount totpGuard(scheme) or grpcGuard(scheme) in front of the " +
      'A2A handlers',
  )
}

function metadataOf(call: object): object {
  return 'metadata' in call && typeof call.metadata === 'object' ? (call.metadata ?? {}) : {}
}
