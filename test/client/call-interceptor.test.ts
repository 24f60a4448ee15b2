import {
  ClientFactory,
  DefaultAgentCardResolver,
  JsonRpcTransportFactory,
  RestTransportFactory,
} from '@a2a-js/sdk/client'
import { GrpcTransportFactory } from '@a2a-js/sdk/client/grpc'
import * as sdk03 from 'a2a-sdk-0.3/client'
import * as grpc03 from 'a2a-sdk-0.3/client/grpc'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { totpInterceptor, type BeforeCall } from '../../src/client/index.js'
import { clientAgent, type ClientAgent } from '../support/client-agent.js'
import { FakeClock, schemeOn, token } from '../support/client-scheme.js'
import { bindings, collect, message03, message13 } from '../support/messages.js'

let clock: FakeClock
let agent: ClientAgent
beforeEach(async () => {
  clock = new FakeClock()
  agent = await clientAgent(clock)
})
afterEach(() => agent[Symbol.asyncDispose]())

/** What a caller may have left behind from an earlier call. */
const stale = { authorization: 'Bearer stale', 'x-totp': '000000', 'X-Totp': '111111' }

function expectFreshCodes(count: number): void {
  expect(agent.seen.map(({ passed }) => passed)).toEqual(Array.from({ length: count }, () => true))
  expect(new Set(agent.seen.map(({ code }) => code)).size).toBe(count)
}

describe('an interceptor', () => {
  it.each(bindings)(
    'authenticates each call of a client of SDK 1.3 over %s, resubscribing too',
    async (binding) => {
      const legacyCompat = { enabled: true }
      const client = await new ClientFactory({
        transports: [
          new JsonRpcTransportFactory({ legacyCompat }),
          new RestTransportFactory({ legacyCompat }),
          new GrpcTransportFactory({ legacyCompat }),
        ],
        cardResolver: new DefaultAgentCardResolver({ legacyCompat }),
        preferredTransports: [binding],
        clientConfig: { interceptors: [totpInterceptor(schemeOn(clock))] },
      }).createFromUrl(agent.origin)
      expect(JSON.stringify(await client.sendMessage(message13()))).toContain('alice said: hi')
      clock.advance(90)
      const stream = client.sendMessageStream(message13(), { serviceParameters: stale })
      expect(JSON.stringify(await collect(stream))).toContain('alice said: hi')
      clock.advance(90)
      await expect(client.getTask({ id: 'none', tenant: '' })).rejects.toThrow(/not found/i)
      clock.advance(90)
      await expect(collect(client.resubscribeTask({ id: 'none', tenant: '' }))).rejects.toThrow(/not found/i)
      expectFreshCodes(4)
    },
  )

  it.each(bindings)('authenticates each call of a client of SDK 0.3.14 over %s', async (binding) => {
    const client = await new sdk03.ClientFactory({
      transports: [
        new sdk03.JsonRpcTransportFactory(),
        new sdk03.RestTransportFactory(),
        new grpc03.GrpcTransportFactory(),
      ],
      preferredTransports: [binding],
      clientConfig: { interceptors: [totpInterceptor(schemeOn(clock))] },
    }).createFromUrl(agent.origin)
    expect(JSON.stringify(await client.sendMessage(message03))).toContain('alice said: hi')
    clock.advance(90)
    const stream = client.sendMessageStream(message03, { serviceParameters: stale })
    expect(JSON.stringify(await collect(stream))).toContain('alice said: hi')
    clock.advance(90)
    await expect(collect(client.resubscribeTask({ id: 'none' }))).rejects.toThrow(/not found/i)
    expectFreshCodes(3)
  })

  it('drops every other spelling of its headers, keeps the rest, and changes nothing that it was given', async () => {
    const options = Object.freeze({ serviceParameters: Object.freeze({ ...stale, 'A2A-Version': '1.0' }) })
    const call: BeforeCall = { agentCard: { url: `${agent.origin}/jsonrpc` }, options }
    await totpInterceptor(schemeOn(clock)).before(call)
    expect(call.options).toEqual({
      serviceParameters: { 'A2A-Version': '1.0', Authorization: `Bearer ${token}`, 'X-TOTP': clock.code() },
    })
    expect(options.serviceParameters).toHaveProperty('x-totp', '000000')
  })

  it('stops waiting for a step when the call is aborted', async () => {
    const interceptor = totpInterceptor(
      schemeOn(clock, { replay: 'once', sleep: () => new Promise(() => undefined) }),
    )
    const agentCard = { url: agent.origin }
    await interceptor.before({ agentCard })
    const options = { signal: AbortSignal.timeout(20) }
    await expect(interceptor.before({ agentCard, options })).rejects.toMatchObject({ name: 'TimeoutError' })
  })
})

describe('the hosts of an interceptor', () => {
  const before = (interceptor: ReturnType<typeof totpInterceptor>, ...urls: string[]) =>
    interceptor.before({ agentCard: { supportedInterfaces: urls.map((url) => ({ url })) } })

  it('are those of the first card, which may name one only, at any port', async () => {
    const interceptor = totpInterceptor(schemeOn(clock))
    await before(interceptor, 'https://agent.example/a2a', 'agent.example:50051')
    for (const other of ['https://other.example/a2a', 'other.example:443']) {
      await expect(before(interceptor, 'https://agent.example/a2a', other)).rejects.toMatchObject({
        code: 'ERR_HOST_FORBIDDEN',
      })
    }
  })

  it('are those of origins, where they are given, to the port', async () => {
    const interceptor = totpInterceptor(schemeOn(clock), { origins: ['https://agent.example'] })
    await before(interceptor, 'https://agent.example/a2a', 'agent.example:443', 'dns:///agent.example')
    for (const other of ['https://agent.example:8443/', 'agent.example:50051', 'https://other.example/']) {
      await expect(before(interceptor, other)).rejects.toMatchObject({ code: 'ERR_HOST_FORBIDDEN' })
    }
  })

  it.each([
    ['http://agent.example/', 'ERR_INSECURE_TRANSPORT'],
    ['ftp://agent.example/', 'ERR_CARD_INVALID'],
    ['dns://198.51.100.1/agent.example', 'ERR_CARD_INVALID'],
    // A client turns it into text, and calls that.
    [['http://other.example/'], 'ERR_CARD_INVALID'],
  ])('may not be spelled %j', async (url, code) => {
    const interceptor = totpInterceptor(schemeOn(clock), { origins: ['https://agent.example'] })
    await expect(before(interceptor, url as string)).rejects.toMatchObject({ code })
    const card = { url, preferredTransport: 'JSONRPC' }
    await expect(interceptor.before({ agentCard: card })).rejects.toMatchObject({ code })
  })
})

describe('a card with a gRPC interface on another machine', () => {
  const cards = {
    '1.0': {
      supportedInterfaces: [{ url: 'agent.example:50051', protocolBinding: 'GRPC', protocolVersion: '1.0' }],
    },
    '0.3': { url: 'https://agent.example:50051', preferredTransport: 'GRPC', protocolVersion: '0.3.0' },
    'of an unknown version': {
      supportedInterfaces: [{ url: 'agent.example:50051', protocolBinding: 'grpc', protocolVersion: '7' }],
    },
  }

  it.each(Object.entries(cards))(
    'is refused, since the SDK would call it in plaintext: %s',
    async (_version, agentCard) => {
      const call: BeforeCall = { agentCard }
      await expect(totpInterceptor(schemeOn(clock)).before(call)).rejects.toMatchObject({
        code: 'ERR_INSECURE_TRANSPORT',
      })
      expect(call.options).toBeUndefined()
    },
  )

  it.each([{ grpcTls: true }, { allowInsecureHttp: true }])('is accepted with %j', async (options) => {
    const call: BeforeCall = { agentCard: cards['1.0'] }
    await totpInterceptor(schemeOn(clock), options).before(call)
    expect(call.options?.serviceParameters).toHaveProperty('X-TOTP', clock.code())
  })
})
