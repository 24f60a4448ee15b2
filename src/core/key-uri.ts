import { TOTP, URI } from 'otpauth'
import { TOTPError } from './errors.js'
import { isName, nameRule } from './name.js'
import { profileRules, type CodeProfile } from './profile.js'
import { Seed } from './seed.js'

/** The content of an `otpauth://totp/` key URI. Secret: it contains the seed. */
export interface KeyUri {
  /** The agent, as the URI's issuer. */
  readonly agent?: string
  /** The peer, as the URI's account. */
  readonly peer: string
  readonly seed: Seed
  readonly profile: CodeProfile
}

/** Returns the key URI that authenticator apps and other tools read. Secret: it contains the seed. */
export function formatKeyUri({ agent, peer, seed, profile }: KeyUri): string {
  const { algorithm, digits, period } = profile
  return new TOTP({
    issuer: agent,
    label: peer,
    secret: seed.base32,
    algorithm,
    digits,
    period,
  }).toString()
}

/**
 * Parses a key URI. Without parameters for them, algorithm, digits and period are SHA1, 6 and 30 s.
 *
 * @throws {TOTPError} `ERR_KEY_URI_INVALID` when the text is not a key URI, is one for HOTP, has no account that is
 *   allowed as a peer name, or has an unsupported algorithm, number of digits or period; `ERR_SEED_INVALID` when its
 *   seed is not base32. No message quotes the URI.
 */
export function parseKeyUri(text: string): KeyUri {
  const uri = text.trim()
  const seed = seedOf(uri)
  const totp = parseTotp(uri)
  const profile = { algorithm: totp.algorithm, digits: totp.digits, period: totp.period }
  for (const field of ['algorithm', 'digits', 'period'] as const) {
    const { allows, expected } = profileRules[field]
    if (!allows(profile[field])) throw invalid(`${field} of the key URI must be ${expected}`)
  }
  // The format allows spaces between the colon and the account.
  const peer = totp.label.trim()
  if (!isName(peer)) throw invalid(`account of the key URI is not allowed as a peer name; use ${nameRule}`)
  return {
    ...(totp.issuer ? { agent: totp.issuer } : {}),
    peer,
    seed,
    profile: profile as CodeProfile,
  }
}

/** Parsed separately: otpauth accepts a truncated seed, and takes the last of two. */
function seedOf(uri: string): Seed {
  if (/^otpauth:\/\/hotp\//i.test(uri)) {
    throw invalid('this key URI is for HOTP; only otpauth://totp/ is supported')
  }
  if (!/^otpauth:\/\/totp\//i.test(uri) || !URL.canParse(uri)) {
    throw invalid('not a key URI; it should begin with otpauth://totp/')
  }
  const seeds = [...new URL(uri).searchParams].filter(([parameter]) => parameter.toLowerCase() === 'secret')
  const [only] = seeds
  if (!only || seeds.length > 1) throw invalid('key URI needs the parameter "secret" exactly once')
  return Seed.fromBase32(only[1])
}

function parseTotp(uri: string): TOTP {
  let parsed
  try {
    parsed = URI.parse(uri)
  } catch {
    // The cause is dropped on purpose: it can quote part of the seed.
  }
  if (parsed instanceof TOTP) return parsed
  throw invalid('key URI cannot be parsed; it should look like otpauth://totp/AGENT:PEER?secret=SEED')
}

function invalid(message: string): TOTPError {
  return new TOTPError('ERR_KEY_URI_INVALID', message)
}
