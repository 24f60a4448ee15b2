import { TOTPError } from './errors.js'
import { isHttpToken } from './http-token.js'
import { oneOf, parseWord } from './words.js'

export const algorithms = ['SHA1', 'SHA256', 'SHA512'] as const
/** The hash inside the HMAC, spelled as in key URIs. */
export type Algorithm = (typeof algorithms)[number]

/** The algorithm of a name as apps write it, such as `HmacSHA256` or `sha-1`; undefined for any other. */
export function algorithmNamed(text: string): Algorithm | undefined {
  const bits = /^(?:hmac[-_]?)?sha[-_]?(1|256|512)$/i.exec(text.trim())?.[1]
  return algorithms.find((algorithm) => algorithm === `SHA${bits}`)
}

export const digitCounts = [6, 7, 8] as const
/** The number of digits in a code. */
export type Digits = (typeof digitCounts)[number]

export const shortestPeriod = 10
export const longestPeriod = 120
export const widestWindow = 2
/** The limit of the option that has `insecure` in its name. */
const widestInsecureWindow = 120

/** How codes are computed from the seed and the time. */
export interface CodeProfile {
  readonly algorithm: Algorithm
  readonly digits: Digits
  /** The length of a time step in seconds (X in RFC 6238). */
  readonly period: number
}

/** How codes for an agent are computed, sent and checked. */
export interface TOTPProfile extends CodeProfile {
  /** The number of time steps accepted on either side of the current one. */
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

/** `once`: a time step is good for one request. `reuse`: a code is good for as long as it is valid. */
export const replayPolicies = ['once', 'reuse'] as const
export type ReplayPolicy = (typeof replayPolicies)[number]

export const replayRule = oneOf(replayPolicies)

/** @throws {TOTPError} `ERR_CONFIG_INVALID` for any other value, for callers without a type checker */
export const parseReplay = (policy: unknown): ReplayPolicy => parseWord('replay', replayRule, policy)

/** Fields with a meaning in A2A, gRPC, HTTP Message Signatures (RFC 9421) or this project. */
const reserved =
  /^(authorization|cookie2?|host|a2a-.*|x-a2a-extensions|grpc-.*|.*-bin|signature.*|accept-signature|totp.+)$/i
/**
 * Fields that HTTP itself acts on. Clients refuse to set them, and proxies drop or rewrite them (RFC 9110 §7.6.1; Fetch
 * Standard, forbidden request-headers), so a code in one of them never arrives. Some of them are sent to other places.
 */
const unusable =
  /^(accept(-charset|-encoding|-language)?|access-control-.*|connection|content-.*|date|dnt|expect|forwarded|http2-settings|if-.*|keep-alive|max-forwards|origin|priority|proxy-.*|range|referer|sec-.*|set-cookie2?|te|trailer|transfer-encoding|upgrade|user-agent|via|www-authenticate|x-forwarded-.*|x-http-method.*|x-method-override|x-real-ip)$/i

/** Returns whether a field may carry the code: an RFC 9110 token that means nothing to HTTP, A2A or gRPC. */
export function isHeaderName(text: string): boolean {
  return text.length <= 64 && isHttpToken(text) && !reserved.test(text) && !unusable.test(text)
}

/** For each field: which values are allowed, and how a message describes them. */
export type ProfileRules = Readonly<
  Record<keyof TOTPProfile, { readonly allows: (value: unknown) => boolean; readonly expected: string }>
>

/** The rules for a profile, shared by the CLI, the store and the library. */
export const profileRules: ProfileRules = {
  algorithm: oneOf(algorithms),
  digits: oneOf(digitCounts),
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
      'an RFC 9110 token other than Authorization, Cookie, Host, A2A-*, grpc-*, *-bin, Signature*, Totp* and those of HTTP itself',
  },
}

/** The same rules with a window of up to an hour on either side at 30 s. Every step in it is one more code to guess. */
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
 * Returns a profile with the defaults for what is missing.
 *
 * @throws {TOTPError} `ERR_PROFILE_INVALID` with the name of the field whose value is not allowed
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
