import { createHash, hkdfSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hmacKeyOf, seedDigestOf, seedKeysOf } from '../../src/core/seed-digest.js'
import { Seed } from '../../src/core/seed.js'
import { generateCodeOfStep } from '../../src/core/totp.js'

const sha1 = { algorithm: 'SHA1', period: 30 } as const
const bytes = fc.uint8Array({ minLength: 1, maxLength: 160 })

describe('seedDigestOf', () => {
  it('is HKDF-SHA256 of the key, with the salt and the info that other implementations use', () => {
    const key = Buffer.from('12345678901234567890')
    const expected = Buffer.from(hkdfSync('sha256', key, 'a2a-totp/proof/v1', 'claim 30', 16))
    expect(seedDigestOf(Seed.fromBytes(key), sha1)).toBe(expected.toString('base64url'))
    expect(seedDigestOf(Seed.fromBytes(key), sha1)).toBe('oalPogCpjJSLVZ_MwIGndQ')
  })

  it('is that of a key of any length, and of one of zeros alone, which is empty', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 63 }), fc.integer({ min: 1, max: 255 }), (start, last) => {
        const key = Uint8Array.of(...start, last)
        const expected = Buffer.from(hkdfSync('sha256', key, 'a2a-totp/proof/v1', 'claim 30', 16))
        expect(seedDigestOf(Seed.fromBytes(key), sha1)).toBe(expected.toString('base64url'))
      }),
    )
    const ofNothing = Buffer.from(hkdfSync('sha256', '', 'a2a-totp/proof/v1', 'claim 30', 16))
    expect(seedDigestOf(Seed.fromBytes(new Uint8Array(20)), sha1)).toBe(ofNothing.toString('base64url'))
  })

  it('differs by seed and by period', () => {
    const one = Seed.fromBytes(Buffer.alloc(20, 1))
    const other = Seed.fromBytes(Buffer.alloc(20, 2))
    const digests = [
      seedDigestOf(one, sha1),
      seedDigestOf(other, sha1),
      seedDigestOf(one, { ...sha1, period: 60 }),
    ]
    expect(new Set(digests).size).toBe(3)
  })

  it('ignores zero bytes at the end, as HMAC does', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 20 }),
        (key, zeros) => {
          const padded = Seed.fromBytes(Uint8Array.of(...key, ...new Uint8Array(zeros)))
          expect(seedDigestOf(padded, sha1)).toBe(seedDigestOf(Seed.fromBytes(key), sha1))
        },
      ),
    )
  })

  it.each([
    ['SHA1', 64],
    ['SHA256', 64],
    ['SHA512', 128],
  ] as const)('takes a %s key of more than %i bytes as HMAC does, hashed', (algorithm, block) => {
    const long = Buffer.alloc(block + 1, 7)
    const hashed = Seed.fromBytes(createHash(algorithm).update(long).digest())
    const profile = { algorithm, period: 30 }
    expect(seedDigestOf(Seed.fromBytes(long), profile)).toBe(seedDigestOf(hashed, profile))
    const whole = Seed.fromBytes(long.subarray(0, block))
    const wholeHashed = Seed.fromBytes(createHash(algorithm).update(whole.bytes).digest())
    expect(seedDigestOf(whole, profile)).not.toBe(seedDigestOf(wholeHashed, profile))
  })
})

const own = [1, 2, 3, 4, 5]
const zeros = [0, 0, 0, 0, 0]
const seedOf = (...bytes: number[]): Seed => Seed.fromBytes(Uint8Array.from(bytes))

describe('hmacKeyOf', () => {
  it('ignores zero bytes at the end, and no others', () => {
    const key = hmacKeyOf(seedOf(...own), 'SHA1')
    expect(hmacKeyOf(seedOf(...own, ...zeros, ...zeros), 'SHA1')).toBe(key)
    expect(hmacKeyOf(seedOf(...zeros, ...own), 'SHA1')).not.toBe(key)
  })

  it('is equal for two seeds exactly if they make the same codes', () => {
    const seeds = bytes.chain((key) => fc.tuple(fc.constant(key), fc.oneof(bytes, fc.constant(key))))
    fc.assert(
      fc.property(seeds, fc.constantFrom('SHA1', 'SHA256', 'SHA512'), (pair, algorithm) => {
        const [one, other] = pair.map((key) => Seed.fromBytes(key)) as [Seed, Seed]
        const codesOf = (seed: Seed): string[] =>
          [1, 2, 3].map((step) => generateCodeOfStep(seed, { algorithm, digits: 8, period: 30 }, step))
        expect(hmacKeyOf(one, algorithm) === hmacKeyOf(other, algorithm)).toBe(
          codesOf(one).join() === codesOf(other).join(),
        )
      }),
    )
  })
})

describe('seedKeysOf', () => {
  it('is one key for a seed up to the block of the hash, whatever zeros are at its end', () => {
    const keys = new Set([hmacKeyOf(seedOf(...own), 'SHA1')])
    expect(seedKeysOf(seedOf(...own), 'SHA1')).toEqual(keys)
    expect(seedKeysOf(seedOf(...own, ...zeros), 'SHA1')).toEqual(keys)
    expect(seedKeysOf(seedOf(...zeros, ...own), 'SHA1')).not.toEqual(keys)
  })

  it('is the seed and its hash for a longer one, so that either is known again', () => {
    const long = Buffer.alloc(65, 7)
    const hashed = Seed.fromBytes(createHash('sha1').update(long).digest())
    const keys = seedKeysOf(Seed.fromBytes(long), 'SHA1')
    expect(keys).toEqual(new Set([Seed.fromBytes(long).base32, ...seedKeysOf(hashed, 'SHA1')]))
    expect(keys.size).toBe(2)
  })
})
