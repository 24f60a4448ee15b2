import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { profileFromVariables, profileToVariables } from '../../src/core/profile-variables.js'
import { defaultProfile, isHeaderName } from '../../src/core/profile.js'
import { anyCodeProfile } from '../support/arbitraries.js'
import { failureOf } from '../support/failure.js'

describe('the profile’s variables', () => {
  it('say the same profile to those who read them, over the defaults', () => {
    const header = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}$/).filter(isHeaderName)
    fc.assert(
      fc.property(anyCodeProfile, header, fc.integer({ min: 0, max: 2 }), (codeProfile, header, window) => {
        const profile = { ...defaultProfile, ...codeProfile, header, window }
        expect({ ...defaultProfile, ...profileFromVariables(profileToVariables(profile)) }).toEqual(profile)
      }),
    )
  })

  it('are set only where the profile is unusual, but for the window, which clients cannot assume', () => {
    expect(profileToVariables(defaultProfile)).toEqual({ A2A_TOTP_WINDOW: '1' })
    expect(profileToVariables({ ...defaultProfile, digits: 8 })).toEqual({
      A2A_TOTP_DIGITS: '8',
      A2A_TOTP_WINDOW: '1',
    })
  })

  it('count as missing when they are empty', () => {
    expect(profileFromVariables({ A2A_TOTP_DIGITS: '', A2A_TOTP_PERIOD: undefined, OTHER: 'x' })).toEqual({})
  })

  it.each([
    ['A2A_TOTP_ALGORITHM', 'md5'],
    ['A2A_TOTP_ALGORITHM', 'sha1'],
    ['A2A_TOTP_DIGITS', '6.0'],
    ['A2A_TOTP_DIGITS', '0x6'],
    ['A2A_TOTP_DIGITS', ' 6'],
    ['A2A_TOTP_DIGITS', 'six'],
    ['A2A_TOTP_PERIOD', '5'],
    ['A2A_TOTP_PERIOD', '3e1'],
    ['A2A_TOTP_HEADER', 'Host'],
    ['A2A_TOTP_WINDOW', '3'],
    ['A2A_TOTP_WINDOW', '-1'],
  ])('may not be %s=%s, and the error says which, and what it may be', (name, value) => {
    const error = failureOf(() => profileFromVariables({ [name]: value }))
    expect(error.code).toBe('ERR_CONFIG_INVALID')
    expect(error.message).toMatch(new RegExp(`^\\$${name}: [a-z]+ must be \\S+`))
  })
})
