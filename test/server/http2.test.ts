import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { bearerOf, Clock, headersOf, schemeFor, someInstant } from '../support/guarded.js'
import { http2Servers, rawHttp2, type Http2TestServer } from '../support/http2-servers.js'

const right = headersOf('alice', someInstant)
const megabyte = 1024 * 1024
const refusal = { error: { code: 401, status: 'UNAUTHENTICATED' } }

interface Answer {
  readonly status: number | undefined
  readonly body: string
}

/** The answer to a request, as soon as it is complete. */
function answerTo(stream: ClientHttp2Stream): Promise<Answer> {
  return new Promise((done, fail) => {
    let status: number | undefined
    let body = ''
    stream.on('response', (headers) => (status = headers[':status']))
    stream.on('data', (chunk: Buffer) => (body += chunk.toString()))
    stream.on('end', () => done({ status, body }))
    stream.on('error', fail)
  })
}

describe.each(Object.entries(http2Servers))('the guard for %s over HTTP/2', (framework, serve) => {
  let server: Http2TestServer | undefined
  let session: ClientHttp2Session | undefined
  afterEach(async () => {
    session?.destroy()
    await server?.close()
  })

  async function start() {
    const { scheme, events } = schemeFor(new Clock())
    server = await serve(scheme)
    // Room for the bodies that wait to be sent.
    const own = connect(`http://127.0.0.1:${server.port}`, { maxSessionMemory: 1000 })
    session = own
    const upload = (headers = {}): ClientHttp2Stream =>
      own.request({ ':method': 'POST', ':path': '/x', ...headers })
    return { server, session: own, events, upload }
  }

  const noneOpen = (timeout = 10_000): Promise<void> =>
    expect.poll(() => server?.open.size, { timeout, interval: 20 }).toBe(0)

  it('closes each of 120 refused uploads of more than a megabyte, after a complete answer', async () => {
    const { upload } = await start()
    const body = Buffer.alloc(1.5 * megabyte)
    for (let round = 0; round < 12; round++) {
      const streams = Array.from({ length: 10 }, () => upload())
      const answers = streams.map(answerTo)
      for (const stream of streams) stream.write(body)
      for (const { status, body: text } of await Promise.all(answers)) {
        expect([status, JSON.parse(text)]).toMatchObject([401, refusal])
      }
    }
    await noneOpen()
    const accepted = upload({ ...right, 'content-type': 'a/b', 'content-length': body.length })
    accepted.end(body)
    expect(await answerTo(accepted)).toEqual({ status: 200, body: String(body.length) })
    await noneOpen()
  })

  it('closes refused uploads that never end, or are sent slowly, within seconds', async () => {
    const { upload } = await start()
    const streams = Array.from({ length: 20 }, () => upload())
    const codes = Promise.all(
      streams.map((stream) => new Promise((done) => stream.on('close', () => done(stream.rstCode)))),
    )
    const answers = Promise.all(streams.map(answerTo))
    const slowly = setInterval(() => streams.slice(10).forEach((stream) => stream.write('x')), 50)
    for (const { status } of await answers) expect(status).toBe(401)
    await noneOpen()
    clearInterval(slowly)
    expect(new Set(await codes)).toEqual(new Set([constants.NGHTTP2_NO_ERROR]))
  })

  it('outlives clients that reset a refused upload, or leave', async () => {
    const { upload, session } = await start()
    for (const code of [constants.NGHTTP2_CANCEL, constants.NGHTTP2_INTERNAL_ERROR]) {
      const stream = upload()
      stream.on('error', () => undefined)
      stream.write('x')
      await new Promise((done) => stream.on('response', done))
      stream.close(code)
    }
    await noneOpen()
    const streams = Array.from({ length: 5 }, () => upload().on('error', () => undefined))
    await Promise.all(streams.map((stream) => new Promise((done) => stream.on('response', done))))
    session.destroy()
    await noneOpen()
  })

  // @hono/node-server writes the answers of the other two, and leaves these streams to the session.
  it.runIf(['node:http2', 'Fastify'].includes(framework))(
    'closes the stream of a client that does not take its answer',
    async () => {
      const { server } = await start()
      const { payload } = await rawHttp2(server.port, [], { window: 0, until: ({ type }) => type === 3 })
      expect(payload.readUInt32BE(0)).toBe(constants.NGHTTP2_CANCEL)
      await noneOpen()
    },
  )

  const token = ['authorization', bearerOf('alice')] as const
  const code = ['x-totp', right['X-TOTP'] ?? ''] as const
  it.each([
    ['the code twice', [token, code, code], '401'],
    ['two codes, the second right', [token, ['x-totp', '000000'], code], '401'],
    ['the token twice', [token, token, code], '401'],
    ['a second token', [token, ['authorization', 'Bearer nobody'], code], '401'],
    ['both factors once', [token, code], '200'],
  ] as const)('answers a request with %s', async (what, fields, status) => {
    const { server, events } = await start()
    await rawHttp2(server.port, fields, { until: ({ type }) => type === 1 })
    const expected = status === '200' ? { type: 'authenticated' } : { type: 'refused' }
    expect([what, events]).toMatchObject([what, [{ ...expected, source: '127.0.0.1' }]])
  })

  it('refuses a client that is gone before the delegate has answered', async () => {
    const delegate = { authenticateToken: () => sleep(100).then(() => ({ refusal: 'at last' })) }
    const { scheme, events } = schemeFor(new Clock(), { delegate })
    server = await serve(scheme)
    session = connect(`http://127.0.0.1:${server.port}`)
    const stream = session.request({ ':method': 'POST', ':path': '/x', ...right })
    stream.on('error', () => undefined)
    await expect.poll(() => server?.open.size).toBe(1)
    stream.close(constants.NGHTTP2_INTERNAL_ERROR)
    await expect.poll(() => events.length).toBe(1)
    await noneOpen()
  })
})
