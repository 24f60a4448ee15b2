import { describe, expect, it } from 'vitest'
import type { CardJson } from '../../src/core/card/shapes.js'
import { cardAnd } from '../../src/probe/checks/card.and.js'
import { cardBearer } from '../../src/probe/checks/card.bearer.js'
import type { Evidence } from '../../src/probe/run/evidence.js'
import { midStep, probeOptions, stillClock } from '../support/probing.js'

const options = probeOptions('http://127.0.0.1:1', stillClock(midStep))
const securitySchemes = {
  bearer: { type: 'http', scheme: 'bearer', httpAuthSecurityScheme: { scheme: 'Bearer' } },
  totp: {
    ...{ type: 'apiKey', in: 'header', name: 'x-totp' },
    apiKeySecurityScheme: { location: 'header', name: 'X-TOTP' },
  },
}

const judged = (...cards: readonly CardJson[]) => {
  const all = cards.map((card) => ({ securitySchemes, ...card }))
  return cardAnd.judge({ discovery: { cards: all }, options } as unknown as Evidence)
}

const both = { bearer: [], totp: [] }
const newer = { schemes: { bearer: { list: [] }, totp: { list: [] } } }
const skill = (fields: object): CardJson => ({ skills: [{ id: 'a' }, { id: 'b', ...fields }] })

describe('card.and', () => {
  it.each<[string, CardJson]>([
    ['of 0.3', { security: [both] }],
    ['of 1.0', { securityRequirements: [newer] }],
    ['of both', { security: [both], securityRequirements: [newer] }],
    [
      'of 1.0 in the form that a2a-go serves',
      { securityRequirements: [{ schemes: { bearer: [], totp: [] } }] },
    ],
    ['with more than both', { security: [{ ...both, mtls: [] }] }],
    ['in every alternative', { security: [both, { totp: ['x'], bearer: ['y'] }] }],
    ['of which a skill repeats both', { security: [both], ...skill({ security: [both] }) }],
    ['whose skills demand nothing of their own', { security: [both], ...skill({ security: [] }) }],
    ['with a field that is null', { security: [both], securityRequirements: null }],
  ])('passes for requirements %s', (_, card) => {
    expect(judged(card)).toMatchObject({ status: 'pass' })
  })

  it.each([
    ['OAuth 2 of 0.3', { type: 'oauth2', flows: {} }],
    ['OAuth 2 of 1.0', { oauth2SecurityScheme: { flows: {} } }],
    ['OpenID Connect of 0.3', { type: 'openIdConnect', openIdConnectUrl: 'https://issuer.example' }],
    [
      'OpenID Connect of 1.0',
      { openIdConnectSecurityScheme: { openIdConnectUrl: 'https://issuer.example' } },
    ],
  ])('passes, as card.bearer does, where the bearer token is declared as %s', (_, bearer) => {
    const card = { security: [both], securitySchemes: { ...securitySchemes, bearer } }
    expect(judged(card)).toMatchObject({ status: 'pass' })
    const evidence = { discovery: { cards: [card] }, options } as unknown as Evidence
    expect(cardBearer.judge(evidence)).toMatchObject({ status: 'pass' })
    expect(judged({ ...card, security: [{ bearer: [] }] })).toMatchObject({ status: 'warn' })
  })

  it.each<[string, CardJson, string]>([
    ['none', {}, 'no requirement'],
    ['an empty list of 0.3', { security: [] }, 'no requirement'],
    ['an empty list of 1.0', { securityRequirements: [] }, 'no requirement'],
    ['an object in place of the list', { security: both }, 'no requirement'],
    ['those of skills alone', skill({ security: [both] }), 'no requirement'],
    ['an empty alternative of 0.3', { security: [both, {}] }, 'the card: an empty requirement'],
    [
      'an empty alternative of 1.0',
      { securityRequirements: [newer, { schemes: {} }] },
      'an empty requirement',
    ],
    ['an alternative that is null', { security: [both, null] }, 'an empty requirement'],
    ['an alternative that is text', { security: [both, 'bearer'] }, 'an empty requirement'],
    ['bearer alone', { security: [{ bearer: [] }] }, 'an alternative without X-TOTP'],
    [
      'the header alone',
      { securityRequirements: [{ schemes: { totp: {} } }] },
      'an alternative without bearer',
    ],
    ['a scheme that is not declared', { security: [{ other: [] }] }, 'without bearer and X-TOTP'],
    ['bearer alone for a skill', { security: [both], ...skill({ security: [{ bearer: [] }] }) }, 'skill b'],
    [
      'an empty one for a skill',
      { security: [both], ...skill({ securityRequirements: [{ schemes: {} }] }) },
      'skill b',
    ],
    ['nothing for clients of 0.3', { securityRequirements: [newer], security: [] }, 'security is empty'],
    [
      'nothing for clients of 1.0',
      { securityRequirements: [], security: [both] },
      'securityRequirements is empty',
    ],
    [
      'bearer alone for clients of 0.3',
      { securityRequirements: [newer], security: [{ bearer: [] }] },
      'without X-TOTP',
    ],
  ])('warns of %s', (_, card, actual) => {
    expect(judged(card)).toMatchObject({
      status: 'warn',
      actual: expect.stringContaining(actual) as string,
    })
  })

  it('looks at the cards of both versions', () => {
    expect(judged({ securityRequirements: [newer] }, { security: [{ bearer: [] }] }).status).toBe('warn')
  })
})
