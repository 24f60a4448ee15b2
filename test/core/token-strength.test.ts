import { randomBytes, randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
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
