import { once } from 'node:events'
import { existsSync, statSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { connect, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2'
import { join } from 'node:path'
import { connect as connectSocket } from 'node:net'
import { Client, credentials, Metadata, status, type ServiceError } from '@grpc/grpc-js'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { startAuthz } from '../../../src/sidecar/authz/start.js'
import { unobserved } from '../../support/unobserved.js'
import { authz, plain } from '../../support/authz.js'
import { temporaryFolder } from '../../support/folder.js'
import { answerTo } from '../../support/raw-socket.js'
import { Clock, headersOf, schemeFor, someInstant } from '../../support/guarded.js'
import { sendHttp2, sendRaw } from '../../support/signed-requests.js'

const folder = temporaryFolder()
const good = headersOf('alice', someInstant)
const fields = {
  totpstatus: '429',
  totpchallenges: '',
  totpretryafter: '17',
}
const refused = {
  totpstatus: '401',
  totpchallenges: 'Bearer realm="a2a", error="invalid_token", TOTP realm="a2a", header="X-TOTP"',
}

function session(port: number): ClientHttp2Session {
  const opened = connect(`http://127.0.0.1:${port}`)
  onTestFinished(() => opened.destroy())
  return opened
}

/** The head and the content of an answer over HTTP/2, and whether the head was all of it. */
function ask2(
  port: number,
  headers: Record<string, string>,
): Promise<{ head: IncomingHttpHeaders; body: string; isTrailersOnly: boolean }> {
  return new Promise((done, fail) => {
    const stream = session(port).request(headers)
    let head: IncomingHttpHeaders = {}
    let body = ''
    let isTrailersOnly = false
    stream.on('response', (given, flags) => {
      head = given
      // END_STREAM
      isTrailersOnly = (flags & 1) === 1
    })
    stream.on('data', (chunk: Buffer) => (body += chunk.toString()))
    stream.on('end', () => done({ head, body, isTrailersOnly }))
    stream.on('error', fail)
    stream.end()
  })
}

describe('the listener of forward authentication', () => {
  it('answers HTTP/2 at the same port', async () => {
    const { port } = await authz(schemeFor(new Clock()).scheme)
    expect((await sendHttp2(port, plain(good, { method: 'GET', target: '/auth/envoy/a' }))).status).toBe(200)
    expect((await sendHttp2(port, plain({}, { method: 'GET', target: '/auth/envoy/a' }))).status).toBe(401)
  })

  it("answers nginx's refused calls of gRPC in trailers alone", async () => {
    const { port } = await authz(schemeFor(new Clock()).scheme)
    const grpc = { ':method': 'POST', ':path': '/denied', 'content-type': 'application/grpc', te: 'trailers' }
    const limited = await ask2(port, { ...grpc, ...fields })
    expect(limited).toMatchObject({
      head: { ':status': 429, 'grpc-status': '8', 'retry-after': '17', 'content-type': 'application/grpc' },
      body: '',
      isTrailersOnly: true,
    })
    const { head } = await ask2(port, { ...grpc, ...refused })
    expect(head).toMatchObject({
      'grpc-status': '16',
      'grpc-message': 'a bearer token and a valid one-time code are required',
      'www-authenticate': 'Bearer realm="a2a", error="invalid_token", TOTP realm="a2a", header="X-TOTP"',
    })
    for (const given of ['0', '200', '', 'OK']) {
      const { head } = await ask2(port, { ...grpc, totpstatus: given })
      // A front that asks there by mistake lets nothing in.
      expect(head).toMatchObject({ ':status': 503, 'grpc-status': '14' })
    }
  })

  it('tells a client of gRPC why it was refused, by the path that nginx rewrites', async () => {
    const { port } = await authz(schemeFor(new Clock()).scheme)
    const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure())
    onTestFinished(() => client.close())
    const metadata = new Metadata()
    for (const [key, value] of Object.entries(refused)) metadata.add(key, value)
    const error = await new Promise<ServiceError | null>((done) => {
      const same = (bytes: Buffer): Buffer => bytes
      client.makeUnaryRequest('/denied', same, same, Buffer.of(1), metadata, (given) => done(given))
    })
    expect(error).toMatchObject({
      code: status.UNAUTHENTICATED,
      details: 'a bearer token and a valid one-time code are required',
    })
    expect(error?.metadata.get('www-authenticate')).toHaveLength(1)
  })

  it.each([
    ['two of Host', 'GET /auth/nginx HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
    ['an absolute form', 'GET http://a/auth/nginx HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a fragment', 'GET /auth/envoy/a#/b HTTP/1.1\r\nHost: a\r\n\r\n'],
    [
      'a Content-Length beside a Transfer-Encoding',
      'POST /auth/nginx HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    [
      'another Transfer-Encoding',
      'POST /auth/nginx HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
    ],
  ])('answers 400 to %s', async (_what, head) => {
    const { port } = await authz(schemeFor(new Clock()).scheme)
    const socket = connectSocket(port, '127.0.0.1', () => socket.write(head))
    onTestFinished(() => void socket.destroy())
    const first = await new Promise<string>((done) =>
      socket.once('data', (data: Buffer) => done(data.toString())),
    )
    expect(first).toMatch(/^HTTP\/1\.1 400 /)
  })

  it('tells nginx of a field that cannot be read as of a refusal, others as it is, and logs both', async () => {
    const { port, calls } = await authz(schemeFor(new Clock()).scheme)
    const odd = ['Host: a', 'X-Odd: a\x01b', '', '']
    const heard = await answerTo(port, 'GET /auth/nginx HTTP/1.0', ...odd)
    expect(heard).toMatch(/^HTTP\/1\.1 401 /)
    expect(heard).toMatch(/^TotpStatus: 400\r$/m)
    expect(heard).not.toMatch(/www-authenticate/i)
    expect(await answerTo(port, 'GET /auth/caddy HTTP/1.1', ...odd)).toMatch(/^HTTP\/1\.1 400 /)
    expect(calls.map((call) => [call.path, call.status, call.own])).toEqual([
      ['/auth/nginx', '400', 'bad-request'],
      ['', '400', 'bad-request'],
    ])
    const replay = ['Host: a', 'TotpStatus: 400', 'Connection: close', '', '']
    expect(await answerTo(port, 'GET /denied HTTP/1.1', ...replay)).toMatch(/^HTTP\/1\.1 400 /)
  })

  it('takes a request of HTTP/1.0, as nginx sends it', async () => {
    const { port } = await authz(schemeFor(new Clock()).scheme)
    const lines = Object.entries(good).map(([name, value]) => `${name}: ${value}`)
    const socket = connectSocket(port, '127.0.0.1', () => {
      socket.write(
        ['GET /auth/nginx HTTP/1.0', 'Host: gate', 'Connection: close', ...lines, '', ''].join('\r\n'),
      )
    })
    const answer = await new Promise<string>((done) => {
      let text = ''
      socket.on('data', (data: Buffer) => (text += data.toString())).on('close', () => done(text))
    })
    expect(answer).toMatch(/^HTTP\/1\.[01] 200 .*\r\nTotpPeer: alice\r\n/s)
  })

  it('reports what was decided for a front that has left by then', async () => {
    let release: () => void = () => undefined
    let reached: () => void = () => undefined
    const asked = new Promise<void>((done) => (reached = done))
    const held = new Promise<void>((done) => (release = done))
    const state = {
      supports: { once: true, proofs: true },
      decide: async () => {
        reached()
        await held
        return { kind: 'accepted' } as const
      },
    }
    const { port, calls } = await authz(schemeFor(new Clock(), { state }).scheme)
    const lines = Object.entries(good).map(([name, value]) => `${name}: ${value}`)
    const socket = connectSocket(port, '127.0.0.1', () => {
      socket.write(['GET /auth/caddy HTTP/1.1', 'Host: gate', ...lines, '', ''].join('\r\n'))
    })
    await asked
    socket.destroy()
    await once(socket, 'close')
    // The server hears of it in one of the next turns.
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
    release()
    await vi.waitFor(() => expect(calls).toMatchObject([{ outcome: { caller: { peer: 'alice' } } }]))
  })

  it('answers 431 to a head of more than 16 kB', async () => {
    const { port } = await authz(schemeFor(new Clock()).scheme)
    const answer = await sendRaw(
      port,
      plain({ 'X-Long': 'a'.repeat(17 * 1024) }, { method: 'GET', target: '/auth/nginx' }),
    )
    expect(answer.status).toBe(431)
  })
})

describe('a unix socket', () => {
  const overSocket = (socketPath: string, headers: Record<string, string>): Promise<number | undefined> =>
    new Promise((done, fail) => {
      httpRequest({ socketPath, path: '/auth/caddy', headers }, (res) => {
        res.resume()
        done(res.statusCode)
      })
        .on('error', fail)
        .end()
    })

  it('is for its owner alone, needs no token for fronts, and goes when the gate does', async () => {
    const path = join(folder, 'authz.sock')
    const { scheme } = schemeFor(new Clock())
    const running = await startAuthz({
      scheme,
      http: { socket: path },
      identityOf: ({ peer }) => [['TotpPeer', peer]],
      bodyUnchecked: false,
      hasUpstream: false,
      observer: unobserved,
    })
    try {
      expect(running.listeners).toEqual([{ role: 'authz', url: `unix:${path}`, agent: '' }])
      expect(statSync(path).mode & 0o777).toBe(0o600)
      expect(await overSocket(path, good)).toBe(200)
      expect(await overSocket(path, {})).toBe(401)
    } finally {
      await running.close()
    }
    expect(existsSync(path)).toBe(false)
  })
})
