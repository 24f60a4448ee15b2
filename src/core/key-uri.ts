import { TOTP, URI } from 'otpauth'
import { TOTPError } from './errors.js'
import { isName, nameRule } from './name.js'
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
    issuer: agent,
    label: peer,
    secret: seed.base32,
    algorithm,
    digits,
    period,
  }).toString()
}

/**
 * Reads a key URI. Algorithm, digits and period are SHA1, 6 and 30 where it does not say.
 *
 * @throws {TOTPError} `ERR_KEY_URI_INVALID` when it is none, is one for HOTP, has no account that can name a
 *   peer, or asks for an algorithm, a length or a period that is not ours; `ERR_SEED_INVALID` for its seed. No
 *   message quotes the URI.
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
  // The format allows blanks between the colon and the account.
  const peer = totp.label.trim()
  if (!isName(peer)) throw invalid(`account of the key URI cannot name a peer: give ${nameRule}`)
  return {
    ...(totp.issuer ? { agent: totp.issuer } : {}),
    peer,
    seed,
    profile: profile as CodeProfile,
  }
}

/** Read on its own, because otpauth takes a seed that was cut short, and of two seeds the last. */
function seedOf(uri: string): Seed {
  if (/^otpauth:\/\/hotp\//i.test(uri)) {
    throw invalid('this key URI is for HOTP; only otpauth://totp/ is supported')
  }
  if (!/^otpauth:\/\/totp\//i.test(uri) || !URL.canParse(uri)) {
    throw invalid('this is no key URI: it should begin with otpauth://totp/')
  }
  const seeds = [...new URL(uri).searchParams].filter(([parameter]) => parameter.toLowerCase() === 'secret')
  const [only] = seeds
  if (!only || seeds.length > 1) throw invalid('key URI needs the parameter "secret", once')
  return Seed.fromBase32(only[1])
}

function parseTotp(uri: string): TOTP {
  let parsed
  try {
    parsed = URI.parse(uri)
  } catch {
    // The cause is dropped on purpose: it can quote a part of the seed.
  }
  if (parsed instanceof TOTP) return parsed
  throw invalid('this key URI cannot be read: it should look like otpauth://totp/AGENT:PEER?secret=SEED')
}

function invalid(message: string): TOTPError {
  return new TOTPError('ERR_KEY_URI_INVALID', message)
}
