import { describe, expect, it } from 'vitest'
import { withoutSatisfied } from '../../../src/core/card/satisfied.js'
import type { CardJson } from '../../../src/core/card/shapes.js'

const bearer = { type: 'http', scheme: 'bearer' }
const key = { type: 'apiKey', in: 'header', name: 'X-Key' }
const securitySchemes = { bearer, key }
/** Without bearer, which somebody else sends. */
const without = (card: CardJson) => withoutSatisfied(card, (scheme) => scheme === bearer)

describe('a card without the schemes that somebody else satisfies', () => {
  it.each([
    ['of 1.0', 'securityRequirements', { schemes: { bearer: {}, key: {} } }, { schemes: { key: {} } }],
    ['of 0.3', 'security', { bearer: [], key: ['read'] }, { key: ['read'] }],
    [
      'of 1.0 in the field of 0.3',
      'security',
      { schemes: { bearer: {}, key: {} } },
      { schemes: { key: {} } },
    ],
    ['of 0.3 in the field of 1.0', 'securityRequirements', { bearer: [], key: [] }, { key: [] }],
    [
      'with a note',
      'securityRequirements',
      { note: 1, schemes: { key: {} } },
      { note: 1, schemes: { key: {} } },
    ],
  ])('demands the others: %s', (_, field, alternative, rest) => {
    const skills = [{ id: 's', [field]: [alternative] }]
    expect(without({ name: 'x', securitySchemes, [field]: [alternative], skills })).toEqual({
      card: { name: 'x', securitySchemes: { key }, [field]: [rest], skills: [{ id: 's', [field]: [rest] }] },
      left: ['key'],
    })
  })

  it('demands nothing where one alternative demands no more', () => {
    const security = [{ key: [] }, { bearer: [] }]
    expect(without({ securitySchemes: { bearer }, security, skills: [{ security }, 'text'] })).toEqual({
      card: { skills: [{}, 'text'] },
      left: [],
    })
  })

  it.each<CardJson>([
    {},
    { securitySchemes: {} },
    { securitySchemes: { key }, security: [], skills: {} },
    { securitySchemes: 'none', securityRequirements: 'none', skills: ['text', null] },
  ])('is the same where there is none: %j', (card) => {
    expect(without(card)).toEqual({ card, left: [] })
  })

  it('has each demand of card and skills in the list of what is left, once, even one that is not described', () => {
    const security = [{ bearer: [], key: [] }, { key: [], unnamed: [] }, 'text', 7]
    const { card, left } = without({
      securitySchemes,
      security,
      skills: [{ security: [{ key: [] }, { other: [] }] }],
    })
    expect(left).toEqual(['key', 'unnamed', 'other'])
    expect(card['security']).toEqual([{ key: [] }, { key: [], unnamed: [] }, 'text', 7])
  })
})
