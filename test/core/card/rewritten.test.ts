import { describe, expect, it } from 'vitest'
import { withAddresses } from '../../../src/core/card/rewritten.js'
import type { CardJson } from '../../../src/core/card/shapes.js'

/** The card with each address moved, and what was asked for on the way. */
function moved(card: CardJson) {
  const asked: string[] = []
  const written = withAddresses(card, (one) => {
    const { address } = one.written
    asked.push(one.understood ? address : `${address} ${one.why}`.trim())
    return address === '' || address.includes('dropped') ? undefined : `${address}/moved`
  })
  return { card: written, asked }
}

describe('a card with other addresses', () => {
  it('has them in each place, and keeps the rest', () => {
    const given = {
      name: 'x',
      protocolVersion: '0.3.0',
      supportedInterfaces: [
        { url: '/a', protocolBinding: 'JSONRPC', protocolVersion: '1.0', tenant: 't', more: 1 },
      ],
      url: 'https://h/b',
      preferredTransport: 'JSONRPC',
      additionalInterfaces: [{ url: 'https://h/c', transport: 'HTTP+JSON' }],
    }
    const { card, asked } = moved(given)
    expect(card).toEqual({
      ...given,
      supportedInterfaces: [{ ...given.supportedInterfaces[0], url: '/a/moved' }],
      url: 'https://h/b/moved',
      additionalInterfaces: [{ url: 'https://h/c/moved', transport: 'HTTP+JSON' }],
    })
    expect(asked).toEqual(['/a relative, and the URL of the card is unknown', 'https://h/b', 'https://h/c'])
  })

  it.each<CardJson>([
    {},
    { name: 'x' },
    { supportedInterfaces: [], additionalInterfaces: [] },
    { url: '' },
    { url: null, preferredTransport: null },
    { supportedInterfaces: null, additionalInterfaces: '' },
  ])('asks for none where the card names none: %j', (card) => {
    expect(moved(card).asked).toEqual([])
  })

  it.each<[CardJson, string]>([
    [{ supportedInterfaces: {} }, 'supportedInterfaces is not a list'],
    [{ additionalInterfaces: 'x' }, 'additionalInterfaces is not a list'],
    [{ supportedInterfaces: ['x'] }, 'an entry of supportedInterfaces is not an object'],
    [{ preferredTransport: 'JSONRPC' }, 'no address'],
  ])('asks for what is wrong too: %j', (card, why) => {
    expect(moved(card).asked).toEqual([why])
  })

  it('has the first interface of 0.3 that says its transport for a main URL that is dropped', () => {
    const supportedInterfaces = [
      { url: '/new', protocolBinding: 'JSONRPC', protocolVersion: '1.0' },
      { url: '/old', protocolBinding: 'GRPC', protocolVersion: '0.3' },
    ]
    const additionalInterfaces = [{ url: '/bare' }, { url: '/rest', transport: 'HTTP+JSON' }]
    const main = { url: '/dropped', preferredTransport: 'JSONRPC' }
    expect(moved({ ...main, supportedInterfaces, additionalInterfaces }).card).toMatchObject({
      url: '/rest/moved',
      preferredTransport: 'HTTP+JSON',
    })
    expect(moved({ ...main, supportedInterfaces }).card).toMatchObject({
      url: '/old/moved',
      preferredTransport: 'GRPC',
    })
    const bare = moved({
      ...main,
      additionalInterfaces: [{ url: '/bare' }, { url: '/empty', transport: '' }],
    }).card
    expect(bare).toEqual({
      additionalInterfaces: [{ url: '/bare/moved' }, { url: '/empty/moved', transport: '' }],
    })
  })

  it('has no main URL where the card had none', () => {
    const additionalInterfaces = [{ url: '/rest', transport: 'HTTP+JSON' }]
    for (const none of [{}, { url: null }, { url: '' }, { url: '', preferredTransport: '' }])
      expect(moved({ ...none, additionalInterfaces }).card).toEqual({
        additionalInterfaces: [{ url: '/rest/moved', transport: 'HTTP+JSON' }],
      })
  })

  it('has no more than the first 256 entries of a list', () => {
    const additionalInterfaces = Array.from({ length: 300 }, (_, n) => ({ url: `/${n}`, transport: 'REST' }))
    const { card, asked } = moved({ additionalInterfaces })
    expect(asked).toHaveLength(256)
    expect(card['additionalInterfaces']).toHaveLength(256)
  })

  it.each([
    'supported_interfaces',
    'URL',
    'preferred_transport',
    'PreferredTransport',
    'AdditionalInterfaces',
  ])('has no field %s, which some clients read', (field) => {
    expect(moved({ name: 'x', [field]: 'https://evil.example' }).card).toEqual({ name: 'x' })
  })

  it.each(['Url', 'Transport', 'protocol_binding', 'protocol_version', 'TENANT'])(
    'has no field %s in an interface',
    (field) => {
      const entry = { url: '/a', transport: 'REST' }
      expect(moved({ additionalInterfaces: [{ ...entry, [field]: 'x' }] }).card).toEqual({
        additionalInterfaces: [{ ...entry, url: '/a/moved' }],
      })
    },
  )
})
