import { AgentCard as NewerCard } from '@a2a-js/sdk'
import { describe, expect, it } from 'vitest'
import { hybridCard, withNewerRequirements } from '../../../src/core/card/hybrid.js'
import { readInterfaces } from '../../../src/core/card/interfaces.js'
import { readRequirements } from '../../../src/core/card/requirements.js'
import { withTotpSecurity } from '../../../src/core/card/security.js'
import type { CardJson } from '../../../src/core/card/shapes.js'
import { totpAgentCard } from '../../../src/server/a2a.js'

const flows = { clientCredentials: { tokenUrl: 'https://h/token', scopes: { read: 'r' } } }

/** A card of 1.0 with every kind of scheme, three bindings and both versions. */
const card: CardJson = {
  name: 'x',
  description: 'd',
  version: '1',
  supportedInterfaces: [
    { url: 'https://h/rpc', protocolBinding: 'JSONRPC', protocolVersion: '1.0' },
    { url: 'https://h/old', protocolBinding: 'JSONRPC', protocolVersion: '0.3' },
    { url: 'https://h/rest', protocolBinding: 'HTTP+JSON', protocolVersion: '0.3' },
  ],
  capabilities: { streaming: true, extendedAgentCard: true },
  securitySchemes: {
    bearer: { httpAuthSecurityScheme: { scheme: 'Bearer', bearerFormat: 'JWT' } },
    totp: { apiKeySecurityScheme: { location: 'header', name: 'X-TOTP' } },
    oauth: { oauth2SecurityScheme: { flows } },
    oidc: { openIdConnectSecurityScheme: { openIdConnectUrl: 'https://h/oidc' } },
    mtls: { mtlsSecurityScheme: { description: 'm' } },
  },
  securityRequirements: [{ schemes: { bearer: { list: [] }, totp: {} } }, { schemes: { oauth: ['read'] } }],
  skills: [{ id: 's', securityRequirements: [{ schemes: { bearer: { list: ['read'] } } }] }, { id: 't' }],
  signatures: [{ protected: 'e30', signature: 'c2ln' }],
}

describe('a hybrid card', () => {
  const hybrid = (): CardJson => hybridCard(card)

  it('is made of a card that the SDK holds in memory too, as its type says', () => {
    const inMemory: NewerCard = totpAgentCard({
      ...card,
      securityRequirements: [{ schemes: { bearer: { list: [] } } }],
      signatures: [],
    })
    const asJson = JSON.parse(JSON.stringify(inMemory)) as CardJson
    expect(hybridCard(inMemory)).toEqual(hybridCard(asJson))
    expect(hybridCard(inMemory)['securitySchemes']).toMatchObject({ oauth: { type: 'oauth2', flows } })
  })

  it('has each scheme in both spellings', () => {
    expect(hybrid()['securitySchemes']).toEqual({
      bearer: {
        httpAuthSecurityScheme: { scheme: 'Bearer', bearerFormat: 'JWT' },
        type: 'http',
        scheme: 'Bearer',
        bearerFormat: 'JWT',
      },
      totp: {
        apiKeySecurityScheme: { location: 'header', name: 'X-TOTP' },
        type: 'apiKey',
        in: 'header',
        name: 'X-TOTP',
      },
      oauth: { oauth2SecurityScheme: { flows }, type: 'oauth2', flows },
      oidc: {
        openIdConnectSecurityScheme: { openIdConnectUrl: 'https://h/oidc' },
        type: 'openIdConnect',
        openIdConnectUrl: 'https://h/oidc',
      },
      mtls: { mtlsSecurityScheme: { description: 'm' }, type: 'mutualTLS', description: 'm' },
    })
  })

  it('has requirements in security alone, those of skills too, in the same order', () => {
    expect(hybrid()).not.toHaveProperty('securityRequirements')
    expect(JSON.stringify(hybrid()['security'])).toBe('[{"bearer":[],"totp":[]},{"oauth":["read"]}]')
    expect(hybrid()['skills']).toEqual([{ id: 's', security: [{ bearer: ['read'] }] }, { id: 't' }])
    expect(readRequirements(hybrid())).toEqual(readRequirements(card))
  })

  it('names the interfaces of 0.3 where readers of 0.3 look, and keeps all where readers of 1.0 do', () => {
    expect(hybrid()).toMatchObject({
      url: 'https://h/old',
      preferredTransport: 'JSONRPC',
      protocolVersion: '0.3',
      additionalInterfaces: [{ url: 'https://h/rest', transport: 'HTTP+JSON' }],
      supportsAuthenticatedExtendedCard: true,
      supportedInterfaces: card['supportedInterfaces'],
    })
    expect(readInterfaces(hybrid())).toHaveLength(5)
  })

  it('keeps the place that a scheme of both shapes names, and gives none to one without', () => {
    const schemes = {
      key: { apiKeySecurityScheme: { name: 'X-Key' }, in: 'header' },
      bearer: { httpAuthSecurityScheme: { scheme: 'Bearer' } },
    }
    const { key, bearer } = hybridCard({ ...card, securitySchemes: schemes })['securitySchemes'] as CardJson
    expect(key).toMatchObject({ type: 'apiKey', name: 'X-Key', in: 'header' })
    expect(Object.keys(bearer as object)).toEqual(['httpAuthSecurityScheme', 'type', 'scheme'])
  })

  it('has no signatures, which would not verify', () => {
    expect(hybrid()).not.toHaveProperty('signatures')
  })

  it('of a card of 1.0 alone has nothing for 0.3 to call', () => {
    const only = { ...card, supportedInterfaces: (card['supportedInterfaces'] as object[]).slice(0, 1) }
    for (const field of ['url', 'preferredTransport', 'protocolVersion', 'additionalInterfaces'])
      expect(hybridCard(only)).not.toHaveProperty(field)
  })

  it('says the version of its main interface, which is 0.3 where that says none', () => {
    const main = { url: 'https://h/old', protocolBinding: 'JSONRPC' }
    for (const [protocolVersion, expected] of [
      ['0.3.12', '0.3.12'],
      ['', '0.3'],
      [undefined, '0.3'],
    ]) {
      const made = hybridCard({ supportedInterfaces: ['text', { ...main, protocolVersion }, 7] })
      expect(made).toMatchObject({
        url: 'https://h/old',
        preferredTransport: 'JSONRPC',
        protocolVersion: expected,
      })
    }
  })

  it('says nothing of what the card says nothing of', () => {
    const bare = { name: 'x', capabilities: { extendedAgentCard: 'yes' }, supportedInterfaces: [] }
    expect(Object.keys(hybridCard(bare))).toEqual(Object.keys(bare))
    expect(hybridCard({ ...bare, securitySchemes: {} })).toEqual({ ...bare, securitySchemes: {} })
  })

  it('keeps a scheme that has the spelling of 0.3 already, or none that is known', () => {
    const securitySchemes = {
      both: { httpAuthSecurityScheme: { scheme: 'Bearer' }, type: 'http', scheme: 'bearer' },
      older: { type: 'oauth2', flows },
      odd: { note: 1 },
    }
    expect(hybridCard({ ...card, securitySchemes })['securitySchemes']).toEqual(securitySchemes)
    const tagged = { scheme: { $case: 'mtlsSecurityScheme', value: { description: 'm' } } }
    expect(hybridCard({ ...card, securitySchemes: { tagged } })['securitySchemes']).toEqual({
      tagged: { mtlsSecurityScheme: { description: 'm' }, type: 'mutualTLS', description: 'm' },
    })
  })

  it('stays the same when it is made again, and when it gains the second factor that it has', () => {
    expect(hybridCard(hybrid())).toEqual(hybrid())
    const secured = withTotpSecurity(
      { ...hybrid(), security: [{ bearer: [] }], skills: [] },
      { protocol: 'both' },
    )
    expect(secured).toEqual({ ...hybrid(), security: [{ bearer: [], totp: [] }], skills: [] })
  })

  it('is read by the SDK of 1.0 as the card that it was made of, but for spellings of no scopes', () => {
    const read = (json: CardJson): CardJson => NewerCard.toJSON(NewerCard.fromJSON(json)) as CardJson
    const newer = withNewerRequirements(hybrid())
    const securityRequirements = [
      { schemes: { bearer: { list: [] }, totp: { list: [] } } },
      { schemes: { oauth: { list: ['read'] } } },
    ]
    expect(newer['securityRequirements']).toEqual(securityRequirements)
    expect(read(newer)).toEqual(read({ ...card, securityRequirements, signatures: [] }))
  })

  it('has, to the SDK of 1.0, the requirements of 1.0 alone where it has both', () => {
    const securityRequirements = [{ schemes: { a: { list: [] } } }]
    const [security, skill] = [[{ b: ['read'] }], { id: 's' }]
    const both = { securityRequirements, security, skills: [skill, { ...skill, security }] }
    expect(withNewerRequirements(both)).toEqual({
      ...{ securityRequirements, security },
      skills: [skill, { ...skill, security, securityRequirements: [{ schemes: { b: { list: ['read'] } } }] }],
    })
    expect(withNewerRequirements({ name: 'x' })).toEqual({ name: 'x' })
    expect(withNewerRequirements({ securityRequirements })).toEqual({ securityRequirements })
  })

  it('does not change the card', () => {
    const before = structuredClone(card)
    hybridCard(card)
    expect(card).toEqual(before)
  })
})
