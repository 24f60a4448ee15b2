import { generateKeyPairSync } from 'node:crypto'
import {
  AgentCard,
  generateAgentCardSignature,
  verifyAgentCardSignature,
  type AgentCardSignature,
} from '@a2a-js/sdk'
import { DefaultAgentCardResolver } from '@a2a-js/sdk/client'
import { DefaultRequestHandler, InMemoryTaskStore } from '@a2a-js/sdk/server'
import { agentCardHandler } from '@a2a-js/sdk/server/express'
import { decodeProtectedHeader, exportJWK, generateKeyPair, type CryptoKey } from 'jose'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { canonicalJson } from '../../src/core/card/canonical.js'
import { cardMessage } from '../../src/core/card/card-message.js'
import { readTotpExtension } from '../../src/core/card/extension.js'
import { withNewerRequirements } from '../../src/core/card/hybrid.js'
import { withTotpSecurity } from '../../src/core/card/security.js'
import type { CardJson } from '../../src/core/card/shapes.js'
import { defaultProfile } from '../../src/core/profile.js'
import { signedTotpAgentCard, totpAgentCard, type TOTPAgentCardOptions } from '../../src/server/a2a.js'
import { signCard } from '../../src/server/card.js'
import { canonicalAsReceived, verifiedOver } from '../support/card-signatures.js'
import { cardJson, RecordingExecutor, TestServer } from '../support/guarded-agent.js'

let publicKey: CryptoKey
let privateKey: CryptoKey
const named = { kid: 'card-1', alg: 'ES256' }
const sign = (card: CardJson): Promise<CardJson> => signCard(card, privateKey, named)

beforeAll(async () => {
  ;({ publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true }))
})

/** A card with the defaults on which implementations differ, and interfaces of 1.0 alone. */
const newerOnly = (origin: string): CardJson => {
  const json = cardJson(origin)
  const interfaces = json['supportedInterfaces'] as { protocolVersion: string }[]
  return {
    ...json,
    supportedInterfaces: interfaces.filter(({ protocolVersion }) => protocolVersion === '1.0'),
    skills: [{ id: 'echo', name: 'Écho', description: '', tags: [], examples: [] }],
    capabilities: {
      streaming: false,
      extendedAgentCard: true,
      extensions: [{ uri: 'urn:x', required: false, params: { text: '', list: [], number: 1e21 } }],
    },
  }
}

/** The SDK's verifier, for a card as JSON. */
const verifiesInSdk = async (card: CardJson, key: CryptoKey = publicKey): Promise<boolean> => {
  const verify = verifyAgentCardSignature((kid) =>
    kid === 'card-1' ? Promise.resolve(key) : Promise.reject(new Error(kid)),
  )
  return verify(card as unknown as AgentCard).then(
    () => true,
    () => false,
  )
}

describe('signCard', () => {
  it('signs what each verifier computes: the JSON as received, the form of §8.4.1, and that of the SDKs', async () => {
    vi.spyOn(console, 'debug').mockImplementation(() => undefined)
    const card = await sign(withTotpSecurity({ ...newerOnly('https://h'), 'x-own': 1 }, { protocol: 'both' }))
    expect(card['signatures']).toHaveLength(3)
    expect(await verifiedOver(canonicalAsReceived(card), card, publicKey)).toBe(1)
    expect(await verifiedOver(canonicalJson(cardMessage(withNewerRequirements(card))), card, publicKey)).toBe(
      1,
    )
    expect(await verifiesInSdk(card)).toBe(true)
    expect(await verifiesInSdk({ ...card, name: 'another' })).toBe(false)
    vi.restoreAllMocks()
  })

  it('with strict signs nothing that leaves out what the card demands', async () => {
    vi.spyOn(console, 'debug').mockImplementation(() => undefined)
    const card = withTotpSecurity(newerOnly('https://h'))
    const { securityRequirements, ...open } = (await sign(card)) as CardJson & {
      securityRequirements: unknown
    }
    expect(securityRequirements).toHaveLength(1)
    expect(await verifiesInSdk(open)).toBe(true)
    const strict = await signCard(card, privateKey, { ...named, strict: true })
    expect(await verifiedOver(canonicalAsReceived(strict), strict, publicKey)).toBe(1)
    expect(await verifiesInSdk({ ...strict, securityRequirements: [] })).toBe(false)
    vi.restoreAllMocks()
  })

  it('writes the protected header of §8.4.2', async () => {
    const jku = 'https://h/jwks.json'
    const card = await signCard({ name: 'x', url: 'https://h' }, privateKey, { ...named, jku })
    const [signature] = card['signatures'] as AgentCardSignature[]
    expect(Object.keys(signature ?? {})).toEqual(['protected', 'signature'])
    expect(decodeProtectedHeader(signature ?? {})).toEqual({ alg: 'ES256', typ: 'JOSE', kid: 'card-1', jku })
  })

  it('signs a card of 0.3 as it is', async () => {
    const card = await sign(withTotpSecurity({ name: 'x', url: 'https://h', protocolVersion: '0.3.0' }))
    expect(card['signatures']).toHaveLength(1)
    expect(await verifiedOver(canonicalAsReceived(card), card, publicKey)).toBe(1)
  })

  it('takes a JWK with its own id and algorithm, and a key of Node', async () => {
    const jwk = { ...(await exportJWK(privateKey)), kid: 'card-1', alg: 'ES256' }
    const byJwk = await signCard({ name: 'x' }, jwk)
    expect(await verifiedOver(canonicalAsReceived(byJwk), byJwk, publicKey)).toBe(1)
    const { privateKey: nodeKey } = generateKeyPairSync('ed25519')
    const card = await signCard({ name: 'x' }, nodeKey, { kid: 'card-1', alg: 'EdDSA' })
    expect(card['signatures']).not.toHaveLength(0)
  })

  it('replaces signatures, and adds to them for a second key', async () => {
    const first = await sign({ name: 'x', url: 'https://h' })
    const again = await sign(first)
    expect(again['signatures']).toHaveLength(1)
    const other = await generateKeyPair('EdDSA')
    const both = await signCard(first, other.privateKey, { kid: 'card-2', alg: 'EdDSA', add: true })
    for (const key of [publicKey, other.publicKey])
      expect(await verifiedOver(canonicalAsReceived(both), both, key)).toBe(1)
    expect(first['signatures']).toHaveLength(1)
  })

  it.each<[what: string, options: Parameters<typeof signCard>[2], code: string]>([
    ['without an id', { alg: 'ES256' }, 'ERR_CONFIG_INVALID'],
    ['without an algorithm', { kid: 'card-1' }, 'ERR_CONFIG_INVALID'],
    ['with a shared key', { kid: 'card-1', alg: 'HS256' }, 'ERR_CONFIG_INVALID'],
    ['with an algorithm that is not that of the key', { kid: 'card-1', alg: 'RS256' }, 'ERR_CONFIG_INVALID'],
    ['without any algorithm', { kid: 'card-1', alg: 'none' }, 'ERR_CONFIG_INVALID'],
    [
      'with keys that anyone on the way can change',
      { ...named, jku: 'http://h/jwks' },
      'ERR_INSECURE_TRANSPORT',
    ],
    ['with keys at no URL', { ...named, jku: 'jwks.json' }, 'ERR_CONFIG_INVALID'],
  ])('refuses to sign %s', async (_, options, code) => {
    await expect(signCard({ name: 'x' }, privateKey, options)).rejects.toMatchObject({
      name: 'TOTPError',
      code,
    })
  })

  it('says no part of the key when it cannot sign', async () => {
    const jwk = { ...(await exportJWK(privateKey)), x: 'AAAA' }
    const error: unknown = await signCard({ name: 'x' }, jwk, named).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'ERR_CONFIG_INVALID' })
    expect(String(error)).not.toContain(jwk.d)
  })
})

describe('a signed card of the SDK', () => {
  let server: TestServer
  const legacyCompat = { enabled: true }

  beforeEach(async () => {
    server = await new TestServer().listen()
    vi.spyOn(console, 'debug').mockImplementation(() => undefined)
  })
  afterEach(async () => {
    vi.restoreAllMocks()
    await server.close()
  })

  const serve = (card: AgentCard): void => {
    const agentCardProvider = (): Promise<AgentCard> => Promise.resolve(card)
    server.app.use('/.well-known/agent-card.json', agentCardHandler({ agentCardProvider, legacyCompat }))
  }
  const get = async (version: string): Promise<CardJson> => {
    const response = await fetch(`${server.origin}/.well-known/agent-card.json`, {
      headers: { 'A2A-Version': version },
    })
    return (await response.json()) as CardJson
  }

  it('says what its scheme does: the profile, and the policy for signed requests', async () => {
    const profile = { ...defaultProfile, digits: 8, header: 'X-Code' } as const
    const scheme = { profile, signed: 'accept' } as const
    const said = { ...profile, signed: { policy: 'accept', profile: 'a2a-totp/proof/v1' } }
    const signed = await signedTotpAgentCard(newerOnly(server.origin), { scheme, signCard: sign })
    serve(signed)
    const served = await get('1.0')
    expect(readTotpExtension(served)).toEqual(said)
    expect(served).toMatchObject({ securityRequirements: [{ schemes: { bearer: {}, totp: {} } }] })
    expect(JSON.stringify(served['securitySchemes'])).toContain('X-Code')
    expect(await verifiesInSdk(served)).toBe(true)
    // Once more, nothing changes: it keeps its signatures.
    expect(JSON.parse(JSON.stringify(totpAgentCard(signed, { scheme })))).toEqual(served)
    expect(withTotpSecurity(served, scheme)).toEqual(served)
  })

  it('says what its options say before what its scheme does, and nothing without any', () => {
    const card = newerOnly(server.origin)
    const scheme = { profile: defaultProfile, signed: 'off' } as const
    const read = (options: TOTPAgentCardOptions): unknown =>
      readTotpExtension(totpAgentCard(card, options) as unknown as CardJson)
    expect(read({ scheme, profile: { header: 'X-Code' }, signed: 'require' })).toMatchObject({
      header: 'X-Code',
      signed: { policy: 'require' },
    })
    // A scheme from before proofs.
    expect(read({ scheme: { profile: defaultProfile } })).toMatchObject({ signed: { policy: 'off' } })
    expect(read({ header: 'X-Code' })).toBeUndefined()
    expect(read({})).toBeUndefined()
  })

  it('verifies as it is served: by JWS over the JCS form of the bytes, by §8.4.1, and by the SDK', async () => {
    serve(await signedTotpAgentCard(newerOnly(server.origin), { signCard: sign }))
    const served = await get('1.0')
    expect(served).toMatchObject({ securityRequirements: [{ schemes: { bearer: {}, totp: {} } }] })
    expect(served['signatures']).toHaveLength(2)
    expect(await verifiedOver(canonicalAsReceived(served), served, publicKey)).toBe(1)
    expect(await verifiedOver(canonicalJson(cardMessage(served)), served, publicKey)).toBe(1)
    expect(await verifiesInSdk(served)).toBe(true)
    for (const changed of [
      { ...served, name: 'y' },
      { ...served, supportedInterfaces: [] },
    ]) {
      expect(await verifiedOver(canonicalAsReceived(changed), changed, publicKey)).toBe(0)
      expect(await verifiesInSdk(changed)).toBe(false)
    }
  })

  it('has no signature in the translation to 0.3, over which none verifies', async () => {
    serve(await signedTotpAgentCard(cardJson(server.origin), { signCard: sign }))
    const newer = await get('1.0')
    expect(await verifiedOver(canonicalAsReceived(newer), newer, publicKey)).toBe(1)
    const older = await get('0.3')
    expect(older).toMatchObject({ security: [{ bearer: [], totp: [] }] })
    expect(older['signatures'] ?? []).toEqual([])
  })

  it('that demands both already keeps its signatures, and verifies', async () => {
    const warnings: string[] = []
    const onWarning = (message: string): void => void warnings.push(message)
    const signed = await sign(withTotpSecurity(newerOnly(server.origin)))
    const card = totpAgentCard(signed, { onWarning })
    serve(totpAgentCard(card, { onWarning }))
    const served = await get('1.0')
    expect(await verifiedOver(canonicalAsReceived(served), served, publicKey)).toBe(1)
    expect(await verifiesInSdk(served)).toBe(true)
    expect(warnings).toEqual([])
  })

  it('that has to change loses its signatures, and somebody hears it', async () => {
    const emitWarning = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    serve(totpAgentCard(await sign(newerOnly(server.origin))))
    expect(emitWarning).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('signCard'), {
      type: 'SecurityWarning',
      code: 'A2A_TOTP_CARD_SIGNATURES',
    })
    expect(await get('1.0')).not.toHaveProperty('signatures')
  })

  it('that the SDK does not hold as it was signed loses its signatures at once', async () => {
    const warnings: string[] = []
    const { defaultInputModes, ...rest } = newerOnly(server.origin) as CardJson & {
      defaultInputModes: unknown
    }
    const signed = await sign(withTotpSecurity({ ...rest, default_input_modes: defaultInputModes }))
    const card = totpAgentCard(signed, { onWarning: (message) => warnings.push(message) })
    expect(warnings).toHaveLength(1)
    expect(card.signatures).toEqual([])
    expect(JSON.parse(JSON.stringify(card))).not.toHaveProperty('signatures')
  })

  it('that is changed in memory afterwards loses its signatures, and somebody hears it once', async () => {
    const warnings: string[] = []
    const card = await signedTotpAgentCard(newerOnly(server.origin), {
      signCard: sign,
      onWarning: (message) => warnings.push(message),
    })
    expect(card.signatures).toHaveLength(2)
    card.description = 'another'
    const served = [JSON.stringify(card), JSON.stringify(card)]
    for (const text of served) expect(JSON.parse(text)).not.toHaveProperty('signatures')
    expect(warnings).toHaveLength(1)
    expect(card.signatures).toEqual([])
  })

  it('is signed anew by the request handler of the SDK, for each card that it serves', async () => {
    const executor = new RecordingExecutor()
    const store = new InMemoryTaskStore()
    const card = totpAgentCard(newerOnly(server.origin))
    const extended = totpAgentCard({ ...newerOnly(server.origin), name: 'extended' })
    const resign = (given: AgentCard): Promise<AgentCard> => signedTotpAgentCard(given, { signCard: sign })
    const handler = new DefaultRequestHandler(
      card,
      store,
      executor,
      undefined,
      undefined,
      undefined,
      extended,
      resign,
    )
    serve(await handler.getAgentCard())
    const served = await get('1.0')
    expect(await verifiedOver(canonicalAsReceived(served), served, publicKey)).toBe(1)
    const context = { user: { isAuthenticated: true, userName: 'alice' } }
    const other = await handler.getAuthenticatedExtendedAgentCard({ tenant: '' }, context as never)
    const json = AgentCard.toJSON(other) as CardJson
    expect(json).toMatchObject({ name: 'extended' })
    expect(await verifiesInSdk(json)).toBe(true)
  })

  it('replaces signatures without a warning, and needs some', async () => {
    const onWarning = vi.fn()
    const old = await sign(newerOnly(server.origin))
    const card = await signedTotpAgentCard(old, { signCard: sign, onWarning })
    expect(await verifiesInSdk(AgentCard.toJSON(card) as CardJson)).toBe(true)
    expect(onWarning).not.toHaveBeenCalled()
    await expect(signedTotpAgentCard(old, { signCard: (unsigned) => unsigned })).rejects.toMatchObject({
      code: 'ERR_CONFIG_INVALID',
    })
  })

  it("is verified by the SDK as JSON, but not as the object of the SDK's client", async () => {
    // a2a-js issue 663: from memory the SDK canonicalizes a card without its security schemes. Once it does not, the
    // page on cards can say so.
    serve(await signedTotpAgentCard(newerOnly(server.origin), { signCard: sign }))
    const held = await new DefaultAgentCardResolver().resolve(server.origin)
    expect(await verifiesInSdk(held as unknown as CardJson)).toBe(false)
    expect(await verifiesInSdk(AgentCard.toJSON(held) as CardJson)).toBe(true)
  })

  it('made by the SDK itself from JSON verifies over a text that we sign', async () => {
    const generate = generateAgentCardSignature(privateKey, { ...named, typ: 'JOSE' })
    const json = withTotpSecurity(newerOnly(server.origin))
    const signed = (await generate(json as unknown as AgentCard)) as unknown as CardJson
    const { signedTexts } = await import('../../src/core/card/signatures.js')
    const verdicts = await Promise.all(
      signedTexts(signed, true).map((text) => verifiedOver(text, signed, publicKey)),
    )
    expect(verdicts).toContain(1)
    // So it is kept by what does not change the card.
    expect(withTotpSecurity(signed)['signatures']).toEqual(signed['signatures'])
  })
})
