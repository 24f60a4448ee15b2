/** The public core of a2a-totp: seeds, tokens, codes, key URIs and the agent card. Pure, and free of any SDK. */
export { TOTPError, isTOTPError, type ErrorCode } from './core/errors.js'
export { readTotpExtension, totpExtensionUri, type TOTPExtension } from './core/card/extension.js'
export { hybridCard } from './core/card/hybrid.js'
export { isBearerScheme, isHeaderScheme } from './core/card/schemes.js'
export { totpSecurityOf, withTotpSecurity, type TOTPSecurityOptions } from './core/card/security.js'
export type { CardJson, CardProtocol } from './core/card/shapes.js'
export { challenges } from './core/challenge.js'
export { formatKeyUri, parseKeyUri, type KeyUri } from './core/key-uri.js'
export {
  defaultProfile,
  parseProfile,
  type Algorithm,
  type CodeProfile,
  type Digits,
  type ReplayPolicy,
  type TOTPProfile,
} from './core/profile.js'
export type { SignedPolicy } from './core/proof/profile.js'
export type { RandomBytes } from './core/random.js'
export { makeSeed, minimumSeedBits, Seed } from './core/seed.js'
export { hashToken, makeToken, Token } from './core/token.js'
export { generateCode, isCode, secondsLeft, timeStepAt, verifyCode, type Verification } from './core/totp.js'
