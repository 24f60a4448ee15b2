import { describe, expect, it } from 'vitest'
import { acceptSignature, challenges } from '../../src/core/challenge.js'

describe('a challenge', () => {
  it('names both factors, and the error of a token that was sent', () => {
    expect(challenges('X-TOTP', true)).toEqual([
      'Bearer realm="a2a", error="invalid_token"',
      'TOTP realm="a2a", header="X-TOTP"',
    ])
  })

  it('gives no error to one who sent no token (RFC 6750 §3.1)', () => {
    expect(challenges('X-Code', false)).toEqual(['Bearer realm="a2a"', 'TOTP realm="a2a", header="X-Code"'])
  })

  it('says that a proof is required where nobody is let in without one', () => {
    expect(challenges('X-TOTP', false, true)).toEqual([
      'Bearer realm="a2a"',
      'TOTP realm="a2a", header="X-TOTP", proof="required"',
    ])
  })

  it('asks for a signature of what a proof covers in any case (RFC 9421 §5.1)', () => {
    expect(acceptSignature('X-Code')).toBe(
      'a2a-totp=("@method" "@path" "@query" "content-digest" "authorization" "x-code")' +
        ';created;expires;tag="a2a-totp/proof/v1"',
    )
  })
})
