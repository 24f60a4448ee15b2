import { describe, expect, it } from 'vitest'
import { defaultProfile } from '../../src/core/profile.js'
import { Token } from '../../src/core/token.js'
import { generateCode } from '../../src/core/totp.js'
import { Secrets } from '../../src/probe/run/secrets.js'
import { sendJson } from '../support/broken-agent.js'
import { alice, midStep, probeAgent } from '../support/probing.js'

const { token, seed } = alice
const code = generateCode(seed, defaultProfile, midStep)

/** The longest part of a secret that a text contains. */
function shownOf(secret: string, text: string): string {
  for (let length = secret.length; length > 0; length--) {
    for (let at = 0; at + length <= secret.length; at++) {
      const part = secret.slice(at, at + length)
      if (text.toLowerCase().includes(part.toLowerCase())) return part
    }
  }
  return ''
}

describe('a report shows no part of a secret', () => {
  it.each([60, 78, 80, 100, 110])(
    'where a refusal that repeats it is cut after %i characters',
    async (before) => {
      const { report } = await probeAgent({
        refuse: (response) => {
          const message = 'x'.repeat(before) + token
          sendJson(response, 401, { error: { code: 401, status: 'UNAUTHENTICATED', message } })
          return true
        },
      })
      expect(shownOf(token, JSON.stringify(report)).length).toBeLessThan(12)
    },
  )

  it('where the card has it in the URL of an interface', async () => {
    const path = `/rpc/${token}/${code}/${seed.base32}`
    const { report } = await probeAgent({
      card: (card, origin) => ({ ...card, url: origin + path, supportedInterfaces: undefined }),
    })
    const text = JSON.stringify(report)
    for (const secret of [token, code, seed.base32]) expect(text).not.toContain(secret)
    expect(report.checks.map(({ url }) => url).join(' ')).toContain('/rpc/[the token]/[a code]/[a seed]')
  })
})

describe('an answer holds a secret', () => {
  const inJson = (text: string): string =>
    text.replace(/[^a-z]/gi, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`)
  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  const { base32, bytes } = seed

  it.each([
    ['the token', 'in an encoded header', base64(`Bearer ${token}`)],
    [
      'the token',
      'in an encoded header of another alphabet',
      Buffer.from(`?Bearer ${token}`).toString('base64url'),
    ],
    ['the token', 'with escapes of JSON', `{"debug":"${inJson(token)}"}`],
    ['the token', 'with escapes of JSON inside JSON', JSON.stringify(`{"debug":"${inJson(token)}"}`)],
    ['a seed', 'in groups of four', base32.replace(/(.{4})/g, '$1 ')],
    ['a seed', 'in groups with dashes', base32.replace(/(.{4})/g, '$1-')],
    [
      'a seed',
      'in hex with spaces',
      Buffer.from(bytes).toString('hex').toUpperCase().replace(/(..)/g, '$1 '),
    ],
    ['a seed', 'in encoded text', base64(`seed=${base32.toLowerCase()}`)],
    ['a valid code', 'with escapes of JSON', `{"code":"${inJson(code)}"}`],
  ])('%s %s', (what, _, text) => {
    const secrets = new Secrets({ credentials: { ...defaultProfile, token: Token.parse(token), seed } })
    expect(secrets.foundIn(`HTTP/1.1 401\r\n\r\n${text}`, midStep)).toBe(what)
  })

  it.each([
    ['the fraction of a second', `{"at":"2030-01-01T00:00:10.${code}Z"}`],
    ['the decimals of a Unix time', `{"at":1893456010.${code}}`],
  ])('not by %s, which is a code by accident', (_, text) => {
    const secrets = new Secrets({ credentials: { ...defaultProfile, token: Token.parse(token), seed } })
    expect(secrets.foundIn(text, midStep)).toBeUndefined()
    expect(secrets.decimalsIn(text, midStep)).toEqual([code])
    expect(secrets.foundIn(`code.${code}`, midStep)).toBe('a valid code')
    expect(secrets.foundIn(`${code}.0`, midStep)).toBe('a valid code')
  })

  it.each([
    ['by the decimals that each answer has', true, 'fail'],
    ['not by those of one answer', false, 'pass'],
  ])('%s', async (_, each, status) => {
    let answers = 0
    const { report } = await probeAgent({
      refuse: (response) => {
        answers += 1
        const at = each || answers === 1 ? `1893456010.${code}` : '1893456010.0'
        sendJson(response, 401, { error: { code: 401, status: 'UNAUTHENTICATED', message: `no, at ${at}` } })
        return true
      },
    })
    expect(new Set(report.checks.flatMap((one) => (one.id === 'leak' ? [one.status] : [])))).toEqual(
      new Set([status]),
    )
  })

  it('that a report does not quote, however it is spelled', () => {
    const secrets = new Secrets({ credentials: { ...defaultProfile, token: Token.parse(token), seed } })
    const clean = (text: string): string => secrets.clean(text, midStep)
    expect(clean(`no: ${base32.replace(/(.{4})/g, '$1 ')}`)).toBe('[a text that contains a seed]')
    expect(clean(`no: ${inJson(token)}`)).toBe('no: [the token]')
    expect(clean(`no: ${base64(token)}`)).toContain('no: [the token]')
  })
})

describe('a text is cleaned', () => {
  const secrets = new Secrets({ credentials: { ...defaultProfile, token: Token.parse(token), seed } })
  const clean = (text: string): string => secrets.clean(text, midStep, 40)

  it.each([
    ['a beginning', `no: ${token.slice(0, 20)}...`, 'no: [the token]...'],
    ['an end', `${token.slice(-15)}, no`, '[the token], no'],
    ['other capitals', token.slice(5, 30).toUpperCase(), '[the token]'],
    ['capitals that have longer small letters', `İ ${token} İ`, '? [the token] ?'],
    ['twice', `${token} ${token}`, '[the token] [the token]'],
    ['too little to tell', token.slice(0, 8), token.slice(0, 8)],
  ])('of %s', (_, text, expected) => {
    expect(clean(text)).toBe(expected)
  })

  it('without the beginning of a code where it is cut', () => {
    expect(clean(`${'x'.repeat(36)} ${code}`)).toBe('x'.repeat(36) + ' [a ...')
    expect(clean(`${'x'.repeat(37)} 1234567890`)).toBe('x'.repeat(37) + ' ...')
  })
})
