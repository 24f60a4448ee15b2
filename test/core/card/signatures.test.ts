import { describe, expect, it } from 'vitest'
import { canonicalJson } from '../../../src/core/card/canonical.js'
import { totpSecurityOf, withTotpSecurity } from '../../../src/core/card/security.js'
import { signedTexts } from '../../../src/core/card/signatures.js'
import type { CardJson, CardProtocol } from '../../../src/core/card/shapes.js'

const signatures = [{ protected: 'e30', signature: 'c2lnbmF0dXJl' }]

/** A card before and after somebody thought of the second factor, in each shape. */
const cards = (['1.0', '0.3', 'both'] as const).map((protocol) => {
  const interfaces = {
    '1.0': {
      supportedInterfaces: [{ url: 'https://h/', protocolBinding: 'JSONRPC', protocolVersion: '1.0' }],
    },
    '0.3': { url: 'https://h/', preferredTransport: 'JSONRPC' },
  }
  const bare: CardJson = {
    name: 'x',
    ...(protocol === '0.3' ? interfaces['0.3'] : interfaces['1.0']),
    ...(protocol === 'both' && interfaces['0.3']),
    signatures,
  }
  return { protocol, bare }
})

const demandingOf = (protocol: CardProtocol, bare: CardJson): CardJson => ({
  ...bare,
  ...totpSecurityOf(protocol, 'X-TOTP'),
})

describe.each(cards)('signatures of a card of $protocol', ({ protocol, bare }) => {
  const demanding = (): CardJson => demandingOf(protocol, bare)
  const warned = (card: CardJson, options = {}): [CardJson, string[]] => {
    const warnings: string[] = []
    return [withTotpSecurity(card, { ...options, onWarning: (message) => warnings.push(message) }), warnings]
  }

  it('are dropped with one warning when the card gains the second factor', () => {
    const [card, warnings] = warned(bare)
    expect(card).not.toHaveProperty('signatures')
    expect(warnings).toEqual([expect.stringContaining('signCard of a2a-totp/server/card')])
  })

  it('are dropped too if nobody listens', () => {
    expect(withTotpSecurity(bare)).not.toHaveProperty('signatures')
  })

  it('are kept, without a word, where the card demands both already', () => {
    const [card, warnings] = warned(demanding())
    expect(card['signatures']).toEqual(signatures)
    expect(warnings).toEqual([])
    expect(canonicalJson(card)).toBe(canonicalJson(demanding()))
  })

  it('are kept where the other agent spells the same schemes in fewer words, and in another order', () => {
    const plain = JSON.parse(
      JSON.stringify(demanding(), (key, value: unknown) => (key === 'description' ? undefined : value)),
    ) as CardJson
    const turned = JSON.parse(
      JSON.stringify(plain).replaceAll('"bearer":[],"totp":[]', '"totp":[],"bearer":[]'),
    ) as CardJson
    for (const card of [plain, turned]) expect(warned(card)).toEqual([expect.objectContaining(card), []])
  })

  it.each<[change: string, change: (card: CardJson) => CardJson, options?: object]>([
    [
      'a way round is closed',
      (card) => ({ ...card, security: [{ bearer: [], totp: [] }, {}] }),
      { replace: true },
    ],
    [
      'a skill of it gains the code',
      (card) => ({ ...card, skills: [{ id: 's', security: [{ bearer: [] }] }] }),
    ],
    [
      'a scheme is put right',
      (card) => ({
        ...card,
        securitySchemes: {
          ...(card['securitySchemes'] as object),
          m: { scheme: { $case: 'mtlsSecurityScheme', value: {} } },
        },
      }),
    ],
  ])('are dropped where %s', (_, change, options) => {
    const [card, warnings] = warned(change(demanding()), options)
    expect(card).not.toHaveProperty('signatures')
    expect(warnings).toHaveLength(1)
  })

  it('that are no list are dropped too', () => {
    for (const odd of [{}, 'text', 0]) {
      const [card, warnings] = warned({ ...bare, signatures: odd })
      expect(card).not.toHaveProperty('signatures')
      expect(warnings).toHaveLength(1)
    }
  })

  it('that are none are no cause for a warning', () => {
    for (const none of [[], undefined, null]) expect(warned({ ...bare, signatures: none })[1]).toEqual([])
  })
})

describe('what a signature covers', () => {
  it('is one text where all verifiers agree, and no part of it is what the SDKs do not cover if they are not asked', () => {
    const older: CardJson = { name: 'x', url: 'https://h/', security: [], signatures }
    expect(signedTexts(older, true)).toEqual(['{"name":"x","security":[],"url":"https://h/"}'])
    const demanding = demandingOf('both', { name: 'x', url: 'https://h/', supportedInterfaces: [] })
    const texts = signedTexts(demanding, true)
    expect(texts).toHaveLength(3)
    expect(texts.filter((text) => !/"security(Requirements)?":/.test(text))).toHaveLength(1)
    const strict = signedTexts(demanding, false)
    expect(strict).toEqual(texts.slice(0, 2))
  })

  it('is, for the SDKs, what is left without anything empty, at any depth', () => {
    const card = {
      name: 'x',
      description: '',
      capabilities: {
        streaming: false,
        extensions: [{ uri: 'u', params: { a: [], b: [null, '', 0], c: { d: {} } } }],
      },
      securityRequirements: [{ schemes: { bearer: {} } }, { schemes: { oauth: { list: ['read'] } } }],
      skills: [{ id: 's', name: '', tags: ['', 't'] }],
      signatures,
    }
    const [, , forSdks = ''] = signedTexts(card, true)
    expect(JSON.parse(forSdks)).toEqual({
      name: 'x',
      capabilities: { streaming: false, extensions: [{ uri: 'u', params: { b: [0] } }] },
      securityRequirements: [{ schemes: { oauth: { list: ['read'] } } }],
      skills: [{ id: 's', tags: ['t'] }],
    })
    expect(signedTexts({ name: '' }, true)[2]).toBe('{}')
  })

  it('is that of 1.0 too where a card has anything of 1.0', () => {
    const older = { name: 'x', url: 'https://h/', security: [{ bearer: [] }] }
    expect(signedTexts(older, false)).toHaveLength(1)
    for (const newer of [{ supportedInterfaces: [] }, { securityRequirements: [] }])
      expect(signedTexts({ ...older, ...newer }, false)).toHaveLength(2)
  })
})
