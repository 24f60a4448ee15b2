import { createServer as createHttps } from 'node:https'
import { createServer } from 'node:http'
import { createSecureServer, createServer as createHttp2 } from 'node:http2'
import { mkdtempSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTcp, type Server } from 'node:net'
import { text } from 'node:stream/consumers'
import type { TLSSocket } from 'node:tls'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Upstream } from '../../../src/sidecar/forward/exchange.js'
import { grpcUpstream, httpUpstream } from '../../../src/sidecar/forward/upstream.js'
import { listening } from '../../support/listening.js'
import { selfSigned } from '../../support/tls.js'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  vi.unstubAllEnvs()
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function serve(server: Server): Promise<URL> {
  const up = await listening(server)
  cleanups.push(() => up[Symbol.asyncDispose]())
  return new URL(`https://127.0.0.1:${up.port}`)
}

async function ask(upstream: Upstream): Promise<string> {
  cleanups.push(() => upstream.close())
  const { signal } = new AbortController()
  const answer = await upstream.send({ method: 'GET', target: '/', fields: [], content: undefined }, signal)
  return text(answer.content)
}

const tls = selfSigned()
const named = { requestCert: true, rejectUnauthorized: false, ...tls }
const say = (req: { socket: unknown }, res: { end(text: string): void }): void => {
  // An empty object if the client has shown none.
  const { subject } = (req.socket as TLSSocket).getPeerCertificate() as { subject?: { CN: string } }
  res.end(subject ? `hello ${subject.CN}` : 'hello')
}

const kinds = {
  'HTTP/1.1': {
    server: () => createHttps(named, say as never),
    upstream: httpUpstream,
    plain: () => createServer((_, res) => res.end('hello')),
  },
  'HTTP/2': {
    server: () => createSecureServer(named, say as never),
    upstream: grpcUpstream,
    plain: () => createHttp2((_, res) => res.end('hello')),
  },
}

describe.each(Object.keys(kinds) as (keyof typeof kinds)[])('the server behind, over %s', (kind) => {
  const { server, upstream, plain } = kinds[kind]

  it('is checked by the certificates given, and is shown its client’s', async () => {
    const url = await serve(server())
    expect(await ask(upstream(url, { ca: tls.cert }))).toBe('hello')
    expect(await ask(upstream(url, { ca: tls.cert, cert: tls.cert, key: tls.key }))).toBe('hello 127.0.0.1')
  })

  it('is not trusted otherwise, whatever the environment says', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
    vi.stubEnv('HTTPS_PROXY', 'http://127.0.0.1:1')
    const url = await serve(server())
    await expect(ask(upstream(url))).rejects.toMatchObject({ name: 'UpstreamError', kind: 'unreachable' })
    url.hostname = 'localhost.localdomain'
    await expect(ask(upstream(url, { ca: tls.cert }))).rejects.toMatchObject({ kind: 'unreachable' })
  })

  it('may be at a unix socket', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'a2a-totp-'))
    cleanups.push(() => rmSync(folder, { recursive: true }))
    const socket = join(folder, 's')
    const agent = plain()
    agent.listen(socket)
    await once(agent, 'listening')
    cleanups.push(() => agent.close())
    expect(await ask(upstream({ socket }))).toBe('hello')
  })

  it('has a time in which it has to take a connection', async () => {
    // Takes the connection, and never greets.
    const url = await serve(createTcp())
    const slow = upstream(url, { timeouts: { connectMs: 200 } })
    await expect(ask(slow)).rejects.toMatchObject({ kind: 'unreachable' })
  })
})
