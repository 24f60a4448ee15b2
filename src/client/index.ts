/** What a peer needs to call a protected agent. Loads without @a2a-js/sdk and without gRPC. */
export { A2aTotpError, isA2aTotpError, type ErrorCode } from '../core/errors.js'
export { totpAuthenticationHandler, type TotpAuthenticationHandler } from './authentication-handler.js'
export { BearerTokenAuth } from './bearer-token-auth.js'
export type { ClientAuthScheme, ClientRequest } from './client-auth-scheme.js'
export type { DestinationOptions } from './destinations.js'
export { totpFetch, type TotpFetchOptions } from './fetch.js'
export type { AttemptOptions, Wait } from './step-queue.js'
export { TOTPClientAuthScheme, type TOTPClientAuthSchemeOptions } from './totp-client-auth-scheme.js'
