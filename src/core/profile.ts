import { TOTPError } from './errors.js'

export const algorithms = ['SHA1', 'SHA256', 'SHA512'] as const
/** The hash inside the HMAC, spelled as in key URIs. */
export type Algorithm = (typeof algorithms)[number]

export const digitCounts = [6, 7, 8] as const
/** The length of a code. */
export type Digits = (typeof digitCounts)[number]

export const shortestPeriod = 10
export const longestPeriod = 120
export const widestWindow = 2
/** Where somebody asks for it by a name that says insecure. */
const widestInsecureWindow = 120

/** What a code is made of, apart from the seed and the time. */
export interface CodeProfile {
  readonly algorithm: Algorithm
  readonly digits: Digits
  /** How long a time step lasts, in seconds (X in RFC 6238). */
  readonly period: number
}

/** How an agent wants its codes made, sent and checked. */
export interface TOTPProfile extends CodeProfile {
  /** Time steps accepted on either side of the current one. */
  readonly window: number
  /** The HTTP header field (or gRPC metadata key) that carries the code. */
  readonly header: string
}

export const defaultProfile: TOTPProfile = {
  algorithm: 'SHA1',
  digits: 6,
  period: 30,
  window: 1,
  header: 'X-TOTP',
}

/** Said to be spent once per time step, or good for as long as the code is valid. */
export const replayPolicies = ['once', 'reuse'] as const
export type ReplayPolicy = (typeof replayPolicies)[number]

/** @throws {TOTPError} `ERR_CONFIG_INVALID`, for callers without a compiler. */
export function parseReplay(policy: unknown): ReplayPolicy {
  const known = replayPolicies.find((candidate) => candidate === policy)
  if (known) return known
  throw new TOTPError('ERR_CONFIG_INVALID', `replay must be one of ${replayPolicies.join(', ')}`)
}

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const reserved = /^(authorization|cookie|host|a2a-.*|grpc-.*|.*-bin)$/i
/**
 * What HTTP itself acts on: clients refuse to set these, and proxies drop or rewrite them (RFC 9110 §7.6.1, Fetch
 * standard, forbidden request-headers), so a code in one of them never arrives.
 */
const unusable =
  /^(accept|connection|content-(encoding|length|type)|date|expect|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|via)$/i

/** Whether a header may carry the code: an RFC 9110 token with no meaning to HTTP, A2A or gRPC already. */
export function isHeaderName(text: string): boolean {
  return text.length <= 64 && token.test(text) && !reserved.test(text) && !unusable.test(text)
}

/** One rule a field: what is allowed, and how to say so. */
export type ProfileRules = Readonly<
  Record<keyof TOTPProfile, { readonly allows: (value: unknown) => boolean; readonly expected: string }>
>

/** Shared by the CLI, the store and the library. */
export const profileRules: ProfileRules = {
  algorithm: {
    allows: (value: unknown): boolean => algorithms.some((algorithm) => algorithm === value),
    expected: `one of ${algorithms.join(', ')}`,
  },
  digits: {
    allows: (value: unknown): boolean => digitCounts.some((count) => count === value),
    expected: `one of ${digitCounts.join(', ')}`,
  },
  period: {
    allows: (value: unknown): boolean => isWholeBetween(value, shortestPeriod, longestPeriod),
    expected: `a whole number of seconds, ${shortestPeriod} to ${longestPeriod}`,
  },
  window: {
    allows: (value: unknown): boolean => isWholeBetween(value, 0, widestWindow),
    expected: `0, 1 or ${widestWindow} time steps`,
  },
  header: {
    allows: (value: unknown): boolean => typeof value === 'string' && isHeaderName(value),
    expected:
      'an RFC 9110 token other than Authorization, Cookie, Host, A2A-*, grpc-*, *-bin and those of HTTP itself',
  },
}

/** The same rules for whoever takes codes that are minutes old, knowing that each of them can be guessed. */
export const insecureProfileRules: ProfileRules = {
  ...profileRules,
  window: {
    allows: (value) => isWholeBetween(value, 0, widestInsecureWindow),
    expected: `a whole number of time steps, 0 to ${widestInsecureWindow}`,
  },
}

function isWholeBetween(value: unknown, least: number, most: number): boolean {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= most
}

/**
 * Fills a partial profile up with the defaults.
 *
 * @throws {TOTPError} `ERR_PROFILE_INVALID` with the name of the field that is not allowed.
 */
export function parseProfile(
  given: Readonly<Record<string, unknown>> = {},
  rules: ProfileRules = profileRules,
): TOTPProfile {
  const profile: Record<string, unknown> = { ...defaultProfile }
  for (const [field, { allows, expected }] of Object.entries(rules)) {
    const value = given[field]
    if (value === undefined) continue
    if (!allows(value)) throw new TOTPError('ERR_PROFILE_INVALID', `${field} must be ${expected}`)
    profile[field] = value
  }
  return profile as unknown as TOTPProfile
}
