import { describe, expect, it } from 'vitest'
import { challenges } from '../../../src/core/challenge.js'
import { demandsProof } from '../../../src/core/proof/demand.js'

describe('a challenge', () => {
  it('asks for a proof if its scheme is TOTP', () => {
    expect(demandsProof(challenges('X-TOTP', true, true).join(', '))).toBe(true)
    expect(demandsProof('totp PROOF = required')).toBe(true)
    expect(demandsProof('TOTP realm="a, \\"b\\"", proof="required"')).toBe(true)
  })

  it.each([
    null,
    undefined,
    'proof="required"',
    '',
    challenges('X-TOTP', true).join(', '),
    'Bearer realm="a2a", proof="required"',
    'TOTP realm="a2a", Bearer proof="required"',
    'TOTP realm="proof=\\"required\\""',
    'TOTP proof="optional"',
    'TOTP proof',
    'TOTP header="required"',
    `TOTP realm="${'x'.repeat(4096)}", proof="required"`,
    '"'.repeat(5000),
  ])('does not otherwise (%#)', (value) => {
    expect(demandsProof(value)).toBe(false)
  })
})
