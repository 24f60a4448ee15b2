import { describe, expect, it } from 'vitest'
import { otherKindNamed } from '../../src/core/other-kinds.js'

describe('a kind of codes other than TOTP', () => {
  it.each([
    ['hotp', 'HOTP'],
    ['steam', 'Steam'],
    ['motp', 'mOTP'],
    ['mobileotp', 'mOTP'],
    ['yandex', 'Yandex'],
    ['yaotp', 'Yandex'],
    ['md5', 'MD5'],
    ['hmacmd5', 'MD5'],
  ])('is known by %s: %s', (text, name) => {
    expect(otherKindNamed(text)).toBe(name)
  })

  it('is known however it is spelt', () => {
    for (const text of ['HMAC-MD5', 'hmac_md5', 'Hmac MD5', ' HmacMD5\n'])
      expect(otherKindNamed(text)).toBe('MD5')
    expect(otherKindNamed('Mobile-OTP')).toBe('mOTP')
  })

  it.each(['', 'totp', 'TOTP', 'sha1', 'HmacSHA256', 'steam guard', 'constructor'])('is not %j', (text) => {
    expect(otherKindNamed(text)).toBeUndefined()
  })
})
