import { randomBytes, randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { estimateTokenBits } from '../../src/core/token-strength.js'
import { makeToken, minimumTokenBits, requireStrongToken, Token } from '../../src/core/token.js'

const random = (size: number): Uint8Array => new Uint8Array(randomBytes(size))
const hex = (bytes: number): string => randomBytes(bytes).toString('hex')

describe('the strength of a token', () => {
  it.each<[what: string, make: () => string]>([
    ['ours', () => makeToken(random).value],
    ['128 bits in hex', () => hex(16)],
    ['128 bits in hex, in capitals', () => hex(16).toUpperCase()],
    ['a UUID', () => randomUUID()],
    ['160 bits in base64', () => randomBytes(20).toString('base64')],
    ['160 bits in base32', () => randomBytes(25).toString('base64url')],
    ['of GitHub', () => `ghp_${randomBytes(30).toString('base64url')}`],
    [
      '40 digits',
      () =>
        BigInt(`0x${hex(20)}`)
          .toString()
          .slice(0, 40),
    ],
    [
      'a JWT',
      () =>
        `eyJhbGciOiJFUzI1NiJ9.${randomBytes(90).toString('base64url')}.${randomBytes(64).toString('base64url')}`,
    ],
  ])('%s is strong, whatever chance makes of it', (_, make) => {
    for (let run = 0; run < 300; run++) expect(Token.parse(make()).strong).toBe(true)
  })

  it.each([
    'abc',
    'secret',
    'hunter2',
    'changeme-changeme-changeme-changeme',
    'a'.repeat(200),
    'ab'.repeat(60),
    '0123456789'.repeat(8),
    'abcdefghijklmnopqrstuvwxyz0123456789',
    'correct-horse-battery-staple',
    '20261129143000',
    'password123password123password123password123',
    'deadbeef'.repeat(4),
    `${'0'.repeat(60)}1234`,
  ])('%s is weak', (text) => {
    const token = Token.parse(text)
    expect(token.bits).toBeLessThan(minimumTokenBits)
    expect(token.strong).toBe(false)
  })

  it.each<[what: string, token: string, characters: number, alphabet: number]>([
    ['digits', '84071', 5, 10],
    ['hex', '8f40b7', 6, 16],
    ['hex in capitals', '8F40B7', 6, 16],
    ['small letters', 'xqzmkt', 6, 26],
    ['capitals', 'XQZMKT', 6, 26],
    ['small letters and digits', 'x8qz4k', 6, 36],
    ['capitals and digits', 'X8QZ4K', 6, 36],
    ['hex in small letters and capitals', '8f40B7', 6, 64],
    ['letters of both sizes', 'xQzMkT', 6, 64],
    ['small letters and others of base64', 'xqz/kt', 6, 64],
    ['others of base64 alone', '++/+//', 6, 64],
  ])('counts %s, each of the smallest alphabet that has all of them', (_, token, characters, alphabet) => {
    expect(estimateTokenBits(token)).toBe(Math.floor(characters * Math.log2(alphabet)))
  })

  it('counts no padding, and separators only where they are of the alphabet', () => {
    expect(estimateTokenBits('xQzMkT==')).toBe(36)
    expect(estimateTokenBits('8f40b7==')).toBe(24)
    expect(estimateTokenBits('8f-40.b7_91~')).toBe(32)
    expect(estimateTokenBits('xQ-zM.kT_')).toBe(54)
  })

  it.each([
    ['klmnopqrs', 2, 26],
    ['876543210', 2, 10],
    ['xqklmnopqrszmk', 7, 26],
    ['klmnopqrs987654321', 4, 36],
    // Eight of them show by chance, and a step of two is no sequence.
    ['abcdefgh', 8, 26],
    ['acegikmoqsuwy', 13, 26],
  ])('counts a sequence of nine as two: %s', (token, characters, alphabet) => {
    expect(estimateTokenBits(token)).toBe(Math.floor(characters * Math.log2(alphabet)))
  })

  it.each([
    ['x'.repeat(9), 1],
    ['x'.repeat(8), 8],
    ['xq'.repeat(5), 2],
    ['xq'.repeat(4), 8],
    ['xqz'.repeat(4), 3],
    ['xqz'.repeat(3), 9],
    ['xqzm'.repeat(3), 4],
    ['xqzm'.repeat(2), 8],
    ['xqzmk'.repeat(3), 5],
    ['xqzmk'.repeat(2), 10],
    ['xqzmktw'.repeat(3), 7],
    ['xqzmktwb'.repeat(2), 8],
    ['xqzmktwb'.repeat(3), 8],
    ['xqzmktwbvyhj'.repeat(4), 12],
  ])('counts what is repeated once, where it is too much for chance: %s', (token, characters) => {
    expect(estimateTokenBits(token)).toBe(Math.floor(characters * Math.log2(26)))
  })

  it('is required unless a weak one is allowed, and the error shows nothing of it', () => {
    const token = Token.parse('hunter2')
    expect(() => requireStrongToken(token, true, '')).not.toThrow()
    expect(() => requireStrongToken(token, false, 'pass --allow-weak-token')).toThrow(
      expect.objectContaining({
        code: 'ERR_TOKEN_WEAK',
        message: 'token has about 36 bits, RFC 6749 §10.10 requires at least 128; pass --allow-weak-token',
      }),
    )
  })

  it('is found in no time for the longest token', () => {
    for (const text of [randomBytes(6144).toString('base64'), 'ab1'.repeat(2730), `${'a'.repeat(8000)}b`]) {
      const before = performance.now()
      expect(Token.parse(text).bits).toBeGreaterThan(0)
      expect(performance.now() - before).toBeLessThan(20_000)
    }
  })
})
