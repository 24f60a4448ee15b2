import dns from 'node:dns'
import { createServer as createHttpServer } from 'node:http'
import { createSecureServer } from 'node:http2'
import { createServer as createTcpServer } from 'node:net'
import { describe, expect, it, vi } from 'vitest'
import { HttpClient } from '../../src/probe/wire/http.js'
import type { RawAnswer } from '../../src/probe/wire/raw-answer.js'
import { listening } from '../support/listening.js'
import { midStep } from '../support/probing.js'
import { selfSigned } from '../support/tls.js'

async function both(url: URL, ca?: string): Promise<RawAnswer[]> {
  const client = new HttpClient({ timeoutMs: 500, now: () => midStep, ...(ca !== undefined && { ca }) })
  try {
    return [
      await client.exchange(client.connection(url), { method: 'GET', url, fields: [], mostBytes: 1000 }),
      await client.grpcConnection().call({ url, path: '/a.B/C', fields: [], message: Buffer.alloc(5) }),
    ]
  } finally {
    client.close()
  }
}

describe.each(['127.0.0.1', '::1'])('localhost, where only %s listens', (address) => {
  it('is reached without a resolver, under its own name', async () => {
    const lookup = vi.spyOn(dns, 'lookup')
    const names: string[] = []
    const issued = selfSigned()
    const server = createSecureServer({ ...issued, allowHTTP1: true }, (request, response) => {
      names.push(request.authority || (request.headers.host ?? ''))
      response.writeHead(200, { 'content-type': 'application/grpc', 'grpc-status': '5' })
      response.end()
    })
    const sni: unknown[] = []
    server.on('secureConnection', ({ servername }) => sni.push(servername))
    await using agent = await listening(server, address)
    const answers = await both(new URL(`https://localhost:${agent.port}`), issued.cert.toString())
    expect(answers).toMatchObject([{ status: 200 }, { status: 200 }])
    expect(names).toEqual([`localhost:${agent.port}`, `localhost:${agent.port}`])
    expect(sni).toEqual(['localhost', 'localhost'])
    expect(lookup.mock.calls.map(([name]) => name)).not.toContain('localhost')
    lookup.mockRestore()
  })
})

describe('a time-out', () => {
  it('says what was waited for', async () => {
    await using silent = await listening(createTcpServer())
    const [http] = await both(new URL(`https://127.0.0.1:${silent.port}`))
    expect(http).toMatchObject({ reason: 'timeout', explanation: 'no TLS handshake within 500 ms' })
    const [, grpc] = await both(new URL(`https://127.0.0.1:${silent.port}`))
    expect(grpc).toMatchObject({ reason: 'timeout', explanation: 'no TLS handshake within 500 ms' })
  })
})

describe('requests on one connection', () => {
  it('share it, however many are sent at once', async () => {
    await using agent = await listening(
      createHttpServer((_request, response) => void setTimeout(() => response.end('hello'), 5)),
    )
    const client = new HttpClient({ timeoutMs: 20_000, now: () => midStep })
    const url = new URL(`http://localhost:${agent.port}`)
    const connection = client.connection(url)
    const requests = Array.from({ length: 5 }, () =>
      client.exchange(connection, { method: 'GET', url, fields: [], mostBytes: 1000 }),
    )
    const answers = await Promise.all(requests)
    client.close()
    expect(answers.every(({ answered }) => answered)).toBe(true)
    expect(agent.connections()).toBe(1)
  })
})
