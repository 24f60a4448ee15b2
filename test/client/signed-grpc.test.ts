import {
  credentials,
  InterceptingCall,
  makeGenericClientConstructor,
  Metadata,
  Server,
  ServerCredentials,
  status,
  type Client,
  type ClientOptions,
  type Interceptor,
  type ServiceDefinition,
  type ServiceError,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { totpCallCredentials, totpGrpcInterceptor } from '../../src/client/grpc.js'
import { totpAuthenticationHandler, totpInterceptor } from '../../src/client/index.js'
import type { TOTPClientAuthSchemeOptions } from '../../src/client/index.js'
import { FakeClock, schemeOn } from '../support/client-scheme.js'
import { failureOf } from '../support/failure.js'
import {
  agentName,
  doorman,
  watched,
  type Arrived,
  type SignedServerOptions,
} from '../support/signed-agent.js'

let clock: FakeClock
beforeEach(() => {
  clock = new FakeClock()
})

const method = (name: string, requestStream: boolean, responseStream: boolean) => ({
  path: `/test.Echo/${name}`,
  requestStream,
  responseStream,
  requestSerialize: ({ text }: { text: string }) => Buffer.from(text),
  requestDeserialize: (bytes: Buffer) => ({ text: bytes.toString() }),
  responseSerialize: ({ text }: { text: string }) => Buffer.from(text),
  responseDeserialize: (bytes: Buffer) => ({ text: bytes.toString() }),
})
const service = {
  one: method('One', false, false),
  many: method('Many', false, true),
  collect: method('Collect', true, false),
}
const Echo = makeGenericClientConstructor(service, 'Echo')

interface Text {
  readonly text: string
}

/** A server with a method of each kind. */
async function serving(
  options: SignedServerOptions = {},
  one?: (text: string) => string | Partial<ServiceError>,
): Promise<{ readonly target: string; readonly arrived: Arrived[] }> {
  const { arrived, decide } = doorman(clock, options)
  const handlers: UntypedServiceImplementation = {
    one: (
      { request }: { request: Text },
      done: (error: Partial<ServiceError> | null, answer?: Text) => void,
    ) => {
      const answer = one?.(request.text) ?? request.text
      if (typeof answer === 'string') done(null, { text: answer })
      else done(answer)
    },
    many: (call: { request: Text; write: (answer: Text) => void; end: () => void }) => {
      call.write(call.request)
      call.write(call.request)
      call.end()
    },
  }
  const guarded: ServiceDefinition = { one: service.one, many: service.many }
  const server = new Server()
  server.addService(...watched(guarded, handlers, new WeakMap(), decide))
  server.addService(
    { collect: service.collect },
    {
      collect: (
        call: { metadata: Metadata; on: (event: string, listener: (message: Text) => void) => void },
        done: (error: null, answer: Text) => void,
      ) => {
        const texts: string[] = []
        call.on('data', ({ text }) => texts.push(text))
        call.on('end', () => {
          const header = (name: string) => call.metadata.get(name).map(String)
          const request = { binding: 'grpc', method: 'POST', target: '/test.Echo/Collect', header } as const
          void decide(request, Buffer.from(texts.join(''))).then(() => done(null, { text: texts.join('') }))
        })
      },
    },
  )
  const port = await new Promise<number>((done, fail) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? fail(error) : done(bound),
    ),
  )
  onTestFinished(() => server.forceShutdown())
  return { target: `127.0.0.1:${port}`, arrived }
}

interface Calls {
  one(message: Text, metadata: Metadata, done: (error: ServiceError | null, answer?: Text) => void): unknown
  many(message: Text): AsyncIterable<Text>
  collect(done: (error: ServiceError | null, answer?: Text) => void): {
    write(message: Text): void
    end(): void
  }
}

function calling(
  target: string,
  options: Partial<TOTPClientAuthSchemeOptions> = {},
  {
    inner = [],
    outer = [],
    client = {},
  }: { inner?: Interceptor[]; outer?: Interceptor[]; client?: ClientOptions } = {},
) {
  const scheme = schemeOn(clock, { agent: agentName, ...options })
  const interceptors = [...outer, totpGrpcInterceptor(scheme), ...inner]
  const made: Client = new Echo(target, credentials.createInsecure(), { interceptors, ...client })
  onTestFinished(() => made.close())
  const calls = made as unknown as Calls
  return {
    one: (text: string, metadata = new Metadata()) =>
      new Promise<string>((done, fail) => {
        calls.one({ text }, metadata, (error, answer) => (error ? fail(error) : done(answer?.text ?? '')))
      }),
    many: async (text: string) => {
      const texts: string[] = []
      for await (const answer of calls.many({ text })) texts.push(answer.text)
      return texts
    },
    collect: (...texts: string[]) =>
      new Promise<string>((done, fail) => {
        const call = calls.collect((error, answer) => (error ? fail(error) : done(answer?.text ?? '')))
        for (const text of texts) call.write({ text })
        call.end()
      }),
  }
}

const verdicts = ({ arrived }: { readonly arrived: Arrived[] }) => arrived.map(({ verdict }) => verdict)

describe('a signed call', () => {
  it.each(['', 'hi', 'grüße', 'x'.repeat(100_000)])('is about its message (%#)', async (text) => {
    const server = await serving()
    const client = calling(server.target)
    expect(await client.one(text)).toBe(text)
    expect(await client.many(text)).toEqual([text, text])
    expect(verdicts(server)).toEqual(['signed', 'signed'])
  })

  it('covers the metadata of A2A as it arrives, and drops fields of a proof that the caller set', async () => {
    const server = await serving()
    const metadata = new Metadata()
    metadata.set('A2A-Version', '1.0')
    metadata.add('a2a-extensions', 'urn:a')
    metadata.add('a2a-extensions', 'urn:b')
    for (const name of ['signature', 'signature-input', 'content-digest']) metadata.set(name, 'mine')
    await calling(server.target).one('hi', metadata)
    expect(verdicts(server)).toEqual(['signed'])
    expect(server.arrived[0]?.header('signature-input')).toContain('"x-totp" "a2a-version" "a2a-extensions")')
    expect(metadata.get('signature')).toEqual(['mine'])
  })

  it('waits for a message that an interceptor sends late, and is about what that one sends', async () => {
    const server = await serving()
    const late: Interceptor = (options, nextCall) =>
      new InterceptingCall(nextCall(options), {
        sendMessage: ({ text }: Text, next) => {
          setTimeout(() => next({ text: `${text}, late` }), 50)
        },
      })
    expect(await calling(server.target, {}, { outer: [late] }).one('hi')).toBe('hi, late')
    expect(verdicts(server)).toEqual(['signed'])
  })

  it('has a fresh proof for each attempt of gRPC itself', async () => {
    let failures = 2
    const server = await serving({}, (text) =>
      failures-- > 0 ? { code: status.UNAVAILABLE, details: 'not yet' } : text,
    )
    const retryPolicy = {
      maxAttempts: 4,
      initialBackoff: '0.01s',
      maxBackoff: '0.02s',
      backoffMultiplier: 1,
      retryableStatusCodes: ['UNAVAILABLE'],
    }
    const config = { loadBalancingConfig: [], methodConfig: [{ name: [{}], retryPolicy }] }
    const client = calling(server.target, {}, { client: { 'grpc.service_config': JSON.stringify(config) } })
    expect(await client.one('hi')).toBe('hi')
    expect(verdicts(server)).toEqual(['signed', 'signed', 'signed'])
    expect(new Set(server.arrived.map(({ header }) => header('signature'))).size).toBe(3)
  })

  it('that cannot be serialised ends, as without a proof', async () => {
    const server = await serving()
    const client = calling(server.target)
    await expect(client.one(undefined as never)).rejects.toMatchObject({ code: status.INTERNAL })
    expect(await client.one('hi')).toBe('hi')
  })

  it('shares a step under once', async () => {
    const server = await serving({ replay: 'once' })
    const client = calling(server.target, { replay: 'once', signed: 'require' })
    await Promise.all(Array.from({ length: 10 }, () => client.one('hi')))
    expect(verdicts(server)).toEqual(Array.from({ length: 10 }, () => 'signed'))
    expect(new Set(server.arrived.map(({ header }) => header('x-totp'))).size).toBe(1)
  })

  it('is served by a server that knows no proofs', async () => {
    const server = await serving({ signed: 'off' })
    expect(await calling(server.target).one('hi')).toBe('hi')
    expect(server.arrived).toMatchObject([{ verdict: 'code' }])
    expect(server.arrived[0]?.header('signature')).toMatch(/^a2a-totp=:/)
  })

  it('of which an interceptor behind it changes the message is refused', async () => {
    const server = await serving()
    const changing: Interceptor = (options, nextCall) =>
      new InterceptingCall(nextCall(options), { sendMessage: (_message, next) => next({ text: 'changed' }) })
    await expect(calling(server.target, {}, { inner: [changing] }).one('hi')).rejects.toMatchObject({
      code: status.UNAUTHENTICATED,
    })
    expect(verdicts(server)).toEqual(['proof-digest'])
  })
})

describe('a call that streams its requests', () => {
  it('is sent unsigned by auto', async () => {
    const server = await serving({ signed: 'accept' })
    expect(await calling(server.target).collect('a', 'b')).toBe('ab')
    expect(verdicts(server)).toEqual(['code'])
  })

  it('ends with the error by always, and where proofs are required', async () => {
    const server = await serving({ signed: 'accept' })
    for (const options of [{ sign: 'always' }, { signed: 'require' }] as const) {
      await expect(calling(server.target, options).collect('a')).rejects.toMatchObject({
        code: status.UNAUTHENTICATED,
        details: expect.stringMatching(/a stream.*\(ERR_CANNOT_SIGN\)/) as string,
      })
    }
    expect(server.arrived).toEqual([])
  })
})

it('a refusal that asks for a proof is warned of, once', async () => {
  const server = await serving()
  const warnings: string[] = []
  const client = calling(server.target, { sign: 'never', onWarning: (message) => warnings.push(message) })
  for (let count = 0; count < 2; count++) await expect(client.one('hi')).rejects.toThrow()
  expect(verdicts(server)).toEqual(['proof-missing', 'proof-missing'])
  // The server's own Date is not that of the clock, which is warned of as well.
  expect(warnings.filter((message) => !message.includes('NTP'))).toEqual([
    expect.stringMatching(/requires signed ones; set sign: 'auto'/),
  ])
})

it.each([{ sign: 'always' }, { signed: 'require' }] as const)(
  'integrations that see no request do not start where every request is signed: %j',
  (options) => {
    const scheme = schemeOn(clock, { agent: agentName, ...options })
    for (const start of [totpInterceptor, totpAuthenticationHandler, totpCallCredentials]) {
      const { code, message } = failureOf(() => start(scheme))
      expect(code).toBe('ERR_CANNOT_SIGN')
      expect(message).toContain('totpTransports')
    }
  },
)

it('they send a code alone otherwise', async () => {
  const scheme = schemeOn(clock, { agent: agentName })
  expect(Object.keys(await totpAuthenticationHandler(scheme).headers())).toEqual(['Authorization', 'X-TOTP'])
  const call = { agentCard: { url: 'https://agent.example' }, options: {} }
  await totpInterceptor(scheme).before(call)
  expect(call.options).toEqual({
    serviceParameters: { Authorization: expect.any(String) as string, 'X-TOTP': clock.code() },
  })
})
