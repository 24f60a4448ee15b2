import { TOTPError } from './errors.js'
import { defaultProfile, profileRules, type TOTPProfile } from './profile.js'

/** The environment variables that hold the parts of a client's profile. */
const profileVariables = {
  algorithm: 'A2A_TOTP_ALGORITHM',
  digits: 'A2A_TOTP_DIGITS',
  period: 'A2A_TOTP_PERIOD',
  header: 'A2A_TOTP_HEADER',
  window: 'A2A_TOTP_WINDOW',
} as const satisfies Partial<Record<keyof TOTPProfile, string>>

type ClientProfile = Pick<TOTPProfile, keyof typeof profileVariables>

const fields = Object.entries(profileVariables) as [keyof ClientProfile, string][]

/**
 * Returns the variables for the parts of a profile that differ from the default, and always the window: clients take a
 * missing one for unknown, and then sign for one period only.
 */
export function profileToVariables(profile: ClientProfile): Record<string, string> {
  const written = fields.filter(([field]) => field === 'window' || profile[field] !== defaultProfile[field])
  return Object.fromEntries(written.map(([field, variable]) => [variable, String(profile[field])]))
}

/**
 * Reads the parts of a profile that an environment sets. An empty variable counts as unset.
 *
 * @throws {TOTPError} `ERR_CONFIG_INVALID` with the name of the variable whose value is not allowed
 */
export function profileFromVariables(
  environment: Readonly<Record<string, string | undefined>>,
): Partial<ClientProfile> {
  const profile: Record<string, unknown> = {}
  for (const [field, variable] of fields) {
    const text = environment[variable]
    if (text === undefined || text === '') continue
    const value = typeof defaultProfile[field] === 'number' ? wholeNumber(text) : text
    const { allows, expected } = profileRules[field]
    if (!allows(value))
      throw new TOTPError('ERR_CONFIG_INVALID', `$${variable}: ${field} must be ${expected}`)
    profile[field] = value
  }
  return profile
}

function wholeNumber(text: string): number {
  return /^[0-9]+$/.test(text) ? Number(text) : NaN
}
