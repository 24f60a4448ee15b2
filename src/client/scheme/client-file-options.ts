import type { ClientCredentials } from '../file/client-file.js'
import { BearerTokenAuth } from './bearer-token-auth.js'
import type { TOTPClientAuthSchemeOptions } from './options.js'

/** What a client file does not say. */
export interface ClientFileSchemeOptions extends Pick<
  TOTPClientAuthSchemeOptions,
  'sign' | 'maxWaitMs' | 'maxQueued' | 'onWait' | 'now' | 'sleep' | 'onWarning'
> {
  /** The agent's name; needed where the file has several. */
  readonly agent?: string
}

/** The options of a scheme for one agent of a client file. */
export function schemeOptionsOf(
  { token, seed, profile, agent, replay, signed }: ClientCredentials,
  given: ClientFileSchemeOptions,
): TOTPClientAuthSchemeOptions {
  return {
    ...given,
    delegate: new BearerTokenAuth(token),
    ...{ seed, profile, replay },
    ...(agent === undefined ? {} : { agent }),
    ...(signed === undefined ? {} : { signed }),
  }
}
