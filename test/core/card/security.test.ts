import { describe, expect, it } from 'vitest'
import { readInterfaces } from '../../../src/core/card/interfaces.js'
import { readRequirements } from '../../../src/core/card/requirements.js'
import { isBearerScheme, isHeaderScheme } from '../../../src/core/card/schemes.js'
import { totpSecurityOf, withTotpSecurity } from '../../../src/core/card/security.js'
import type { CardJson } from '../../../src/core/card/shapes.js'
import { asObject } from '../../../src/core/json.js'
import { codeOf, failureOf } from '../../support/failure.js'
import { noTargets, targets } from './targets.js'

const description = 'RFC 6238 code, fresh for each request'
const bearer10 = { httpAuthSecurityScheme: { scheme: 'Bearer' } }
const bearer03 = { type: 'http', scheme: 'bearer' }
const totp10 = { apiKeySecurityScheme: { location: 'header', name: 'X-TOTP', description } }
const totp03 = { type: 'apiKey', in: 'header', name: 'X-TOTP', description }
const tagged = (kind: string, value: object) => ({ scheme: { $case: kind, value } })

const supportedInterfaces = [{ url: 'https://h/a2a', protocolBinding: 'JSONRPC', protocolVersion: '1.0' }]
/** A card of each protocol that demands bearer. */
const card10: CardJson = {
  name: 'x',
  supportedInterfaces,
  securitySchemes: { bearer: bearer10 },
  securityRequirements: [{ schemes: { bearer: { list: [] } } }],
}
const card03: CardJson = {
  name: 'x',
  url: 'https://h/a2a',
  preferredTransport: 'JSONRPC',
  securitySchemes: { bearer: bearer03 },
  security: [{ bearer: [] }],
}
/** As a2a-python ≥ 1.0 serves a card with an interface of 0.3. */
const merged: CardJson = {
  ...card03,
  ...card10,
  securitySchemes: { bearer: { ...bearer10, ...bearer03 } },
}

describe('the interfaces of a card', () => {
  it.each([...targets, ...noTargets])('stay as they are written: $text', ({ text }) => {
    const interfaces = {
      supportedInterfaces: [{ url: text, protocolBinding: 'GRPC', protocolVersion: '1.0' }],
      additionalInterfaces: [{ url: text, transport: 'GRPC' }],
    }
    const card = { ...card03, ...interfaces, url: text, preferredTransport: 'GRPC' }
    const written = withTotpSecurity(card)
    expect(written).toMatchObject({ ...interfaces, url: text, preferredTransport: 'GRPC' })
    expect(readInterfaces(written)).toEqual(readInterfaces(card))
  })
})

describe('the part of a card that demands bearer AND the code', () => {
  it('has the shape of 1.0', () => {
    expect(totpSecurityOf('1.0', 'X-TOTP')).toEqual({
      securitySchemes: { bearer: bearer10, totp: totp10 },
      securityRequirements: [{ schemes: { bearer: { list: [] }, totp: { list: [] } } }],
    })
  })

  it('has the shape of 0.3', () => {
    expect(totpSecurityOf('0.3', 'X-TOTP')).toEqual({
      securitySchemes: { bearer: bearer03, totp: totp03 },
      security: [{ bearer: [], totp: [] }],
    })
  })

  it('has schemes in both shapes side by side, and requirements that both read', () => {
    expect(totpSecurityOf('both', 'X-TOTP')).toEqual({
      securitySchemes: { bearer: { ...bearer10, ...bearer03 }, totp: { ...totp10, ...totp03 } },
      security: [{ bearer: [], totp: [] }],
    })
  })

  it('names the header that was asked for, and refuses one that cannot carry a code', () => {
    expect(totpSecurityOf('0.3', 'X-Code')).toHaveProperty('securitySchemes.totp.name', 'X-Code')
    expect(codeOf(() => totpSecurityOf('0.3', 'Authorization'))).toBe('ERR_PROFILE_INVALID')
  })

  it('is made anew each time', () => {
    const first = totpSecurityOf('both', 'X-TOTP')
    for (const value of Object.values(first))
      Object.assign(Object.values(value as object)[0] as object, { x: 1 })
    expect(JSON.stringify(totpSecurityOf('both', 'X-TOTP'))).not.toContain('"x"')
  })
})

describe('a card', () => {
  it('of 1.0 gains the second factor', () => {
    expect(withTotpSecurity(card10)).toEqual({
      ...card10,
      securitySchemes: { bearer: bearer10, totp: totp10 },
      securityRequirements: [{ schemes: { bearer: { list: [] }, totp: { list: [] } } }],
    })
  })

  it('of 0.3 gains the second factor', () => {
    expect(withTotpSecurity(card03)).toEqual({
      ...card03,
      securitySchemes: { bearer: bearer03, totp: totp03 },
      security: [{ bearer: [], totp: [] }],
    })
  })

  it('of both, as a2a-python merges them, gains it in both shapes', () => {
    expect(withTotpSecurity(merged)).toEqual({
      ...merged,
      securitySchemes: { bearer: { ...bearer10, ...bearer03 }, totp: { ...totp10, ...totp03 } },
      securityRequirements: [{ schemes: { bearer: { list: [] }, totp: { list: [] } } }],
      security: [{ bearer: [], totp: [] }],
    })
  })

  it('of both gains it in one place that both read, when asked for both', () => {
    const securityRequirements = [
      { schemes: { bearer: { list: [] } } },
      { schemes: { bearer: { list: ['write'] } } },
      { schemes: { bearer: ['go'], mtls: {} } },
    ]
    const skills = [
      { id: 's', securityRequirements: [{ schemes: { bearer: { list: ['x'] } } }] },
      { id: 't' },
    ]
    const written: CardJson = withTotpSecurity(
      { ...merged, securityRequirements, skills },
      { protocol: 'both' },
    )
    expect(written).not.toHaveProperty('securityRequirements')
    expect(written['security']).toEqual([
      { bearer: [], totp: [] },
      { bearer: ['write'], totp: [] },
      { bearer: ['go'], totp: [], mtls: [] },
    ])
    expect(written['skills']).toEqual([{ id: 's', security: [{ bearer: ['x'], totp: [] }] }, { id: 't' }])
  })

  it('of both is refused for an alternative without bearer in either field', () => {
    const securityRequirements = [{ schemes: { other: { list: [] } } }]
    expect(codeOf(() => withTotpSecurity({ ...merged, securityRequirements }, { protocol: 'both' }))).toBe(
      'ERR_CARD_INVALID',
    )
  })

  it('in the $case shape of @a2a-js/sdk 1.3 is put right', () => {
    const given = {
      ...card10,
      securitySchemes: {
        bearer: tagged('httpAuthSecurityScheme', { scheme: 'Bearer', bearerFormat: 'JWT' }),
        mtls: { ...tagged('mtlsSecurityScheme', { description: 'm' }), 'x-owner': 'ops' },
      },
    }
    expect(withTotpSecurity(given, { protocol: 'both' }).securitySchemes).toEqual({
      bearer: { httpAuthSecurityScheme: { scheme: 'Bearer', bearerFormat: 'JWT' }, ...bearer03 },
      mtls: { mtlsSecurityScheme: { description: 'm' }, 'x-owner': 'ops' },
      totp: { ...totp10, ...totp03 },
    })
  })

  it('in the shape of a2a-go keeps its bare scope lists', () => {
    const given = { ...card10, securityRequirements: [{ schemes: { bearer: [] } }] }
    expect(withTotpSecurity(given)).toHaveProperty('securityRequirements', [
      { schemes: { bearer: [], totp: [] } },
    ])
  })

  it.each([
    [{}, ['securityRequirements']],
    [{ supportedInterfaces }, ['securityRequirements']],
    [{ securityRequirements: [] }, ['securityRequirements']],
    [{ url: 'https://h/a2a' }, ['security']],
    [{ preferredTransport: 'JSONRPC' }, ['security']],
    [{ security: [] }, ['security']],
    [{ supportedInterfaces, url: 'https://h/a2a' }, ['security']],
    [
      { securityRequirements: [{ schemes: { bearer: {} } }], preferredTransport: 'JSONRPC' },
      ['security', 'securityRequirements'],
    ],
  ])('is told by its fields to be of 1.0, of 0.3 or of both: %j', (given, demanded) => {
    const card: CardJson = withTotpSecurity(given)
    expect(['security', 'securityRequirements'].filter((field) => card[field] !== undefined)).toEqual(
      demanded,
    )
  })

  it('that names bearer without saying what it is gains the second factor there', () => {
    const given = { ...card03, securitySchemes: {}, security: [{ bearer: ['x'] }] }
    expect(withTotpSecurity(given)).toHaveProperty('security', [{ bearer: ['x'], totp: [] }])
  })

  it('that demands nothing yet gets one requirement', () => {
    const bare: CardJson = { name: 'x', supportedInterfaces }
    expect(withTotpSecurity(bare)).toHaveProperty('securityRequirements', [
      { schemes: { bearer: { list: [] }, totp: { list: [] } } },
    ])
  })

  it.each([
    ['1.0', card10],
    ['0.3', card03],
    ['merged', merged],
  ])('is the same after the second time: %s', (_what, card) => {
    for (const protocol of ['1.0', '0.3', 'both', undefined] as const) {
      const options = protocol === undefined ? {} : { protocol }
      const once = withTotpSecurity(card, options)
      const twice = withTotpSecurity(once, options)
      expect(JSON.stringify(twice)).toBe(JSON.stringify(once))
    }
  })

  it('that is given is not changed, deep down neither', () => {
    const before = structuredClone(merged)
    withTotpSecurity(merged, { replace: true, protocol: 'both' })
    expect(merged).toEqual(before)
  })

  it('names bearer first, whatever stood there first', () => {
    const security = [{ x: [], totp: [], bearer: [] }]
    const given = { ...card03, securitySchemes: { totp: totp03, bearer: bearer03, x: {} }, security }
    expect(Object.keys(withTotpSecurity(given).security[0] ?? {})).toEqual(['bearer', 'totp', 'x'])
  })

  it('keeps the scopes and the further schemes of an alternative', () => {
    const given = {
      ...card10,
      securityRequirements: [{ schemes: { mtls: { list: [] }, bearer: { list: ['read'] } } }],
    }
    expect(withTotpSecurity(given).securityRequirements).toEqual([
      { schemes: { bearer: { list: ['read'] }, totp: { list: [] }, mtls: { list: [] } } },
    ])
  })

  it('demands the code in every alternative', () => {
    const given = { ...card03, security: [{ bearer: ['a'] }, { bearer: ['b'], other: [] }] }
    expect(withTotpSecurity(given).security).toEqual([
      { bearer: ['a'], totp: [] },
      { bearer: ['b'], totp: [], other: [] },
    ])
  })

  it('demands the code in the shape that was not asked for too, where it has that shape', () => {
    const result = withTotpSecurity(card03, { protocol: '1.0' })
    expect(result).toMatchObject({
      security: [{ bearer: [], totp: [] }],
      securityRequirements: [{ schemes: { bearer: { list: [] }, totp: { list: [] } } }],
      securitySchemes: { bearer: { ...bearer10, ...bearer03 }, totp: { ...totp10, ...totp03 } },
    })
  })

  it('uses the names by which it knows the two schemes', () => {
    const given = {
      ...card03,
      securitySchemes: {
        jwt: { type: 'http', scheme: 'BEARER' },
        code: { type: 'apiKey', in: 'header', name: 'x-totp' },
      },
      security: [{ jwt: [] }],
    }
    const result = withTotpSecurity(given)
    expect(result.security).toEqual([{ jwt: [], code: [] }])
    expect(Object.keys(result.securitySchemes)).toEqual(['jwt', 'code'])
    expect(result.securitySchemes.code.name).toBe('x-totp')
  })

  it('takes every bearer scheme for one', () => {
    const securitySchemes = { jwt: bearer03, opaque: bearer03 }
    const given = { ...card03, securitySchemes, security: [{ jwt: [] }, { opaque: ['read'] }] }
    expect(withTotpSecurity(given).security).toEqual([
      { jwt: [], totp: [] },
      { opaque: ['read'], totp: [] },
    ])
  })

  it('takes a bearer scheme named like a method of Object', () => {
    const given = { ...card03, securitySchemes: { toString: bearer03 }, security: [{ toString: [] }] }
    expect(withTotpSecurity(given).security).toEqual([{ toString: [], totp: [] }])
    expect(codeOf(() => withTotpSecurity({ ...given, security: [{}] }))).toBe('ERR_CARD_INVALID')
  })
})

describe('an alternative without bearer', () => {
  const basic = { type: 'http', scheme: 'basic' }

  it.each([
    ['nothing at all', {}],
    ['another scheme', { basic: [] }],
    ['the code alone', { totp: [] }],
  ])('that demands %s is refused', (_what, alternative) => {
    const securitySchemes = { bearer: bearer03, basic, totp: totp03 }
    const given = { ...card03, securitySchemes, security: [{ bearer: [] }, alternative] }
    const error = failureOf(() => withTotpSecurity(given))
    expect(error.code).toBe('ERR_CARD_INVALID')
    expect(error.message).toMatch(/^the card .* would bypass/)
    expect(withTotpSecurity(given, { replace: true }).security).toEqual([{ bearer: [], totp: [] }])
  })

  it('gives way to bearer AND the code when all are replaced', () => {
    const given = { ...card03, securitySchemes: { basic }, security: [{ basic: [] }, {}] }
    const result: CardJson = withTotpSecurity(given, { replace: true })
    expect(result).toMatchObject({ security: [{ bearer: [], totp: [] }], securitySchemes: { basic } })
  })
})

describe('a skill', () => {
  const withSkills = (...skills: object[]): CardJson => ({ ...merged, skills })

  it('that demands bearer demands the code too, in both shapes', () => {
    const security = [{ bearer: ['x'] }]
    const securityRequirements = [{ schemes: { bearer: { list: ['x'] } } }]
    expect(withTotpSecurity(withSkills({ id: 's', security, securityRequirements }))['skills']).toEqual([
      {
        id: 's',
        security: [{ bearer: ['x'], totp: [] }],
        securityRequirements: [{ schemes: { bearer: { list: ['x'] }, totp: { list: [] } } }],
      },
    ])
  })

  it('without requirements of its own stays as it is', () => {
    const skills = [{ id: 's' }, { id: 't', security: [] }]
    expect(withTotpSecurity(withSkills(...skills))['skills']).toEqual(skills)
  })

  it('with an alternative without bearer is refused by its place, or replaced', () => {
    const card = withSkills({ id: 's' }, { id: 't', security: [{}] })
    expect(failureOf(() => withTotpSecurity(card)).message).toMatch(/^skill 2 /)
    expect(withTotpSecurity(card, { replace: true })['skills']).toEqual([
      { id: 's' },
      { id: 't', security: [{ bearer: [], totp: [] }] },
    ])
  })
})

describe('a field that some readers take for one of security', () => {
  const oauth = { oauth2SecurityScheme: { flows: {} } }
  const open = [{ schemes: { oauth: { list: [] } } }]
  const guarded = [{ schemes: { bearer: { list: [] }, totp: { list: [] } } }]
  const schemes = { ...card10, securitySchemes: { bearer: bearer10, oauth } }

  it.each([
    ['beside the field itself', { ...schemes, security_requirements: open }],
    ['in any case', { ...schemes, SecurityRequirements: open }],
    ['in place of the field', { ...schemes, securityRequirements: undefined, security_requirements: open }],
    ['of 0.3', { ...card03, Security: [{}] }],
    ['in a skill', { ...schemes, skills: [{ id: 's', security_requirements: open }] }],
    ['that names the skills', { ...schemes, Skills: [{ id: 's', securityRequirements: open }] }],
  ])('has its alternatives refused, or replaced: %s', (_where, card: CardJson) => {
    expect(failureOf(() => withTotpSecurity(card)).message).toMatch(/ would bypass/)
    const replaced = withTotpSecurity(card, { replace: true })
    expect(replaced).not.toHaveProperty('security_requirements')
    expect(readRequirements(replaced).every(({ schemes }) => schemes.join() === 'bearer,totp')).toBe(true)
  })

  it('gets the name of the field, where it can have the second factor', () => {
    const { securitySchemes, securityRequirements, ...others } = card10
    const snake = {
      ...others,
      security_schemes: { bearer: { http_auth_security_scheme: bearer10.httpAuthSecurityScheme } },
      security_requirements: securityRequirements,
    }
    expect(withTotpSecurity(snake)).toEqual({
      ...others,
      securitySchemes: { ...asObject(securitySchemes), totp: totp10 },
      securityRequirements: guarded,
    })
  })

  it('says nothing new where it is the same, or empty', () => {
    const twice = { ...card10, security_requirements: card10['securityRequirements'], security_schemes: null }
    expect(withTotpSecurity(twice)).toEqual(withTotpSecurity(card10))
  })

  it('is dropped from an alternative', () => {
    const securityRequirements = [{ schemes: { bearer: { list: [] } }, Schemes: null }]
    const card: CardJson = { ...card10, securityRequirements }
    expect(withTotpSecurity(card)['securityRequirements']).toEqual(guarded)
  })
})

describe('a scheme name that is taken', () => {
  it.each([
    ['bearer', { bearer: { type: 'http', scheme: 'basic' } }],
    ['totp', { bearer: bearer03, totp: { type: 'oauth2' } }],
    ['totp', { totp: { type: 'apiKey', in: 'query', name: 'X-TOTP' } }],
    ['totp', { totp: { type: 'apiKey', in: 'header', name: 'X-Other' } }],
  ])('by something other than %s is refused by its name', (name, securitySchemes) => {
    const error = failureOf(() => withTotpSecurity({ name: 'x', url: 'https://h/', securitySchemes }))
    expect(error.code).toBe('ERR_CARD_INVALID')
    expect(error.message).toContain(`"${name}"`)
  })
})

describe('a scheme in any shape seen in the wild', () => {
  it.each([
    bearer10,
    bearer03,
    { type: 'http', scheme: 'BEARER', bearerFormat: 'JWT' },
    tagged('httpAuthSecurityScheme', { scheme: 'Bearer' }),
    { ...bearer10, ...bearer03 },
  ])('is bearer: %j', (scheme) => {
    expect(isBearerScheme(scheme)).toBe(true)
    expect(isHeaderScheme(scheme, 'X-TOTP')).toBe(false)
  })

  it.each([
    totp10,
    totp03,
    { type: 'apiKey', in: 'header', name: 'x-totp' },
    tagged('apiKeySecurityScheme', { location: 'header', name: 'X-TOTP' }),
  ])('is the header: %j', (scheme) => {
    expect(isHeaderScheme(scheme, 'X-TOTP')).toBe(true)
    expect(isHeaderScheme(scheme, 'X-Other')).toBe(false)
    expect(isBearerScheme(scheme)).toBe(false)
  })

  it.each([
    undefined,
    null,
    'bearer',
    [],
    {},
    { type: 'http' },
    { type: 'http', scheme: 'basic' },
    { type: 'oauth2', scheme: 'bearer' },
    { type: 'apiKey', in: 'header', name: 'X-Other', scheme: 'bearer' },
    { type: 'http', scheme: 'basic', in: 'header', name: 'X-TOTP' },
    { type: 'apiKey', in: 'query', name: 'X-TOTP' },
    { apiKeySecurityScheme: { location: 'cookie', name: 'X-TOTP' } },
    { httpAuthSecurityScheme: null },
    { scheme: { $case: 'httpAuthSecurityScheme' } },
    tagged('httpAuthSecurityScheme', { scheme: 'basic', location: 'header', name: 'X-TOTP' }),
    tagged('apiKeySecurityScheme', { scheme: 'bearer', location: 'header', name: 'X-Other' }),
    tagged('mtlsSecurityScheme', { scheme: 'bearer', location: 'header', name: 'X-TOTP' }),
  ])('is neither: %j', (scheme) => {
    expect(isBearerScheme(scheme)).toBe(false)
    expect(isHeaderScheme(scheme, 'X-TOTP')).toBe(false)
  })
})
