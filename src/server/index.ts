/** The server side of a2a-totp without a framework: the scheme, its delegates and its state. */
export { TOTPError, isTOTPError, type ErrorCode } from '../core/errors.js'
export { withTotpSecurity } from '../core/card/security.js'
export type { ProofReason, SignedPolicy } from '../core/proof/profile.js'
export type { ContentComparison, ProofRequest } from '../core/proof/proof-request.js'
export { verifyProof, type ProofOptions, type ProofVerdict } from '../core/proof/verify-proof.js'
export { hashToken } from '../core/token.js'
export {
  PeerTokenAuth,
  SimpleTokenAuth,
  type PeerToken,
  type PeerTokens,
  type ServerAuthScheme,
  type SimpleTokenAuthOptions,
  type TokenContext,
  type TokenVerdict,
} from './scheme/delegates.js'
export type { AuthEvent, OnEvent, ServerFileEvent } from './scheme/events.js'
export type { FromFileOptions, ServerFileInForce } from './scheme/from-file.js'
export type {
  CanaryToken,
  PeerSeed,
  PeerSeedsOptions,
  SeedInput,
  SeedSet,
  SharedSeedOptions,
  ThrottleOptions,
  TOTPServerAuthSchemeOptions,
} from './scheme/options.js'
export { httpAnswer, type HttpAnswer, type Refusal, type RefusalReason } from './scheme/refusal.js'
export type { AuthRequest, BodyExpectation, UncheckedBody } from './scheme/request.js'
export type { AuthOutcome, Caller } from './scheme/outcome.js'
export { TOTPServerAuthScheme } from './scheme/scheme.js'
export {
  defaultBudgets,
  defaultRisk,
  guessesADay,
  limitsFor,
  memoryState,
  riskOf,
  type Attempt,
  type Budget,
  type Decision,
  type Comparison,
  type GuessedProfile,
  type Failure,
  type LateCode,
  type SpentProof,
  type State,
  type MemoryState,
  type MemoryStateOptions,
  type StrangerLimitOptions,
} from '../state/index.js'
