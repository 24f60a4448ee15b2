import { AgentCard } from '@a2a-js/sdk'
import { ClientFactory } from '@a2a-js/sdk/client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { totpTransports, type TOTPTransportsOptions } from '../../src/client/a2a.js'
import { clientAgent, type ClientAgent } from '../support/client-agent.js'
import { FakeClock, schemeOn } from '../support/client-scheme.js'
import { codeOf } from '../support/failure.js'
import { bindings, collect, message13 } from '../support/messages.js'
import { fieldsOf, record } from '../support/recording-server.js'
import { selfSigned } from '../support/tls.js'

let clock: FakeClock
let agent: ClientAgent
let warnings: string[]
beforeEach(async () => {
  clock = new FakeClock()
  warnings = []
  agent = await clientAgent(clock)
})
afterEach(() => agent[Symbol.asyncDispose]())

const factoryFor = (binding: string, options: TOTPTransportsOptions = {}) =>
  new ClientFactory({
    ...totpTransports(schemeOn(clock), { onWarning: (message) => warnings.push(message), ...options }),
    preferredTransports: [binding],
  })

const only = (protocolVersion: string) => (card: Record<string, unknown>) => ({
  ...card,
  supportedInterfaces: (card['supportedInterfaces'] as { protocolVersion: string }[]).filter(
    (one) => one.protocolVersion === protocolVersion,
  ),
})

describe.each(['1.0', '0.3'])('an agent of protocol %s', (version) => {
  it.each(bindings)('is called over %s with a fresh code each time, streams too', async (binding) => {
    await using sole = await clientAgent(clock, { card: only(version) })
    const client = await factoryFor(binding).createFromUrl(sole.origin)
    expect(client.protocolVersion).toBe(version)
    expect(client.transport.protocolName).toBe(binding)
    expect(JSON.stringify(await client.sendMessage(message13()))).toContain('alice said: hi')
    clock.advance(90)
    expect(JSON.stringify(await collect(client.sendMessageStream(message13())))).toContain('alice said: hi')
    clock.advance(90)
    await expect(client.getTask({ id: 'none', tenant: '' })).rejects.toThrow(/not found/i)
    clock.advance(90)
    await expect(collect(client.resubscribeTask({ id: 'none', tenant: '' }))).rejects.toThrow(/not found/i)
    expect(sole.seen.map(({ passed }) => passed)).toEqual([true, true, true, true])
    expect(new Set(sole.seen.map(({ code }) => code)).size).toBe(4)
    expect(new Set(sole.seen.map((one) => one.binding))).toEqual(
      new Set([binding === 'GRPC' ? 'grpc' : 'http']),
    )
    expect(warnings).toEqual([])
  })
})

describe('gRPC over TLS', () => {
  it.each(['host:port', 'https'])(
    'is spoken where certificates are given, to a card that says %s',
    async (how) => {
      const tls = selfSigned()
      const card = (own: Record<string, unknown>) => ({
        ...own,
        supportedInterfaces: (own['supportedInterfaces'] as { url: string }[]).map(({ url, ...rest }) => ({
          ...rest,
          url: how === 'https' && !url.includes('/') ? `https://${url}/` : url,
        })),
      })
      await using secured = await clientAgent(clock, { tls, card })
      const factory = factoryFor('GRPC', { grpcTls: { rootCerts: tls.cert } })
      const client = await factory.createFromUrl(secured.origin)
      expect(JSON.stringify(await client.sendMessage(message13()))).toContain('alice said: hi')
      const others = await factoryFor('GRPC', { grpcTls: {} }).createFromUrl(secured.origin)
      await expect(others.sendMessage(message13())).rejects.toThrow(/certificate/)
    },
  )
})

it('the request for the card carries token and code', async () => {
  await using server = await record((_request, response) => response.writeHead(404).end())
  await expect(factoryFor('JSONRPC').createFromUrl(server.origin)).rejects.toThrow(/404/)
  const [request] = server.requests
  expect(request && fieldsOf(request, 'x-totp')).toEqual([clock.code()])
})

describe('a card that names another host', () => {
  const elsewhere = (url: string, protocolBinding: string) => (card: Record<string, unknown>) => ({
    ...card,
    supportedInterfaces: [{ url, protocolBinding, protocolVersion: '1.0' }],
  })

  it.each(bindings)('for %s makes no client, and nothing is sent there', async (binding) => {
    await using other = await clientAgent(clock)
    const address = binding === 'GRPC' ? other.grpc : `${other.origin}/jsonrpc`
    const url = address.replace('127.0.0.1', 'localhost')
    await using lying = await clientAgent(clock, { card: elsewhere(url, binding) })
    await expect(factoryFor(binding).createFromUrl(lying.origin)).rejects.toMatchObject({
      code: 'ERR_HOST_FORBIDDEN',
      message: expect.stringContaining('localhost') as string,
    })
    expect([...other.seen, ...lying.seen]).toEqual([])
  })

  it('is believed where that host is named in origins', async () => {
    const origins = [agent.origin, `http://${agent.grpc}`.replace('127.0.0.1', 'localhost')]
    const card = elsewhere(agent.grpc.replace('127.0.0.1', 'localhost'), 'GRPC')
    await using other = await clientAgent(clock, { card })
    const factory = factoryFor('GRPC', { origins: [...origins, other.origin] })
    const client = await factory.createFromUrl(other.origin)
    await expect(client.getTask({ id: 'none', tenant: '' })).rejects.toThrow(/not found/i)
    expect(agent.seen).toMatchObject([{ binding: 'grpc', passed: true }])
  })

  it.each([
    ['JSONRPC', 'http://192.0.2.1/a2a'],
    ['HTTP+JSON', 'http://192.0.2.1/a2a'],
    ['GRPC', 'http://192.0.2.1:50051'],
  ])('for %s in the clear makes no client', async (binding, url) => {
    await using lying = await clientAgent(clock, { card: elsewhere(url, binding) })
    await expect(factoryFor(binding).createFromUrl(lying.origin)).rejects.toMatchObject({
      code: 'ERR_INSECURE_TRANSPORT',
    })
  })

  it.each(['dns://192.0.2.1/localhost:443', 'unix:/tmp/socket', 'evil@127.0.0.1:443', 'a#b:1'])(
    'may not spell it %j',
    async (url) => {
      await using lying = await clientAgent(clock, { card: elsewhere(url, 'GRPC') })
      await expect(factoryFor('GRPC').createFromUrl(lying.origin)).rejects.toMatchObject({
        code: 'ERR_CARD_INVALID',
      })
    },
  )
})

describe('the agent', () => {
  it('is the one whose card was asked for, and no other', async () => {
    await using other = await clientAgent(clock)
    const factory = factoryFor('JSONRPC')
    await factory.createFromUrl(agent.origin)
    await expect(factory.createFromUrl(other.origin.replace('127.0.0.1', 'localhost'))).rejects.toMatchObject(
      {
        code: 'ERR_HOST_FORBIDDEN',
      },
    )
    expect(other.cardRequests()).toBe(0)
    const away = 'http://localhost:1/card.json'
    await expect(factory.createFromUrl(agent.origin, away)).rejects.toMatchObject({
      code: 'ERR_HOST_FORBIDDEN',
    })
  })

  it('has to be named when the card comes from somewhere else', async () => {
    const card = AgentCard.fromJSON(await (await fetch(`${agent.origin}/.well-known/agent-card.json`)).json())
    await expect(factoryFor('JSONRPC').createFromAgentCard(card)).rejects.toMatchObject({
      code: 'ERR_HOST_FORBIDDEN',
    })
    const factory = factoryFor('JSONRPC', { origins: [agent.origin] })
    const client = await factory.createFromAgentCard(card)
    expect(JSON.stringify(await client.sendMessage(message13()))).toContain('alice said: hi')
  })

  it('may be no URL, nor one in the clear', async () => {
    const factory = factoryFor('JSONRPC')
    await expect(factory.createFromUrl('agent.example')).rejects.toMatchObject({ code: 'ERR_USAGE' })
    await expect(factory.createFromUrl('http://192.0.2.1')).rejects.toMatchObject({
      code: 'ERR_INSECURE_TRANSPORT',
    })
    expect(codeOf(() => totpTransports(schemeOn(clock), { origins: ['agent'] }))).toBe('ERR_CONFIG_INVALID')
  })
})

it('a card that wants something else is warned of, once', async () => {
  const factory = factoryFor('JSONRPC')
  const interfaces = [{ url: `${agent.origin}/jsonrpc`, protocolBinding: 'JSONRPC', protocolVersion: '1.0' }]
  await using server = await record((_request, response) =>
    response.end(
      JSON.stringify({
        name: 'other',
        supportedInterfaces: interfaces,
        capabilities: {},
        securitySchemes: { mutual: { mtlsSecurityScheme: {} } },
        securityRequirements: [{ schemes: { mutual: { list: [] } } }],
      }),
    ),
  )
  await factory.createFromUrl(server.origin)
  expect(warnings).toEqual([expect.stringContaining('"mutual"')])
})
