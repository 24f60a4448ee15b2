import { ClientFactory } from '@a2a-js/sdk/client'
import { credentials, status, type ServiceDefinition } from '@grpc/grpc-js'
import * as sdk03 from 'a2a-sdk-0.3/client'
import { GrpcTransportFactory } from 'a2a-sdk-0.3/client/grpc'
import { A2AService } from 'a2a-sdk-0.3/server/grpc'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { totpTransports } from '../../src/client/a2a.js'
import { totpGrpcOptions } from '../../src/client/grpc.js'
import { totpFetch } from '../../src/client/index.js'
import { agent03, type Agent03 } from '../support/agent-03.js'
import { watchedScheme, type Seen } from '../support/client-agent.js'
import { FakeClock, schemeOn, token } from '../support/client-scheme.js'
import { callGrpc, metadataOf } from '../support/grpc-agent.js'
import { bindings, collect, message03, message13 } from '../support/messages.js'

let clock: FakeClock
let agent: Agent03
let seen: Seen[]
beforeEach(async () => {
  clock = new FakeClock()
  const watched = watchedScheme(clock)
  seen = watched.seen
  agent = await agent03(watched.scheme)
})
afterEach(() => agent[Symbol.asyncDispose]())

/** Every request passed, and each had the code of its own moment. */
function expectFreshCodes(binding: string, count: number): void {
  const calls = seen.filter((visit) => visit.binding === (binding === 'GRPC' ? 'grpc' : 'http'))
  expect(calls.map(({ passed }) => passed)).toEqual(Array.from({ length: count }, () => true))
  expect(new Set(calls.map(({ code }) => code)).size).toBe(count)
}

describe('an agent on SDK 0.3.14 behind the guards', () => {
  it.each(bindings)('serves a client of SDK 1.3 over %s', async (binding) => {
    const factory = new ClientFactory({ ...totpTransports(schemeOn(clock)), preferredTransports: [binding] })
    const client = await factory.createFromUrl(agent.origin)
    expect(JSON.stringify(await client.sendMessage(message13()))).toContain('alice is welcome')
    clock.advance(90)
    expect(JSON.stringify(await collect(client.sendMessageStream(message13())))).toContain('alice is welcome')
    clock.advance(90)
    await expect(client.getTask({ id: 'none', tenant: '' })).rejects.toThrow(/not found|NOT_FOUND/i)
    expectFreshCodes(binding, 3)
  })

  it.each(bindings)('serves a client of SDK 0.3.14 over %s', async (binding) => {
    const fetchImpl = totpFetch(schemeOn(clock))
    const grpcOptions = totpGrpcOptions(schemeOn(clock), { channelCredentials: credentials.createInsecure() })
    const client = await new sdk03.ClientFactory({
      transports: [
        new sdk03.JsonRpcTransportFactory({ fetchImpl }),
        new sdk03.RestTransportFactory({ fetchImpl }),
        new GrpcTransportFactory(grpcOptions),
      ],
      cardResolver: new sdk03.DefaultAgentCardResolver({ fetchImpl }),
      preferredTransports: [binding],
    }).createFromUrl(agent.origin)
    expect(JSON.stringify(await client.sendMessage(message03))).toContain('alice is welcome')
    clock.advance(90)
    expect(JSON.stringify(await collect(client.sendMessageStream(message03)))).toContain('alice is welcome')
    clock.advance(90)
    await expect(client.getTask({ id: 'none' })).rejects.toThrow(/not found|NOT_FOUND/i)
    expectFreshCodes(binding, 3)
  })

  it('refuses every route that the SDK mounts without a code, and answers it with one', async () => {
    expect(agent.routes.length).toBeGreaterThan(10)
    for (const { method, path } of agent.routes) {
      const statusWith = async (headers: Record<string, string>): Promise<number> => {
        const response = await fetch(agent.origin + path, {
          method,
          headers,
          signal: AbortSignal.timeout(20_000),
        })
        await response.body?.cancel()
        return response.status
      }
      const { Authorization = '', ...code } = await schemeOn(clock).authorize({})
      expect([method, path, await statusWith({ Authorization })]).toEqual([method, path, 401])
      expect([method, path, await statusWith(code)]).toEqual([method, path, 401])
      expect([method, path, await statusWith({ Authorization, ...code })]).not.toEqual([method, path, 401])
    }
  })

  it.each(Object.keys(A2AService))('refuses the gRPC method %s without a code', async (method) => {
    const blank = (A2AService as ServiceDefinition)[method]?.requestDeserialize(Buffer.alloc(0)) as object
    const fields = metadataOf({ Authorization: `Bearer ${token}` })
    expect((await callGrpc(agent.grpc, A2AService, method, blank, fields)).code).toBe(status.UNAUTHENTICATED)
  })
})
