import { asText } from '../core/json.js'
import { parseAccountUri } from '../core/key-uri.js'
import { otherKindNamed } from '../core/other-kinds.js'
import { algorithmNamed, profileRules, type CodeProfile } from '../core/profile.js'
import { Seed } from '../core/seed.js'
import { isCredentialBytes } from './credential-likeness.js'
import type { Account } from './entry.js'
import { invalidImport } from './fields.js'
import { otherKind } from './other-kinds.js'

/** An account as another tool describes it. Every value is unchecked, and missing where the tool has none. */
export interface ForeignAccount {
  readonly label: unknown
  readonly issuer?: unknown
  /** What its codes are made by; TOTP if it is missing. */
  readonly kind?: unknown
  /** Base32, the bytes of the seed, or a key URI. */
  readonly seed: unknown
  readonly algorithm?: unknown
  readonly digits?: unknown
  readonly period?: unknown
}

/**
 * Checks an account of another tool. Missing values are those of key URIs: TOTP, SHA1, 6 digits, 30 s.
 *
 * @throws {TOTPError} `ERR_IMPORT_INVALID`, `ERR_KEY_URI_INVALID` or `ERR_SEED_INVALID` for an account whose codes are
 *   not TOTP as this package computes it; the message names the kind and never quotes the seed
 */
export function readAccount(given: ForeignAccount): Account {
  const kind = given.kind ?? 'totp'
  if (asText(kind).toLowerCase() !== 'totp') throw otherKind(kind)
  const label = asText(given.label).trim()
  const issuer = asText(given.issuer).trim()
  if (typeof given.seed === 'string' && /^\s*[a-z]+:\/\//i.test(given.seed)) {
    const { account, agent, seed, profile } = uriIn(given.seed)
    return { label: label || account, issuer: issuer || agent, request: { seed, ...profile } }
  }
  return { label, issuer, request: { seed: seedIn(given.seed), ...profileIn(given) } }
}

function uriIn(text: string): ReturnType<typeof parseAccountUri> {
  // Bitwarden has its own form for Steam.
  if (/^\s*steam:/i.test(text)) throw otherKind('steam')
  return parseAccountUri(text)
}

function seedIn(seed: unknown): Seed {
  if (Array.isArray(seed) && seed.length > 0 && isCredentialBytes(seed, 1))
    return Seed.fromBytes(Uint8Array.from(seed as number[]))
  if (typeof seed === 'string' && seed.trim() !== '') return Seed.fromBase32(seed)
  throw invalidImport('this account has no seed')
}

function profileIn({ algorithm, digits, period }: ForeignAccount): CodeProfile {
  if (otherKindNamed(asText(algorithm)) === 'MD5') throw otherKind('md5')
  const profile = {
    algorithm: isGiven(algorithm) ? algorithmNamed(asText(algorithm)) : 'SHA1',
    digits: isGiven(digits) ? Number(digits) : 6,
    period: isGiven(period) ? Number(period) : 30,
  }
  for (const field of ['algorithm', 'digits', 'period'] as const) {
    const { allows, expected } = profileRules[field]
    if (!allows(profile[field])) throw invalidImport(`${field} must be ${expected}`)
  }
  return profile as CodeProfile
}

const isGiven = (value: unknown): boolean => value !== undefined && value !== null && value !== ''
