import { AgentCard } from '@a2a-js/sdk'
import { describe, expect, it } from 'vitest'
import { readTotpExtension, totpExtensionUri } from '../../../src/core/card/extension.js'
import { totpSecurityOf, withTotpSecurity } from '../../../src/core/card/security.js'
import type { CardJson } from '../../../src/core/card/shapes.js'
import { signaturesDropped } from '../../../src/core/card/signatures.js'
import { defaultProfile } from '../../../src/core/profile.js'
import { cardFor } from '../../support/agent-card.js'
import { codeOf } from '../../support/failure.js'

const origin = 'https://agent.example'
const profile = { ...defaultProfile, algorithm: 'SHA256', digits: 8, window: 0, header: 'X-Code' } as const
const params = {
  header: 'X-Code',
  algorithm: 'SHA256',
  digits: 8,
  period: 30,
  window: 0,
  signed: { policy: 'require', profile: 'a2a-totp/proof/v1' },
}
const foreign = { uri: 'urn:example:other', required: true, params: { header: 'X-Other' } }

const extensionsOf = (card: object): unknown[] =>
  (card as { capabilities?: { extensions?: unknown[] } }).capabilities?.extensions ?? []

const withExtensions = (...extensions: unknown[]): CardJson => ({
  ...cardFor('1.0', origin, 'X-Code'),
  capabilities: { streaming: true, extensions },
})

const secured = (card: CardJson, onWarning?: (message: string) => void): CardJson =>
  withTotpSecurity(card, { profile, signed: 'require', ...(onWarning ? { onWarning } : {}) })

describe('the extension of a card', () => {
  it.each(['1.0', '0.3'] as const)('is written where the profile is given, in a card of %s', (version) => {
    const card = cardFor(version, origin, 'X-Code')
    const written = secured(card)
    expect(written['capabilities']).toEqual({
      streaming: true,
      extensions: [
        {
          uri: 'urn:a2a-totp:v1',
          description: expect.stringContaining('TOTP') as string,
          required: false,
          params,
        },
      ],
    })
    expect(secured(written)).toEqual(written)
    expect(extensionsOf(withTotpSecurity(card, { header: 'X-Code' }))).toEqual([])
    expect(extensionsOf(card)).toEqual([])
  })

  it('is part of what a card has to demand, in the shape of both', () => {
    const part = totpSecurityOf('both', 'X-Code', { profile, signed: 'require' })
    expect(readTotpExtension(part)).toEqual(params)
    expect(totpSecurityOf('both', 'X-Code')).not.toHaveProperty('capabilities')
  })

  it('has the defaults for what is left out, and the header that was asked for', () => {
    const written = withTotpSecurity({ name: 'x' }, { header: 'X-Code', profile: { digits: 7 } })
    expect(readTotpExtension(written)).toEqual({
      ...{ header: 'X-Code', algorithm: 'SHA1', digits: 7, period: 30, window: 1 },
      signed: { policy: 'off', profile: 'a2a-totp/proof/v1' },
    })
    expect(readTotpExtension(withTotpSecurity({}, { signed: 'accept' }))?.signed?.policy).toBe('accept')
    expect(withTotpSecurity({}, { profile })).toHaveProperty(
      'securitySchemes.totp.apiKeySecurityScheme.name',
      'X-Code',
    )
    // What a scheme with allowInsecureWindow has.
    expect(readTotpExtension(withTotpSecurity({}, { profile: { window: 100 } }))?.window).toBe(100)
  })

  it('refuses what no scheme has', () => {
    expect(codeOf(() => withTotpSecurity({}, { profile: { period: 0 } }))).toBe('ERR_PROFILE_INVALID')
    expect(codeOf(() => withTotpSecurity({}, { profile, signed: 'never' as 'off' }))).toBe(
      'ERR_CONFIG_INVALID',
    )
  })

  it('replaces an earlier one, and keeps those of others in their order', () => {
    const old = { uri: totpExtensionUri, required: true, params: { header: 'X-Old' } }
    const third = { uri: 'urn:example:third' }
    const [first, ours, ...rest] = extensionsOf(secured(withExtensions(foreign, old, third, old)))
    expect([first, ...rest]).toEqual([foreign, third])
    expect(extensionsOf(secured(withExtensions(old, foreign)))).toMatchObject([
      { uri: totpExtensionUri },
      foreign,
    ])
    expect(ours).toMatchObject({ uri: totpExtensionUri, required: false, params })
    expect(extensionsOf(secured(withExtensions(foreign, third))).slice(0, 2)).toEqual([foreign, third])
    expect(extensionsOf(secured({ ...withExtensions(), capabilities: 'none' }))).toHaveLength(1)
    expect(extensionsOf(secured(withExtensions('text', null, [])))).toHaveLength(4)
  })

  it('costs a card its signatures only if something changes', () => {
    const warnings: string[] = []
    const warn = (message: string): void => void warnings.push(message)
    const signatures = [{ protected: 'e30', signature: 'AA' }]
    const signed = { ...secured(cardFor('1.0', origin, 'X-Code')), signatures }
    expect(secured(signed, warn)).toEqual(signed)
    // As the SDK writes it, without `required`, and in another order.
    const [{ uri, description } = {} as Record<string, unknown>] = extensionsOf(signed) as Record<
      string,
      unknown
    >[]
    const again = { ...signed, capabilities: { extensions: [{ params, description, uri }] } }
    expect(secured(again, warn)).toEqual(again)
    expect(warnings).toEqual([])
    const other = withTotpSecurity(signed, { profile, signed: 'accept', onWarning: warn })
    expect(other).not.toHaveProperty('signatures')
    expect(warnings).toEqual([signaturesDropped])
  })

  it('is carried by SDK 1.3, also through the form in its memory', () => {
    const card = secured(withExtensions(foreign))
    const through = AgentCard.toJSON(AgentCard.fromJSON(card)) as CardJson
    expect(readTotpExtension(through)).toEqual(params)
    expect(readTotpExtension(AgentCard.fromJSON(card) as unknown as CardJson)).toEqual(params)
    expect(extensionsOf(through)[0]).toMatchObject({ uri: foreign.uri, required: true })
  })
})

describe('reading the extension of a card, which is untrusted', () => {
  it.each([
    {},
    { capabilities: null },
    { capabilities: [] },
    { capabilities: { extensions: { uri: totpExtensionUri } } },
    { capabilities: { extensions: [null, 1, 'x', { uri: 1 }, { uri: 'urn:a2a-totp:v2' }, foreign] } },
  ])('finds none in %j', (card) => {
    expect(readTotpExtension(card)).toBeUndefined()
  })

  it.each([
    undefined,
    null,
    'text',
    [],
    { signed: 'require' },
    { header: {}, digits: '6', period: [], window: null },
  ])('leaves out what has another type: %j', (given) => {
    expect(readTotpExtension(withExtensions({ uri: totpExtensionUri, params: given }))).toEqual({})
  })

  it('reads the first of several, and only what it knows', () => {
    const params = { header: 'X-A', more: 1, signed: { policy: 'odd', profile: 7, x: 1 } }
    const card = withExtensions(foreign, { uri: totpExtensionUri, params }, { uri: totpExtensionUri })
    expect(readTotpExtension(card)).toEqual({ header: 'X-A', signed: { policy: 'odd' } })
    const own = JSON.parse('{"__proto__":{"header":"X-A"},"constructor":1}') as object
    expect(readTotpExtension(withExtensions({ uri: totpExtensionUri, params: own }))).toEqual({})
  })
})
