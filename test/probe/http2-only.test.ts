import { createServer as createHttpServer } from 'node:http'
import { createSecureServer, createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2'
import { createServer as createTcpServer, type Server } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { beforeAll, describe, expect, it } from 'vitest'
import { defaultProfile } from '../../src/core/profile.js'
import { probe } from '../../src/probe/index.js'
import { HttpClient } from '../../src/probe/wire/http.js'
import type { RawAnswer } from '../../src/probe/wire/raw-answer.js'
import { startTestAgent } from '../support/broken-agent.js'
import { listening } from '../support/listening.js'
import { alice, midStep, probeOptions, stillClock } from '../support/probing.js'
import { selfSigned } from '../support/tls.js'

/** The first frame of a server: SETTINGS, with nothing in it (RFC 9113 §6.5). */
const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])

let issued: ReturnType<typeof selfSigned>
beforeAll(() => {
  issued = selfSigned()
})

const http2Only: Record<string, () => Server> = {
  'https, by ALPN': () => createSecureServer({ ...issued }),
  'https, whatever ALPN says': () => createTlsServer({ ...issued }, (socket) => socket.write(settings)),
  'plain http': () => createServer(),
  'plain http, closing on anything else': () =>
    createTcpServer((socket) => {
      socket.once('data', (bytes: Buffer) => socket.end(bytes.includes('PRI * ') ? settings : ''))
    }),
  'plain http, with status 505': () => createHttpServer((_, response) => response.writeHead(505).end()),
  'plain http, with status 426': () =>
    createHttpServer((_, response) => response.writeHead(426, { Upgrade: 'h2c' }).end()),
  'plain http, with status 464': () => createHttpServer((_, response) => response.writeHead(464).end()),
}

describe.each(Object.keys(http2Only))('an agent that speaks HTTP/2 only: over %s', (kind) => {
  const start = () => listening((http2Only[kind] as () => Server)())
  const scheme = kind.startsWith('https') ? 'https' : 'http'

  it('is named, and no wrong code is spent on it', async () => {
    await using server = await start()
    const options = probeOptions(`${scheme}://127.0.0.1:${server.port}`, stillClock(midStep))
    const report = await probe({ ...options, ca: issued.cert.toString() })
    expect(report).toMatchObject({ ok: false, guessesSpent: 0 })
    expect(report.checks[0]).toMatchObject({ id: 'reach', status: 'fail' })
    expect(report.checks[0]?.actual).toBe('the agent speaks HTTP/2 only here')
    expect(report.checks[0]?.detail).toContain('--binding grpc')
  })

  it('is named as an interface of an agent whose card is read', async () => {
    await using server = await start()
    const clock = stillClock(midStep)
    const url = `${scheme}://127.0.0.1:${server.port}`
    const card = () => ({
      name: 'x',
      supportedInterfaces: [{ url, protocolBinding: 'JSONRPC', protocolVersion: '1.0' }],
    })
    const agent = await startTestAgent({
      peers: [alice],
      profile: defaultProfile,
      now: clock.now,
      quirks: { card },
    })
    try {
      const allowHosts = [new URL(url).host]
      const options = { ...probeOptions(agent.url, clock), allowHosts, ca: issued.cert.toString() }
      const report = await probe(options)
      expect(report).toMatchObject({ ok: false, guessesSpent: 0 })
      const valid = report.checks.find(({ id }) => id === 'auth.valid')
      expect(valid).toMatchObject({ status: 'fail', actual: 'the agent speaks HTTP/2 only here' })
      expect(valid?.detail).toContain('HTTP/1.1')
    } finally {
      await agent.close()
    }
  })
})

async function call(port: number, timeoutMs = 10_000): Promise<RawAnswer> {
  const client = new HttpClient({ timeoutMs, now: () => midStep })
  try {
    const url = new URL(`http://127.0.0.1:${port}`)
    return await client.grpcConnection().call({ url, path: '/a.B/C', fields: [], message: Buffer.alloc(5) })
  } finally {
    client.close()
  }
}

describe('a gRPC interface', () => {
  const http2 = (
    answer: (stream: ServerHttp2Stream) => void,
  ): Promise<{ port: number } & AsyncDisposable> => {
    const server: Http2Server = createServer()
    server.on('stream', (stream) => {
      stream.on('error', () => undefined)
      answer(stream)
    })
    server.on('session', (session) => session.on('error', () => undefined))
    return listening(server)
  }

  it.each([
    ['an HTTP/1.1 server', () => createHttpServer((_, response) => response.end('hello'))],
    [
      'a server of something else',
      () => createTcpServer((socket) => socket.once('data', () => socket.end('SSH-2.0-x\r\n'.repeat(9)))),
    ],
  ])('is named where there is %s', async (_, make) => {
    await using server = await listening(make())
    expect(await call(server.port)).toMatchObject({
      reason: 'broken',
      explanation: expect.stringContaining('does not speak HTTP/2') as string,
    })
  })

  it.each([
    [2, 'INTERNAL_ERROR'],
    [7, 'REFUSED_STREAM'],
    [11, 'ENHANCE_YOUR_CALM'],
    [13, 'HTTP_1_1_REQUIRED'],
    [99, 'an unknown code'],
  ])('that resets the call with %i is named by the code', async (code, name) => {
    await using server = await http2((stream) => stream.close(code))
    expect(await call(server.port)).toMatchObject({
      reason: 'broken',
      explanation: `the agent reset the call (RST_STREAM ${name})`,
    })
  })

  it('that sends GOAWAY is named by its code', async () => {
    await using server = await http2((stream) => stream.session?.goaway(11, 0))
    expect(await call(server.port)).toMatchObject({
      reason: 'broken',
      explanation: 'the agent ended the connection (GOAWAY ENHANCE_YOUR_CALM)',
    })
  })

  it('that answers nothing is given up in time', async () => {
    await using server = await http2(() => undefined)
    expect(await call(server.port, 300)).toMatchObject({
      reason: 'timeout',
      explanation: 'no complete answer within 300 ms',
    })
  })
})
