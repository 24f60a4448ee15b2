import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Seed } from '../../src/core/seed.js'
import { seedSpellings, tokenSpellings } from '../../src/core/spellings.js'

const beside = fc.uint8Array({ maxLength: 5 })
const encodings = fc.constantFrom('base64' as const, 'base64url' as const)
const holdsOne = (text: string, spellings: readonly string[]): boolean =>
  spellings.some((spelling) => text.includes(spelling))

describe('the spellings of a token', () => {
  // Its base64 has characters in which the two alphabets differ.
  const token = 'a2at_~~~???>>>ÿÿ'

  it('are the token and each way in which it can be inside base64, once', () => {
    const spellings = tokenSpellings('a2at_x')
    expect(spellings).toEqual(['a2at_x', 'YTJhdF94', 'EyYXRfe', 'hMmF0X3'])
    expect(new Set(tokenSpellings(token)).size).toBe(tokenSpellings(token).length)
  })

  it('find it in base64 of both alphabets, wherever it begins', () => {
    fc.assert(
      fc.property(beside, beside, encodings, (before, after, encoding) => {
        const text = Buffer.concat([before, Buffer.from(token), after]).toString(encoding)
        expect(holdsOne(text, tokenSpellings(token))).toBe(true)
      }),
    )
  })
})

describe('the spellings of a seed', () => {
  const seed = Seed.fromBytes(Uint8Array.from({ length: 20 }, (_, at) => at * 11 + 7))

  it('are base32 and hex in both cases', () => {
    const spellings = seedSpellings(seed)
    const hex = Buffer.from(seed.bytes).toString('hex')
    const plain = [seed.base32, seed.base32.toLowerCase(), hex, hex.toUpperCase()]
    expect(spellings.slice(0, 4)).toEqual(plain)
    expect(new Set([...spellings, ...plain]).size).toBe(spellings.length)
  })

  it('find its base32, in either case, inside base64', () => {
    const written = fc.constantFrom(seed.base32, seed.base32.toLowerCase())
    fc.assert(
      fc.property(written, beside, beside, encodings, (base32, before, after, encoding) => {
        const text = Buffer.concat([before, Buffer.from(base32), after]).toString(encoding)
        expect(holdsOne(text, seedSpellings(seed))).toBe(true)
      }),
    )
  })
})
