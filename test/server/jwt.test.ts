import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT, type CryptoKey, type JWK } from 'jose'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { JWTAuth, type JWTAuthOptions } from '../../src/server/jwt.js'
import { Clock, codeOf, requestWith, schemeFor, someInstant, wrongCodeOf } from '../support/guarded.js'
import { failureOf } from '../support/failure.js'

const issuer = 'https://issuer.example'
const audience = 'https://billing.example'

/** An issuer with a real endpoint for its keys, which can be rotated and can be down. */
class Issuer {
  readonly #keys = new Map<string, CryptoKey>()
  #published: JWK[] = []
  #server: Server | undefined
  requests = 0
  /** What the endpoint answers in place of the keys. */
  failure: ((response: ServerResponse) => void) | undefined

  async start(): Promise<this> {
    await this.rotate('k1')
    this.#server = createServer((_, response) => {
      this.requests++
      if (this.failure) this.failure(response)
      else
        response.setHeader('Content-Type', 'application/json').end(JSON.stringify({ keys: this.#published }))
    })
    await new Promise<void>((done) => this.#server?.listen(0, '127.0.0.1', done))
    return this
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server?.address() as AddressInfo).port}/jwks.json`
  }

  /** From now on only that key is published. */
  async rotate(kid: string): Promise<void> {
    const { publicKey, privateKey } = await generateKeyPair('ES256')
    this.#keys.set(kid, privateKey)
    this.#published = [{ ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' }]
  }

  sign(
    claims: Record<string, unknown>,
    { kid = 'k1', typ = 'at+jwt', lifetime = 60, by = issuer, to = audience } = {},
  ): Promise<string> {
    const seconds = Math.floor(someInstant.getTime() / 1000)
    const key = this.#keys.get(kid)
    if (!key) throw new Error('no such key')
    return new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', kid, typ })
      .setIssuer(by)
      .setAudience(to)
      .setIssuedAt(seconds)
      .setExpirationTime(seconds + lifetime)
      .sign(key)
  }

  stop(): Promise<unknown> {
    this.#server?.closeAllConnections()
    return new Promise((done) => this.#server?.close(done))
  }
}

let keys: Issuer
beforeEach(async () => {
  keys = await new Issuer().start()
})
afterEach(() => keys.stop())

const authFor = (options: Partial<JWTAuthOptions> = {}): JWTAuth =>
  new JWTAuth({ jwksUrl: keys.url, issuer, audience, ...options })
const ask = (auth: JWTAuth, token: string, at = someInstant) => auth.authenticateToken(token, { at })

/** Texts that jose takes for the same token: the signature's last character has four bits that mean nothing. */
function spellingsOf(token: string): string[] {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const place = alphabet.indexOf(token.at(-1) ?? '')
  return Array.from({ length: 16 }, (_, n) => token.slice(0, -1) + (alphabet[(place & ~15) + n] ?? ''))
}

describe('JWTAuth', () => {
  it('takes a token of the issuer for its audience, and names the peer by its subject', async () => {
    const token = await keys.sign({ sub: 'alice', scope: 'tasks' })
    expect(await ask(authFor(), token)).toMatchObject({
      peer: 'alice',
      claims: { scope: 'tasks', iss: issuer },
    })
  })

  it('finds the name in another claim, or as a function says', async () => {
    const token = await keys.sign({ sub: 'auth0|17', client_id: 'bob' })
    expect(await ask(authFor({ peer: 'client_id' }), token)).toMatchObject({ peer: 'bob' })
    const names = new Map([['auth0|17', 'carol']])
    const peer: JWTAuthOptions['peer'] = ({ sub = '' }) => names.get(sub)
    expect(await ask(authFor({ peer }), token)).toMatchObject({ peer: 'carol' })
    for (const claim of ['missing', 'number', 'empty']) {
      const odd = await keys.sign({ number: 5, empty: '' })
      expect(await ask(authFor({ peer: claim }), odd)).toHaveProperty('refusal')
    }
  })

  it.each<[what: string, token: () => Promise<string>]>([
    ['another issuer', () => keys.sign({ sub: 'alice' }, { by: 'https://evil.example' })],
    ['another audience', () => keys.sign({ sub: 'alice' }, { to: 'https://other.example' })],
    ['no JWT at all', () => Promise.resolve('a2at_opaque')],
    ['an empty token', () => Promise.resolve('')],
    [
      'no signature',
      () =>
        Promise.resolve(new UnsecuredJWT({ sub: 'alice' }).setIssuer(issuer).setAudience(audience).encode()),
    ],
    ['a changed signature', async () => (await keys.sign({ sub: 'alice' })).replace(/.{4}$/, 'AAAA')],
    [
      'changed claims',
      async () => {
        const [header, , signature] = (await keys.sign({ sub: 'alice' })).split('.')
        const [, claims] = (await keys.sign({ sub: 'bob' })).split('.')
        return [header, claims, signature].join('.')
      },
    ],
    [
      'a public key taken for a shared one',
      async () => {
        const jwk = JSON.stringify(await (await fetch(keys.url)).json())
        return new SignJWT({ sub: 'alice' })
          .setProtectedHeader({ alg: 'HS256', kid: 'k1' })
          .setIssuer(issuer)
          .setAudience(audience)
          .setExpirationTime('1h')
          .sign(new TextEncoder().encode(jwk))
      },
    ],
  ])('refuses a token with %s', async (_, token) => {
    expect(await ask(authFor(), await token())).toHaveProperty('refusal')
  })

  it('refuses a token without an end', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256')
    const token = await new SignJWT({ sub: 'alice' })
      .setProtectedHeader({ alg: 'ES256' })
      .setIssuer(issuer)
      .setAudience(audience)
      .sign(privateKey)
    const auth = new JWTAuth({ key: publicKey, issuer, audience })
    expect(await ask(auth, token)).toHaveProperty('refusal')
  })

  it('refuses an expired token, with as much tolerance as it is given', async () => {
    const token = await keys.sign({ sub: 'alice' }, { lifetime: 60 })
    const after = (seconds: number): Date => new Date(someInstant.getTime() + seconds * 1000)
    expect(await ask(authFor(), token, after(64))).toHaveProperty('peer')
    expect(await ask(authFor(), token, after(65))).toHaveProperty('refusal')
    expect(await ask(authFor({ clockTolerance: 0 }), token, after(60))).toHaveProperty('refusal')
  })

  it('takes tokens of one type only when told to, and of listed algorithms only', async () => {
    const token = await keys.sign({ sub: 'alice' }, { typ: 'JWT' })
    expect(await ask(authFor({ type: 'at+jwt' }), token)).toHaveProperty('refusal')
    expect(await ask(authFor({ algorithms: ['RS256'] }), token)).toHaveProperty('refusal')
  })

  it('takes a shared key where algorithms says so, and only there', async () => {
    const key = new Uint8Array(32).fill(7)
    const token = await new SignJWT({ sub: 'alice' })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuer(issuer)
      .setAudience(audience)
      .setExpirationTime(new Date(someInstant.getTime() + 60_000))
      .sign(key)
    expect(await ask(new JWTAuth({ key, issuer, audience, algorithms: ['HS256'] }), token)).toHaveProperty(
      'peer',
    )
    expect(await ask(new JWTAuth({ key, issuer, audience }), token)).toHaveProperty('refusal')
  })

  it('fetches the keys once, and anew when the issuer has rotated them', async () => {
    const auth = authFor({ cooldownMs: 0 })
    const before = await keys.sign({ sub: 'alice' })
    for (let n = 0; n < 3; n++) expect(await ask(auth, before)).toHaveProperty('peer')
    expect(keys.requests).toBe(1)
    await keys.rotate('k2')
    const after = await keys.sign({ sub: 'alice' }, { kid: 'k2' })
    for (let n = 0; n < 3; n++) expect(await ask(auth, after)).toHaveProperty('peer')
    expect(keys.requests).toBe(2)
    expect(await ask(auth, before)).toHaveProperty('refusal')
  })

  it('does not let strangers have the keys fetched all day', async () => {
    const auth = authFor()
    expect(await ask(auth, await keys.sign({ sub: 'alice' }))).toHaveProperty('peer')
    await keys.rotate('k2')
    const unknown = await keys.sign({ sub: 'alice' }, { kid: 'k2' })
    for (let n = 0; n < 3; n++) expect(await ask(auth, unknown)).toHaveProperty('refusal')
    expect(keys.requests).toBe(1)
  })

  it.each<[what: string, failure: NonNullable<Issuer['failure']>]>([
    ['an error', (response) => void response.writeHead(500).end()],
    ['no JSON', (response) => void response.end('<html>')],
    ['JSON without keys', (response) => void response.end('{}')],
    ['a hang-up', (response) => void response.destroy()],
    ['nothing', () => undefined],
  ])('throws when the keys cannot be had because the endpoint answers with %s', async (_, failure) => {
    keys.failure = failure
    const token = await keys.sign({ sub: 'alice' })
    await expect(ask(authFor({ timeoutMs: 200 }), token)).rejects.toThrow()
  })

  it('stands in front of a code: both factors, and 503 while the issuer is away', async () => {
    const delegate = authFor({ timeoutMs: 500 })
    const { scheme } = schemeFor(new Clock(), { delegate })
    const fields = {
      Authorization: `Bearer ${await keys.sign({ sub: 'alice' })}`,
      'X-TOTP': codeOf('alice', someInstant),
    }
    keys.failure = (response) => void response.writeHead(500).end()
    expect((await scheme.authenticate(requestWith(fields))).refusal).toMatchObject({
      kind: 'unavailable',
      reason: 'delegate-failed',
    })
    keys.failure = undefined
    expect((await scheme.authenticate(requestWith(fields))).caller).toMatchObject({
      peer: 'alice',
      claims: { sub: 'alice' },
    })
    const { refusal } = await scheme.authenticate(
      requestWith({ ...fields, 'X-TOTP': codeOf('bob', someInstant) }),
    )
    expect(refusal?.reason).toBe('code-wrong')
    const stranger = { ...fields, Authorization: `Bearer ${await keys.sign({ sub: 'mallory' })}` }
    expect((await scheme.authenticate(requestWith(stranger))).refusal?.reason).toBe('peer-unknown')
  })

  it('gives all spellings of one token the same budget', async () => {
    const { scheme } = schemeFor(new Clock(), { delegate: authFor() })
    const token = await keys.sign({ sub: 'alice' })
    const spellings = spellingsOf(token)
    const reasons: (string | undefined)[] = []
    for (const [n, spelling] of spellings.entries()) {
      const fields = { Authorization: `Bearer ${spelling}`, 'X-TOTP': wrongCodeOf(someInstant, n) }
      reasons.push((await scheme.authenticate(requestWith(fields))).refusal?.reason)
    }
    expect(reasons).toEqual([
      ...Array<string>(5).fill('code-wrong'),
      ...Array<string>(spellings.length - 5).fill('guesses-exhausted'),
    ])
  })

  it.each<[what: string, code: string, options: object]>([
    ['neither key nor URL', 'ERR_CONFIG_INVALID', { jwksUrl: undefined }],
    ['both', 'ERR_CONFIG_INVALID', { key: new Uint8Array(32) }],
    ['no issuer', 'ERR_CONFIG_INVALID', { issuer: '' }],
    ['no audience', 'ERR_CONFIG_INVALID', { audience: [] }],
    ['no algorithm', 'ERR_CONFIG_INVALID', { algorithms: [] }],
    ['symmetric algorithms of published keys', 'ERR_CONFIG_INVALID', { algorithms: ['HS256'] }],
    ['keys over plain http', 'ERR_INSECURE_TRANSPORT', { jwksUrl: 'http://issuer.example/jwks.json' }],
    ['keys of a file', 'ERR_INSECURE_TRANSPORT', { jwksUrl: 'file:///etc/keys.json' }],
  ])('refuses to start with %s', (_, code, options) => {
    expect(failureOf(() => authFor(options))).toMatchObject({ code })
  })
})
