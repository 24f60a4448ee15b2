import { connect, createServer, type Socket } from 'node:net'
import { A2AService } from '@a2a-js/sdk/server/grpc'
import {
  credentials,
  makeGenericClientConstructor,
  Metadata,
  status,
  type CallOptions,
  type ChannelCredentials,
  type Client,
  type ClientOptions,
  type ServiceError,
} from '@grpc/grpc-js'
import { afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import {
  totpCallCredentials,
  totpGrpcInterceptor,
  totpGrpcOptions,
  type TOTPGrpcOptions,
} from '../../src/client/grpc.js'
import { BearerTokenAuth, type ClientRequest } from '../../src/client/index.js'
import { clientAgent, type ClientAgent } from '../support/client-agent.js'
import { FakeClock, schemeOn, token } from '../support/client-scheme.js'
import { codeOf } from '../support/failure.js'
import { selfSigned } from '../support/tls.js'

let clock: FakeClock
let agent: ClientAgent
beforeEach(async () => {
  clock = new FakeClock()
  agent = await clientAgent(clock)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await agent[Symbol.asyncDispose]()
})

const insecure = credentials.createInsecure()
const Service = makeGenericClientConstructor(A2AService, 'A2AService')

interface CallSetup {
  readonly target?: string
  readonly channel?: ChannelCredentials
  readonly client?: ClientOptions
  readonly call?: CallOptions
  readonly metadata?: Metadata
}

type Unary = (
  request: object,
  metadata: Metadata,
  options: CallOptions,
  done: (error: ServiceError | null) => void,
) => { cancel(): void }

/** Asks for a task that is not there: NOT_FOUND says that the guard let the call pass. */
function ask(
  setup: CallSetup,
  onCall: (call: { cancel(): void }) => void = () => undefined,
): Promise<ServiceError> {
  const {
    target = agent.grpc,
    channel = insecure,
    client: options,
    call = {},
    metadata = new Metadata(),
  } = setup
  const client: Client = new Service(target, channel, options)
  onTestFinished(() => client.close())
  const { getTask } = client as unknown as { getTask: Unary }
  return new Promise((done, fail) => {
    const deadline = call.deadline ?? Date.now() + 10_000
    const made = getTask.call(client, { id: 'none' }, metadata, { ...call, deadline }, (error) =>
      error ? done(error) : fail(new Error('there was a task')),
    )
    onCall(made)
  })
}

const askWith = (options: TOTPGrpcOptions = {}, setup: CallSetup = {}) =>
  ask({ ...setup, call: { interceptors: [totpGrpcInterceptor(schemeOn(clock), options)] } })

/** How a call ends whose headers were not given away. */
const unsent = (code: string) => ({
  code: status.UNAUTHENTICATED,
  details: expect.stringContaining(`(${code})`) as string,
})

describe('an interceptor', () => {
  it('sends a fresh code with each call', async () => {
    const call = { interceptors: [totpGrpcInterceptor(schemeOn(clock))] }
    for (let count = 0; count < 3; count++) {
      expect((await ask({ call })).code).toBe(status.NOT_FOUND)
      clock.advance(90)
    }
    expect(agent.seen.map(({ passed }) => passed)).toEqual([true, true, true])
    expect(new Set(agent.seen.map(({ code }) => code)).size).toBe(3)
  })

  it('drops token and code that the caller set, without changing what it was given', async () => {
    const metadata = new Metadata()
    metadata.add('x-totp', '000000')
    metadata.add('X-TOTP', '111111')
    metadata.add('authorization', 'Bearer stale')
    expect((await askWith({}, { metadata })).code).toBe(status.NOT_FOUND)
    expect(agent.seen).toMatchObject([{ code: clock.code(), passed: true }])
    expect(metadata.get('x-totp')).toEqual(['000000', '111111'])
  })

  it('shows the whole request to the scheme', async () => {
    const seen: ClientRequest[] = []
    const bearer = new BearerTokenAuth(token)
    const delegate = { headers: (request: ClientRequest) => (seen.push(request), bearer.headers()) }
    const metadata = new Metadata()
    metadata.set('a2a-version', '1.0')
    metadata.set('trace-bin', Buffer.from('x'))
    await ask({ metadata, call: { interceptors: [totpGrpcInterceptor(schemeOn(clock, { delegate }))] } })
    const url = `http://${agent.grpc}/lf.a2a.v1.A2AService/GetTask`
    expect(seen).toEqual([{ binding: 'grpc', method: 'POST', url, headers: { 'a2a-version': '1.0' } }])
  })

  it('makes the code when the connection is there, not when the call began', async () => {
    const port = Number(agent.grpc.split(':')[1])
    const held: Socket[] = []
    const gate = createServer({ pauseOnConnect: true }, (socket) => {
      held.push(socket)
      const open = () => {
        const inner = connect(port, '127.0.0.1')
        socket.pipe(inner).pipe(socket)
        onTestFinished(() => void inner.destroy())
      }
      setTimeout(() => {
        clock.advance(600)
        open()
      }, 50)
    }).listen(0, '127.0.0.1')
    onTestFinished(() => {
      for (const socket of held) socket.destroy()
      gate.close()
    })
    await new Promise((done) => gate.once('listening', done))
    const target = `127.0.0.1:${(gate.address() as { port: number }).port}`
    expect((await askWith({}, { target })).code).toBe(status.NOT_FOUND)
    expect(agent.seen).toMatchObject([{ code: clock.code(), passed: true }])
  })

  it('ends the call with the error of the scheme', async () => {
    const scheme = schemeOn(clock, { delegate: new BearerTokenAuth(() => '') })
    const error = await ask({ call: { interceptors: [totpGrpcInterceptor(scheme)] } })
    expect(error).toMatchObject(unsent('ERR_TOKEN_MISSING'))
    expect(agent.seen).toEqual([])
  })

  it('is no way round a refusal: a wrong code is sent once', async () => {
    const behind = new FakeClock()
    behind.advance(-600)
    const call = { interceptors: [totpGrpcInterceptor(schemeOn(behind))] }
    const error = await ask({ call })
    expect(error.code).toBe(status.UNAUTHENTICATED)
    expect(error.metadata.get('www-authenticate').join()).toContain('TOTP realm="a2a"')
    expect(agent.seen).toHaveLength(1)
  })
})

describe('a call that waits for a time step', () => {
  const waiting = () => {
    const sleep = () => new Promise<void>(() => undefined)
    return { interceptors: [totpGrpcInterceptor(schemeOn(clock, { replay: 'once', sleep }))] }
  }

  it('can be cancelled, and spends nothing', async () => {
    const call = waiting()
    await ask({ call })
    const error = await ask({ call }, (made) => setTimeout(() => made.cancel(), 50))
    expect(error.code).toBe(status.CANCELLED)
    clock.advance(30)
    expect((await ask({ call })).code).toBe(status.NOT_FOUND)
  })

  it('keeps its deadline', async () => {
    const call = waiting()
    await ask({ call })
    const error = await ask({ call: { ...call, deadline: Date.now() + 100 } })
    expect(error.code).toBe(status.DEADLINE_EXCEEDED)
    clock.advance(30)
    expect((await ask({ call })).code).toBe(status.NOT_FOUND)
  })
})

describe('token and code', () => {
  it('go to the first target only', async () => {
    await using other = await clientAgent(clock)
    const call = { interceptors: [totpGrpcInterceptor(schemeOn(clock))] }
    await ask({ call })
    expect(await ask({ call, target: other.grpc })).toMatchObject(unsent('ERR_HOST_FORBIDDEN'))
    expect(other.seen).toEqual([])
  })

  it('go to the origins that were named', async () => {
    const origins = [`http://${agent.grpc}`]
    expect((await askWith({ origins })).code).toBe(status.NOT_FOUND)
    const elsewhere = await askWith({ origins: ['https://agent.example'] })
    expect(elsewhere).toMatchObject(unsent('ERR_HOST_FORBIDDEN'))
    expect(agent.seen).toHaveLength(1)
    expect(codeOf(() => totpGrpcInterceptor(schemeOn(clock), { origins: ['x'] }))).toBe('ERR_CONFIG_INVALID')
  })

  it('do not go over plaintext, but to loopback', async () => {
    const target = agent.grpc.replace('127.0.0.1', '0.0.0.0')
    expect(await askWith({}, { target })).toMatchObject(unsent('ERR_INSECURE_TRANSPORT'))
    expect(agent.seen).toEqual([])
    expect((await askWith({ allowInsecureHttp: true }, { target })).code).toBe(status.NOT_FOUND)
  })

  it('do not go over plaintext to a host that says it is another', async () => {
    const target = agent.grpc.replace('127.0.0.1', '0.0.0.0')
    for (const [dialled, authority] of [
      [target, 'localhost'],
      [agent.grpc, 'agent.example'],
    ] as const) {
      const client = { 'grpc.default_authority': authority }
      const error = await askWith({}, { target: dialled, client })
      expect(error).toMatchObject(unsent('ERR_INSECURE_TRANSPORT'))
    }
    expect(agent.seen).toEqual([])
  })

  it('are for the host behind a proxy, not for the proxy', async () => {
    const proxy = createServer((socket) => {
      socket.once('data', () => {
        const inner = connect(Number(agent.grpc.split(':')[1]), '127.0.0.1')
        socket.write('HTTP/1.1 200 OK\r\n\r\n')
        socket.pipe(inner).pipe(socket)
        onTestFinished(() => void inner.destroy())
      })
      onTestFinished(() => void socket.destroy())
    }).listen(0, '127.0.0.1')
    onTestFinished(() => void proxy.close())
    await new Promise((done) => proxy.once('listening', done))
    const { port } = proxy.address() as { port: number }
    vi.stubEnv('grpc_proxy', `http://127.0.0.1:${port}`)

    const plain = { allowInsecureHttp: true }
    const call = { interceptors: [totpGrpcInterceptor(schemeOn(clock), plain)] }
    expect((await ask({ call, target: 'agent.example:50051' })).code).toBe(status.NOT_FOUND)
    const evil = await ask({ call, target: 'evil.example:50051' })
    expect(evil).toMatchObject(unsent('ERR_HOST_FORBIDDEN'))
    // Without that option nothing is sent even to a proxy on this machine: what comes after it is no loopback.
    expect(await askWith({}, { target: 'agent.example:50051' })).toMatchObject(
      unsent('ERR_INSECURE_TRANSPORT'),
    )
    expect(agent.seen).toHaveLength(1)
  })
})

describe('over TLS', () => {
  let pair: ReturnType<typeof selfSigned>
  beforeAll(() => {
    pair = selfSigned()
  })

  it('the interceptor and the channel credentials of totpGrpcOptions go together', async () => {
    await using secured = await clientAgent(clock, { tls: pair })
    const channelCredentials = credentials.createSsl(pair.cert)
    const origins = [`https://${secured.grpc}`]
    const { grpcCallOptions, grpcChannelCredentials } = totpGrpcOptions(schemeOn(clock), {
      channelCredentials,
      origins,
    })
    expect(grpcChannelCredentials).toBe(channelCredentials)
    const setup = { target: secured.grpc, channel: grpcChannelCredentials, call: grpcCallOptions }
    expect((await ask(setup)).code).toBe(status.NOT_FOUND)
    expect(secured.seen).toMatchObject([{ passed: true }])
  })

  it('is the default of totpGrpcOptions', async () => {
    await using secured = await clientAgent(clock, { tls: pair })
    const { grpcCallOptions: call, grpcChannelCredentials: channel } = totpGrpcOptions(schemeOn(clock))
    const error = await ask({ target: secured.grpc, channel, call })
    expect(error.code).toBe(status.UNAVAILABLE)
    expect(error.details).toMatch(/self-signed|certificate/i)
    expect(secured.seen).toEqual([])
  })

  it('call credentials send a fresh code with each call, to the first host only', async () => {
    await using secured = await clientAgent(clock, { tls: pair })
    const call = totpCallCredentials(schemeOn(clock))
    const channel = credentials.combineChannelCredentials(credentials.createSsl(pair.cert), call)
    for (let count = 0; count < 2; count++) {
      expect((await ask({ target: secured.grpc, channel })).code).toBe(status.NOT_FOUND)
      clock.advance(90)
    }
    const client = { 'grpc.default_authority': 'other.example' }
    const error = await ask({ target: secured.grpc, channel, client })
    expect(error.details).toMatch(/for localhost, not for other\.example/)
    expect(secured.seen.map(({ passed }) => passed)).toEqual([true, true])
  })

  it('call credentials go to the hosts of origins, whatever the port', async () => {
    await using secured = await clientAgent(clock, { tls: pair })
    for (const [origin, code] of [
      ['https://localhost', status.NOT_FOUND],
      ['https://agent.example', status.UNKNOWN],
    ] as const) {
      const call = totpCallCredentials(schemeOn(clock), { origins: [origin] })
      const channel = credentials.combineChannelCredentials(credentials.createSsl(pair.cert), call)
      expect((await ask({ target: secured.grpc, channel })).code).toBe(code)
    }
    expect(secured.seen).toHaveLength(1)
  })

  it('call credentials cannot be combined with plaintext', () => {
    const call = totpCallCredentials(schemeOn(clock))
    expect(() => credentials.combineChannelCredentials(insecure, call)).toThrow(/insecure/)
  })
})
