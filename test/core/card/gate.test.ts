import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { gateCard, type GateCardOptions } from '../../../src/core/card/gate.js'
import { readRequirements } from '../../../src/core/card/requirements.js'
import type { CardJson } from '../../../src/core/card/shapes.js'
import { defaultProfile } from '../../../src/core/profile.js'
import { addressesIn, randomCards } from '../../support/random-cards.js'

const options: GateCardOptions = {
  profile: defaultProfile,
  signed: 'accept',
  upstream: new URL('http://127.0.0.1:9000/'),
  grpcUpstream: new URL('http://127.0.0.1:50051/'),
  publicUrl: new URL('https://agent.example/'),
}
const at = (url: unknown, protocolBinding = 'JSONRPC', protocolVersion = '1.0') => ({
  url,
  protocolBinding,
  protocolVersion,
})
const listing = (...supportedInterfaces: unknown[]): CardJson => ({ name: 'x', supportedInterfaces })
const addressed = (written: string, binding = 'JSONRPC', more: Partial<GateCardOptions> = {}) => {
  const { card, remarks } = gateCard(listing(at(written, binding)), { ...options, ...more })
  return [...addressesIn(card), ...remarks]
}

describe("a gate's card", () => {
  it.each([
    ['http://127.0.0.1:9000/rpc', 'https://agent.example/rpc'],
    ['http://localhost:9000', 'https://agent.example'],
    ['http://localhost:9000/', 'https://agent.example/'],
    ['http://localhost:9000/ ', 'https://agent.example/'],
    ['http://127.0.0.1:9999/rpc', 'https://agent.example/rpc'],
    ['http://0.0.0.0:8000/rpc?a=b', 'https://agent.example/rpc'],
    ['http://[::]:8000/rpc', 'https://agent.example/rpc'],
    ['/rpc', 'https://agent.example/rpc'],
    ['rpc', 'https://agent.example/rpc'],
    ['https://agent.example/rpc', 'https://agent.example/rpc'],
  ])('has the public URL for %s', (written, expected) => {
    expect(addressed(written)).toEqual([expected])
  })

  it.each(['127.0.0.1:50051', 'localhost:1', '0.0.0.0:50051', 'http://127.0.0.1:50051', 'dns:///[::1]:9'])(
    'has host and port of the public URL for %s',
    (written) => {
      expect(addressed(written, 'GRPC')).toEqual(['agent.example:443'])
      const publicUrl = new URL('http://127.0.0.1:8080')
      expect(addressed(written, 'GRPC', { publicUrl })).toEqual(['127.0.0.1:8080'])
    },
  )

  it('has the path of the public URL in front, once', () => {
    const publicUrl = new URL('https://agent.example/billing/')
    const { card } = gateCard(listing(at('http://127.0.0.1:9000/rpc'), at('http://127.0.0.1:9000')), {
      ...options,
      publicUrl,
    })
    expect(addressesIn(card)).toEqual(['https://agent.example/billing/rpc', 'https://agent.example/billing'])
    expect(gateCard(card, { ...options, publicUrl }).card).toEqual(card)
  })

  it('has an address of the gate itself as it is written', () => {
    const publicUrl = new URL('http://127.0.0.1:8080/billing/')
    const of = (written: string, binding?: string) => addressed(written, binding, { publicUrl })
    for (const own of ['http://localhost:8080/billing/rpc?a=b', 'http://127.0.0.1:8080/billing'])
      expect(of(own)).toEqual([own])
    expect(of('http://127.0.0.1:8080/billings')).toEqual(['http://127.0.0.1:8080/billing/billings'])
    expect(of('http://127.0.0.1:8081/billing')).toEqual(['http://127.0.0.1:8080/billing/billing'])
    const root = new URL('http://127.0.0.1:8080')
    expect(addressed('http://localhost:8080/rpc', 'JSONRPC', { publicUrl: root })).toEqual([
      'http://localhost:8080/rpc',
    ])
    // But gRPC needs host and port.
    expect(addressed('grpc://localhost:8080', 'GRPC', { publicUrl: root })).toEqual(['127.0.0.1:8080'])
  })

  it('has the public URL for an agent that is on another machine, by its port', () => {
    const more = {
      upstream: new URL('http://agent.internal:9000/'),
      grpcUpstream: new URL('https://grpc.internal:50051/'),
    }
    expect(addressed('http://agent.internal:9000/rpc', 'JSONRPC', more)).toEqual([
      'https://agent.example/rpc',
    ])
    expect(addressed('grpc.internal:50051', 'GRPC', more)).toEqual(['agent.example:443'])
    for (const [other, binding] of [
      ['http://agent.internal:9001/rpc', 'JSONRPC'],
      ['grpc.internal:50052', 'GRPC'],
    ] as const)
      expect(addressed(other, binding, more)).toEqual([other, expect.stringContaining('is left as it is')])
  })

  it('has the public URL for a URL of an unknown transport, and nothing else of one', () => {
    for (const written of ['http://127.0.0.1:9000/ws', ' HTTPS://localhost:9000/ws'])
      expect(addressed(written, 'WEBSOCKET')).toEqual(['https://agent.example/ws'])
    for (const [written, more] of [
      ['http://127.0.0.1:9000/ws', { publicUrl: undefined }],
      ['127.0.0.1:9000', {}],
      ['grpc://127.0.0.1:9000/https:', {}],
    ] as const)
      expect(addressed(written, 'WEBSOCKET', more)).toEqual([
        `WEBSOCKET 1.0 ${written} is left out: unknown transport`,
      ])
  })

  it('names the gate that listens where its agent says that it does', () => {
    const publicUrl = new URL('http://127.0.0.1:8080/')
    expect(addressed('http://127.0.0.1:8080/rpc', 'JSONRPC', { publicUrl })).toEqual([
      'http://127.0.0.1:8080/rpc',
    ])
  })

  it('has paths, and no gRPC, where the public URL is not known', () => {
    const publicUrl = undefined
    expect(addressed('http://127.0.0.1:9000/rpc', 'JSONRPC', { publicUrl })).toEqual(['/rpc'])
    expect(addressed('http://127.0.0.1:9000', 'HTTP+JSON', { publicUrl })).toEqual(['/'])
    expect(addressed('127.0.0.1:50051', 'GRPC', { publicUrl })).toEqual([
      'GRPC 1.0 127.0.0.1:50051 is left out: the gate has no --public-url',
    ])
  })

  it('has no gRPC where the gate forwards none', () => {
    expect(addressed('127.0.0.1:50051', 'GRPC', { grpcUpstream: undefined })).toEqual([
      'GRPC 1.0 127.0.0.1:50051 is left out: the gate has no --grpc-upstream',
    ])
  })

  it('has other hosts as they are, and says so', () => {
    const url = 'https://other.example/rpc'
    expect(addressed(url)).toEqual([
      url,
      `JSONRPC 1.0 ${url} is left as it is: another host, past the gate unless that is in front`,
    ])
  })

  it('is without addresses that are not understood, and says so', () => {
    expect(addressed('wss://127.0.0.1:9000')).toEqual([
      'JSONRPC 1.0 wss://127.0.0.1:9000 is left out: not understood: neither an http:// or https:// URL nor a path',
    ])
  })

  it('demands bearer and code in every alternative, and says how', () => {
    const open = { schemes: { key: { list: [] } } }
    const { card } = gateCard(
      {
        ...listing(at('/rpc')),
        securitySchemes: { key: { apiKeySecurityScheme: { location: 'header', name: 'X-Key' } } },
        securityRequirements: [open],
        skills: [{ id: 's', securityRequirements: [open] }],
      },
      options,
    )
    const every = readRequirements(card).map(({ schemes }) => schemes)
    expect(every).toEqual([
      ['bearer', 'totp'],
      ['bearer', 'totp'],
    ])
    expect(card).toHaveProperty('capabilities.extensions.0.params.signed.policy', 'accept')
  })

  it('replaces schemes that have the names of ours, and says so', () => {
    const { card, remarks } = gateCard(
      {
        ...listing(at('/rpc')),
        securitySchemes: { bearer: { apiKeySecurityScheme: { location: 'header', name: 'X-Key' } } },
        securityRequirements: [{ schemes: { bearer: { list: ['key'] } } }],
        security: [{ bearer: [] }],
        skills: [{ id: 's', security: [{ bearer: [] }] }],
      },
      options,
    )
    expect(card).toEqual({
      ...listing(at('https://agent.example/rpc')),
      capabilities: expect.anything() as unknown,
      securitySchemes: {
        bearer: { httpAuthSecurityScheme: { scheme: 'Bearer' } },
        totp: expect.anything() as unknown,
      },
      // None of what the scheme demanded before that had the name.
      securityRequirements: [{ schemes: { bearer: { list: [] }, totp: { list: [] } } }],
      skills: [{ id: 's' }],
    })
    expect(remarks).toEqual([
      expect.stringMatching(/^the card's own security schemes are replaced: .* name "bearer"/),
    ])
  })

  it('has no alternative left under a name that some readers accept too', () => {
    const named = { bearer: { apiKeySecurityScheme: { location: 'header', name: 'X-Key' } } }
    for (const security_schemes of [undefined, named]) {
      const given = {
        ...listing(at('/rpc')),
        security_schemes,
        security_requirements: [{}],
        skills: [{ id: 's', Security: [{}] }],
      }
      const { card } = gateCard(given, options)
      expect(JSON.stringify(card)).not.toMatch(/"Security"|security_/)
      expect(readRequirements(card).every(({ schemes }) => schemes.join() === 'bearer,totp')).toBe(true)
    }
  })

  it('is without signatures, unless nothing has changed', () => {
    const signatures = [{ protected: 'e30', signature: 'c2ln' }]
    const { card, remarks } = gateCard({ ...listing(at('/rpc')), signatures }, options)
    expect(card).not.toHaveProperty('signatures')
    expect(remarks).toEqual(['the signatures of the card are left out: they are of the card as it was'])
    const same = { ...card, signatures }
    expect(gateCard(same, options)).toEqual({ card: same, remarks: [] })
  })
})

describe('any card behind a gate', () => {
  it('demands both factors, names the agent nowhere, and stays as it is the second time', () => {
    fc.assert(
      fc.property(randomCards, fc.boolean(), (given, isKnown) => {
        const all = { ...options, ...(!isKnown && { publicUrl: undefined }) }
        const { card } = gateCard(given, all)
        const demanded = readRequirements(card)
        expect(demanded.length).toBeGreaterThan(0)
        for (const address of addressesIn(card)) expect(address).not.toMatch(/127\.0\.0\.1|0\.0\.0\.0/)
        expect(gateCard(card, all).card).toEqual(card)
      }),
      { numRuns: 300 },
    )
  })
})
