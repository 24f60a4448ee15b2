import { generateKeyPairSync } from 'node:crypto'
import { calculateJwkThumbprint, createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import { Asserter } from '../../../src/sidecar/gate/assertion.js'

const ed25519 = generateKeyPairSync('ed25519').privateKey
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
const caller = { peer: 'alice', agent: 'billing', audience: 'https://billing.example' }
const pem = (key: typeof ed25519): string => key.export({ type: 'pkcs8', format: 'pem' }).toString()

describe('an assertion', () => {
  it.each([
    { name: 'Ed25519 as PEM', text: pem(ed25519), alg: 'EdDSA' },
    { name: 'Ed25519 as JWK', text: JSON.stringify(ed25519.export({ format: 'jwk' })), alg: 'EdDSA' },
    { name: 'P-256 as PEM', text: pem(p256), alg: 'ES256' },
    { name: 'P-256 as JWK', text: JSON.stringify(p256.export({ format: 'jwk' })), alg: 'ES256' },
  ])('made with $name is one that jose verifies with the published key', async ({ text, alg }) => {
    const asserter = Asserter.read(text)
    const { payload, protectedHeader } = await jwtVerify(
      asserter.sign(caller),
      createLocalJWKSet(asserter.jwks() as never),
      { issuer: 'a2a-totp', audience: caller.audience, algorithms: [alg] },
    )
    expect(payload).toMatchObject({ sub: 'alice', agent: 'billing' })
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(30)
    const [key] = asserter.jwks().keys
    expect(protectedHeader.kid).toBe(await calculateJwkThumbprint(key as never))
  })

  it('is valid for 30 s from the second in which it was made', async () => {
    const asserter = Asserter.read(pem(ed25519), () => new Date(1_700_000_000_999))
    const keys = createLocalJWKSet(asserter.jwks() as never)
    const at = (seconds: number) => ({ currentDate: new Date(seconds * 1000), audience: caller.audience })
    const jws = asserter.sign(caller)
    await expect(jwtVerify(jws, keys, at(1_700_000_029))).resolves.toMatchObject({
      payload: { iat: 1_700_000_000, exp: 1_700_000_030 },
    })
    await expect(jwtVerify(jws, keys, at(1_700_000_030))).rejects.toThrow('exp')
  })

  it('has another jti each time', async () => {
    const asserter = Asserter.read(pem(p256))
    const keys = createLocalJWKSet(asserter.jwks() as never)
    const ids = await Promise.all(
      [1, 2].map(async () => (await jwtVerify(asserter.sign(caller), keys)).payload.jti),
    )
    expect(new Set(ids).size).toBe(2)
  })

  it('is signed with a new key at once, and the former one is published as long as its assertions are valid', async () => {
    let [file, now] = [pem(ed25519), 1_700_000_000]
    const asserter = Asserter.read(
      () => file,
      () => new Date(now * 1000),
    )
    const isVerified = async (jws: string): Promise<boolean> => {
      const options = { currentDate: new Date(now * 1000), audience: caller.audience }
      const keys = createLocalJWKSet(asserter.jwks() as never)
      return jwtVerify(jws, keys, options).then(
        () => true,
        () => false,
      )
    }
    const former = asserter.sign(caller)
    file = pem(p256)
    asserter.reload()
    asserter.reload()
    expect(await isVerified(asserter.sign(caller))).toBe(true)
    expect(decodeProtectedHeader(asserter.sign(caller)).alg).toBe('ES256')
    now += 29
    expect(await isVerified(former)).toBe(true)
    expect(asserter.jwks().keys).toHaveLength(2)
    now += 2
    expect(asserter.jwks().keys).toHaveLength(1)
    expect(await isVerified(asserter.sign(caller))).toBe(true)
  })

  it('publishes one key of each kid', () => {
    const named = (key: typeof ed25519): string =>
      JSON.stringify({ ...key.export({ format: 'jwk' }), kid: 'a' })
    let file = named(ed25519)
    const asserter = Asserter.read(() => file)
    file = named(p256)
    asserter.reload()
    expect(asserter.jwks().keys).toEqual([expect.objectContaining({ kid: 'a', alg: 'ES256' })])
  })

  it('is signed with the last good key while the file is broken', () => {
    let file = pem(ed25519)
    const asserter = Asserter.read(() => file)
    const { keys } = asserter.jwks()
    file = 'broken'
    expect(() => asserter.reload()).toThrow('--assert-key')
    expect(asserter.jwks().keys).toEqual(keys)
    expect(decodeProtectedHeader(asserter.sign(caller)).alg).toBe('EdDSA')
  })

  it('takes the kid of a JWK that has one', () => {
    const jwk = { ...ed25519.export({ format: 'jwk' }), kid: 'gate-7' }
    const asserter = Asserter.read(JSON.stringify(jwk))
    expect(decodeProtectedHeader(asserter.sign(caller)).kid).toBe('gate-7')
    expect(asserter.jwks().keys[0]).toMatchObject({ kid: 'gate-7' })
  })

  it('publishes no private part of the key', () => {
    for (const key of [ed25519, p256]) {
      expect(Object.keys(Asserter.read(pem(key)).jwks().keys[0] ?? {})).not.toContain('d')
    }
  })

  it.each([
    ['an RSA key', generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey],
    ['P-384', generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey],
    ['X25519', generateKeyPairSync('x25519').privateKey],
  ])('is not made with %s', (_, key) => {
    expect(() => Asserter.read(pem(key))).toThrow('--assert-key')
  })

  it.each([
    ['a public key', ed25519.export({ format: 'jwk' }).x ?? ''],
    ['a public JWK', JSON.stringify({ ...ed25519.export({ format: 'jwk' }), d: undefined })],
    ['a symmetric JWK', '{"kty":"oct","k":"c2VjcmV0LXNlY3JldA"}'],
    ['nothing', ''],
    ['null', 'null'],
  ])('is not made with %s, and no error shows the text', (_, text) => {
    expect(() => Asserter.read(text)).toThrow('--assert-key')
    try {
      Asserter.read(text)
    } catch (error) {
      if (text.length > 10) expect((error as Error).message).not.toContain(text)
    }
  })
})
