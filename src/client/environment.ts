import { A2aTotpError } from '../core/errors.js'
import { profileRules, type TotpProfile } from '../core/profile.js'

/** A variable of the environment; one that is empty counts as missing. */
export function variable(name: string): string | undefined {
  return process.env[name] === '' ? undefined : process.env[name]
}

const profileVariables = {
  algorithm: { name: 'A2A_TOTP_ALGORITHM', read: String },
  digits: { name: 'A2A_TOTP_DIGITS', read: Number },
  period: { name: 'A2A_TOTP_PERIOD', read: Number },
  header: { name: 'A2A_TOTP_HEADER', read: String },
} as const

/**
 * What the environment says of the profile, beside the seed in `A2A_TOTP_SEED`.
 *
 * @throws {A2aTotpError} `ERR_PROFILE_INVALID` with the name of the variable that is not allowed.
 */
export function profileOfEnvironment(): Partial<TotpProfile> {
  const profile: Record<string, unknown> = {}
  for (const [field, { name, read }] of Object.entries(profileVariables)) {
    const text = variable(name)
    if (text === undefined) continue
    const { allows, expected } = profileRules[field as keyof typeof profileVariables]
    const value = read(text)
    if (!allows(value)) throw new A2aTotpError('ERR_PROFILE_INVALID', `${name} must be ${expected}`)
    profile[field] = value
  }
  return profile
}
