import { createSecretKey, generateKeyPairSync } from 'node:crypto'
import { createLocalJWKSet, createRemoteJWKSet, exportJWK, type JWK } from 'jose'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { JWTAuth, type JWTAuthOptions } from '../../src/server/jwt.js'
import { failureOf } from '../support/failure.js'
import { someInstant } from '../support/guarded.js'
import {
  audience,
  issuer,
  makeKey,
  makeKeys,
  serveKeys,
  tokenBy,
  type IssuerKey,
} from '../support/key-server.js'
import { ownTime } from '../support/own-time.js'

type Keys = Pick<JWTAuthOptions, 'jwksUrl' | 'key'>

const authFor = (keys: Keys, options: Partial<JWTAuthOptions> = {}): JWTAuth =>
  new JWTAuth({ ...keys, issuer, audience, ...options })
const ask = (auth: JWTAuth, token: string) => auth.authenticateToken(token, { at: someInstant })
const jwksOf = (keys: readonly IssuerKey[]): JWK[] => keys.map(({ jwk }) => jwk)

/** The two ways in which a key set is passed. */
const ways: [way: string, keys: (set: JWK[]) => Promise<Keys>][] = [
  ['at a URL', async (set) => ({ jwksUrl: (await serveKeys(set)).url })],
  ['at hand', (keys) => Promise.resolve({ key: createLocalJWKSet({ keys }) })],
]

/** Counts signature checks from now on. */
function countChecks(): { readonly count: number } {
  const spy = vi.spyOn(globalThis.crypto.subtle, 'verify')
  onTestFinished(() => spy.mockRestore())
  return {
    get count() {
      return spy.mock.calls.length
    },
  }
}

describe.each(ways)('JWTAuth with a key set %s', (_, given) => {
  it.each<[what: string, members: Partial<JWK>[], header: object]>([
    ['no key has an id', [{}, {}], {}],
    ['both keys have one id', [{ kid: 'k' }, { kid: 'k' }], { kid: 'k' }],
    ['the keys have ids and the token names none', [{ kid: 'a' }, { kid: 'b' }], {}],
    ['the keys say what they are for', [{ use: 'sig', alg: 'ES256' }, { key_ops: ['verify'] }], {}],
  ])('accepts tokens of each key if %s', async (_, [one, other], header) => {
    const keys = [await makeKey(one), await makeKey(other)]
    const auth = authFor(await given(jwksOf(keys)))
    for (const key of keys) {
      expect(await ask(auth, await tokenBy(key, {}, header))).toMatchObject({ peer: 'alice' })
    }
    const stranger = await makeKey()
    expect(await ask(auth, await tokenBy(stranger, {}, header))).toEqual({
      refusal: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
    })
  })

  it.each([
    ['is expired', { exp: 1_800_000_000 }, 'ERR_JWT_EXPIRED'],
    ['is for another audience', { aud: 'https://other.example' }, 'ERR_JWT_CLAIM_VALIDATION_FAILED'],
  ])('says so if a token of the second key %s', async (_, claims, refusal) => {
    const keys = await makeKeys(2)
    const auth = authFor(await given(jwksOf(keys)))
    for (const key of keys) expect(await ask(auth, await tokenBy(key, claims))).toEqual({ refusal })
  })

  it('tries at most 8 keys for a token, and counts none that the token rules out', async () => {
    const others = await Promise.all([
      makeKey({ use: 'enc' }),
      makeKey({ alg: 'ES384' }),
      makeKey({ key_ops: ['sign'] }),
      ...Array.from({ length: 7 }, () => makeKey({}, 'EdDSA')),
    ])
    const keys = await makeKeys(9)
    const stranger = await makeKey()
    const auth = authFor(await given(jwksOf([...others, ...keys])))
    const checks = countChecks()
    expect(await ask(auth, await tokenBy(keys[7] ?? stranger))).toMatchObject({ peer: 'alice' })
    expect(checks.count).toBe(8)
    expect(await ask(auth, await tokenBy(keys[8] ?? stranger))).toEqual({
      refusal: 'ERR_JWKS_MULTIPLE_MATCHING_KEYS',
    })
    expect(checks.count).toBe(16)
  })

  it.each<[what: string, bad: (good: JWK) => unknown]>([
    ['without a member', (good) => ({ ...good, x: undefined })],
    ['with a member of the wrong type', (good) => ({ ...good, y: 5 })],
    ['off the curve', (good) => ({ ...good, x: good.y })],
    ['with unknown operations', (good) => ({ ...good, key_ops: ['verify', 'dance'] })],
    ['of an unknown type', () => ({ kty: 'XYZ' })],
  ])('is not disturbed by a key %s among good ones', async (_, bad) => {
    const [key] = (await makeKeys(1)) as [IssuerKey]
    const named = { ...key.jwk, kid: 'good' }
    const broken = { ...(bad((await makeKey()).jwk) as JWK), kid: 'broken' }
    const auth = authFor(await given([broken, named, { ...named, kid: 'broken' }]))
    for (const header of [{}, { kid: 'good' }, { kid: 'broken' }]) {
      expect(await ask(auth, await tokenBy(key, {}, header))).toMatchObject({ peer: 'alice' })
    }
    const alone = authFor(await given([broken, named]))
    expect(await ask(alone, await tokenBy(key, {}, { kid: 'broken' }))).toHaveProperty('refusal')
    expect(await ask(alone, await tokenBy(key, {}, { kid: 'good' }))).toHaveProperty('peer')
  })

  it('passes over an RSA key that is too short', async () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
    const key = await makeKey({}, 'RS256')
    const auth = authFor(await given([publicKey.export({ format: 'jwk' }), key.jwk]))
    expect(await ask(auth, await tokenBy(key, {}, { alg: 'RS256' }))).toMatchObject({ peer: 'alice' })
  })
})

describe('JWTAuth with a published key set', () => {
  it.each<[what: string, entry: (key: IssuerKey) => unknown]>([
    ['nothing', () => null],
    ['a text', () => 'key'],
    ['a list', () => []],
    ['a shared key', () => ({ kty: 'oct', k: 'AAAA' })],
    [
      'a private key',
      async ({ privateKey }: IssuerKey) => ({ ...(await exportJWK(privateKey)), kid: 'own' }),
    ],
  ])('passes over %s in its place of a key', async (_, entry) => {
    const [key, leaked] = (await makeKeys(2)) as [IssuerKey, IssuerKey]
    const { url } = await serveKeys([await entry(leaked), key.jwk])
    const auth = authFor({ jwksUrl: url })
    expect(await ask(auth, await tokenBy(key))).toMatchObject({ peer: 'alice' })
    expect(await ask(auth, await tokenBy(leaked))).toHaveProperty('refusal')
    expect(await ask(auth, await tokenBy(leaked, {}, { kid: 'own' }))).toHaveProperty('refusal')
  })

  it('fetches keys without ids again when a signature is of none of them, but not all day', async () => {
    const [before, after, stranger] = (await makeKeys(3)) as [IssuerKey, IssuerKey, IssuerKey]
    const server = await serveKeys([before.jwk])
    const auth = authFor({ jwksUrl: server.url }, { cooldownMs: 0 })
    expect(await ask(auth, await tokenBy(before))).toHaveProperty('peer')
    server.keys = [after.jwk]
    expect(await ask(auth, await tokenBy(after))).toHaveProperty('peer')
    expect(await ask(auth, await tokenBy(before))).toHaveProperty('refusal')

    const patient = authFor({ jwksUrl: server.url })
    expect(await ask(patient, await tokenBy(after))).toHaveProperty('peer')
    const { requests } = server
    for (let n = 0; n < 3; n++) expect(await ask(patient, await tokenBy(stranger))).toHaveProperty('refusal')
    expect(server.requests).toBe(requests)
  })

  it('refuses a bad signature also while the keys cannot be fetched again', async () => {
    const [key, stranger] = (await makeKeys(2)) as [IssuerKey, IssuerKey]
    const server = await serveKeys([key.jwk])
    const auth = authFor({ jwksUrl: server.url }, { cooldownMs: 0 })
    expect(await ask(auth, await tokenBy(key))).toHaveProperty('peer')
    server.failure = (response) => void response.writeHead(500).end()
    expect(await ask(auth, await tokenBy(stranger))).toHaveProperty('refusal')
    expect(await ask(auth, await tokenBy(key))).toHaveProperty('peer')
  })

  it.each([
    [
      'more than a thousand keys',
      JSON.stringify({ keys: Array.from({ length: 1001 }, () => ({ kty: 'EC' })) }),
    ],
    ['more than a mebibyte', JSON.stringify({ keys: [], padding: 'x'.repeat(1_100_000) })],
  ])('throws for %s', async (_, body) => {
    const [key] = (await makeKeys(1)) as [IssuerKey]
    const server = await serveKeys([])
    server.failure = (response) => void response.end(body)
    await expect(ask(authFor({ jwksUrl: server.url }), await tokenBy(key))).rejects.toThrow()
  })

  it('stops reading an answer that does not end', async () => {
    const [key] = (await makeKeys(1)) as [IssuerKey]
    const server = await serveKeys([])
    const closed = new Promise<void>((done) => {
      server.failure = (response) => {
        response.on('close', done)
        // By the loop of events: once the connection is gone, Node 26 answers writes within the same turn.
        const more = (): void => {
          if (!response.destroyed) response.write('x'.repeat(65_536), () => setImmediate(more))
        }
        more()
      }
    })
    await expect(
      ask(authFor({ jwksUrl: server.url }, { timeoutMs: 60_000 }), await tokenBy(key)),
    ).rejects.toThrow()
    await closed
  })
})

describe('the time that JWTAuth takes for keys', () => {
  const limit = { timeoutMs: 100 }

  it.each<[what: string, key: () => Promise<never>]>([
    ['never answers', () => new Promise<never>(() => undefined)],
    ['fails', () => Promise.reject(new TypeError('fetch failed'))],
    ['fails by its own limit', () => Promise.reject(new DOMException('too late', 'TimeoutError'))],
    [
      'fails at once',
      () => {
        throw Object.assign(new Error('no'), { code: 'ECONNREFUSED' })
      },
    ],
  ])('throws if a function that finds the key %s', async (_, key) => {
    const token = await tokenBy(await makeKey())
    await expect(ask(authFor({ key }, limit), token)).rejects.toThrow()
  })

  it('is limited as a whole, even if the keys are fetched twice', async () => {
    const server = await serveKeys([])
    let fetched = 0
    server.failure = (response) => {
      // The first answer comes in time and has no key for the token. The second never comes.
      if (fetched++ === 0) setTimeout(() => response.end('{"keys":[]}'), 500)
    }
    const token = await tokenBy(await makeKey())
    const spent = ownTime()
    await expect(
      ask(authFor({ jwksUrl: server.url }, { timeoutMs: 1000, cooldownMs: 0 }), token),
    ).rejects.toThrow()
    // The second fetch has a limit of its own, which would end it after 1500 ms.
    expect(spent()).toBeLessThan(1400)
  })
})

describe('a function that finds the key', () => {
  it.each<[what: string, key: () => unknown]>([
    ['no key', () => undefined],
    ['a key for other algorithms', () => new Uint8Array(32)],
    ['a key that is none', () => ({})],
    [
      'an error of jose in words of its own copy',
      () => {
        throw Object.assign(new Error('no'), { code: 'ERR_JWKS_NO_MATCHING_KEY' })
      },
    ],
  ])('that has %s for a token refuses it', async (_, key) => {
    const auth = authFor({ key: (() => new Promise((done) => done(key()))) as never })
    expect(await ask(auth, await tokenBy(await makeKey()))).toHaveProperty('refusal')
  })

  it('can be a remote key set of its own', async () => {
    const keys = await makeKeys(2)
    const server = await serveKeys(jwksOf(keys))
    const auth = authFor({ key: createRemoteJWKSet(new URL(server.url)) })
    for (const key of keys) expect(await ask(auth, await tokenBy(key))).toHaveProperty('peer')
    server.failure = (response) => void response.writeHead(503).end()
    const fresh = authFor({ key: createRemoteJWKSet(new URL(server.url)) })
    await expect(ask(fresh, await tokenBy(await makeKey()))).rejects.toThrow()
  })
})

describe('one key that JWTAuth is given', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const short = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })

  it('refuses tokens of every other algorithm', async () => {
    const es = await makeKey()
    const shared = { key: createSecretKey(Buffer.alloc(32, 7)), algorithms: ['HS256', 'ES256'] }
    const byRSA = await tokenBy(await makeKey({}, 'RS256'), {}, { alg: 'RS256' })
    const bySecret = await tokenBy({ privateKey: shared.key } as never, {}, { alg: 'HS256' })
    expect(await ask(authFor({ key: ec.publicKey }), byRSA)).toHaveProperty('refusal')
    expect(await ask(authFor({ key: es.jwk }), byRSA)).toHaveProperty('refusal')
    expect(await ask(authFor({ key: { ...es.jwk, alg: 'ES256' } }), byRSA)).toHaveProperty('refusal')
    expect(await ask(authFor({ key: rsa.publicKey }), await tokenBy(es))).toHaveProperty('refusal')
    expect(await ask(authFor(shared), await tokenBy(es))).toHaveProperty('refusal')
    expect(await ask(authFor(shared), bySecret)).toHaveProperty('peer')
    const both = { key: es.jwk, algorithms: ['HS256', 'ES256'] }
    expect(await ask(authFor(both), bySecret)).toHaveProperty('refusal')
  })

  it.each<[what: string, key: unknown]>([
    ['private', ec.privateKey],
    ['private, as a JWK', ec.privateKey.export({ format: 'jwk' })],
    ['for encryption', { ...ec.publicKey.export({ format: 'jwk' }), use: 'enc' }],
    ['malformed', { kty: 'EC', crv: 'P-256', x: 'AAAA' }],
    ['a JWK without its secret', { kty: 'oct' }],
    ['too short', short.publicKey],
    ['too short, as a JWK', short.publicKey.export({ format: 'jwk' })],
    ['empty', new Uint8Array()],
    ['a key set', { keys: [] }],
    ['a text', 'secret'],
    ['null', null],
  ])('must not be %s', (_, key) => {
    expect(failureOf(() => authFor({ key } as Keys))).toMatchObject({ code: 'ERR_CONFIG_INVALID' })
  })

  it.each([
    ['clockTolerance', [-1, NaN, Infinity, '5']],
    ['timeoutMs', [0, -1, 1.5, NaN, 2 ** 31, '5']],
    ['cooldownMs', [-1, NaN, '5']],
  ])('comes with a %s that is a number of its kind', (name, values) => {
    for (const value of values) {
      const options = { [name]: value } as Partial<JWTAuthOptions>
      expect(failureOf(() => authFor({ key: rsa.publicKey }, options))).toMatchObject({
        code: 'ERR_CONFIG_INVALID',
      })
    }
  })

  it('comes from an absolute URL', () => {
    expect(failureOf(() => authFor({ jwksUrl: '/jwks.json' }))).toMatchObject({ code: 'ERR_CONFIG_INVALID' })
  })
})
