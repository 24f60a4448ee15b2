import { createServer, request, type IncomingMessage } from 'node:http'
import { connect, createServer as createHttp2Server, type ClientHttp2Session } from 'node:http2'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import type { AddressInfo, Server } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { listenMixed, type MixedListener } from '../../../src/service/mixed-listener.js'
import type { Upstream } from '../../../src/sidecar/forward/exchange.js'
import { readHead } from '../../../src/sidecar/forward/head.js'
import { answerJson, callOver, contentOf, passOn, trailersOf } from '../../../src/sidecar/forward/pass-on.js'
import { grpcUpstream, httpUpstream } from '../../../src/sidecar/forward/upstream.js'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function serve(server: Server): Promise<URL> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(() => server.close())
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
}

/** A proxy of nothing but the engine. */
async function plainProxy(upstream: Upstream): Promise<MixedListener> {
  const listener = await listenMixed({ host: '127.0.0.1', port: 0 }, (req, res) => {
    const head = readHead(req)
    if ('refused' in head) {
      answerJson(res, 400, 'INVALID_ARGUMENT', head.why)
      return
    }
    const { method, target, fields } = head
    const content = contentOf(req)
    upstream
      .send({ method, target, fields, content, trailers: trailersOf(req) }, callOver(res))
      .then((answer) => passOn(answer, res))
      .catch((error: unknown) => answerJson(res, 502, 'UNAVAILABLE', (error as Error).message))
  })
  cleanups.push(
    () => listener.stop(),
    () => upstream.close(),
  )
  return listener
}

function h2(address: string): ClientHttp2Session {
  const session = connect(`http://${address}`)
  cleanups.push(() => session.destroy())
  return session
}

describe('the engine', () => {
  it('passes a request of HTTP/1.1 on, and its answer back', async () => {
    const agent = await serve(
      createServer((req, res) => {
        void text(req).then((body) => {
          res.writeHead(201, ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2'])
          res.end(`${req.method} ${req.url} ${body}`)
        })
      }),
    )
    const proxy = await plainProxy(httpUpstream(agent))
    const sent = request(`http://${proxy.address}/x?y=1`, { method: 'POST' })
    sent.end('hello')
    const [answer] = (await once(sent, 'response')) as [IncomingMessage]
    expect(answer.statusCode).toBe(201)
    expect(answer.headers['set-cookie']).toEqual(['a=1', 'b=2'])
    expect(await text(answer)).toBe('POST /x?y=1 hello')
  })

  it('passes a call of gRPC on, with trailers', async () => {
    const agent = createHttp2Server()
    agent.on('stream', (stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
      stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
      stream.pipe(stream)
    })
    const proxy = await plainProxy(grpcUpstream(await serve(agent)))
    const stream = h2(proxy.address).request({
      ':method': 'POST',
      ':path': '/a.B/C',
      'content-type': 'application/grpc',
    })
    stream.end('hello')
    const trailers = once(stream, 'trailers')
    expect(await text(stream)).toBe('hello')
    expect((await trailers)[0]).toMatchObject({ 'grpc-status': '0' })
  })
})
