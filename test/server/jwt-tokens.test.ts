import fc from 'fast-check'
import { createLocalJWKSet, type JWTPayload } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { JWTAuth, type JWTAuthOptions } from '../../src/server/jwt.js'
import { anyCharacter } from '../support/arbitraries.js'
import { codeOf, Clock, requestWith, schemeFor, someInstant } from '../support/guarded.js'
import {
  audience,
  issuer,
  makeKey,
  makeKeys,
  serveKeys,
  tokenBy,
  type IssuerKey,
} from '../support/key-server.js'

type Keys = Pick<JWTAuthOptions, 'jwksUrl' | 'key'>

const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

let keys: [IssuerKey, IssuerKey]
/** Sets with everything that a set may have: keys without ids, with one id, of other types, and unusable ones. */
let published: unknown[]
let good: string

beforeAll(async () => {
  keys = (await makeKeys(2)) as typeof keys
  const [{ jwk: one }, { jwk: other }] = keys
  const rsa = await makeKey({ kid: 'rsa' }, 'RS256')
  published = [
    ...[{ ...one, y: one.x }, one, other, rsa.jwk, { kty: 'EC' }, { ...rsa.jwk, kid: 'odd', oth: 5 }],
    ...[
      { ...one, kid: 'k' },
      { ...other, kid: 'k' },
      { ...one, y: 'AAAA', kid: 'broken' },
    ],
  ]
  good = await tokenBy(keys[1])
})

const headerValue = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    '',
    'k',
    'rsa',
    'odd',
    'broken',
    '__proto__',
    'constructor',
    0,
    true,
    [],
    {},
  ),
  fc.constantFrom('none', 'HS256', 'ES256', 'RS256', 'PS256', 'EdDSA', 'ES512', 'ML-DSA-44', 'dir'),
  fc.jsonValue({ maxDepth: 3 }),
)
const header = fc.record(
  {
    alg: fc.oneof({ weight: 3, arbitrary: fc.constantFrom('ES256', 'RS256') }, headerValue),
    kid: headerValue,
    crit: fc.oneof(fc.constantFrom(['b64'], ['exp'], ['b64', 'b64'], 'b64', [], [5]), headerValue),
    b64: headerValue,
    typ: headerValue,
    zip: fc.constantFrom('DEF', 5),
    enc: fc.constantFrom('A128GCM', {}),
    jku: fc.constantFrom('http://127.0.0.1:9/keys', 7),
    jwk: fc.constantFrom<unknown>({ kty: 'oct', k: 'AAAA' }, 'k'),
    x5u: fc.constantFrom('http://127.0.0.1:9/keys', null),
    x5c: headerValue,
    ['__proto__']: headerValue,
  },
  { requiredKeys: [] },
)
const segment = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.base64String({ maxLength: 40 }),
  fc.jsonValue({ maxDepth: 4 }).map(encode),
  fc.constantFrom('', '=', encode('{'), encode('\u0000'), '_'.repeat(86), 'A'.repeat(86), 'x'.repeat(8000)),
  fc.constant(encode('['.repeat(5000))),
)
const claims = fc.record(
  {
    sub: headerValue,
    iss: fc.oneof(fc.constant(issuer), headerValue),
    aud: fc.oneof(fc.constant([audience]), headerValue),
    exp: fc.oneof(fc.constant(2_000_000_000), fc.double(), headerValue),
    nbf: headerValue,
  },
  { requiredKeys: [] },
)

const sent = fc.oneof(
  fc.string({ unit: anyCharacter, maxLength: 50 }),
  fc.array(segment, { maxLength: 6 }).map((parts) => parts.join('.')),
  fc.tuple(header.map(encode), claims.map(encode), segment).map((parts) => parts.join('.')),
  fc.tuple(fc.nat(), fc.string({ minLength: 1, maxLength: 2 })).map(([place, text]) => {
    const at = place % good.lastIndexOf('.')
    return good.slice(0, at) + text + good.slice(at + text.length)
  }),
  fc.nat().map((length) => good.slice(0, length % (good.length - 4))),
)

/** Anything that somebody may send in place of a token. */
const malformed = sent.filter((token) => token !== good)

describe.each<[what: string, numRuns: number, keys: () => Keys | Promise<Keys>]>([
  ['published keys', 2000, async () => ({ jwksUrl: (await serveKeys(published)).url })],
  ['a key set at hand', 500, () => ({ key: createLocalJWKSet({ keys: published as never }) })],
  ['one key', 500, () => ({ key: keys[1].jwk })],
])('JWTAuth with %s', (_, numRuns, given) => {
  it('refuses whatever a stranger sends, and never throws because of it', { timeout: 120_000 }, async () => {
    const auth = new JWTAuth({ ...(await given()), issuer, audience })
    expect(await auth.authenticateToken(good, { at: someInstant })).toMatchObject({ peer: 'alice' })
    await fc.assert(
      fc.asyncProperty(malformed, async (token) => {
        expect(await auth.authenticateToken(token, { at: someInstant })).toEqual({
          refusal: expect.any(String) as string,
        })
      }),
      { numRuns },
    )
  })

  it('refuses what a peer may sign and nobody expects', async () => {
    const peer = ({ act }: JWTPayload): string => (act as { sub: string }).sub.trim()
    const auth = new JWTAuth({ ...(await given()), issuer, audience, peer })
    const sign = (claims: object, header = {}): Promise<string> => tokenBy(keys[1], { ...claims }, header)
    expect(
      await auth.authenticateToken(await sign({ act: { sub: ' bob' } }), { at: someInstant }),
    ).toMatchObject({
      peer: 'bob',
    })
    for (const token of [
      await sign({}),
      await sign({ act: null }),
      await sign({ act: { sub: {} } }),
      await sign({ act: { sub: 'bob' }, exp: null }),
      await sign({ act: { sub: 'bob' }, aud: [5, {}] }),
    ]) {
      expect(await auth.authenticateToken(token, { at: someInstant })).toEqual({
        refusal: expect.any(String) as string,
      })
    }
  })
})

describe('a scheme with JWTAuth', () => {
  it('answers 401 to a malformed token with a right code, and never 503', async () => {
    const delegate = new JWTAuth({ key: createLocalJWKSet({ keys: published as never }), issuer, audience })
    const { scheme } = schemeFor(new Clock(), { delegate })
    const code = codeOf('alice', someInstant)
    const send = (token: string, source: string) =>
      scheme.authenticate(requestWith({ Authorization: `Bearer ${token}`, 'X-TOTP': code }, source))
    let requests = 0
    await fc.assert(
      fc.asyncProperty(malformed, async (token) => {
        const { refusal } = await send(token, `192.0.2.${requests++ % 250}`)
        expect(refusal?.kind).toBe('unauthenticated')
      }),
      { numRuns: 500 },
    )
    expect((await send(good, '192.0.2.1')).caller?.peer).toBe('alice')
  })

  it('lets a token pass that ends after all dates', async () => {
    const delegate = new JWTAuth({ key: createLocalJWKSet({ keys: published as never }), issuer, audience })
    const { scheme } = schemeFor(new Clock(), { delegate })
    const token = await tokenBy(keys[1], { exp: Number.MAX_SAFE_INTEGER })
    const fields = { Authorization: `Bearer ${token}`, 'X-TOTP': codeOf('alice', someInstant) }
    expect((await scheme.authenticate(requestWith(fields))).caller?.peer).toBe('alice')
  })
})
