import { describe, expect, it } from 'vitest'
import { readRequirements } from '../../../src/core/card/requirements.js'
import {
  isMutualTls,
  keyHeadersOf,
  kindOfScheme,
  schemeNames,
  schemesOf,
} from '../../../src/core/card/schemes.js'

describe('the requirements of a card', () => {
  it.each([
    ['1.0', { securityRequirements: [{ schemes: { bearer: { list: [] }, totp: {} } }] }],
    ['1.0 by a2a-go', { securityRequirements: [{ schemes: { bearer: [], totp: [] } }] }],
    ['0.3', { security: [{ bearer: [], totp: [] }] }],
  ])('are read in the shape of %s', (_shape, card) => {
    expect(readRequirements(card)).toEqual([{ schemes: ['bearer', 'totp'] }])
  })

  it('are alternatives, in both shapes at once, and those of skills too', () => {
    const card = {
      securityRequirements: [{ schemes: { a: {} } }, {}],
      security: [{ b: [] }],
      skills: [
        { id: 'x', name: 'X', security: [{ c: [] }] },
        { name: 'Y', security: [{}] },
        7,
        { security: [7] },
      ],
    }
    expect(readRequirements(card)).toEqual([
      { schemes: ['a'] },
      { schemes: [] },
      { schemes: ['b'] },
      { skill: 'x', schemes: ['c'] },
      { skill: 'Y', schemes: [] },
      { skill: '4', schemes: [] },
    ])
  })

  it('are read under the names that some readers accept too', () => {
    const card = {
      securityRequirements: [{ schemes: { a: {} } }],
      security_requirements: [{ schemes: { b: {} } }],
      skills: [{ id: 'x', Security: [{}] }],
    }
    expect(readRequirements(card)).toEqual([
      { schemes: ['a'] },
      { schemes: ['b'] },
      { skill: 'x', schemes: [] },
    ])
  })

  it('are none where a card declares none', () => {
    for (const card of [{}, { security: null, securityRequirements: 'x', skills: {} }]) {
      expect(readRequirements(card)).toEqual([])
    }
  })
})

const header = { apiKeySecurityScheme: { location: 'header', name: 'X-TOTP' } }

describe('the schemes of a card', () => {
  it.each([
    [{ httpAuthSecurityScheme: { scheme: 'Bearer' } }, 'bearer'],
    [{ type: 'oauth2' }, 'bearer'],
    [{ scheme: { $case: 'openIdConnectSecurityScheme', value: {} } }, 'bearer'],
    [header, 'code'],
    [{ type: 'apiKey', in: 'header', name: 'x-totp' }, 'code'],
    [{ type: 'apiKey', in: 'query', name: 'X-TOTP' }, 'other'],
    [{ mtlsSecurityScheme: {} }, 'other'],
    [{ type: 'x-oauth2' }, 'other'],
    [{ type: 'oauth2-mtls' }, 'other'],
    [{}, 'unknown'],
    [null, 'unknown'],
  ])('%j is of the kind %s', (scheme, kind) => {
    expect(kindOfScheme(scheme, 'X-TOTP')).toBe(kind)
  })

  it.each([
    [{ type: 'mutualTLS' }, true],
    [{ mtlsSecurityScheme: {} }, true],
    [{ scheme: { $case: 'mtlsSecurityScheme', value: {} } }, true],
    [{ scheme: { $case: 'apiKeySecurityScheme', value: {} } }, false],
    [{ type: 'http', scheme: 'mutualTLS' }, false],
    [header, false],
    [{}, false],
    [null, false],
  ])('ask for a client certificate: %j, %s', (scheme, asked) => {
    expect(isMutualTls(scheme)).toBe(asked)
  })

  it('are found by name', () => {
    const card = { securitySchemes: { a: header, b: { type: 'http', scheme: 'basic' } } }
    expect(schemeNames(card, (scheme) => scheme === header)).toEqual(['a'])
    expect(schemeNames({ securitySchemes: [header] }, () => true)).toEqual([])
  })

  it('are read under the names that some readers accept too, unless a scheme has another meaning', () => {
    const basic = { type: 'http', scheme: 'basic' }
    const { apiKeySecurityScheme } = header
    const security_schemes = { a: basic, b: { api_key_security_scheme: apiKeySecurityScheme } }
    const card = { securitySchemes: { a: header }, security_schemes }
    expect(schemesOf(card)).toEqual({ a: header, b: header })
  })

  it('name the headers in which keys are wanted, each once', () => {
    const both = { ...header, type: 'apiKey', in: 'header', name: 'X-TOTP' }
    const query = { type: 'apiKey', in: 'query', name: 'key' }
    const tagged = {
      scheme: { $case: 'apiKeySecurityScheme', value: { location: 'header', name: 'X-Code' } },
    }
    const unnamed = { type: 'apiKey', in: 'header' }
    const securitySchemes = { both, query, tagged, unnamed, empty: { ...unnamed, name: '' } }
    expect(keyHeadersOf({ securitySchemes })).toEqual(['X-TOTP', 'X-Code'])
  })
})
