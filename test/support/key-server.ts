import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK, type JWTHeaderParameters } from 'jose'
import { onTestFinished } from 'vitest'
import { someInstant } from './guarded.js'

export const issuer = 'https://issuer.example'
export const audience = 'https://billing.example'

/** A key of an issuer: what it publishes, and what it signs with. */
export interface IssuerKey {
  readonly jwk: JWK
  readonly privateKey: CryptoKey
}

export async function makeKey(members: Partial<JWK> = {}, alg = 'ES256'): Promise<IssuerKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  return { jwk: { ...(await exportJWK(publicKey)), ...members }, privateKey }
}

export const makeKeys = (count: number): Promise<IssuerKey[]> =>
  Promise.all(Array.from({ length: count }, () => makeKey()))

/** A token of `alice` that is good for a minute, unless claims or header say otherwise. */
export function tokenBy(
  { privateKey }: IssuerKey,
  claims: Record<string, unknown> = {},
  header: Partial<JWTHeaderParameters> = {},
): Promise<string> {
  const seconds = Math.floor(someInstant.getTime() / 1000)
  return new SignJWT({ sub: 'alice', iss: issuer, aud: audience, exp: seconds + 60, ...claims })
    .setProtectedHeader({ alg: 'ES256', ...header })
    .sign(privateKey)
}

/** A real endpoint for an issuer's keys, until the test is finished. */
export async function serveKeys(keys: readonly unknown[]): Promise<KeyServer> {
  const server = new KeyServer(keys)
  await server.start()
  return server
}

class KeyServer {
  requests = 0
  #server = createServer((_, response) => {
    this.requests++
    if (this.failure) this.failure(response)
    else response.setHeader('Content-Type', 'application/json').end(JSON.stringify({ keys: this.keys }))
  })

  /** What the endpoint answers in place of the keys. */
  failure: ((response: ServerResponse) => void) | undefined

  constructor(public keys: readonly unknown[]) {}

  async start(): Promise<void> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done))
    onTestFinished(() => {
      this.#server.closeAllConnections()
      return new Promise<void>((done) => this.#server.close(() => done()))
    })
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/jwks.json`
  }
}
