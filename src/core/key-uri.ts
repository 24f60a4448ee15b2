import { TOTP } from 'otpauth'
import { TOTPError } from './errors.js'
import { isName, nameRule } from './name.js'
import { otherKindNamed } from './other-kinds.js'
import { algorithmNamed, defaultProfile, profileRules, type CodeProfile } from './profile.js'
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

/** The same with an account that may be anything, such as a mail address. */
export interface AccountUri extends Omit<KeyUri, 'peer'> {
  readonly account: string
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
 * @throws {TOTPError} `ERR_KEY_URI_INVALID` when the text is not a key URI, is one for HOTP, Steam or another kind of
 *   code, has no account that is allowed as a peer name, or has an unsupported algorithm, number of digits or period;
 *   `ERR_SEED_INVALID` when its seed is not base32. No message quotes the URI.
 */
export function parseKeyUri(text: string): KeyUri {
  const { account, ...rest } = parseAccountUri(text)
  if (!isName(account)) throw invalid(`account of the key URI is not allowed as a peer name; use ${nameRule}`)
  return { ...rest, peer: account }
}

/** The same for an account of any name. Throws the same errors, but for the name. */
export function parseAccountUri(text: string): AccountUri {
  const [, kind, label = '', query = ''] =
    /^otpauth:\/\/([^/?#]*)\/([^?#]*)\??([^#]*)/i.exec(text.trim()) ?? []
  const other = kind === undefined ? undefined : otherKindNamed(kind)
  if (other !== undefined) throw invalid(`this key URI is for ${other}; only otpauth://totp/ is supported`)
  if (kind?.toLowerCase() !== 'totp') throw invalid('not a key URI; it should begin with otpauth://totp/')
  const { secret, issuer, encoder, ...given } = parametersIn(query)
  if (secret === undefined) throw invalid('key URI needs the parameter "secret" exactly once')
  if (encoder !== undefined && encoder.toLowerCase() !== 'totp')
    throw invalid(
      `this key URI is for ${otherKindNamed(encoder) ?? 'another encoder'}; only TOTP is supported`,
    )
  const seed = Seed.fromBase32(secret)
  const [inLabel, account] = splitLabel(decoded(label))
  const agent = issuer === '' ? inLabel : (issuer ?? inLabel)
  return { ...(agent ? { agent } : {}), account, seed, profile: profileOf(given) }
}

/** Splits a label into issuer and account. The format allows spaces between the colon and the account. */
export function splitLabel(label: string): [issuer: string | undefined, account: string] {
  const colon = label.indexOf(':')
  return colon < 0 ? [undefined, label.trim()] : [label.slice(0, colon).trim(), label.slice(colon + 1).trim()]
}

const parameters = ['secret', 'issuer', 'encoder', 'algorithm', 'digits', 'period'] as const
type Parameters = Partial<Record<(typeof parameters)[number], string>>

/** The known parameters. A plus is a space, as in every query of a form: apps that show a seed in groups write it so. */
function parametersIn(query: string): Parameters {
  const found: Parameters = {}
  for (const [name, value] of new URLSearchParams(query)) {
    const known = parameters.find((parameter) => parameter === name.toLowerCase())
    if (known === undefined) continue
    if (found[known] !== undefined)
      throw invalid(
        known === 'secret'
          ? 'key URI needs the parameter "secret" exactly once'
          : `key URI has the parameter "${known}" twice; remove one`,
      )
    found[known] = value
  }
  return found
}

function profileOf({ algorithm = 'SHA1', digits, period }: Parameters): CodeProfile {
  const profile = {
    algorithm: algorithmNamed(algorithm),
    digits: digits === undefined ? defaultProfile.digits : wholeNumber(digits),
    period: period === undefined ? defaultProfile.period : wholeNumber(period),
  }
  for (const field of ['algorithm', 'digits', 'period'] as const) {
    const { allows, expected } = profileRules[field]
    if (allows(profile[field])) continue
    const md5 = field === 'algorithm' && otherKindNamed(algorithm) === 'MD5' ? ', not MD5' : ''
    throw invalid(`${field} of the key URI must be ${expected}${md5}`)
  }
  return profile as CodeProfile
}

const wholeNumber = (text: string): number => (/^\d+$/.test(text) ? Number(text) : Number.NaN)

function decoded(label: string): string {
  try {
    return decodeURIComponent(label)
  } catch {
    throw invalid('key URI cannot be parsed; it should look like otpauth://totp/AGENT:PEER?secret=SEED')
  }
}

function invalid(message: string): TOTPError {
  return new TOTPError('ERR_KEY_URI_INVALID', message)
}
