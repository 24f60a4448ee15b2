import { AgentCard } from '@a2a-js/sdk'
import { describe, expect, it } from 'vitest'
import { explainCard } from '../../src/client/index.js'
import { withTotpSecurity } from '../../src/core/card/security.js'
import { cardFor } from '../support/agent-card.js'
import { hostile } from '../support/hostile-text.js'

const header = 'X-TOTP'
const origin = 'https://agent.example'

const explained = (securitySchemes: object, ...alternatives: string[][]) =>
  explainCard(
    {
      securitySchemes,
      securityRequirements: alternatives.map((names) => ({
        schemes: Object.fromEntries(names.map((name) => [name, { list: [] }])),
      })),
    },
    header,
  )

const bearer = { httpAuthSecurityScheme: { scheme: 'Bearer' } }
const totp = { apiKeySecurityScheme: { location: 'header', name: 'x-totp' } }
const oauth = { oauth2SecurityScheme: { flows: {} } }
const other = { apiKeySecurityScheme: { location: 'header', name: 'X-Other' } }

describe('a card that wants bearer AND the code', () => {
  it.each(['1.0', '0.3'] as const)('in the shape of %s needs no explanation', (version) => {
    expect(explainCard(cardFor(version, origin, header), header)).toBeUndefined()
  })

  it('needs none in the memory of SDK 1.3, or as that SDK garbles it', () => {
    expect(explainCard(AgentCard.fromJSON(cardFor('1.0', origin, header)), header)).toBeUndefined()
    expect(explained({ bearer: {}, totp: {} }, ['bearer', 'totp'])).toBeUndefined()
  })

  it.each([
    ['0.3', { type: 'oauth2' }],
    ['0.3', { type: 'openIdConnect' }],
    ['1.0', oauth],
    ['memory', { scheme: { $case: 'openIdConnectSecurityScheme', value: {} } }],
  ])('may call bearer OAuth or OpenID Connect, in the shape of %s', (_shape, scheme) => {
    expect(explained({ login: scheme, totp }, ['login', 'totp'])).toBeUndefined()
  })

  it('may offer something else beside', () => {
    const schemes = { bearer, totp, mutual: { mtlsSecurityScheme: {} } }
    expect(explained(schemes, ['mutual'], ['bearer', 'totp'])).toBeUndefined()
  })

  it('in both shapes needs none', () => {
    expect(explainCard(withTotpSecurity({ name: 'x' }, { protocol: 'both' }), header)).toBeUndefined()
  })
})

describe('a card that wants something else', () => {
  it('is explained by what it wants', () => {
    expect(explained({ bearer, totp, other }, ['bearer', 'other'], ['other', 'totp'])).toMatch(
      /^the card asks for "other": only a bearer token and X-TOTP are sent/,
    )
    expect(explained({ bearer, basic: { type: 'http', scheme: 'basic' } }, ['basic', 'bearer'])).toContain(
      '"basic"',
    )
  })

  it('by another header is explained by that scheme', () => {
    const card = cardFor('0.3', origin, 'X-Code')
    expect(explainCard(card, header)).toContain('"totp"')
    expect(explainCard(card, 'x-code')).toBeUndefined()
  })

  it('cannot write to a terminal', () => {
    const name = `\u001b[2J"\u202e${'x'.repeat(200)}`
    expect(explained({ [name]: other }, [name])).toMatch(/^the card asks for "\[2J' x{1,64}": [ -~]+$/)
  })
})

it('a card without the second factor is explained', () => {
  expect(explained({ bearer }, ['bearer'])).toMatch(/does not mention X-TOTP/)
})

it.each([{}, { security: [] }, { securityRequirements: 'none', security: null }])(
  'a card that demands nothing is explained: %j',
  (card) => {
    expect(explainCard(card, header)).toMatch(/demands nothing/)
  },
)

describe('what a card says of signed requests', () => {
  const plain = cardFor('1.0', origin, header)
  const saying = (policy: string, profile = 'a2a-totp/proof/v1', codeHeader = header) => ({
    ...plain,
    capabilities: {
      extensions: [{ uri: 'urn:a2a-totp:v1', params: { header: codeHeader, signed: { policy, profile } } }],
    },
  })

  it('is explained to a client that does not sign, where it has to', () => {
    expect(explainCard(saying('require'), header, { signs: false })).toMatch(/requires signed requests/)
    for (const signs of [true, undefined])
      expect(explainCard(saying('require'), header, { signs })).toBeUndefined()
    for (const policy of ['off', 'observe', 'accept', 'whatever'])
      expect(explainCard(saying(policy), header, { signs: false })).toBeUndefined()
  })

  it('is explained where it wants proofs that are not known', () => {
    const card = saying('accept', 'a2a-totp/proof/v2')
    expect(explainCard(card, header, { signs: true })).toMatch(/another kind, "a2a-totp\/proof\/v2"/)
    expect(explainCard(card, header)).toMatch(/another kind/)
    expect(explainCard(card, header, { signs: false })).toBeUndefined()
    expect(explainCard(saying('off', 'a2a-totp/proof/v2'), header, { signs: true })).toBeUndefined()
  })

  it('is explained where the code belongs elsewhere, after what the card demands', () => {
    expect(explainCard(saying('off', undefined, 'x-totp'), header)).toBeUndefined()
    expect(explainCard(saying('off', undefined, 'X-Code'), header)).toMatch(
      /code in "X-Code".* sent in X-TOTP$/,
    )
    const open = { ...saying('require', undefined, 'X-Code'), securityRequirements: [] }
    expect(explainCard(open, header, { signs: false })).toMatch(/demands nothing.*; .*"X-Code".*; .*signed/)
  })

  it('cannot write to a terminal', () => {
    expect(explainCard(saying('accept', hostile, hostile), header)).toMatch(/^[ -~]+$/)
  })
})
