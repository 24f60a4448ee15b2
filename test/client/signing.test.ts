import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  BearerTokenAuth,
  TOTPClientAuthScheme,
  type ClientRequest,
  type TOTPClientAuthSchemeOptions,
} from '../../src/client/index.js'
import { digestOf } from '../../src/core/proof/digest.js'
import { ProofKey } from '../../src/core/proof/key.js'
import { verifyHead } from '../../src/core/proof/verify.js'
import { Seed } from '../../src/core/seed.js'
import { FakeClock, schemeOn, seed, token } from '../support/client-scheme.js'
import { codeOf, failureOf } from '../support/failure.js'

const agent = 'billing'
const delegate = new BearerTokenAuth(token)
const decoy = new ProofKey(Seed.fromBytes(new Uint8Array(20)), agent)

const variables = ['TOKEN', 'SEED', 'AGENT', 'SIGNED', 'WINDOW', 'PERIOD', 'HEADER'].map(
  (name) => `A2A_TOTP_${name}`,
)
beforeEach(() => {
  for (const name of variables) vi.stubEnv(name, undefined)
})
afterEach(() => vi.unstubAllEnvs())

const post: ClientRequest = {
  binding: 'http',
  method: 'POST',
  url: 'https://h/a%2Fb?x=1#part',
  headers: { 'content-type': 'application/json' },
  body: '{}',
}
const proofNames = ['Content-Digest', 'Signature-Input', 'Signature']

function without(name: keyof ClientRequest): ClientRequest {
  return Object.fromEntries(Object.entries(post).filter(([field]) => field !== name))
}

/** Whether the headers have a valid proof for the request as it would arrive. */
function verdictOf(
  request: ClientRequest & { readonly target?: string },
  headers: Record<string, string>,
  clock: FakeClock,
  content: Uint8Array | string = '{}',
) {
  const all = Object.fromEntries(
    Object.entries({ ...request.headers, ...headers }).map(([name, value]) => [name.toLowerCase(), value]),
  )
  const { binding = 'http', method = '', target = '/a%2Fb?x=1' } = request
  const arrived = {
    binding,
    method,
    target,
    header: (name: string) => (all[name] === undefined ? [] : [all[name]]),
  }
  const rules = { agent, header: 'x-totp', period: 30, window: 1 }
  const verdict = verifyHead(arrived, rules, [new ProofKey(seed, agent)], decoy, clock.at)
  if (verdict.verdict !== 'valid') return verdict
  return digestOf(binding, Buffer.from(content)).equals(verdict.proof.digest) ? 'valid' : 'another content'
}

describe('authorize', () => {
  it.each<[string, ClientRequest['body'], string | Uint8Array]>([
    ['text', 'grüße', 'grüße'],
    ['bytes', new Uint8Array([0, 255]), new Uint8Array([0, 255])],
    ['bytes to come', () => Promise.resolve(new Uint8Array([1])), new Uint8Array([1])],
    ['null', null, ''],
  ])('signs a request whose body is %s', async (_name, body, content) => {
    const clock = new FakeClock()
    const request = { ...post, body: body ?? null }
    const headers = await schemeOn(clock, { agent }).authorize(request)
    expect(Object.keys(headers)).toEqual(['Authorization', 'X-TOTP', ...proofNames])
    expect(verdictOf(request, headers, clock, content)).toBe('valid')
  })

  it.each(['GET', 'HEAD', 'DELETE', 'get'])(
    'takes %s for one without a body unless one is given',
    async (method) => {
      const clock = new FakeClock()
      const scheme = schemeOn(clock, { agent })
      const request = { ...without('body'), method }
      const arrived = { ...request, method: method.toUpperCase() }
      expect(verdictOf(arrived, await scheme.authorize(request), clock, '')).toBe('valid')
      const headers = await scheme.authorize({ ...request, body: 'x' })
      expect(verdictOf(arrived, headers, clock, 'x')).toBe('valid')
    },
  )

  it('signs a call of gRPC by its message', async () => {
    const clock = new FakeClock()
    const request = {
      binding: 'grpc',
      method: 'POST',
      url: 'https://h:50051/pkg.Service/Method',
      headers: { 'a2a-version': '1.0', 'content-type': 'application/grpc' },
      body: new Uint8Array([8, 1]),
    } as const
    const headers = await schemeOn(clock, { agent }).authorize(request)
    const arrived = { ...request, target: '/pkg.Service/Method' }
    expect(verdictOf(arrived, headers, clock, request.body)).toBe('valid')
    expect(headers['Signature-Input']).not.toContain('content-type')
  })

  it('takes no account of the spelling of names, and of fields that it replaces', async () => {
    const clock = new FakeClock()
    const headers = {
      'Content-Type': 'a/b',
      'X-Totp': '1',
      SIGNATURE: 'x',
      'Content-Digest': 'x',
      Authorization: 'x',
    }
    const sent = { ...post, headers: { 'content-type': 'a/b' } }
    expect(verdictOf(sent, await schemeOn(clock, { agent }).authorize({ ...post, headers }), clock)).toBe(
      'valid',
    )
  })

  it('replaces a proof that the delegate returns', async () => {
    const clock = new FakeClock()
    const inner = schemeOn(clock, { agent: 'another' })
    const headers = await schemeOn(clock, { agent, delegate: inner }).authorize(post)
    expect(Object.keys(headers)).toEqual(['Authorization', 'X-TOTP', ...proofNames])
    expect(verdictOf(post, headers, clock)).toBe('valid')
  })

  it('makes a proof of its own for each attempt', async () => {
    const scheme = schemeOn(new FakeClock(), { agent })
    const inputs = await Promise.all(Array.from({ length: 100 }, () => scheme.authorize(post)))
    const nonces = inputs.map((headers) => /nonce="([\w-]{22})"/.exec(headers['Signature-Input'] ?? '')?.[1])
    expect(nonces).not.toContain(undefined)
    expect(new Set(nonces).size).toBe(100)
  })

  it('rejects with what the body rejects with', async () => {
    const body = () => Promise.reject(new Error('broken'))
    await expect(schemeOn(new FakeClock(), { agent }).authorize({ ...post, body })).rejects.toThrow('broken')
  })
})

describe('a request that cannot be signed', () => {
  it.each<[string, ClientRequest, Partial<TOTPClientAuthSchemeOptions>?]>([
    ['a body that is not known', without('body')],
    ['a body that is a stream', { ...post, body: new Blob(['x']).stream() as never }],
    ['a body that turns out to be none', { ...post, body: () => Promise.resolve({} as never) }],
    ['no url', without('url')],
    ['no binding', without('binding')],
    ['nothing', {}],
    ['a url that is none', { ...post, url: 'h' }],
    ['an unknown message of gRPC', { ...without('body'), binding: 'grpc' }],
    ['a Content-Encoding', { ...post, headers: { 'Content-Encoding': 'gzip' } }],
    ['a value that is no ASCII', { ...post, headers: { 'a2a-extensions': 'ü' } }],
    ['a line break in a value', { ...post, headers: { 'content-type': 'a\n"@method": GET' } }],
    ['no Authorization', post, { delegate: { headers: () => Promise.resolve({ 'X-Api-Key': 'k' }) } }],
  ])('(%s) is sent unsigned by auto, and is an error otherwise', async (_name, request, options = {}) => {
    const clock = new FakeClock()
    const auto = await schemeOn(clock, { agent, ...options }).authorize(request)
    expect(Object.keys(auto)).toEqual([expect.any(String), 'X-TOTP'])
    for (const must of [{ sign: 'always' }, { signed: 'require' }] as const) {
      const scheme = schemeOn(clock, { agent, ...options, ...must, replay: 'once' })
      await expect(scheme.authorize(request)).rejects.toMatchObject({ code: 'ERR_CANNOT_SIGN' })
    }
  })

  it('takes no step under once', async () => {
    const clock = new FakeClock()
    const waits: unknown[] = []
    const onWait = (wait: unknown) => waits.push(wait)
    const scheme = schemeOn(clock, { agent, replay: 'once', sign: 'always', onWait })
    await expect(scheme.authorize({})).rejects.toMatchObject({ code: 'ERR_CANNOT_SIGN' })
    await scheme.authorize(post)
    expect(waits).toEqual([])
  })
})

describe('the mode', () => {
  it('never signs none', async () => {
    const scheme = schemeOn(new FakeClock(), { agent, sign: 'never', signed: 'require' })
    expect(Object.keys(await scheme.authorize(post))).toEqual(['Authorization', 'X-TOTP'])
    expect([scheme.sign, scheme.signs]).toEqual(['never', false])
  })

  it.each(['off', 'observe', 'accept', undefined] as const)(
    'auto signs, whatever the agent does with it: %s',
    async (signed) => {
      const scheme = schemeOn(new FakeClock(), { agent, ...(signed && { signed }) })
      expect(await scheme.authorize(post)).toHaveProperty('Signature')
      expect([scheme.sign, scheme.signs, scheme.signed]).toEqual(['auto', true, signed])
    },
  )

  it('auto without a name sends a code', async () => {
    const scheme = schemeOn(new FakeClock())
    expect(Object.keys(await scheme.authorize(post))).toEqual(['Authorization', 'X-TOTP'])
    expect(scheme.signs).toBe(false)
  })

  it.each([{ sign: 'always' }, { signed: 'require' }] as const)(
    'without a name is an error at once: %j',
    (options) => {
      const { code, message } = failureOf(() => schemeOn(new FakeClock(), options))
      expect(code).toBe('ERR_CANNOT_SIGN')
      expect(message).toContain('A2A_TOTP_AGENT')
    },
  )

  it.each([{ sign: 'yes' }, { signed: 'on' }, { agent: '' }, { agent: 'a b' }, { agent: 'ü' }])(
    'that is none is an error at once: %j',
    (options) => {
      expect(codeOf(() => schemeOn(new FakeClock(), options as never))).toBe('ERR_CONFIG_INVALID')
    },
  )
})

describe('the environment', () => {
  beforeEach(() => {
    vi.stubEnv('A2A_TOTP_SEED', seed.base32)
    vi.stubEnv('A2A_TOTP_AGENT', agent)
  })
  const schemeOf = (options: Partial<TOTPClientAuthSchemeOptions> = {}) =>
    new TOTPClientAuthScheme({ delegate, now: new FakeClock().now, ...options })

  it('has the name, the policy and the window of the agent', async () => {
    vi.stubEnv('A2A_TOTP_SIGNED', 'require')
    vi.stubEnv('A2A_TOTP_WINDOW', '2')
    const scheme = schemeOf()
    expect([scheme.agent, scheme.signed, scheme.sign]).toEqual([agent, 'require', 'always'])
    const [, created, expires] =
      /created=(\d+);expires=(\d+)/.exec((await scheme.authorize(post))['Signature-Input'] ?? '') ?? []
    expect(Number(expires) - Number(created)).toBe(90)
  })

  it('is about its own seed, and not about one that is given', () => {
    vi.stubEnv('A2A_TOTP_SIGNED', 'require')
    const scheme = schemeOf({ seed })
    expect([scheme.agent, scheme.signed, scheme.sign, scheme.signs]).toEqual([
      undefined,
      undefined,
      'auto',
      false,
    ])
  })

  it('yields to what is given', () => {
    vi.stubEnv('A2A_TOTP_SIGNED', 'require')
    const scheme = schemeOf({ agent: 'another', signed: 'accept' })
    expect([scheme.agent, scheme.signed, scheme.sign]).toEqual(['another', 'accept', 'auto'])
  })

  it('counts an empty variable as missing', () => {
    vi.stubEnv('A2A_TOTP_SIGNED', '')
    vi.stubEnv('A2A_TOTP_AGENT', '')
    expect(schemeOf()).toMatchObject({ agent: undefined, signed: undefined })
  })

  it.each([
    ['A2A_TOTP_SIGNED', 'required'],
    ['A2A_TOTP_AGENT', 'no name'],
  ])('with a wrong %s is an error that names it', (name, value) => {
    vi.stubEnv(name, value)
    const { code, message } = failureOf(() => schemeOf())
    expect(code).toBe('ERR_CONFIG_INVALID')
    expect(message).toContain(`$${name}: `)
  })
})
