import { TOTP, URI } from 'otpauth'
import { A2aTotpError } from './errors.js'
import { isName } from './name.js'
import { profileRules, type CodeProfile } from './profile.js'
import { Seed } from './seed.js'

/** What an `otpauth://totp/` URI says. Secret: it holds the seed. */
export interface KeyUri {
  /** The agent, as the URI's issuer. */
  readonly agent?: string
  /** The peer, as the URI's account. */
  readonly peer: string
  readonly seed: Seed
  readonly profile: CodeProfile
}

/** The key URI that authenticator apps and other tools read. Secret: it holds the seed. */
export function formatKeyUri({ agent, peer, seed, profile }: KeyUri): string {
  const { algorithm, digits, period } = profile
  return new TOTP({
    ...(agent ? { issuer: agent } : {}),
    label: peer,
    secret: seed.base32,
    algorithm,
    digits,
    period,
  }).toString()
}

/**
 * Reads a key URI.
 *
 * @throws {A2aTotpError} `ERR_KEY_URI_INVALID` when it is none, is one for HOTP, or asks for an algorithm, a
 *   length or a period that is not ours; `ERR_SEED_INVALID` for its seed. No message quotes the URI.
 */
export function parseKeyUri(text: string): KeyUri {
  const totp = parseTotp(text.trim())
  const profile = { algorithm: totp.algorithm, digits: totp.digits, period: totp.period }
  for (const field of ['algorithm', 'digits', 'period'] as const) {
    if (!profileRules[field].allows(profile[field])) {
      throw new A2aTotpError(
        'ERR_KEY_URI_INVALID',
        `key URI: ${field} must be ${profileRules[field].expected}`,
      )
    }
  }
  if (!isName(totp.label)) {
    throw new A2aTotpError('ERR_KEY_URI_INVALID', 'key URI: its account is not usable as a peer name')
  }
  return {
    ...(totp.issuer ? { agent: totp.issuer } : {}),
    peer: totp.label,
    seed: Seed.fromBytes(totp.secret.bytes),
    profile: profile as CodeProfile,
  }
}

function parseTotp(text: string): TOTP {
  let parsed
  try {
    parsed = URI.parse(text)
  } catch {
    // The cause is dropped on purpose: it can quote a part of the seed.
    throw new A2aTotpError('ERR_KEY_URI_INVALID', 'this is no key URI: it should begin with otpauth://totp/')
  }
  if (parsed instanceof TOTP) return parsed
  throw new A2aTotpError('ERR_KEY_URI_INVALID', 'this key URI is for HOTP; only otpauth://totp/ is supported')
}
