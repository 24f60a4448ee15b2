import { describe, expect, it } from 'vitest'
import {
  algorithmNamed,
  defaultProfile,
  insecureProfileRules,
  isHeaderName,
  parseProfile,
  parseReplay,
} from '../../src/core/profile.js'
import { failureOf } from '../support/failure.js'

describe('a profile', () => {
  it('is SHA1, 6 digits, 30 s, one step either side and X-TOTP where nothing else is said', () => {
    expect(parseProfile()).toEqual({
      algorithm: 'SHA1',
      digits: 6,
      period: 30,
      window: 1,
      header: 'X-TOTP',
    })
    expect(parseProfile({ digits: undefined })).toEqual(defaultProfile)
  })

  it.each([
    { algorithm: 'SHA512', digits: 8, period: 120, window: 2, header: 'X-Code' },
    { algorithm: 'SHA256', digits: 7, period: 10, window: 0, header: 'totp' },
  ])('can be %j', (profile) => {
    expect(parseProfile(profile)).toEqual(profile)
  })

  it('keeps nothing that it does not know', () => {
    expect(parseProfile({ skew: 9 })).toEqual(defaultProfile)
  })

  it.each([
    ['algorithm', 'sha1'],
    ['algorithm', 'MD5'],
    ['algorithm', null],
    ['digits', 5],
    ['digits', 9],
    ['digits', '6'],
    ['period', 9],
    ['period', 121],
    ['period', 30.5],
    ['period', NaN],
    ['window', -1],
    ['window', 3],
    ['window', Infinity],
    ['header', ''],
    ['header', 7],
    ['header', ['X-TOTP']],
  ])('may not have the %s %j, and the error says what it may have', (field, value) => {
    const error = failureOf(() => parseProfile({ [field]: value }))
    expect(error.code).toBe('ERR_PROFILE_INVALID')
    expect(error.message).toMatch(new RegExp(`^${field} must be \\S+`))
  })
})

describe('the rules of a profile', () => {
  it.each([
    [{ algorithm: '' }, 'algorithm must be one of SHA1, SHA256, SHA512'],
    [{ digits: 4 }, 'digits must be one of 6, 7, 8'],
    [{ window: 3 }, 'window must be 0, 1 or 2 time steps'],
  ])('name what is allowed instead of %j', (given, message) => {
    expect(failureOf(() => parseProfile(given)).message).toBe(message)
  })

  it('let a window be as wide as 120 steps for who asks for an insecure one, and nothing else be looser', () => {
    expect(parseProfile({ window: 120 }, insecureProfileRules).window).toBe(120)
    for (const given of [{ window: 121 }, { window: -1 }, { digits: 5 }]) {
      expect(failureOf(() => parseProfile(given, insecureProfileRules)).code).toBe('ERR_PROFILE_INVALID')
    }
    const { message } = failureOf(() => parseProfile({ window: 121 }, insecureProfileRules))
    expect(message).toBe('window must be a whole number of time steps, 0 to 120')
  })
})

describe('the name of an algorithm', () => {
  it.each([
    ['SHA1', 'SHA1'],
    ['sha-1', 'SHA1'],
    ['HmacSHA256', 'SHA256'],
    ['hmac-sha-256', 'SHA256'],
    ['HMAC_SHA512', 'SHA512'],
    ['hmac-sha1', 'SHA1'],
    [' sha_512\n', 'SHA512'],
  ])('is read from %j', (text, algorithm) => {
    expect(algorithmNamed(text)).toBe(algorithm)
  })

  it.each([
    '',
    'SHA',
    'SHA224',
    'SHA2',
    'SHA3-256',
    'SHA-512/256',
    'SHA12',
    'xSHA1',
    'MD5',
    'hmac.sha1',
    '1',
  ])('is not read from %j', (text) => {
    expect(algorithmNamed(text)).toBeUndefined()
  })
})

it('a replay policy is once or reuse, and the error says so', () => {
  expect(['once', 'reuse'].map(parseReplay)).toEqual(['once', 'reuse'])
  for (const value of ['', 'twice', 'Once', undefined, null])
    expect(failureOf(() => parseReplay(value))).toMatchObject({
      code: 'ERR_CONFIG_INVALID',
      message: 'replay must be once or reuse',
    })
})

describe('the header of a code', () => {
  it.each([
    'X-TOTP',
    'totp',
    "!#$%&'*+-.^_`|~",
    'a'.repeat(64),
    'binary',
    'a2a',
    'X-Authorization',
    'Authorization-Code',
    'Hosts',
    'X-Date',
    'Date-Code',
    'x-proxy-code',
    'X-Content',
    'Contents',
    'Rangefinder',
    'Second-Factor',
  ])('may be %s', (name) => {
    expect(isHeaderName(name)).toBe(true)
  })

  it.each([
    ...['', 'X TOTP', 'X:TOTP', 'X-TOTP\r\n', 'X,Y', '"X"', 'Ｘ', 'a'.repeat(65)],
    ...['Authorization', 'COOKIE', 'host', 'A2A-Version', 'a2a-totp', 'grpc-timeout', 'x-code-bin'],
    ...[
      'Content-Length',
      'content-type',
      'Connection',
      'Transfer-Encoding',
      'TE',
      'Upgrade',
      'Proxy-X',
      'Proxy-Authorization',
      'Date',
    ],
    // Hop-by-hop, or of the message itself (RFC 9110 §7.6.1).
    ...['Keep-Alive', 'Proxy-Authenticate', 'Proxy-Connection', 'Trailer', 'HTTP2-Settings', 'Expect', 'Via'],
    ...['Content-Digest', 'Content-Code', 'Set-Cookie', 'WWW-Authenticate', 'Cookie2', 'User-Agent', 'Range'],
    // Filled in by browsers and proxies, or logged by them.
    ...[
      'Origin',
      'Referer',
      'Sec-Code',
      'Forwarded',
      'X-Forwarded-For',
      'If-Match',
      'Access-Control-Max-Age',
      'Accept',
      'Accept-Language',
      'X-HTTP-Method',
      'X-HTTP-Method-Override',
    ],
    // Of signatures (RFC 9421), and what the gate says to the agent behind it.
    ...['Signature', 'Signature-Input', 'SIGNATURE-AGENT', 'Accept-Signature', 'TotpPeer', 'totpstatus'],
  ])('may not be %j', (name) => {
    expect(isHeaderName(name)).toBe(false)
  })
})
