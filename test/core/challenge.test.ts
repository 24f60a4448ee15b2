import { describe, expect, it } from 'vitest'
import { challenges } from '../../src/core/challenge.js'

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
})
