import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { makeSeed, requireStrongSeed, Seed, weakSeedProblem } from '../../src/core/seed.js'
import { anySeed } from '../support/arbitraries.js'
import { codeOf, failureOf } from '../support/failure.js'

const { base32: vectors } = JSON.parse(
  readFileSync(new URL('../vectors/rfc.json', import.meta.url), 'utf8'),
) as { base32: { ascii: string; base32: string }[] }
const seedVectors = vectors.filter(({ ascii }) => ascii !== '')

/** Other spellings of the same seed: any case, blanks anywhere, with padding or without. */
const respelled = (base32: string) =>
  fc
    .tuple(
      fc.array(fc.tuple(fc.boolean(), fc.constantFrom('', ' ', '\t', '\r\n', '\u00a0')), {
        minLength: base32.length,
        maxLength: base32.length,
      }),
      fc.boolean(),
    )
    .map(([choices, padded]) => {
      const letters = choices.map(([lower, blank], index) => {
        const letter = base32.charAt(index)
        return (lower ? letter.toLowerCase() : letter) + blank
      })
      return letters.join('') + (padded ? '='.repeat((8 - (base32.length % 8)) % 8) : '')
    })

describe('a seed in base32', () => {
  it.each(seedVectors)('is $base32 for "$ascii" (RFC 4648 §10)', ({ ascii, base32 }) => {
    expect(Buffer.from(Seed.fromBase32(base32).bytes).toString('ascii')).toBe(ascii)
    expect(Seed.fromBytes(Buffer.from(ascii)).base32).toBe(base32.replace(/=+$/, ''))
  })

  it('is read back from every spelling, whatever the case, the blanks and the padding', () => {
    const spelled = anySeed.chain((seed) => fc.tuple(fc.constant(seed), respelled(seed.base32)))
    fc.assert(
      fc.property(spelled, ([seed, text]) => {
        expect(Seed.fromBase32(text).bytes).toEqual(seed.bytes)
      }),
    )
  })

  it.each([
    ['nothing', ''],
    ['blanks', ' \n'],
    ['padding alone', '===='],
    ['a digit outside', 'MZXW6YQ1'],
    ['a zero', 'MZXW6YQ0'],
    ['base64', 'c2VlZA+/'],
    ['padding inside', 'MZ==XW6Y'],
    ['a dash in front', '-MZXW6YQ'],
    ['a dash at the end', 'MZXW6YQ-'],
    ['two dashes', 'MZXW--6YQ'],
    ['a dash in the padding', 'MZXW6Y-Q='.replace('Q', '')],
    ['a long dash', 'MZXW–6YQ'],
    ['one letter', 'M'],
    ['three letters', 'MZX'],
    ['six letters', 'MZXW6Y'],
    ['a long s', 'MZXW6YTſ'],
    ['a dotless i', 'MZXW6YTı'],
    ['a sharp s', 'MZXW6Yß'],
    ['full-width letters', 'ＭＺＸＷ'],
    ['a NUL', 'MZXW6YQ\0'],
  ])('is refused with %s', (_what, text) => {
    expect(codeOf(() => Seed.fromBase32(text))).toBe('ERR_SEED_INVALID')
  })

  it('is read from groups with dashes between them, as some sites show it', () => {
    expect(Seed.fromBase32('mzxw-6yq').base32).toBe('MZXW6YQ')
    expect(Seed.fromBase32('MZXW - 6Y\nQ=').base32).toBe('MZXW6YQ')
  })

  it('is the same seed whatever the spare bits of its last letter are, and is written without them', () => {
    for (const text of ['MZXW6YQ', 'MZXW6YR', 'mzxw6yx='])
      expect(Seed.fromBase32(text).base32).toBe('MZXW6YQ')
  })

  it('takes no longer for a long row of padding than for any other text', () => {
    const text = `MZXW6YQ${'='.repeat(1_000_000)}!`
    expect(codeOf(() => Seed.fromBase32(text))).toBe('ERR_SEED_INVALID')
  }, 5_000)

  it('leaves nothing of itself in an error: what is said of 10,000 bad seeds is one of two sentences', () => {
    const sentences = new Set(['M', '!'].map((text) => failureOf(() => Seed.fromBase32(text)).message))
    const nearly = fc
      .tuple(fc.uint8Array({ minLength: 10, maxLength: 40 }), fc.nat(), fc.constantFrom('1', '!', 'ſ', '=A'))
      .map(([bytes, position, wrong]) => {
        const { base32 } = Seed.fromBytes(bytes)
        const cut = position % base32.length
        return base32.slice(0, cut) + wrong + base32.slice(cut)
      })
    const cutShort = fc
      .uint8Array({ minLength: 5, maxLength: 40 })
      .map((bytes) => Seed.fromBytes(bytes).base32)
      .map((base32) => `${base32.slice(0, base32.length - (base32.length % 8))}A`)
    fc.assert(
      fc.property(fc.oneof(nearly, cutShort), (text) => {
        const { message, cause } = failureOf(() => Seed.fromBase32(text))
        return sentences.has(message) && cause === undefined
      }),
      { numRuns: 10_000 },
    )
  })
})

describe('a seed in bytes', () => {
  it('keeps its own copy, and hands out copies', () => {
    const given = new Uint8Array(20).fill(1)
    const seed = Seed.fromBytes(given)
    given.fill(2)
    seed.bytes.fill(3)
    expect(seed.bytes).toEqual(new Uint8Array(20).fill(1))
  })

  it('is taken from a view into a larger buffer without its surroundings', () => {
    const pool = new Uint8Array(64).fill(9)
    expect(Seed.fromBytes(pool.subarray(4, 24)).bits).toBe(160)
  })

  it('is refused when there are none', () => {
    expect(codeOf(() => Seed.fromBytes(new Uint8Array()))).toBe('ERR_SEED_INVALID')
  })
})

describe('a new seed', () => {
  it.each([
    ['SHA1', 160],
    ['SHA256', 256],
    ['SHA512', 512],
  ] as const)('for %s has %d bits, all from the given source', (algorithm, bits) => {
    const asked: number[] = []
    const seed = makeSeed(algorithm, (size) => {
      asked.push(size)
      return new Uint8Array(size).fill(7)
    })
    expect(asked).toEqual([bits / 8])
    expect(seed.bits).toBe(bits)
    expect(new Set(seed.bytes)).toEqual(new Set([7]))
    expect(seed.strong).toBe(true)
  })
})

describe('the strength of a seed (RFC 4226 R6)', () => {
  const weak = Seed.fromBytes(new Uint8Array(15))
  const strong = Seed.fromBytes(new Uint8Array(16))

  it('is enough at 128 bits, and no less', () => {
    expect([weak.strong, strong.strong]).toEqual([false, true])
    expect(() => requireStrongSeed(strong, false, '')).not.toThrow()
    expect(() => requireStrongSeed(weak, true, '')).not.toThrow()
  })

  it('is asked for with the bits it has, and the remedy', () => {
    const error = failureOf(() => requireStrongSeed(weak, false, 'use --allow-weak-seed'))
    expect(error.code).toBe('ERR_SEED_WEAK')
    expect(error.message).toBe('seed has 120 bits, RFC 4226 requires at least 128; use --allow-weak-seed')
    expect(weakSeedProblem(weak, 'use --allow-weak-seed')).toBe(error.message)
    expect(weakSeedProblem(weak, 'take another', 'seed of "bob"')).toMatch(/^seed of "bob" has 120 bits/)
    expect(weakSeedProblem(strong, 'take another')).toBeUndefined()
  })
})
