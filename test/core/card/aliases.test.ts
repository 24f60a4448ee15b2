import { describe, expect, it } from 'vitest'
import { inOwnSpelling, withoutAliases } from '../../../src/core/card/aliases.js'

const [a, b, c] = [{ a: [] }, { b: [] }, { c: [] }]

describe('the security fields of a card', () => {
  it.each(['security_requirements', 'SecurityRequirements', 'SECURITYREQUIREMENTS', '_securityRequirements'])(
    'have their own names, and the card nothing else: %s',
    (field) => {
      const skill = { id: 's', tags: ['t'] }
      expect(
        inOwnSpelling({ name: 'x', [field]: [a], skills: [{ ...skill, [field]: [b] }, 'text'] }),
      ).toEqual({
        name: 'x',
        securityRequirements: [a],
        skills: [{ ...skill, securityRequirements: [b] }, 'text'],
      })
    },
  )

  it('are told as Go tells them, to which a long s is an s and the Kelvin sign a k', () => {
    expect(inOwnSpelling({ ſecurity: [a], 's\u212aills': [{ id: 's', Security: [b] }] })).toEqual({
      security: [a],
      skills: [{ id: 's', security: [b] }],
    })
  })

  it.each([
    'apiKeySecurityScheme',
    'httpAuthSecurityScheme',
    'oauth2SecurityScheme',
    'openIdConnectSecurityScheme',
    'mtlsSecurityScheme',
  ])('are those of a scheme too: %s', (kind) => {
    const snake = kind.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    const note = { 'x-note': 1 }
    for (const field of [snake, kind.toUpperCase()]) {
      const securitySchemes = { one: { ...note, [field]: { description: 'd' } }, odd: 'text' }
      expect(inOwnSpelling({ securitySchemes })).toEqual({
        securitySchemes: { one: { ...note, [kind]: { description: 'd' } }, odd: 'text' },
      })
    }
  })

  it('of a card that has only those are as they are', () => {
    const card = {
      securitySchemes: { x: { type: 'http' } },
      security: [a],
      skills: [{ security: [b] }],
      name: 'x',
    }
    expect(inOwnSpelling(card)).toEqual(card)
  })
})

describe('a field of a card that is there under two names', () => {
  const read = (first: unknown, second: unknown, own: 'first' | 'second' = 'first') =>
    inOwnSpelling(
      own === 'first' ? { security: first, Security: second } : { Security: first, security: second },
    )

  it('has the alternatives of both, each once', () => {
    expect(read([a], [b])).toEqual({ security: [a, b] })
    expect(read([a], [b], 'second')).toEqual({ security: [b, a] })
    expect(read([a, b], [a, b])).toEqual({ security: [a, b] })
    expect(inOwnSpelling({ security: [a], Security: [b], SECURITY: [c] })).toEqual({ security: [a, b, c] })
  })

  it('has what is there where one of them is nothing', () => {
    expect(read(null, [b])).toEqual({ security: [b] })
    expect(read(undefined, [b])).toEqual({ security: [b] })
    expect(read([a], null)).toEqual({ security: [a] })
    expect(inOwnSpelling({ Security: null })).toEqual({})
  })

  it('has its own value where both cannot be joined', () => {
    for (const [own, other] of [
      [[a], { x: 1 }],
      [{ x: 1 }, [a]],
      ['text', { x: 1 }],
      [{ x: 1 }, 'text'],
      ['text', [a]],
    ]) {
      expect(read(own, other)).toEqual({ security: own })
      expect(read(other, own, 'second')).toEqual({ security: own })
    }
  })

  it('has the schemes of both, of which its own have their names', () => {
    const [own, other] = [{ type: 'http' }, { type: 'apiKey' }]
    const card = { security_schemes: { x: other, y: other }, securitySchemes: { x: own } }
    expect(inOwnSpelling(card)).toEqual({ securitySchemes: { x: own, y: other } })
  })
})

it('an object is without the fields that are read for others', () => {
  const given = { schemes: 1, Schemes: 2, SCHE_MES: 3, scheme: 4, other: 5 }
  expect(withoutAliases(given, ['schemes'])).toEqual({ schemes: 1, scheme: 4, other: 5 })
})
