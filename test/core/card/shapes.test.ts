import { describe, expect, it } from 'vitest'
import { cardPath, protocolOf, wellKnownCard } from '../../../src/core/card/shapes.js'

describe('the place of a card', () => {
  it('is that of A2A 1.0 §8.2', () => {
    expect(cardPath).toBe('/.well-known/agent-card.json')
  })

  it.each([
    [cardPath, true],
    [`/base${cardPath}`, true],
    ['/.well-known/agent.json', true],
    ['/.well-known/agent-card.json/more', false],
    ['/.well-known/agent-card', false],
    ['/.well-known/agentcard.json', false],
    ['/agent-card.json', false],
  ])('is told by the end of a path: %s, %s', (path, isCard) => {
    expect(wellKnownCard.test(path)).toBe(isCard)
  })
})

describe('the version of a card', () => {
  it.each([
    [{}, '1.0'],
    [{ name: 'x', securitySchemes: {} }, '1.0'],
    [{ supportedInterfaces: [] }, '1.0'],
    [{ securityRequirements: [] }, '1.0'],
    [{ url: '' }, '0.3'],
    [{ preferredTransport: 'GRPC' }, '0.3'],
    [{ security: [] }, '0.3'],
    [{ supportedInterfaces: [], url: '' }, 'both'],
    [{ securityRequirements: [], security: [] }, 'both'],
  ])('is told by its fields: %j, %s', (card, protocol) => {
    expect(protocolOf(card)).toBe(protocol)
  })
})
