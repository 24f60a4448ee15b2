import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  BearerTokenAuth,
  TOTPClientAuthScheme,
  type ClientRequest,
  type TOTPClientAuthSchemeOptions,
} from '../../src/client/index.js'
import { defaultProfile, parseProfile } from '../../src/core/profile.js'
import { Seed } from '../../src/core/seed.js'
import { Token } from '../../src/core/token.js'
import { generateCode } from '../../src/core/totp.js'
import { FakeClock, schemeOn, seed, token } from '../support/client-scheme.js'
import { codeOf, failureOf } from '../support/failure.js'

const request: ClientRequest = { binding: 'http', method: 'POST', url: 'https://h/a2a' }
const delegate = new BearerTokenAuth(token)

const variables = ['TOKEN', 'SEED', 'ALGORITHM', 'DIGITS', 'PERIOD', 'HEADER'].map(
  (name) => `A2A_TOTP_${name}`,
)
beforeEach(() => {
  for (const name of variables) vi.stubEnv(name, undefined)
})
afterEach(() => vi.unstubAllEnvs())

describe('the headers of an attempt', () => {
  it('are the token and the code of this very moment', async () => {
    const clock = new FakeClock()
    const scheme = schemeOn(clock)
    for (const seconds of [0, 30, 3600]) {
      clock.advance(seconds)
      expect(await scheme.authorize(request)).toEqual({
        Authorization: `Bearer ${token}`,
        'X-TOTP': clock.code(),
      })
    }
  })

  it('are made after the delegate answered, however long that took', async () => {
    const clock = new FakeClock()
    const slow = {
      headers: () => {
        clock.advance(60)
        return Promise.resolve({ Authorization: 'Bearer late' })
      },
    }
    expect(await schemeOn(clock, { delegate: slow }).authorize(request)).toEqual({
      Authorization: 'Bearer late',
      'X-TOTP': clock.code(),
    })
  })

  it('follow the profile', async () => {
    const clock = new FakeClock()
    const profile = parseProfile({ algorithm: 'SHA512', digits: 8, period: 60, header: 'X-Code' })
    const headers = await schemeOn(clock, { profile }).headers(request)
    expect(headers).toEqual({ Authorization: `Bearer ${token}`, 'X-Code': clock.code(profile) })
  })

  it('never hold two codes, even if the delegate sends one in another spelling', async () => {
    const clock = new FakeClock()
    const odd = { headers: () => Promise.resolve({ 'x-totp': '000000', 'X-Api-Key': 'k' }) }
    expect(await schemeOn(clock, { delegate: odd }).authorize(request)).toEqual({
      'X-Api-Key': 'k',
      'X-TOTP': clock.code(),
    })
  })

  it('are asked of the delegate with the request', async () => {
    const headers = vi.fn(() => Promise.resolve({}))
    await schemeOn(new FakeClock(), { delegate: { headers } }).authorize(request)
    expect(headers).toHaveBeenCalledExactlyOnceWith(request)
  })
})

it.each([
  ['no delegate', { seed }],
  ['a delegate that gives no headers', { seed, delegate: {} }],
  ['a policy that is none', { seed, delegate, replay: 'one' }],
])('a scheme with %s is an error at once', (_, options) => {
  expect(codeOf(() => new TOTPClientAuthScheme(options as TOTPClientAuthSchemeOptions))).toBe(
    'ERR_CONFIG_INVALID',
  )
})

describe('the seed', () => {
  it('comes from the environment when none is given, with the profile there', async () => {
    vi.stubEnv('A2A_TOTP_SEED', ` ${seed.base32.toLowerCase()}\n`)
    vi.stubEnv('A2A_TOTP_ALGORITHM', 'SHA256')
    vi.stubEnv('A2A_TOTP_DIGITS', '8')
    vi.stubEnv('A2A_TOTP_PERIOD', '60')
    vi.stubEnv('A2A_TOTP_HEADER', 'X-Code')
    const { now, at } = new FakeClock()
    const scheme = new TOTPClientAuthScheme({ delegate, now, profile: { period: 45 } })
    const profile = {
      ...defaultProfile,
      algorithm: 'SHA256',
      digits: 8,
      period: 45,
      header: 'X-Code',
    } as const
    expect(scheme.profile).toEqual(profile)
    expect((await scheme.authorize(request))['X-Code']).toBe(generateCode(seed, profile, at))
  })

  it('that is given takes no profile from the environment', () => {
    vi.stubEnv('A2A_TOTP_DIGITS', '8')
    expect(new TOTPClientAuthScheme({ delegate, seed: seed.base32 }).profile).toEqual(defaultProfile)
  })

  it.each([undefined, ''])('that is missing (%j in the environment) is an error at once', (value) => {
    vi.stubEnv('A2A_TOTP_SEED', value)
    expect(codeOf(() => new TOTPClientAuthScheme({ delegate }))).toBe('ERR_SEED_MISSING')
    expect(codeOf(() => new TOTPClientAuthScheme({ delegate, seed: '' }))).toBe('ERR_SEED_MISSING')
  })

  it('that is none is an error at once, which does not quote it', () => {
    const error = failureOf(() => new TOTPClientAuthScheme({ delegate, seed: 'JBSWY3DPEHPK3PX1' }))
    expect(error.code).toBe('ERR_SEED_INVALID')
    expect(error.message).not.toContain('JBSW')
  })

  it('with a variable beside it that is not allowed is an error that names the variable', () => {
    vi.stubEnv('A2A_TOTP_SEED', seed.base32)
    vi.stubEnv('A2A_TOTP_DIGITS', '9')
    const error = failureOf(() => new TOTPClientAuthScheme({ delegate }))
    expect(error.code).toBe('ERR_CONFIG_INVALID')
    expect(error.message).toMatch(/^\$A2A_TOTP_DIGITS: digits must be /)
  })

  it('that is weak works, with a warning that does not show it', async () => {
    const weak = Seed.fromBytes(Buffer.from('0123456789'))
    const warnings: string[] = []
    const clock = new FakeClock()
    const scheme = schemeOn(clock, { seed: weak.base32, onWarning: (message) => warnings.push(message) })
    expect(await scheme.authorize(request)).toHaveProperty(
      'X-TOTP',
      generateCode(weak, defaultProfile, clock.at),
    )
    expect(warnings).toEqual([expect.stringMatching(/80 bits/)])
    expect(warnings.join()).not.toContain(weak.base32.slice(0, 5))
  })

  it('that is weak is warned of through the process, where nobody else listens', () => {
    const emit = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    try {
      schemeOn(new FakeClock(), { seed: Seed.fromBytes(new Uint8Array(10)) })
      expect(emit).toHaveBeenCalledOnce()
      schemeOn(new FakeClock())
      expect(emit).toHaveBeenCalledOnce()
    } finally {
      emit.mockRestore()
    }
  })
})

describe('a refused request', () => {
  const refused = (status = 401, headers = {}) => new Response('', { status, headers })

  it.each([
    [0, false],
    [29, false],
    [30, true],
    [89, true],
    [90, false],
  ])('whose code is %d s old is worth another try: %s', (seconds, worth) => {
    const clock = new FakeClock()
    const code = clock.code()
    clock.advance(seconds)
    const retry = schemeOn(clock).retryOf(code, refused())
    expect(retry).toEqual(worth ? { notBefore: clock.at } : undefined)
  })

  it('is not when the code is somebody else’s, or none', () => {
    const scheme = schemeOn(new FakeClock())
    for (const code of ['', '000000', 'abc', '²²²²²²'])
      expect(scheme.retryOf(code, refused())).toBeUndefined()
  })

  it.each([200, 403, 429, 503])('is not when the answer is %d', (status) => {
    const clock = new FakeClock()
    const code = clock.code()
    clock.advance(30)
    const answer = refused(status, { 'Retry-After': '5' })
    expect(schemeOn(clock, { replay: 'once' }).retryOf(code, answer)).toBeUndefined()
  })

  it('whose step was spent is, after the time that the agent says, under once alone', () => {
    const clock = new FakeClock()
    const answer = refused(401, { 'Retry-After': '17' })
    expect(schemeOn(clock, { replay: 'once' }).retryOf(clock.code(), answer)).toEqual({
      notBefore: new Date(clock.at.getTime() + 17_000),
    })
    expect(schemeOn(clock).retryOf(clock.code(), answer)).toBeUndefined()
  })

  it.each(['', 'soon', '-1', '1.5', '9999999', 'Wed, 21 Oct 2026 07:28:00 GMT'])(
    'is not when the agent says to come back after %j',
    (after) => {
      const clock = new FakeClock()
      const answer = refused(401, { 'Retry-After': after })
      expect(schemeOn(clock, { replay: 'once' }).retryOf(clock.code(), answer)).toBeUndefined()
    },
  )
})

describe('the token', () => {
  it.each([
    ['text', token],
    ['a Token', Token.parse(token)],
    ['a function', () => token],
    ['a promise', () => Promise.resolve(Token.parse(token))],
    ['in an object', { token }],
    ['a function in an object', { token: () => token }],
  ])('may be %s', async (_what, given) => {
    expect(await new BearerTokenAuth(given).headers()).toEqual({ Authorization: `Bearer ${token}` })
  })

  it('comes from the environment when none is given', async () => {
    vi.stubEnv('A2A_TOTP_TOKEN', `${token}\n`)
    expect(await new BearerTokenAuth().headers()).toEqual({ Authorization: `Bearer ${token}` })
  })

  it('is asked for anew for each request when it is a function', async () => {
    let count = 0
    const auth = new BearerTokenAuth(() => `t${++count}`)
    expect([await auth.headers(), await auth.headers()].map((headers) => headers['Authorization'])).toEqual([
      'Bearer t1',
      'Bearer t2',
    ])
  })

  it('that is missing or none is an error at once', () => {
    expect(codeOf(() => new BearerTokenAuth())).toBe('ERR_TOKEN_MISSING')
    vi.stubEnv('A2A_TOTP_TOKEN', '')
    expect(codeOf(() => new BearerTokenAuth())).toBe('ERR_TOKEN_MISSING')
    expect(codeOf(() => new BearerTokenAuth(null as never))).toBe('ERR_TOKEN_MISSING')
    for (const none of ['two words', {}, 42, ['abc']]) {
      expect(codeOf(() => new BearerTokenAuth(none as string))).toBe('ERR_TOKEN_INVALID')
    }
  })

  it('that a function fails to give is an error of the request', async () => {
    await expect(new BearerTokenAuth(() => '').headers()).rejects.toMatchObject({ code: 'ERR_TOKEN_MISSING' })
    await expect(new BearerTokenAuth(() => ({}) as string).headers()).rejects.toMatchObject({
      code: 'ERR_TOKEN_INVALID',
    })
    await expect(new BearerTokenAuth(() => 'a\r\nb').headers()).rejects.toMatchObject({
      code: 'ERR_TOKEN_INVALID',
    })
  })
})

it('a scheme shows neither seed nor token', () => {
  const shown = inspect(schemeOn(new FakeClock()), { depth: Infinity, showHidden: true })
  expect(shown).not.toContain(token)
  expect(shown).not.toContain(seed.base32)
  expect(shown).not.toContain('5, 5, 5')
})
