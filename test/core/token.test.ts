import fc from 'fast-check'
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  hashToken,
  isSameTokenHash,
  isToken,
  isTokenHash,
  makeToken,
  Token,
  TokenHash,
} from '../../src/core/token.js'
import { codeOf, failureOf } from '../support/failure.js'

const b64token = fc.stringMatching(/^[A-Za-z0-9\-._~+/]{1,60}={0,2}$/)

describe('a token', () => {
  it('is any b64token of RFC 6750, whatever blanks stand around it', () => {
    fc.assert(
      fc.property(b64token, fc.constantFrom('', ' ', '\n', '\r\n', '\t'), (value, blank) => {
        expect(isToken(value)).toBe(true)
        expect(Token.parse(blank + value + blank).value).toBe(value)
      }),
    )
  })

  it.each(['', ' ', '=', 'a b', 'a=b', 'a,b', 'a"', 'é', 'a\nb', 'a\0', '"x"', 'Bearer x', 'a'.repeat(8193)])(
    'is not %j',
    (text) => {
      expect(isToken(text)).toBe(false)
      expect(codeOf(() => Token.parse(text))).toBe('ERR_TOKEN_INVALID')
    },
  )

  it('may have 8192 characters', () => {
    expect(isToken('a'.repeat(8192))).toBe(true)
  })

  it('is not quoted by the error that refuses it', () => {
    const bad = 'a2at_QwErTyUiOp AsDfGhJkL'
    expect(failureOf(() => Token.parse(bad)).message).not.toMatch(/QwEr|AsDf/)
  })

  it('is known to servers by its SHA-256', () => {
    // FIPS 180-2, appendix B.1
    const digest = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
    expect(hashToken('abc')).toBe(`sha256:${digest}`)
    expect(Token.parse('abc').hash).toBe(hashToken('abc'))
    expect(isTokenHash(hashToken('abc'))).toBe(true)
  })

  it.each([
    '',
    'sha256:',
    `sha256:${'A'.repeat(64)}`,
    `sha512:${'a'.repeat(64)}`,
    `a sha256:${'a'.repeat(64)}`,
    `sha256:${'a'.repeat(65)}`,
  ])('is not taken to have the hash %j', (text) => {
    expect(isTokenHash(text)).toBe(false)
  })
})

describe('the hash of a token', () => {
  const hash = hashToken('abc')

  it('is parsed from its text alone', () => {
    expect(TokenHash.parse(hash)).toMatchObject({ hash, value: undefined })
    for (const text of ['', 'abc', hash.toUpperCase(), `${hash}0`])
      expect(failureOf(() => TokenHash.parse(text))).toMatchObject({
        code: 'ERR_TOKEN_INVALID',
        message: 'a token hash must be sha256: and 64 hex digits in lower case',
      })
  })

  it('is the same as itself and as no other', () => {
    expect(isSameTokenHash(hash, hashToken('abc'))).toBe(true)
    expect(isSameTokenHash(hash, hashToken('abd'))).toBe(false)
    const foreign = `${hash.slice(0, -1)}é`
    for (const [one, other] of [
      [foreign, hash],
      [hash, foreign],
    ] as const) {
      expect(isSameTokenHash(hash, hash)).toBe(true)
      expect(isSameTokenHash(one, other)).toBe(false)
    }
    for (let at = 0; at < hash.length; at++) {
      const other = `${hash.slice(0, at)}!${hash.slice(at + 1)}`
      expect([isSameTokenHash(hash, other), isSameTokenHash(other, hash)]).toEqual([false, false])
    }
  })

  it.each(['', 'abc', hash.slice(0, -1), `${hash}0`])('is not the same as %j, of another length', (other) => {
    expect([isSameTokenHash(hash, other), isSameTokenHash(other, hash)]).toEqual([false, false])
    expect(isSameTokenHash(other, other)).toBe(false)
    // What was compared before leaves nothing behind.
    expect(isSameTokenHash(hash, hash)).toBe(true)
  })
})

describe('a new token', () => {
  it('has 256 bits from the given source, behind a prefix for secret scanners', () => {
    const bytes = createHash('sha256').update('x').digest()
    const asked: number[] = []
    const { value } = makeToken((size) => {
      asked.push(size)
      return bytes
    })
    expect(asked).toEqual([32])
    expect(value).toBe(`a2at_${bytes.toString('base64url')}`)
  })
})
