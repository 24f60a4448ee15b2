import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import type { ServiceDefinition } from '@grpc/grpc-js'
import { describe, expect, it, onTestFinished } from 'vitest'
import { grpcGuard, guardedService } from '../../../src/server/grpc.js'
import { totpUpgradeGuard } from '../../../src/server/node.js'
import type { AuthEvent } from '../../../src/server/scheme/events.js'
import { callGrpc, GrpcTestServer, metadataOf } from '../../support/grpc-agent.js'
import { Clock, headersOf, peers, schemeFor, someInstant } from '../../support/guarded.js'
import { agent, proofOf } from '../../support/proof-of.js'
import * as byHand from '../../support/signed.js'
import { headOf, signed } from '../../support/signed-requests.js'
import { signedServers } from '../../support/signed-servers.js'

const schemeWith = (policy: 'observe' | 'accept') =>
  schemeFor(new Clock(), { replay: 'reuse', signed: policy, agent })

/** What the events of one request say that its proof is worth. */
const worth = (events: readonly AuthEvent[]): unknown[] =>
  events.map((event) => {
    const { type, proof, proofReason, cause } = event as unknown as Record<string, unknown>
    return [type, type === 'authenticated' ? proof : (cause ?? proofReason)]
  })

const otherContent = [
  ['authenticated', 'valid'],
  ['proof_observed', 'proof-digest'],
]
const unseenContent = [
  ['authenticated', 'valid'],
  ['proof_observed', 'content-unseen'],
]

/** Signed with a content that is not sent. */
const emptied = (method: string, headers = {}) => ({
  ...signed({ method, body: 'x', headers }),
  body: Buffer.alloc(0),
})

describe('what accept would refuse is reported under observe', () => {
  it.each(Object.entries(signedServers))('where a GET has lost its content: %s', async (_, serve) => {
    const { scheme, events } = schemeWith('observe')
    const server = await serve(scheme, { started: 0, ended: 0 })
    onTestFinished(() => void server.close())
    expect((await server.send(emptied('GET'))).status).toBe(200)
    await expect.poll(() => worth(events)).toEqual(otherContent)
  })

  it.each([
    ['observe', '', [['authenticated', 'valid']]],
    ['observe', 'x', otherContent],
    ['accept', 'x', [['refused', 'proof-digest']]],
  ] as const)('of an upgrade: %s, digest of %j', async (policy, body, expected) => {
    const { scheme, events } = schemeWith(policy)
    const server = createServer().on(
      'upgrade',
      totpUpgradeGuard(scheme, (_req, socket) => void socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n')),
    )
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const headers = { Connection: 'Upgrade', Upgrade: 'x' }
    const request = { ...signed({ method: 'GET', body, headers }), body: Buffer.alloc(0) }
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').resume()
    socket.write(headOf(request))
    await once(socket, 'close')
    expect(worth(events)).toEqual(expected)
  })

  it.each([
    ['POST', unseenContent],
    ['GET', otherContent],
  ] as const)('of a request that is passed on without its content: %s', async (method, expected) => {
    const { scheme, events } = schemeWith('observe')
    const { request } = byHand.received(byHand.signed({ method }))
    expect((await scheme.authenticate(byHand.unseen(request))).caller?.proof).toBe('code')
    expect(worth(events)).toEqual(expected)
  })

  const text = {
    requestSerialize: (value: unknown) => Buffer.from(String(value)),
    requestDeserialize: String,
    responseSerialize: (value: unknown) => Buffer.from(String(value)),
    responseDeserialize: String,
  }
  const service = {
    say: { path: '/test.Talk/Say', requestStream: false, responseStream: false, ...text },
  } satisfies ServiceDefinition

  it.each([
    ['observe', 'guarded', [['authenticated', 'valid']]],
    ['observe', 'plain', unseenContent],
    ['accept', 'plain', [['refused', 'content-unseen']]],
  ] as const)('of a gRPC call: %s, %s service', async (policy, kind, expected) => {
    const { scheme, events } = schemeWith(policy)
    const server = await new GrpcTestServer([grpcGuard(scheme)])
      .add(kind === 'guarded' ? guardedService(service) : service, {
        say: (_call: unknown, done: (error: null, answer: string) => void) => done(null, 'yes'),
      })
      .listen()
    onTestFinished(() => server.close())
    const headers = headersOf('alice', someInstant)
    const call = { binding: 'grpc', target: service.say.path, headers, body: Buffer.from('hello') } as const
    const proof = proofOf({ ...call, seed: peers.alice.seed, at: someInstant })
    await callGrpc(server.address, service, 'say', call.body, metadataOf({ ...headers, ...proof }))
    expect(worth(events)).toEqual(expected)
  })
})
