import { connect as connectHttp2 } from 'node:http2'
import { status, type handleUnaryCall, type ServiceDefinition } from '@grpc/grpc-js'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { callerOf, grpcGuard, guardedService, outcomeOf } from '../../src/server/grpc.js'
import {
  bearerOf,
  Clock,
  codeOf,
  headersOf,
  peers,
  schemeFor,
  someInstant,
  wrongCodeOf,
} from '../support/guarded.js'
import { bytesHeld } from '../support/memory.js'
import type { RecordingExecutor } from '../support/guarded-agent.js'
import {
  callGrpc,
  grpcAgent,
  GrpcTestServer,
  messageFor,
  metadataOf,
  services,
  type Ending,
  versionOf,
  type GrpcVersion,
} from '../support/grpc-agent.js'

let server: GrpcTestServer | undefined
afterEach(() => {
  server?.close()
  vi.restoreAllMocks()
})

const right = headersOf('alice', someInstant)
interface Agent {
  readonly executor: RecordingExecutor
  readonly events: ReturnType<typeof schemeFor>['events']
  readonly call: (
    version: GrpcVersion,
    method: string,
    fields: Parameters<typeof metadataOf>[0],
  ) => Promise<Ending>
}

async function start(
  given: Parameters<typeof schemeFor>[1] = {},
  { guarded = true, twice = false } = {},
): Promise<Agent> {
  const { scheme, events } = schemeFor(new Clock(), given)
  const guard = grpcGuard(scheme)
  const agent = await grpcAgent(scheme, guarded ? (twice ? [guard, guard] : [guard]) : [])
  server = agent.server
  const { address } = agent.server
  return {
    executor: agent.executor,
    events,
    call: (version, method, fields) =>
      callGrpc(
        address,
        services[version],
        method,
        messageFor(version, method),
        metadataOf({ ...versionOf(version), ...fields }),
      ),
  }
}

const versions = ['1.0', '0.3'] as const
const methods = versions.flatMap((version) =>
  Object.keys(services[version]).map((method): [GrpcVersion, string] => [version, method]),
)

describe('grpcGuard', () => {
  it.each(versions)(
    'lets a peer with both factors call, stream, and be known by name, in %s',
    async (version) => {
      const { call, executor } = await start()
      const answer = await call(version, 'sendMessage', right)
      expect(answer).toMatchObject({ code: status.OK })
      const stream = await call(version, 'sendStreamingMessage', right)
      expect(stream.code).toBe(status.OK)
      expect(stream.messages).toHaveLength(3)
      expect(JSON.stringify(stream.messages)).toContain('alice said: hi')
      expect(executor.calls.map(({ context }) => context.user?.userName)).toEqual(['alice', 'alice'])
      expect((await call(version, 'getTask', right)).code).toBe(status.NOT_FOUND)
    },
  )

  it.each(methods)('refuses %s %s without a code, before its handler runs', async (version, method) => {
    const { call, executor, events } = await start()
    const { Authorization = '', ...code } = right
    for (const fields of [{ Authorization }, code, {}]) {
      expect((await call(version, method, fields)).code).toBe(status.UNAUTHENTICATED)
    }
    expect((await call(version, method, right)).code).not.toBe(status.UNAUTHENTICATED)
    expect(events.map(({ type }) => type)).toEqual(['refused', 'refused', 'refused', 'authenticated'])
    expect(executor.calls).toHaveLength(method.startsWith('send') ? 1 : 0)
  })

  it('refuses with the challenge in the trailers, the same whatever was wrong', async () => {
    const { call } = await start()
    const code = codeOf('alice', someInstant)
    const attempts: Record<string, string | string[]>[] = [
      { Authorization: 'Bearer nobody', 'X-TOTP': code },
      { Authorization: 'Basic YTpi', 'X-TOTP': code },
      { Authorization: bearerOf('alice') },
      { Authorization: bearerOf('alice'), 'X-TOTP': '12' },
      { Authorization: bearerOf('alice'), 'X-TOTP': wrongCodeOf(someInstant) },
      { Authorization: bearerOf('alice'), 'X-TOTP': codeOf('bob', someInstant) },
      { Authorization: bearerOf('alice'), 'X-TOTP': codeOf('alice', someInstant, { drift: -10 }) },
      { Authorization: bearerOf('alice'), 'X-TOTP': [code, code] },
      { Authorization: bearerOf('alice'), 'X-TOTP': [wrongCodeOf(someInstant), code] },
      { Authorization: bearerOf('alice'), 'X-TOTP': `${code}, ${code}` },
    ]
    const endings = await Promise.all(attempts.map((fields) => call('1.0', 'getTask', fields)))
    const [first] = endings
    expect(first?.trailers.getMap()).toHaveProperty('www-authenticate')
    expect(String(first?.trailers.get('www-authenticate').join(', '))).toBe(
      'Bearer realm="a2a", error="invalid_token", TOTP realm="a2a", header="X-TOTP"',
    )
    for (const ending of endings) {
      expect(ending.code).toBe(status.UNAUTHENTICATED)
      expect(ending.details).toBe(first?.details)
      const withoutDate = { ...ending.trailers.getMap(), date: '' }
      expect(withoutDate).toEqual({ ...first?.trailers.getMap(), date: '' })
      expect(JSON.stringify(ending)).not.toContain(peers.alice.token)
    }
  })

  it('says when to come back, and what for', async () => {
    const { call } = await start({
      replay: 'once',
      throttle: { risk: 1, budgets: [{ limit: 1, seconds: 30 }] },
    })
    await call('1.0', 'getTask', right)
    const replay = await call('1.0', 'getTask', right)
    expect([replay.code, replay.trailers.get('retry-after')]).toEqual([status.UNAUTHENTICATED, ['15']])
    await call('1.0', 'getTask', { ...right, 'X-TOTP': wrongCodeOf(someInstant) })
    const throttled = await call('1.0', 'getTask', right)
    expect([throttled.code, throttled.trailers.get('retry-after')]).toEqual([
      status.RESOURCE_EXHAUSTED,
      ['30'],
    ])
    expect(throttled.trailers.get('www-authenticate')).toEqual([])
  })

  it('answers UNAVAILABLE when the state cannot be asked', async () => {
    const state = { supports: { once: true }, decide: () => Promise.reject(new Error('no state: secret')) }
    const { call } = await start({ state })
    const ending = await call('1.0', 'getTask', right)
    expect([ending.code, ending.trailers.get('retry-after')]).toEqual([status.UNAVAILABLE, ['5']])
    expect(ending.details).not.toContain('secret')
  })

  it('verifies once, even where it stands twice', async () => {
    const { call, events } = await start({ replay: 'once' }, { twice: true })
    expect((await call('1.0', 'sendMessage', right)).code).toBe(status.OK)
    expect(events.map(({ type }) => type)).toEqual(['authenticated'])
  })

  it("reports the caller's address, without the port", async () => {
    const { call, events } = await start()
    await call('1.0', 'getTask', right)
    expect(events).toMatchObject([{ binding: 'grpc', source: '127.0.0.1', peer: 'alice' }])
  })

  it("keeps one peer's tasks from another", async () => {
    const { call } = await start()
    const [answer] = (await call('1.0', 'sendMessage', right)).messages
    const { payload } = answer as { payload: { value: { id: string } } }
    const ask = (peer: 'alice' | 'bob'): Promise<Ending> =>
      callGrpc(
        server?.address ?? '',
        services['1.0'],
        'getTask',
        { ...messageFor('1.0', 'getTask'), id: payload.value.id },
        metadataOf({ ...versionOf('1.0'), ...headersOf(peer, someInstant) }),
      )
    expect((await ask('alice')).code).toBe(status.OK)
    expect((await ask('bob')).code).toBe(status.NOT_FOUND)
  })

  it('holds none of what a refused caller goes on sending', async () => {
    await start()
    const session = connectHttp2(`http://${server?.address ?? ''}`)
    session.on('error', () => undefined)
    const stream = session.request({
      ':method': 'POST',
      ':path': services['1.0'].sendMessage.path,
      'content-type': 'application/grpc',
      te: 'trailers',
    })
    stream.on('error', () => undefined)
    const ended = new Promise<unknown>((done) =>
      stream.on('response', (headers) => done(headers['grpc-status'])),
    )
    // A message that says it has 4 MiB, and whose bytes come for ever.
    stream.write(Buffer.from([0, 0, 0x40, 0, 0]))
    expect(await ended).toBe(String(status.UNAUTHENTICATED))
    const before = bytesHeld()
    let rest = 64
    await new Promise<void>((done) => {
      const more = (): void => {
        while (rest-- > 0)
          if (!stream.write(Buffer.alloc(1024 * 1024))) return void stream.once('drain', more)
        done()
      }
      stream.on('close', done)
      more()
    })
    await expect.poll(() => bytesHeld() - before).toBeLessThan(16 * 1024 * 1024)
    session.destroy()
  })
})

describe('guardedService', () => {
  it.each(versions)('opens nothing in %s when the interceptor was forgotten', async (version) => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const { call, executor } = await start({}, { guarded: false })
    for (const method of ['sendMessage', 'sendStreamingMessage', 'getTask']) {
      const ending = await call(version, method, right)
      expect(ending.code).not.toBe(status.OK)
      expect(ending.code).not.toBe(status.NOT_FOUND)
      expect(ending.messages).toEqual([])
    }
    expect(executor.calls).toEqual([])
  })

  /** Any service: it says back what it is told, or answers without having read. */
  const echo = {
    echo: {
      path: '/test.Echo/Echo',
      requestStream: false,
      responseStream: false,
      requestSerialize: (text: unknown) => Buffer.from(String(text)),
      requestDeserialize: (bytes: Buffer) => {
        parsed.push(bytes.toString())
        if (bytes.toString() === 'broken') throw new Error('broken')
        return { text: bytes.toString() }
      },
      responseSerialize: (text: unknown) => Buffer.from(String(text)),
      responseDeserialize: (bytes: Buffer) => bytes.toString(),
    },
  } satisfies ServiceDefinition
  const parsed: string[] = []
  const reading: handleUnaryCall<{ text: string }, string> = (call, done) => {
    try {
      done(null, `${callerOf(call)?.peer ?? 'nobody'} said ${call.request.text}`)
    } catch (error) {
      done({ code: status.INTERNAL, details: (error as { code?: string }).code ?? '' })
    }
  }
  const careless: handleUnaryCall<unknown, string> = (_, done) => done(null, 'come in')

  async function serve(handler: typeof reading | typeof careless, guarded: boolean): Promise<GrpcTestServer> {
    parsed.length = 0
    const { scheme } = schemeFor(new Clock())
    server = new GrpcTestServer(guarded ? [grpcGuard(scheme)] : [])
    return server.add(guardedService(echo), { echo: handler }).listen()
  }
  const say = async (text: string, fields: Record<string, string> = right): Promise<Ending> =>
    callGrpc(server?.address ?? '', echo, 'echo', text as unknown as object, metadataOf(fields))

  it('leaves a service as it is behind the guard', async () => {
    await serve(reading, true)
    expect(await say('hello')).toMatchObject({ code: status.OK, messages: ['alice said hello'] })
    expect(await say('broken')).toMatchObject({ code: status.INTERNAL, messages: [] })
  })

  it('has no message parsed before its caller is known', async () => {
    await serve(reading, true)
    expect((await say('hello', {})).code).toBe(status.UNAUTHENTICATED)
    expect(parsed).toEqual([])
    await say('hello')
    expect(parsed).toEqual(['hello'])
  })

  it('gives a handler without the guard nothing to read, and sends nothing that it answers', async () => {
    await serve(reading, false)
    expect(await say('hello')).toMatchObject({
      code: status.INTERNAL,
      details: 'ERR_GUARD_MISSING',
      messages: [],
    })
    server?.close()
    await serve(careless, false)
    expect(await say('hello')).toMatchObject({ code: status.INTERNAL, messages: [] })
    expect(parsed).toEqual([])
  })

  it('leaves definitions of others as they are', () => {
    const before = { ...echo.echo }
    guardedService(echo)
    expect(echo.echo).toEqual(before)
  })
})

describe('outcomeOf', () => {
  it('knows nothing of a call that met no guard', () => {
    expect(outcomeOf({ metadata: metadataOf({}) })).toBeUndefined()
    expect(callerOf({ metadata: metadataOf({}) })).toBeUndefined()
  })
})
