import {
  credentials,
  makeGenericClientConstructor,
  status,
  type ClientDuplexStream,
  type ServerDuplexStream,
  type Metadata,
  type ServiceDefinition,
  type ServiceError,
} from '@grpc/grpc-js'
import { afterEach, describe, expect, it } from 'vitest'
import { grpcGuard, guardedService, outcomeOf } from '../../../src/server/grpc.js'
import type { SignedPolicy } from '../../../src/core/proof/profile.js'
import {
  callGrpc,
  grpcAgent,
  GrpcTestServer,
  messageFor,
  metadataOf,
  services,
  versionOf,
} from '../../support/grpc-agent.js'
import { Clock, headersOf, peers, schemeFor, someInstant } from '../../support/guarded.js'
import { agent, proofOf } from '../../support/proof-of.js'

let server: GrpcTestServer | undefined
afterEach(() => server?.close())

/** The metadata of a call that alice has signed. */
function signedFields(
  path: string,
  message: Uint8Array,
  more: Record<string, string> = {},
): Record<string, string> {
  const fields = { ...headersOf('alice', someInstant), ...more }
  const request = { binding: 'grpc', target: path, headers: fields, body: message } as const
  return { ...fields, ...proofOf({ ...request, seed: peers.alice.seed, at: someInstant }) }
}

const schemeWith = (signed: SignedPolicy = 'require', clock = new Clock()) =>
  schemeFor(clock, { replay: 'once', signed, agent })

const reasonsOf = (events: readonly object[]): unknown[] =>
  events.flatMap((event) => ('reason' in event ? [event.reason] : []))

describe.each(['1.0', '0.3'] as const)('a signed call to the SDK, %s', (version) => {
  async function start(clock = new Clock()) {
    const { scheme, events } = schemeWith('require', clock)
    const { server: own, executor } = await grpcAgent(scheme, [grpcGuard(scheme)])
    server = own
    const call = (
      method: 'sendMessage' | 'sendStreamingMessage',
      change: (sent: { message: object; fields: Record<string, string> }) => object = (sent) => sent,
    ) => {
      const definition = (services[version] as ServiceDefinition)[method]
      if (!definition) throw new Error('no such method')
      const message = messageFor(version, method)
      const fields = signedFields(
        definition.path,
        (definition.requestSerialize as (value: object) => Buffer)(message),
        versionOf(version),
      )
      const sent = { message, fields, ...change({ message, fields }) }
      return callGrpc(own.address, services[version], method, sent.message, metadataOf(sent.fields))
    }
    return { call, executor, events }
  }
  const other = { configuration: { acceptedOutputModes: ['x'], blocking: false, historyLength: 0 } }

  it.each(['sendMessage', 'sendStreamingMessage'] as const)(
    'is let in, any number of times: %s',
    async (method) => {
      const { call, executor } = await start()
      for (let round = 0; round < 3; round++) {
        const { code, messages } = await call(method)
        expect(code).toBe(status.OK)
        expect(messages.length).toBeGreaterThan(0)
      }
      expect(executor.calls).toHaveLength(3)
    },
  )

  it.each(['sendMessage', 'sendStreamingMessage'] as const)(
    'is refused with another message: %s',
    async (method) => {
      const { call, executor, events } = await start()
      const ending = await call(method, ({ message }) => ({ message: { ...message, ...changeOf(version) } }))
      expect([ending.code, ending.messages]).toEqual([status.UNAUTHENTICATED, []])
      expect(ending.trailers.get('www-authenticate').join()).toMatch(/^Bearer .*TOTP .*proof="required"$/)
      expect(ending.trailers.get('accept-signature')).toHaveLength(1)
      expect(executor.calls).toEqual([])
      expect(reasonsOf(events)).toEqual(['proof-digest'])
    },
  )
  const changeOf = (which: string): object => (which === '1.0' ? { tenant: 'other' } : other)

  it('is refused again, stripped of its proof, and at another method', async () => {
    const clock = new Clock()
    const { call, executor, events } = await start(clock)
    let first: Record<string, string> = {}
    expect((await call('sendMessage', ({ fields }) => ((first = fields), {}))).code).toBe(status.OK)
    expect((await call('sendMessage', () => ({ fields: first }))).code).toBe(status.UNAUTHENTICATED)
    // Refused proofs are at most one event a second.
    clock.advance(1)
    expect((await call('sendStreamingMessage', () => ({ fields: first }))).code).toBe(status.UNAUTHENTICATED)
    clock.advance(1)
    const plain = { ...headersOf('alice', someInstant), ...versionOf(version) }
    expect((await call('sendMessage', () => ({ fields: plain }))).code).toBe(status.UNAUTHENTICATED)
    expect(executor.calls).toHaveLength(1)
    expect(reasonsOf(events)).toEqual(['proof-replayed', 'proof-mac', 'proof-missing'])
  })
})

/** A service that counts what it is sent. */
const text = {
  requestSerialize: (value: unknown) => Buffer.from(String(value)),
  requestDeserialize: (bytes: Buffer) => ({ text: bytes.toString() }),
  responseSerialize: (value: unknown) => Buffer.from(String(value)),
  responseDeserialize: (bytes: Buffer) => bytes.toString(),
}
const counting = {
  chat: { path: '/test.Chat/Chat', requestStream: true, responseStream: true, ...text },
} satisfies ServiceDefinition

describe('a signed stream of messages', () => {
  async function chat(
    signed: SignedPolicy,
    { guarded = true, send }: { guarded?: boolean; send: readonly string[] },
  ) {
    const { scheme, events } = schemeWith(signed)
    const heard: string[] = []
    const calls: { metadata: Metadata }[] = []
    let ended = false
    server = await new GrpcTestServer([grpcGuard(scheme)])
      .add(guarded ? guardedService(counting) : counting, {
        chat: (call: ServerDuplexStream<{ text: string }, string>) => {
          calls.push(call)
          call.on('data', (message: { text: string }) => heard.push(message.text))
          call.on('end', () => {
            ended = true
            call.end()
          })
          call.on('error', () => undefined)
        },
      })
      .listen()
    const Generic = makeGenericClientConstructor(counting, 'test')
    const client = new Generic(server.address, credentials.createInsecure())
    const fields = signedFields(counting.chat.path, Buffer.from('first'))
    const ending = await new Promise<number>((done) => {
      const stream = (
        client as unknown as { chat(metadata: Metadata): ClientDuplexStream<string, string> }
      ).chat(metadataOf(fields))
      stream.on('data', () => undefined)
      stream.on('error', (error: ServiceError) => done(error.code))
      stream.on('end', () => done(status.OK))
      for (const message of send) stream.write(message)
      stream.end()
    })
    client.close()
    const [call] = calls
    return {
      ending,
      heard,
      ended: () => ended,
      reasons: reasonsOf(events),
      events,
      outcome: call && outcomeOf(call),
    }
  }

  it('is one message', async () => {
    expect(await chat('require', { send: ['first'] })).toMatchObject({ ending: status.OK, heard: ['first'] })
  })

  it.each([
    ['another message', ['other'], []],
    ['a second message', ['first', 'second'], ['first']],
    ['no message', [], []],
  ])('is refused with %s', async (_, send, heardBefore) => {
    const { ending, heard, ended, reasons, outcome } = await chat('require', { send })
    expect([ending, heard, ended()]).toEqual([status.UNAUTHENTICATED, heardBefore, false])
    expect(reasons).toEqual(['proof-digest'])
    expect(outcome?.refusal?.reason).toBe('proof-digest')
  })

  it('is only reported on under observe', async () => {
    const { ending, heard, events } = await chat('observe', { send: ['other', 'second'] })
    expect([ending, heard]).toEqual([status.OK, ['other', 'second']])
    expect(events.map(({ type }) => type)).toEqual(['authenticated', 'proof_observed'])
  })

  it.each(['accept', 'require'] as const)(
    'is refused under %s where guardedService is missing',
    async (policy) => {
      const { ending, heard, events } = await chat(policy, { send: ['first'], guarded: false })
      expect([ending, heard]).toEqual([status.UNAVAILABLE, []])
      expect(events).toMatchObject([
        {
          reason: 'guard-failed',
          cause: 'content-unseen',
          advice: expect.stringContaining('guardedService') as string,
        },
      ])
    },
  )
})
