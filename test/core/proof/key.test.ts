import { createHmac, hkdfSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ProofKey } from '../../../src/core/proof/key.js'
import { anyName, anySeed } from '../../support/arbitraries.js'

describe('the key of proofs', () => {
  it('is what HKDF-SHA256 of Node derives, as is its id', () => {
    fc.assert(
      fc.property(anySeed, anyName, fc.string(), (seed, agent, base) => {
        const derived = (info: string, length: number): Buffer =>
          Buffer.from(hkdfSync('sha256', seed.bytes, 'a2a-totp/proof/v1', `${info} ${agent}`, length))
        const key = new ProofKey(seed, agent)
        expect(key.keyid).toBe(`${agent}/${derived('kid', 6).toString('base64url')}`)
        const mac = createHmac('sha256', derived('mac', 32)).update(base, 'latin1').digest()
        expect(key.mac(base).equals(mac)).toBe(true)
      }),
    )
  })
})
