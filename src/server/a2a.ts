/** For @a2a-js/sdk: who called, and the card that says how to call. */
import { ServerCallContext, type ServerCallContextBuilderOptions, type User } from '@a2a-js/sdk/server'
import { TOTPError } from '../core/errors.js'
import type { Caller } from './scheme/outcome.js'
import { callerOf } from './adapters/outcomes.js'

export { totpAgentCard, type TOTPAgentCardOptions } from './adapters/agent-card.js'

/** Where the {@link Caller} is found in the call context's state. */
export const callerStateKey = 'a2a-totp.caller'

/** The SDK's name for whoever called. The SDK keeps tasks apart by `userName`: here, the peer's name. */
class PeerUser implements User {
  readonly isAuthenticated = true

  constructor(readonly caller: Caller) {}

  get userName(): string {
    return this.caller.peer
  }
}

/**
 * Reports to the SDK who called. It checks nothing itself: a guard in front did, once, and without its verdict on
 * this very request both functions throw, so that a forgotten guard is never an open agent.
 *
 * ```ts
 * app.use('/a2a', totpGuard(scheme))
 * const { userBuilder, contextBuilder } = new TOTPCallContextBuilder()
 * app.use('/a2a', jsonRpcHandler({ requestHandler, userBuilder, contextBuilder }))
 * ```
 *
 * The same two serve `grpcService` behind `grpcGuard(scheme)`. The executor finds the peer's name in
 * `context.user.userName`, and what else is known in `context.state.get(callerStateKey)`. (SDK 0.3 takes the
 * `userBuilder` only.)
 */
export class TOTPCallContextBuilder {
  /** @throws {TOTPError} `ERR_GUARD_MISSING` when no guard let this request pass. */
  readonly userBuilder = (request: object): Promise<User> => {
    // Of a gRPC call the guard sees the metadata; the call object is made later.
    const caller = callerOf(request) ?? callerOf(metadataOf(request))
    return caller ? Promise.resolve(new PeerUser(caller)) : Promise.reject(guardMissing())
  }

  /** @throws {TOTPError} `ERR_GUARD_MISSING` when the user is not one that the user builder made. */
  readonly contextBuilder = (options: ServerCallContextBuilderOptions): ServerCallContext => {
    const { user, headers, extensions, ...rest } = options
    if (!(user instanceof PeerUser)) throw guardMissing()
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

function guardMissing(): TOTPError {
  return new TOTPError(
    'ERR_GUARD_MISSING',
    'no guard has let this request pass; mount totpGuard(scheme) or grpcGuard(scheme) in front of the A2A handlers',
  )
}

function metadataOf(call: object): object {
  return 'metadata' in call && typeof call.metadata === 'object' ? (call.metadata ?? {}) : {}
}
