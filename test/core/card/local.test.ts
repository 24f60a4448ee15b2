import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isOursToCall } from '../../../src/core/card/hosts.js'
import { localCard, type LocalCardOptions } from '../../../src/core/card/local.js'
import { routeFor } from '../../../src/core/card/routes.js'
import { withTotpSecurity } from '../../../src/core/card/security.js'
import type { CardJson } from '../../../src/core/card/shapes.js'
import { defaultProfile } from '../../../src/core/profile.js'
import { addressesIn, randomCards } from '../../support/random-cards.js'

const agent = new URL('https://agent.example/')
const options: LocalCardOptions = {
  cardUrl: new URL('https://agent.example/.well-known/agent-card.json'),
  self: new URL('http://127.0.0.1:8787/'),
  isOurs: (one) => isOursToCall(one, { known: [agent] }),
  header: 'X-TOTP',
  security: 'remove',
}

const at = (url: unknown, protocolBinding = 'JSONRPC', protocolVersion = '1.0') => ({
  url,
  protocolBinding,
  protocolVersion,
})
const listing = (...supportedInterfaces: unknown[]): CardJson => ({ name: 'x', supportedInterfaces })
const urlsOf = (card: CardJson, more: Partial<LocalCardOptions> = {}) =>
  addressesIn(localCard(card, { ...options, ...more }).card)

describe('a local card', () => {
  it('has every interface at the sidecar, under its own path', () => {
    const card = listing(
      at('https://agent.example/rpc'),
      at('https://agent.example:8443/rest/', 'HTTP+JSON'),
      { ...at('agent.example:50051', 'GRPC'), tenant: 'acme' },
      at('/old?tenant=a', 'JSONRPC', '0.3'),
    )
    const { card: local, routes, remarks } = localCard(card, options)
    expect(local['supportedInterfaces']).toEqual([
      at('http://127.0.0.1:8787/rpc'),
      at('http://127.0.0.1:8787/rest/', 'HTTP+JSON'),
      { ...at('127.0.0.1:8787', 'GRPC'), tenant: 'acme' },
      at('http://127.0.0.1:8787/old', 'JSONRPC', '0.3'),
    ])
    expect(routes.map(({ upstream, path }) => [upstream.href, path])).toEqual([
      ['https://agent.example/', '/rpc'],
      ['https://agent.example:8443/', '/rest/'],
      ['https://agent.example:50051/', '/lf.a2a.v1.A2AService'],
      ['https://agent.example/', '/old'],
    ])
    expect(remarks).toEqual([])
  })

  it('adds no slash to an address that clients append to', () => {
    expect(urlsOf(listing(at('https://agent.example', 'HTTP+JSON')))).toEqual(['http://127.0.0.1:8787'])
    for (const written of ['https://agent.example/', ' https://agent.example/ '])
      expect(urlsOf(listing(at(written, 'HTTP+JSON')))).toEqual(['http://127.0.0.1:8787/'])
  })

  it('has the local token in front of every path, and no gRPC then', () => {
    const card = listing(
      at('https://agent.example/rpc'),
      at('agent.example:50051', 'GRPC'),
      at('https://agent.example', 'HTTP+JSON'),
    )
    const self = new URL('http://127.0.0.1:8787/s3cret/')
    const { card: local, routes, remarks } = localCard(card, { ...options, self })
    expect(addressesIn(local)).toEqual(['http://127.0.0.1:8787/s3cret/rpc', 'http://127.0.0.1:8787/s3cret'])
    expect(routes.map(({ path }) => path)).toEqual(['/rpc', '/'])
    expect(remarks).toEqual([
      'GRPC 1.0 agent.example:50051 is left out: gRPC has no path that a local token fits into',
    ])
  })

  it('leaves out what is elsewhere or not understood, and says so without credentials', () => {
    const card = listing(
      at('https://me:pw@evil.example/rpc?key=1'),
      at('https://agent.example/rpc'),
      at('wss://me:pw@agent.example', 'WEBSOCKET'),
      at('https://agent.example/2', 'HTTP+JSON', '2.0'),
      at('http://0.0.0.0:80/'),
      at('http://evil.example:8080/rpc'),
      'text',
    )
    const { card: local, remarks } = localCard(card, options)
    expect(addressesIn(local)).toEqual(['http://127.0.0.1:8787/rpc'])
    expect(remarks).toEqual([
      'JSONRPC 1.0 https://evil.example/rpc is left out: it is elsewhere; allow it with --allow-host evil.example',
      'WEBSOCKET 1.0 wss://agent.example is left out: not understood: unknown transport',
      'HTTP+JSON 2.0 https://agent.example/2 is left out: not understood: unknown protocol version',
      'JSONRPC 1.0 http://0.0.0.0:80/ is left out: not understood: 0.0.0.0 is a listening address, which cannot be called',
      'JSONRPC 1.0 http://evil.example:8080/rpc is left out: it is elsewhere or unencrypted; allow it with --allow-host evil.example:8080, or allow --insecure-http',
      'an interface is left out: not understood: an entry of supportedInterfaces is not an object',
    ])
  })

  it('has what is elsewhere where that is allowed', () => {
    const isOurs: LocalCardOptions['isOurs'] = (one) =>
      isOursToCall(one, { known: [agent], allowHosts: ['other.example'] })
    expect(urlsOf(listing(at('https://other.example/rpc')), { isOurs })).toEqual([
      'http://127.0.0.1:8787/rpc',
    ])
  })

  it('has the first of two interfaces that take the same path at different origins', () => {
    const { card, routes, remarks } = localCard(
      listing(
        at('https://agent.example/a'),
        at('https://agent.example:8443/a/', 'HTTP+JSON'),
        at('https://agent.example/a', 'HTTP+JSON'),
        at('agent.example:1', 'GRPC'),
        at('agent.example:2', 'GRPC'),
        at('agent.example:3', 'GRPC', '0.3'),
      ),
      options,
    )
    expect(addressesIn(card)).toHaveLength(4)
    expect(remarks).toEqual([
      'HTTP+JSON 1.0 https://agent.example:8443/a/ is left out: its path is taken by https://agent.example',
      'GRPC 1.0 agent.example:2 is left out: its path is taken by https://agent.example:1',
    ])
    const to = (path: string, isGrpc = false) => routeFor(routes, { path, isGrpc })?.upstream.host
    expect(to('/lf.a2a.v1.A2AService/SendMessage', true)).toBe('agent.example:1')
    expect(to('/a2a.v1.A2AService/SendMessage', true)).toBe('agent.example:3')
    expect(to('/grpc.health.v1.Health/Check', true)).toBeUndefined()
    expect(to('/lf.a2a.v1.A2AService/SendMessage')).toBeUndefined()
  })

  it('has a route for each binding and version of an address, and one where they are the same', () => {
    const [rpc, older, rest] = [
      at('https://agent.example/a'),
      at('https://agent.example/a', 'JSONRPC', '0.3'),
      at('https://agent.example/a', 'HTTP+JSON'),
    ]
    const { card, routes } = localCard(listing(rpc, older, rest, rpc, older), options)
    expect(addressesIn(card)).toHaveLength(5)
    expect(routes.map(({ binding, protocolVersion }) => `${binding} ${protocolVersion}`)).toEqual([
      ...['jsonrpc 1.0', 'jsonrpc 0.3', 'rest 1.0'],
    ])
  })

  describe('of 0.3', () => {
    const additionalInterfaces = [
      { url: 'https://agent.example/rest', transport: 'HTTP+JSON' },
      { url: 'agent.example:50051', transport: 'GRPC' },
      { url: 'https://evil.example/rest', transport: 'HTTP+JSON' },
    ]

    it('has its main URL and its additions at the sidecar', () => {
      const card = { protocolVersion: '0.3.0', url: 'https://agent.example/rpc', additionalInterfaces }
      expect(localCard(card, options).card).toEqual({
        protocolVersion: '0.3.0',
        url: 'http://127.0.0.1:8787/rpc',
        additionalInterfaces: [
          { url: 'http://127.0.0.1:8787/rest', transport: 'HTTP+JSON' },
          { url: '127.0.0.1:8787', transport: 'GRPC' },
        ],
      })
    })

    it('has the first interface that is left for its main URL, if that is elsewhere', () => {
      const card = { url: 'https://evil.example/rpc', preferredTransport: 'JSONRPC', additionalInterfaces }
      expect(localCard(card, options).card).toMatchObject({
        url: 'http://127.0.0.1:8787/rest',
        preferredTransport: 'HTTP+JSON',
      })
      const newer = [at('https://agent.example/rpc'), at('https://agent.example/old', 'JSONRPC', '0.3')]
      expect(localCard({ url: 'https://evil.example/', supportedInterfaces: newer }, options).card).toEqual({
        url: 'http://127.0.0.1:8787/old',
        preferredTransport: 'JSONRPC',
        supportedInterfaces: [
          at('http://127.0.0.1:8787/rpc'),
          at('http://127.0.0.1:8787/old', 'JSONRPC', '0.3'),
        ],
      })
    })

    it('has none if nothing is left, and says so', () => {
      const { card, remarks } = localCard({ name: 'x', url: 'https://evil.example/rpc' }, options)
      expect(card).toEqual({ name: 'x' })
      expect(remarks).toContain('the card has no interface that can be called')
    })
  })

  it('keeps the URLs that nobody calls', () => {
    const others = {
      provider: { url: 'https://maker.example', organization: 'm' },
      documentationUrl: 'https://docs.example',
      iconUrl: 'https://icons.example/a.png',
    }
    expect(localCard({ ...listing(at('https://agent.example/rpc')), ...others }, options).card).toMatchObject(
      others,
    )
  })

  it('drops fields that lenient readers take for those of interfaces', () => {
    const card = {
      ...listing({
        ...at('https://agent.example/rpc'),
        URL: 'https://evil.example',
        protocol_binding: 'GRPC',
      }),
      supported_interfaces: [at('https://evil.example')],
      additionalInterfaceſ: [at('https://evil.example')],
      Url: 'https://evil.example',
    }
    expect(localCard(card, options).card).toEqual(listing(at('http://127.0.0.1:8787/rpc')))
  })

  it('is without signatures, unless nothing has changed', () => {
    const signatures = [{ protected: 'e30', signature: 'c2ln' }]
    const { card, remarks } = localCard({ ...listing(at('https://agent.example/rpc')), signatures }, options)
    expect(card).not.toHaveProperty('signatures')
    expect(remarks).toEqual(['the signatures of the card are left out: they are of the card as it was'])
    const same = { ...listing(at('http://127.0.0.1:8787/rpc')), signatures }
    expect(localCard(same, { ...options, isOurs: () => true }).card).toEqual(same)
  })

  it('has no more than 64 different interfaces, however many there are', () => {
    const many = Array.from({ length: 20_000 }, (_, n) => at(`/${n}`, 'REST'))
    const { card, routes, remarks } = localCard(listing(...many.slice(0, 10), ...many), options)
    expect([routes.length, addressesIn(card).length]).toEqual([64, 74])
    expect(remarks[0]).toBe('REST 1.0 /64 is left out: the card has more than 64 others')
  })

  it('has no more than some remarks, each of one short line', () => {
    const many = Array.from({ length: 500 }, (_, n) => at(`https://evil.example/${n}\n${'x'.repeat(1000)}`))
    const { remarks } = localCard(listing(...many), options)
    expect(remarks).toHaveLength(21)
    expect(Math.max(...remarks.map(({ length }) => length))).toBeLessThan(400)
    expect(remarks.join('')).not.toContain('\n')
  })
})

describe('the security of a local card', () => {
  const interfaces = listing(at('https://agent.example/rpc'))
  const bearer = { httpAuthSecurityScheme: { scheme: 'Bearer' } }
  const totp = { apiKeySecurityScheme: { location: 'header', name: 'X-TOTP' } }
  const key = { apiKeySecurityScheme: { location: 'header', name: 'X-Key' } }
  const both = { schemes: { bearer: { list: [] }, totp: { list: [] } } }
  const local = (card: CardJson, more: Partial<LocalCardOptions> = {}) =>
    localCard({ ...interfaces, ...card }, { ...options, ...more })
  const plain = (): CardJson => local({}).card

  it.each(['1.0', '0.3', 'both'] as const)('is nothing, if bearer and code are all: %s', (protocol) => {
    const card = withTotpSecurity(interfaces, { protocol, profile: defaultProfile, signed: 'accept' })
    expect(local(card).card).toEqual({ ...plain(), capabilities: {} })
    expect(local(card).remarks).toEqual([])
  })

  it.each([
    [
      'garbled by @a2a-js/sdk 1.3',
      { scheme: { $case: 'httpAuthSecurityScheme', value: { scheme: 'bearer' } } },
    ],
    ['OAuth 2', { oauth2SecurityScheme: { flows: {} } }],
    ['OpenID Connect of 0.3', { type: 'openIdConnect', openIdConnectUrl: 'https://id.example' }],
  ])('is nothing, if the bearer token is %s', (_, scheme) => {
    const securityRequirements = [{ schemes: { bearer: [], totp: [] } }]
    expect(local({ securitySchemes: { bearer: scheme, totp }, securityRequirements }).card).toEqual(plain())
  })

  it('is nothing, if one alternative demands no more, also of skills', () => {
    const card = {
      securitySchemes: { bearer, totp },
      securityRequirements: [{ schemes: { key: {} } }, both],
      skills: [{ id: 's', securityRequirements: [both] }, { id: 't' }],
    }
    expect(local(card).card).toEqual({ ...plain(), skills: [{ id: 's' }, { id: 't' }] })
  })

  it('is nothing under a name that some readers accept too', () => {
    const card = { security_schemes: { bearer, totp }, security_requirements: [both] }
    expect(local(card).card).toEqual(plain())
  })

  it('keeps what clients have to send themselves, and says so', () => {
    const card = {
      securitySchemes: { bearer, totp, key },
      securityRequirements: [{ schemes: { ...both.schemes, key: { list: [] } } }],
      skills: [{ id: 's', security: [{ bearer: [], totp: [], unnamed: [] }] }],
    }
    const { card: open, remarks } = local(card)
    expect(open).toEqual({
      ...plain(),
      securitySchemes: { key },
      securityRequirements: [{ schemes: { key: { list: [] } } }],
      skills: [{ id: 's', security: [{ unnamed: [] }] }],
    })
    expect(remarks).toEqual(
      ['key', 'unnamed'].map((name) => `clients have to satisfy the security scheme "${name}" themselves`),
    )
  })

  it('has no client certificate, where the sidecar shows one', () => {
    const card = {
      securitySchemes: { bearer, totp, tls: { mtlsSecurityScheme: {} } },
      securityRequirements: [{ schemes: { ...both.schemes, tls: { list: [] } } }],
    }
    expect(local(card).card).toHaveProperty('securitySchemes', { tls: { mtlsSecurityScheme: {} } })
    expect(local(card, { certificate: true }).card).toEqual(plain())
  })

  it('is as it was, if it is kept', () => {
    const card = withTotpSecurity(interfaces, { profile: defaultProfile, signed: 'accept' })
    expect(local(card, { security: 'keep' }).card).toEqual({ ...card, ...plain() })
  })

  it('keeps the extensions of others', () => {
    const extensions = [{ uri: 'urn:a2a-totp:v1' }, { uri: 'urn:other' }]
    expect(local({ capabilities: { streaming: true, extensions } }).card).toEqual({
      ...plain(),
      capabilities: { streaming: true, extensions: [{ uri: 'urn:other' }] },
    })
  })
})

describe('any card', () => {
  it('has no interface but at the sidecar, and stays as it is the second time', () => {
    fc.assert(
      fc.property(randomCards, fc.constantFrom('remove', 'keep'), (given, security) => {
        const { card } = localCard(given, { ...options, security })
        for (const address of addressesIn(card))
          expect(address).toMatch(/^(http:\/\/)?127\.0\.0\.1:8787(\/|$)/)
        const again = { ...options, security, cardUrl: options.self, isOurs: () => true } as const
        expect(localCard(card, again).card).toEqual(card)
      }),
      { numRuns: 300 },
    )
  })
})
