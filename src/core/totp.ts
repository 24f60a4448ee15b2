import { timingSafeEqual } from 'node:crypto'
import { HOTP, Secret } from 'otpauth'
import { TOTPError } from './errors.js'
import type { CodeProfile } from './profile.js'
import type { Seed } from './seed.js'

/** The result of {@link verifyCode}. A valid code belongs to a time step. */
export type Verification =
  | {
      readonly valid: true
      readonly timeStep: number
      /** Matching step − current step, in steps; negative when the peer's clock is behind. */
      readonly drift: number
    }
  | { readonly valid: false }

/**
 * Returns the time step of an instant: whole periods since the Unix epoch (T in RFC 6238 §4.2). Negative before 1970; NaN
 * for an invalid date.
 */
export function timeStepAt({ period }: Pick<CodeProfile, 'period'>, at: Date): number {
  return Math.floor(at.getTime() / (1000 * period))
}

/** Returns when a time step ends, which is when the next one begins. */
export function endOfStep({ period }: Pick<CodeProfile, 'period'>, timeStep: number): Date {
  return new Date((timeStep + 1) * period * 1000)
}

/** Returns the seconds until the current time step ends, rounded down. */
export function secondsLeft(profile: Pick<CodeProfile, 'period'>, at: Date): number {
  const end = endOfStep(profile, timeStepAt(profile, at))
  return Math.floor((end.getTime() - at.getTime()) / 1000)
}

/**
 * Returns a function that computes the code of a time step (RFC 4226 §5.3 with T as the counter; RFC 6238 §4.2). It
 * decodes the seed once: for several codes, 7.4 µs each instead of 9.9 µs.
 *
 * The function throws {@link TOTPError} `ERR_USAGE` for a time step that does not exist: before 1970, or of an invalid
 * date.
 */
export function codeGenerator(seed: Seed, { algorithm, digits }: CodeProfile): (timeStep: number) => string {
  const secret = Secret.fromBase32(seed.base32)
  return (timeStep) => {
    // otpauth would use another counter instead, and zero for NaN.
    if (!isTimeStep(timeStep)) {
      throw new TOTPError('ERR_USAGE', 'time step does not exist; use an instant from 1970 on')
    }
    return HOTP.generate({ secret, algorithm, digits, counter: timeStep })
  }
}

/**
 * Returns the code of a time step.
 *
 * @throws {TOTPError} `ERR_USAGE` for a time step that does not exist
 */
export function generateCodeOfStep(seed: Seed, profile: CodeProfile, timeStep: number): string {
  return codeGenerator(seed, profile)(timeStep)
}

/**
 * Returns the code for an instant (RFC 6238 §4.2).
 *
 * @throws {TOTPError} `ERR_USAGE` for an instant before 1970 or an invalid date
 */
export function generateCode(seed: Seed, profile: CodeProfile, at: Date): string {
  return generateCodeOfStep(seed, profile, timeStepAt(profile, at))
}

/**
 * Returns whether a text has the form of a code: ASCII digits, exactly as many as the profile has. Check it before
 * computing any HMAC: otpauth throws on digits of other scripts, and `+123456` and `123 456` are not codes.
 */
export function isCode(text: string, { digits }: Pick<CodeProfile, 'digits'>): boolean {
  return text.length === digits && /^[0-9]+$/.test(text)
}

/**
 * Checks a code against every time step in the window (RFC 6238 §5.2), nearest first.
 *
 * Takes the same time for every well-formed code, and never throws, whatever the text. No code is valid at an instant
 * before 1970 or at an invalid date. A valid code stays valid for the rest of its window and can be checked again: a
 * server also has to limit guesses and, under policy `once`, replays.
 *
 * @returns the time step and the drift in steps of the nearest match, or `{ valid: false }`
 */
export function verifyCode(
  seed: Seed,
  profile: CodeProfile & { readonly window: number },
  code: string,
  at: Date,
): Verification {
  if (!isCode(code, profile)) return { valid: false }
  const now = timeStepAt(profile, at)
  const codeOf = codeGenerator(seed, profile)
  let match: number | undefined
  for (const drift of driftsWithin(profile.window)) {
    const timeStep = now + drift
    if (!isTimeStep(timeStep)) continue
    const equal = isSameCode(codeOf(timeStep), code)
    if (equal) match ??= drift
  }
  return match === undefined ? { valid: false } : { valid: true, timeStep: now + match, drift: match }
}

function isTimeStep(timeStep: number): boolean {
  return Number.isSafeInteger(timeStep) && timeStep >= 0
}

/** Returns 0, −1, 1, −2, 2 … up to the window. */
export function driftsWithin(window: number): number[] {
  const drifts = [0]
  for (let distance = 1; distance <= window; distance++) drifts.push(-distance, distance)
  return drifts
}

/** Compares two codes in constant time. Both are ASCII digits; different lengths are unequal. */
export function isSameCode(one: string, other: string): boolean {
  return (
    one.length === other.length && timingSafeEqual(Buffer.from(one, 'latin1'), Buffer.from(other, 'latin1'))
  )
}
