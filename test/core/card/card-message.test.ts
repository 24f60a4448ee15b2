import { describe, expect, it } from 'vitest'
import { cardMessage } from '../../../src/core/card/card-message.js'

const signatures = [{ protected: 'e30', signature: 'c2lnbmF0dXJl' }]

/** A card of 1.0 with every field of the protocol, none of them with its default. */
const everyField = {
  name: 'x',
  description: 'd',
  supportedInterfaces: [
    { url: 'https://h/', protocolBinding: 'JSONRPC', tenant: 't', protocolVersion: '1.0' },
  ],
  provider: { url: 'https://maker.example', organization: 'm' },
  version: '1',
  documentationUrl: 'https://docs.example',
  capabilities: {
    streaming: true,
    pushNotifications: true,
    extensions: [{ uri: 'u', description: 'd', required: true, params: { a: { b: 1 } } }],
    extendedAgentCard: true,
  },
  securitySchemes: {
    key: { apiKeySecurityScheme: { description: 'd', location: 'header', name: 'X-TOTP' } },
    http: { httpAuthSecurityScheme: { description: 'd', scheme: 'Bearer', bearerFormat: 'JWT' } },
    oauth: {
      oauth2SecurityScheme: {
        description: 'd',
        flows: {
          authorizationCode: {
            ...{ tokenUrl: 'https://t', refreshUrl: 'https://r', scopes: { read: 'r' } },
            ...{ authorizationUrl: 'https://a', pkceRequired: true },
          },
          clientCredentials: { tokenUrl: 'https://t', refreshUrl: 'https://r', scopes: { read: 'r' } },
          implicit: { authorizationUrl: 'https://a', refreshUrl: 'https://r', scopes: { read: 'r' } },
          password: { tokenUrl: 'https://t', refreshUrl: 'https://r', scopes: { read: 'r' } },
          deviceCode: {
            ...{ tokenUrl: 'https://t', refreshUrl: 'https://r', scopes: { read: 'r' } },
            deviceAuthorizationUrl: 'https://d',
          },
        },
        oauth2MetadataUrl: 'https://m',
      },
    },
    oidc: { openIdConnectSecurityScheme: { description: 'd', openIdConnectUrl: 'https://o' } },
    tls: { mtlsSecurityScheme: { description: 'd' } },
  },
  securityRequirements: [{ schemes: { http: { list: ['a'] } } }],
  defaultInputModes: ['text/plain'],
  defaultOutputModes: ['text/plain'],
  skills: [
    {
      ...{ id: 's', name: 'n', description: 'd', tags: ['t'], examples: ['e'] },
      ...{ inputModes: ['text/plain'], outputModes: ['text/plain'] },
      securityRequirements: [{ schemes: { http: { list: ['b'] } } }],
    },
  ],
  iconUrl: 'https://i',
}

/** Its text with a field of no protocol in every object but the ones whose keys are names. */
const withOthers = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (key, one: unknown) =>
    typeof one !== 'object' ||
    Array.isArray(one) ||
    ['securitySchemes', 'schemes', 'scopes', 'params', 'a'].includes(key)
      ? one
      : { ...one, 'x-other': 1 },
  )

describe('what a signature covers', () => {
  it('is every field of the protocol that says something, and no other one', () => {
    expect(cardMessage(everyField)).toEqual(everyField)
    expect(cardMessage({ ...(withOthers(everyField) as object), signatures })).toEqual(everyField)
  })

  it('has what is required, even if it is missing, and nothing else that is', () => {
    const bare = {
      supportedInterfaces: [{}],
      provider: {},
      capabilities: { extensions: [{}] },
      securitySchemes: {
        ...{
          key: { apiKeySecurityScheme: {} },
          http: { httpAuthSecurityScheme: {} },
          oauth: { oauth2SecurityScheme: {} },
        },
        ...{ oidc: { openIdConnectSecurityScheme: {} }, tls: { mtlsSecurityScheme: {} } },
        flows: {
          oauth2SecurityScheme: {
            flows: {
              authorizationCode: {},
              clientCredentials: {},
              implicit: {},
              password: {},
              deviceCode: {},
            },
          },
        },
      },
      securityRequirements: [{}],
      skills: [{}],
    }
    const expected = {
      ...{ name: '', description: '', version: '', defaultInputModes: [], defaultOutputModes: [] },
      supportedInterfaces: [{ url: '', protocolBinding: '', protocolVersion: '' }],
      provider: { url: '', organization: '' },
      capabilities: { extensions: [{}] },
      securitySchemes: {
        key: { apiKeySecurityScheme: { location: '', name: '' } },
        http: { httpAuthSecurityScheme: { scheme: '' } },
        oauth: { oauth2SecurityScheme: { flows: {} } },
        oidc: { openIdConnectSecurityScheme: { openIdConnectUrl: '' } },
        tls: { mtlsSecurityScheme: {} },
        flows: {
          oauth2SecurityScheme: {
            flows: {
              authorizationCode: { tokenUrl: '', scopes: {}, authorizationUrl: '' },
              clientCredentials: { tokenUrl: '', scopes: {} },
              implicit: {},
              password: {},
              deviceCode: { tokenUrl: '', scopes: {}, deviceAuthorizationUrl: '' },
            },
          },
        },
      },
      securityRequirements: [{}],
      skills: [{ id: '', name: '', description: '', tags: [] }],
    }
    expect(cardMessage(bare)).toEqual(expected)
    expect(cardMessage({ ...bare, name: null, iconUrl: null, documentationUrl: null })).toEqual(expected)
    expect(cardMessage({})).toMatchObject({ supportedInterfaces: [], capabilities: {}, skills: [] })
    const empty = { securitySchemes: {}, securityRequirements: [{ schemes: {} }], skills: [{ examples: [] }] }
    expect(cardMessage({ ...bare, ...empty })).toEqual({
      ...expected,
      securitySchemes: undefined,
    })
  })

  it('is, for the example of A2A 1.0 §8.4.1, what stands there', () => {
    const example = {
      name: 'Example Agent',
      description: '',
      capabilities: { streaming: false, pushNotifications: false, extensions: [] },
      skills: [],
    }
    const expected = {
      capabilities: { pushNotifications: false, streaming: false },
      description: '',
      name: 'Example Agent',
      skills: [],
    }
    // A fragment: the other required fields are missing in the example.
    expect(cardMessage(example)).toEqual({
      ...expected,
      supportedInterfaces: [],
      version: '',
      defaultInputModes: [],
      defaultOutputModes: [],
    })
  })

  it('is neither what the protocol does not know nor a default that nobody set', () => {
    const extension = { uri: 'u', required: false, description: '', params: { kept: '', too: [] } }
    const card = cardMessage({
      name: 'x',
      url: 'https://h/',
      security: [{ bearer: [] }],
      iconUrl: '',
      signatures,
      capabilities: { streaming: false, extensions: [extension] },
      securitySchemes: {
        bearer: { httpAuthSecurityScheme: { scheme: 'Bearer', bearerFormat: '' }, type: 'http' },
      },
      securityRequirements: [{ schemes: { bearer: { list: [] }, oauth: { list: ['a'] } } }],
    })
    expect(card).toMatchObject({
      iconUrl: '',
      capabilities: { streaming: false, extensions: [{ uri: 'u', params: { kept: '', too: [] } }] },
      securitySchemes: { bearer: { httpAuthSecurityScheme: { scheme: 'Bearer' } } },
      securityRequirements: [{ schemes: { bearer: {}, oauth: { list: ['a'] } } }],
    })
    for (const field of ['url', 'security', 'signatures', 'provider']) expect(card).not.toHaveProperty(field)
    expect(JSON.stringify(card)).not.toMatch(/"(type|required|bearerFormat)"/)
  })
})
