import { createServer as createHttpServer } from 'node:http'
import { createSecureServer } from 'node:http2'
import { createServer, type ServerOptions } from 'node:https'
import { createServer as createTcpServer } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import type { GrpcConnection } from '../../src/probe/wire/grpc.js'
import { HttpClient } from '../../src/probe/wire/http.js'
import type { RawAnswer } from '../../src/probe/wire/raw-answer.js'
import type { RouteSettings } from '../../src/probe/wire/route.js'
import { requireClientCertificate } from '../../src/probe/wire/trust.js'
import { probe } from '../../src/probe/index.js'
import { makeAuthority, type Authority, type Issued } from '../support/authority.js'
import { listening } from '../support/listening.js'
import { findings, midStep, probeOptions, stillClock } from '../support/probing.js'

let authority: Authority
let stranger: Authority
let server: Issued
let client: Issued
let strangers: Issued

beforeAll(() => {
  authority = makeAuthority()
  stranger = makeAuthority('another authority')
  server = authority.issue('IP:127.0.0.1,DNS:localhost')
  client = authority.issue('DNS:client')
  strangers = stranger.issue('DNS:client')
})

async function get(url: string, settings: Partial<RouteSettings> = {}): Promise<RawAnswer> {
  const http = new HttpClient({ timeoutMs: 10_000, now: () => midStep, ...settings })
  try {
    const target = new URL(url)
    return await http.exchange(http.connection(target), {
      method: 'GET',
      url: target,
      fields: [],
      mostBytes: 10_000,
    })
  } finally {
    http.close()
  }
}

async function call(url: string, settings: Partial<RouteSettings> = {}): Promise<RawAnswer> {
  const http = new HttpClient({ timeoutMs: 10_000, now: () => midStep, ...settings })
  const grpc: GrpcConnection = http.grpcConnection()
  try {
    return await grpc.call({ url: new URL(url), path: '/a.B/C', fields: [], message: Buffer.alloc(5) })
  } finally {
    http.close()
  }
}

const https = (options: ServerOptions = {}) =>
  listening(createServer({ ...server, ...options }, (_, response) => response.end('hello')))

const grpcOverTls = (options: ServerOptions = {}) => {
  const made = createSecureServer({ ...server, ...options })
  made.on('stream', (stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '5' })
    stream.end()
  })
  return listening(made)
}

describe.each(['TLSv1.2', 'TLSv1.3'] as const)(
  'an agent that demands a client certificate, in %s',
  (version) => {
    const versions = { minVersion: version, maxVersion: version }
    const mutual = (): ServerOptions => ({
      ...versions,
      ca: authority.ca,
      requestCert: true,
      rejectUnauthorized: true,
    })

    it.each([
      ['HTTP', https, get],
      ['gRPC', grpcOverTls, call],
    ] as const)('is named over %s, and let in with the right one', async (_, serve, ask) => {
      await using agent = await serve(mutual())
      const url = `https://127.0.0.1:${agent.port}`
      const { ca } = authority
      const without = await ask(url, { ca })
      expect(without).toMatchObject({ answered: false, reason: 'tls' })
      expect(without).toMatchObject({
        explanation: expect.stringContaining('the agent demands a client certificate') as string,
        hint: 'the agent demands a client certificate: pass --cert and --key',
      })
      expect(await ask(url, { ca, clientCertificate: client })).toMatchObject({ answered: true, status: 200 })
      const wrong = await ask(url, { ca, clientCertificate: strangers })
      expect(wrong).toMatchObject({ answered: false, reason: 'tls' })
      expect(JSON.stringify(wrong)).toContain('refuses this client certificate')
    })

    it('is not confused with one whose certificate is not trusted', async () => {
      await using agent = await https(mutual())
      const answer = await get(`https://127.0.0.1:${agent.port}`, { clientCertificate: client })
      expect(JSON.stringify(answer)).toContain('--ca FILE')
    })
  },
)

describe('what the certificate of an agent is wrong in', () => {
  /** Speaks both HTTP/1.1 and HTTP/2. */
  const hello = (issued: Issued) =>
    listening(createSecureServer({ ...issued, allowHTTP1: true }, (_, response) => response.end('hello')))

  it.each<[string, () => Issued, RegExp, RegExp]>([
    ['expired', () => authority.issue('IP:127.0.0.1', [-9, -1]), /has expired \(CERT_HAS_EXPIRED\)/, /renew/],
    [
      'not yet valid',
      () => authority.issue('IP:127.0.0.1', [1, 9]),
      /not valid yet \(CERT_NOT_YET_VALID\)/,
      /clock/,
    ],
    [
      'of another host',
      () => authority.issue('DNS:other.example'),
      /another host name \(ERR_TLS_CERT_ALTNAME_INVALID\)/,
      /subjectAltName/,
    ],
    [
      'of an unknown issuer',
      () => stranger.issue('IP:127.0.0.1'),
      /issuer of the certificate is not known/,
      /--ca FILE/,
    ],
  ])('is said: %s', async (_, issue, explanation, hint) => {
    await using agent = await hello(issue())
    const url = `https://127.0.0.1:${agent.port}`
    for (const answer of [await get(url, { ca: authority.ca }), await call(url, { ca: authority.ca })]) {
      expect(answer).toMatchObject({ answered: false, reason: 'tls' })
      expect(answer).toMatchObject({
        explanation: expect.stringMatching(explanation) as string,
        hint: expect.stringMatching(hint) as string,
      })
    }
  })

  it('fails tls with that hint, and nothing was sent', async () => {
    const seen: string[] = []
    const issued = authority.issue('DNS:other.example')
    await using agent = await listening(
      createServer({ ...issued }, ({ url = '' }, response) => {
        seen.push(url)
        response.end()
      }),
    )
    const url = `https://127.0.0.1:${agent.port}`
    const report = await probe({ ...probeOptions(url, stillClock(midStep)), ca: authority.ca })
    expect(findings(report)).toEqual({ tls: 'fail' })
    expect(report).toMatchObject({ reachable: true, guessesSpent: 0 })
    expect(report.checks.find(({ id }) => id === 'tls')?.detail).toMatch(/subjectAltName/)
    expect(seen).toEqual([])
  })

  it.each(['0', ''])('counts whatever NODE_TLS_REJECT_UNAUTHORIZED is: %j', async (value) => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', value)
    await using agent = await hello(authority.issue('IP:127.0.0.1', [-9, -1]))
    const url = `https://127.0.0.1:${agent.port}`
    expect(await get(url, { ca: authority.ca })).toMatchObject({ answered: false, reason: 'tls' })
    expect(await call(url, { ca: authority.ca })).toMatchObject({ answered: false, reason: 'tls' })
    vi.unstubAllEnvs()
  })
})

describe('a port that speaks something else', () => {
  it.each([
    ['HTTP', get],
    ['gRPC', call],
  ] as const)('is named where it has no TLS, over %s', async (_, ask) => {
    await using agent = await listening(createHttpServer((_request, response) => response.end()))
    const answer = await ask(`https://127.0.0.1:${agent.port}`)
    expect(answer).toMatchObject({ answered: false, reason: 'tls' })
    expect(JSON.stringify(answer)).toMatch(/does not speak TLS on this port.*http:\/\//)
  })

  it.each([
    ['with words', 'HTTP/1.1 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n'],
    [
      'with a page',
      'HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\n\r\n<title>400 The plain HTTP request was sent to HTTPS port</title>',
    ],
    ['with an alert', Buffer.from([0x15, 3, 1, 0, 2, 2, 70])],
  ])('is named where it has TLS and answers plain http %s', async (_, bytes) => {
    await using agent = await listening(
      createTcpServer((socket) => socket.once('data', () => socket.end(bytes))),
    )
    const answer = await get(`http://127.0.0.1:${agent.port}`)
    expect(answer).toMatchObject({ answered: false, reason: 'tls' })
    expect(JSON.stringify(answer)).toMatch(/port that speaks TLS.*https:\/\//)
  })

  it.each([
    ['HTTP', get],
    ['gRPC', call],
  ] as const)('is named where it has TLS and closes without a word, over %s', async (_, ask) => {
    await using agent = await https()
    const answer = await ask(`http://127.0.0.1:${agent.port}`)
    expect(answer).toMatchObject({ answered: false, reason: 'tls' })
    expect(JSON.stringify(answer)).toMatch(/port that speaks TLS.*https:\/\//)
  })

  it('is named where it demands a client certificate by a page, as nginx does', async () => {
    const page = '<html><head><title>400 No required SSL certificate was sent</title></head></html>'
    await using agent = await listening(
      createSecureServer({ ...server, allowHTTP1: true }, (_, response) => {
        response.writeHead(400, { 'content-type': 'text/html' }).end(page)
      }),
    )
    for (const ask of [get, call]) {
      const answer = await ask(`https://127.0.0.1:${agent.port}`, { ca: authority.ca })
      expect(answer).toMatchObject({ answered: false, reason: 'tls' })
      expect(JSON.stringify(answer)).toContain('pass --cert and --key')
    }
  })

  it('is named where no version of TLS is shared', async () => {
    const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
    await using agent = await https(old)
    const answer = await get(`https://127.0.0.1:${agent.port}`, { ca: authority.ca })
    expect(answer).toMatchObject({ answered: false, reason: 'tls' })
    expect(JSON.stringify(answer)).toContain('no version of TLS is shared')
  })

  it('is named where the server knows no such host', async () => {
    const made = createTlsServer({
      ...server,
      SNICallback: (_name, done) => done(new Error('no such host')),
    })
    made.on('tlsClientError', () => undefined)
    await using agent = await listening(made)
    const answer = await get(`https://localhost:${agent.port}`, { ca: authority.ca })
    expect(answer).toMatchObject({ answered: false, reason: 'tls' })
  })
})

describe('a client certificate that cannot be used', () => {
  it.each([
    ['no certificate', () => ({ cert: 'hello', key: client.key }), /--cert/],
    ['no key', () => ({ cert: client.cert, key: 'hello' }), /--key/],
    [
      'a key of another certificate',
      () => ({ cert: client.cert, key: strangers.key }),
      /not the key of --cert/,
    ],
    [
      'a broken key',
      () => ({ cert: client.cert, key: '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n' }),
      /--key/,
    ],
    [
      'a key with a passphrase',
      () => ({ cert: client.cert, key: client.key.replaceAll('PRIVATE', 'ENCRYPTED PRIVATE') }),
      /passphrase/,
    ],
  ])('is refused before anything is sent: %s', (_, pair, message) => {
    let error: unknown
    try {
      requireClientCertificate(pair())
    } catch (caught) {
      error = caught
    }
    expect(error).toMatchObject({ code: 'ERR_USAGE', message: expect.stringMatching(message) as string })
    expect(String(error)).not.toContain(pair().key.split('\n')[1] ?? 'hello')
  })
})
