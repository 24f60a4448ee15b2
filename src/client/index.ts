/** The client library: calls a protected agent. Loads without @a2a-js/sdk and without gRPC. */
export { TOTPError, isTOTPError, type ErrorCode } from '../core/errors.js'
export { totpAuthenticationHandler, type TOTPAuthenticationHandler } from './sdk/authentication-handler.js'
export {
  totpInterceptor,
  type BeforeCall,
  type TOTPCallInterceptor,
  type TOTPInterceptorOptions,
} from './sdk/call-interceptor.js'
export { explainCard, type ExplainCardOptions } from './sdk/explain-card.js'
export { BearerTokenAuth } from './scheme/bearer-token-auth.js'
export type { ClientFileSchemeOptions } from './scheme/client-file-options.js'
export type { ClientAuthScheme, ClientRequest } from './scheme/client-auth-scheme.js'
export type { DestinationOptions } from './scheme/destinations.js'
export { totpFetch, type TOTPFetchOptions } from './http/fetch.js'
export { totpFetchFromFile, type TOTPFileFetch, type TOTPFileFetchOptions } from './http/file-fetch.js'
export { pinnedFetch } from './http/pinned-fetch.js'
export type { AttemptOptions, Wait } from './scheme/step-queue.js'
export type { SignMode } from './scheme/request-signer.js'
export type { SignedPolicy } from '../core/proof/profile.js'
export { TOTPClientAuthScheme, type TOTPClientAuthSchemeOptions } from './scheme/totp-client-auth-scheme.js'
