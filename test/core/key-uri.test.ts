import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatKeyUri, parseKeyUri, splitLabel } from '../../src/core/key-uri.js'
import { Seed } from '../../src/core/seed.js'
import { anyCodeProfile, anyName, anySeed } from '../support/arbitraries.js'
import { codeOf, failureOf } from '../support/failure.js'

const secret = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP'

describe('a key URI', () => {
  it('is read back as it was written, for every name, seed and profile', () => {
    const agent = fc.option(anyName, { nil: undefined })
    fc.assert(
      fc.property(agent, anyName, anySeed, anyCodeProfile, (agent, peer, seed, profile) => {
        const given = { ...(agent === undefined ? {} : { agent }), peer, seed, profile }
        const read = parseKeyUri(formatKeyUri(given))
        expect({ ...read, seed: read.seed.base32 }).toEqual({ ...given, seed: seed.base32 })
      }),
    )
  })

  it('is written as authenticator apps expect it', () => {
    const seed = Seed.fromBase32(secret)
    const profile = { algorithm: 'SHA256', digits: 8, period: 60 } as const
    expect(formatKeyUri({ agent: 'build-agent', peer: 'alice', seed, profile })).toBe(
      `otpauth://totp/build-agent:alice?issuer=build-agent&secret=${secret}&algorithm=SHA256&digits=8&period=60`,
    )
  })

  it.each([
    `otpauth://totp/alice?secret=${secret}`,
    ` otpauth://totp/alice?secret=${secret}\n`,
    `OTPAUTH://TOTP/alice?SECRET=${secret.toLowerCase()}`,
    `otpauth://totp/alice?secret=${secret}&image=https%3A%2F%2Fh%2Fi.png`,
    `otpauth://totp/alice?secret=${secret}&image=i&color=red&color=blue`,
    `otpauth://totp/%20alice%20?secret=${secret}`,
    `otpauth://totp/:alice?secret=${secret}`,
    `otpauth://totp/alice?secret=${secret}&issuer=`,
    `otpauth://totp/alice?secret=${secret}&encoder=totp`,
    `otpauth://totp/alice?secret=${secret}&encoder=TOTP#top`,
  ])('without a profile means SHA1, 6 digits, 30 seconds: %s', (text) => {
    const { seed, ...rest } = parseKeyUri(text)
    expect(rest).toEqual({ peer: 'alice', profile: { algorithm: 'SHA1', digits: 6, period: 30 } })
    expect(seed.base32).toBe(secret)
  })

  it.each([
    ['a space', secret.replace(/(.{4})(?=.)/g, '$1 ')],
    ['%20', secret.replace(/(.{4})(?=.)/g, '$1%20')],
    ['a plus', secret.replace(/(.{4})(?=.)/g, '$1+').toLowerCase()],
    ['a dash', secret.replace(/(.{4})(?=.)/g, '$1-')],
    ['padding', `${secret}%3D%3d==`],
  ])('has its seed read as everywhere else, in groups with %s', (_what, text) => {
    expect(parseKeyUri(`otpauth://totp/alice?secret=${text}&digits=8`)).toMatchObject({
      profile: { digits: 8 },
    })
    expect(parseKeyUri(`otpauth://totp/alice?secret=${text}&digits=8`).seed.base32).toBe(secret)
  })

  it.each(['sha256', 'SHA-256', 'HmacSHA256'])('takes %s for SHA256', (algorithm) => {
    expect(
      parseKeyUri(`otpauth://totp/alice?secret=${secret}&algorithm=${algorithm}`).profile.algorithm,
    ).toBe('SHA256')
  })

  it.each([
    `otpauth://totp/Acme:alice?secret=${secret}`,
    `otpauth://totp/Acme:%20alice?secret=${secret}`,
    `otpauth://totp/Acme%3Aalice?secret=${secret}`,
    `otpauth://totp/Acme%20:alice?secret=${secret}`,
    `otpauth://totp/alice?issuer=Acme&secret=${secret}`,
    `otpauth://totp/Other:alice?issuer=Acme&secret=${secret}`,
    `otpauth://totp/Acme:alice?issuer=&secret=${secret}`,
  ])('names the agent as its issuer: %s', (text) => {
    expect(parseKeyUri(text)).toMatchObject({ agent: 'Acme', peer: 'alice' })
  })

  it.each([
    ['nothing', ''],
    ['another scheme', `https://totp/alice?secret=${secret}`],
    ['HOTP', `otpauth://hotp/alice?secret=${secret}&counter=0`],
    ['a migration', 'otpauth-migration://offline?data=AAAA'],
    ['no account', `otpauth://totp/?secret=${secret}`],
    ['no seed', 'otpauth://totp/alice?digits=6'],
    ['two seeds', `otpauth://totp/alice?secret=${secret}&secret=${secret}`],
    ['two seeds in two cases', `otpauth://totp/alice?secret=${secret}&Secret=${secret}`],
    ['an account that cannot be a name', `otpauth://totp/a%20b?secret=${secret}`],
    ['broken percent encoding', `otpauth://totp/%E0%A4?secret=${secret}`],
    ['Steam', `otpauth://steam/alice?secret=${secret}`],
    ['an encoder of Steam', `otpauth://totp/alice?secret=${secret}&encoder=steam`],
    ['two numbers of digits', `otpauth://totp/alice?secret=${secret}&digits=6&digits=8`],
    ['MD5', `otpauth://totp/alice?secret=${secret}&algorithm=MD5`],
    ['SHA3-256', `otpauth://totp/alice?secret=${secret}&algorithm=SHA3-256`],
    ['5 digits', `otpauth://totp/alice?secret=${secret}&digits=5`],
    ['no digits', `otpauth://totp/alice?secret=${secret}&digits=`],
    ['a period of 0', `otpauth://totp/alice?secret=${secret}&period=0`],
    ['a period of 9', `otpauth://totp/alice?secret=${secret}&period=9`],
    ['a period of 1e9', `otpauth://totp/alice?secret=${secret}&period=1e9`],
    ['a period of 3e1', `otpauth://totp/alice?secret=${secret}&period=3e1`],
    ['a period of 0x1e', `otpauth://totp/alice?secret=${secret}&period=0x1e`],
    ['a space before the digits', `otpauth://totp/alice?secret=${secret}&digits=+6`],
  ])('is refused with %s, and not quoted', (_what, text) => {
    const error = failureOf(() => parseKeyUri(text))
    expect(error.code).toBe('ERR_KEY_URI_INVALID')
    expect(`${error.message} ${String(error.cause)}`).not.toContain(secret.slice(0, 6))
  })

  it.each([
    ['otpauth://hotp/alice?counter=0&secret=', 'this key URI is for HOTP'],
    ['otpauth://steam/alice?secret=', 'this key URI is for Steam'],
    ['otpauth://yaotp/alice?secret=', 'this key URI is for Yandex'],
    ['otpauth://constructor/alice?secret=', 'not a key URI'],
    ['otpauth://totp/alice?encoder=steam&secret=', 'this key URI is for Steam'],
    ['otpauth://totp/alice?algorithm=MD5&secret=', 'one of SHA1, SHA256, SHA512, not MD5'],
    ['https://h/otpauth://hotp/alice?secret=', 'not a key URI'],
    ['https://h/otpauth://totp/alice?secret=', 'not a key URI'],
    ['otpauth://totp/alice?issuer=', 'key URI needs the parameter "secret" exactly once'],
    [
      'otpauth://totp/a%20b?secret=',
      'account of the key URI is not allowed as a peer name; use a letter or digit',
    ],
    ['otpauth://totp/alice?digits=9&secret=', 'digits of the key URI must be one of 6, 7, 8'],
  ])('says what is wrong with %s…', (start, words) => {
    expect(failureOf(() => parseKeyUri(start + secret)).message).toContain(words)
  })

  it.each([
    ['otpauth://totp/alice', 'key URI needs the parameter "secret" exactly once'],
    ['otpauth://totp/alice?secret=A&secret=A', 'key URI needs the parameter "secret" exactly once'],
    ['otpauth://totp/alice?digits=6&DIGITS=8', 'key URI has the parameter "digits" twice; remove one'],
    [
      'otpauth://totp/alice?encoder=new&secret=A',
      'this key URI is for another encoder; only TOTP is supported',
    ],
    [
      `otpauth://totp/alice?algorithm=SHA3-256&secret=${secret}`,
      'algorithm of the key URI must be one of SHA1, SHA256, SHA512',
    ],
    [`otpauth://totp/alice?digits=9&secret=${secret}`, 'digits of the key URI must be one of 6, 7, 8'],
  ])('is refused in these words and no others: %s', (text, words) => {
    expect(failureOf(() => parseKeyUri(text)).message).toBe(words)
  })

  it.each([
    ['alice', [undefined, 'alice']],
    ['Acme:alice', ['Acme', 'alice']],
    [' Acme : alice ', ['Acme', 'alice']],
    ['Acme:alice:2', ['Acme', 'alice:2']],
    [' alice ', [undefined, 'alice']],
    [':alice', ['', 'alice']],
  ])('has in its label %j an issuer and an account: %j', (label, parts) => {
    expect(splitLabel(label)).toEqual(parts)
  })

  it.each([
    ['a digit that is not base32', `${secret}1`],
    ['one letter more than a seed can have', `${secret}A`],
    ['nothing', ''],
  ])('is refused for a seed with %s, as a seed', (_what, text) => {
    const uri = `otpauth://totp/alice?secret=${text}`
    expect(codeOf(() => parseKeyUri(uri))).toBe('ERR_SEED_INVALID')
    expect(failureOf(() => parseKeyUri(uri)).message).not.toContain(secret.slice(0, 6))
  })
})
