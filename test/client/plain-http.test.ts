import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { networkInterfaces } from 'node:os'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { plainFetch } from '../../src/client/http/plain-http.js'
import { fieldsOf, listen, record } from '../support/recording-server.js'

type Init = Parameters<typeof plainFetch>[1]

const form = new FormData()
form.append('a', 'b')
const stream = () => new Blob(['streamed']).stream()

describe('plain http is sent as the global fetch sends it', () => {
  it.each<[string, () => Init]>([
    ['GET', () => ({})],
    ['get', () => ({ method: 'get' })],
    ['HEAD', () => ({ method: 'HEAD' })],
    ['POST without a body', () => ({ method: 'POST' })],
    ['POST of a text', () => ({ method: 'POST', body: 'grüße' })],
    ['POST of bytes', () => ({ method: 'POST', body: new Uint8Array([1, 2, 3]) })],
    ['POST of a form', () => ({ method: 'POST', body: new URLSearchParams({ a: 'b c' }) })],
    ['POST of a stream', () => ({ method: 'POST', body: stream(), duplex: 'half' })],
    [
      'PUT with headers',
      () => ({ method: 'PUT', body: '{}', headers: { 'Content-Type': 'application/json', X: 'y' } }),
    ],
    ['DELETE with a body', () => ({ method: 'DELETE', body: 'x' })],
    ['DELETE of a stream', () => ({ method: 'DELETE', body: stream(), duplex: 'half' })],
  ])('%s', async (_what, init) => {
    const seen = []
    for (const send of [fetch, plainFetch]) {
      await using server = await record((_request, response) => {
        response.writeHead(201, 'Made', { 'X-A': ['1', '2'], 'Content-Type': 'text/plain' }).end('answer')
      })
      const response = await send(`${server.origin}/p?q=1`, init())
      const [request] = server.requests
      const kept = ['accept', 'content-type', 'content-length', 'transfer-encoding', 'x', 'user-agent']
      seen.push({
        ...request,
        fields: kept.map((name) => [name, request && fieldsOf(request, name)]),
        status: [response.status, response.statusText, response.ok, response.headers.get('x-a')],
        url: response.url.replace(server.origin, ''),
        text: await response.text(),
      })
    }
    expect(seen[1]).toEqual(seen[0])
  })

  it('a form of several parts, whatever its boundary', async () => {
    await using server = await record()
    await plainFetch(server.origin, { method: 'POST', body: form })
    expect(server.requests[0]?.body).toContain('name="a"')
    expect(fieldsOf(server.requests[0] ?? expect.fail(), 'content-type').join()).toMatch(
      /^multipart\/form-data; boundary=/,
    )
  })
})

describe('an answer over plain http', () => {
  it.each([
    ['gzip', gzipSync('squeezed')],
    ['x-gzip', gzipSync('squeezed')],
    ['deflate', deflateSync('squeezed')],
    ['br', brotliCompressSync('squeezed')],
    ['deflate, gzip', gzipSync(deflateSync('squeezed'))],
    ['unknown', Buffer.from('squeezed')],
  ])('is decoded: %s', async (encoding, bytes) => {
    await using server = await record((_request, response) =>
      response.writeHead(200, { 'Content-Encoding': encoding }).end(bytes),
    )
    expect(await (await plainFetch(server.origin)).text()).toBe('squeezed')
  })

  it.each([204, 205, 304])('may have no body: %d', async (status) => {
    await using server = await record((_request, response) => response.writeHead(status).end())
    const response = await plainFetch(server.origin)
    expect([response.status, response.body]).toEqual([status, null])
  })

  it('arrives piece by piece', async () => {
    let more = (): void => undefined
    await using server = await record((_request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('data: 1\n\n')
      more = () => response.end('data: 2\n\n')
    })
    const body = (await plainFetch(server.origin)).body?.pipeThrough(new TextDecoderStream())
    const pieces: string[] = []
    for await (const piece of body ?? []) {
      pieces.push(piece)
      more()
    }
    expect(pieces).toEqual(['data: 1\n\n', 'data: 2\n\n'])
  })

  it('is a redirect for the caller to follow, or an error where that is asked for', async () => {
    await using server = await record((_request, response) =>
      response.writeHead(307, { Location: '/elsewhere' }).end(),
    )
    expect((await plainFetch(server.origin, { redirect: 'manual' })).status).toBe(307)
    await expect(plainFetch(server.origin, { redirect: 'error' })).rejects.toThrow(TypeError)
    expect(server.requests).toHaveLength(2)
  })

  it('that breaks off is an error of its body', async () => {
    await using server = await record((_request, response) => {
      response.writeHead(200, { 'Content-Length': 100 }).write('some')
      setImmediate(() => response.destroy())
    })
    await expect(plainFetch(server.origin).then((response) => response.text())).rejects.toThrow()
  })

  it('that never comes is a TypeError, with its cause', async () => {
    await using closed = await record((_request, response) => response.destroy())
    await expect(plainFetch(closed.origin)).rejects.toThrow(TypeError)
    const { origin } = closed
    await closed[Symbol.asyncDispose]()
    await expect(plainFetch(origin)).rejects.toMatchObject({
      name: 'TypeError',
      cause: expect.objectContaining({ code: 'ECONNREFUSED' }) as Error,
    })
  })

  it('can be aborted before and after it begins', async () => {
    await using server = await record(({ path }, response) => {
      if (path === '/begun') response.writeHead(200).write('some')
    })
    const reason = new Error('enough')
    await expect(plainFetch(server.origin, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(server.requests).toEqual([])
    const before = new AbortController()
    const pending = plainFetch(server.origin, { signal: before.signal })
    while (server.requests.length === 0) await new Promise((done) => setImmediate(done))
    before.abort(reason)
    await expect(pending).rejects.toBe(reason)
    const after = new AbortController()
    const { body } = await plainFetch(`${server.origin}/begun`, { signal: after.signal })
    const reader = body?.getReader()
    await reader?.read()
    after.abort(reason)
    await expect(reader?.read()).rejects.toBe(reason)
  })
})

describe('localhost', () => {
  const families = Object.values(networkInterfaces()).flatMap((all) => all?.map(({ family }) => family))

  it.skipIf(!families.includes('IPv6'))('is this machine, listening on ::1', () => answersOn('::1'))

  it('is this machine, listening on 127.0.0.1', () => answersOn('127.0.0.1'))

  async function answersOn(host: string): Promise<void> {
    const server = createServer((request, response) => void response.end(request.headers.host))
    server.listen(0, host)
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    try {
      expect(await (await plainFetch(`http://LOCALHOST:${port}/`)).text()).toBe(`localhost:${port}`)
    } finally {
      server.closeAllConnections()
      server.close()
    }
  }
})

it('connections are used again', async () => {
  const ports = new Set<number | undefined>()
  await using server = await listen((request, response) => {
    ports.add(request.socket.remotePort)
    response.end('x')
  })
  for (let count = 0; count < 5; count++) await (await plainFetch(server.origin)).text()
  expect(ports.size).toBe(1)
})
