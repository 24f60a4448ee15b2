import { createServer as createHttpServer, type IncomingMessage } from 'node:http'
import { createSecureServer } from 'node:http2'
import { createServer as createHttpsServer } from 'node:https'
import { connect, createServer as createTcpServer, type Socket } from 'node:net'
import { beforeAll, describe, expect, it } from 'vitest'
import { probe } from '../../src/probe/index.js'
import { chooseProxy } from '../../src/probe/target/proxy-choice.js'
import { HttpClient } from '../../src/probe/wire/http.js'
import type { RawAnswer } from '../../src/probe/wire/raw-answer.js'
import type { RouteSettings } from '../../src/probe/wire/route.js'
import { makeAuthority, type Authority, type Issued } from '../support/authority.js'
import { listening } from '../support/listening.js'
import { midStep, probeOptions, stillClock } from '../support/probing.js'

let authority: Authority
let issued: Issued
beforeAll(() => {
  authority = makeAuthority()
  issued = authority.issue('DNS:agent.example,DNS:proxy.example,IP:127.0.0.1')
})

/** An agent that only a proxy knows how to reach: its name has no address. */
const agent = () => {
  const server = createSecureServer({ ...issued, allowHTTP1: true }, (request, response) => {
    if (request.httpVersion === '1.1') response.end(`hello ${request.headers.host ?? ''}`)
    else response.writeHead(200, { 'content-type': 'application/grpc', 'grpc-status': '5' }).end()
  })
  return listening(server)
}

/** A proxy by CONNECT that leads every name to one port. What it sees in clear is kept. */
async function proxyTo(port: number, { tls = false, answer = 200 } = {}) {
  const asked: { target: string; authorization: string | undefined }[] = []
  const server = tls ? createHttpsServer(issued) : createHttpServer()
  const seen: Buffer[] = []
  server.on('request', (_request, response) => response.writeHead(500).end('no CONNECT'))
  server.on('connect', ({ url = '', headers }: IncomingMessage, socket: Socket) => {
    asked.push({ target: url, authorization: headers['proxy-authorization'] })
    if (answer !== 200) {
      socket.end(`HTTP/1.1 ${answer} Reason of the proxy\r\nContent-Length: 0\r\n\r\n`)
      return
    }
    const inner = connect(port, '127.0.0.1')
    inner.on('error', () => socket.destroy())
    socket.on('error', () => inner.destroy()).on('close', () => inner.destroy())
    socket.on('data', (chunk: Buffer) => seen.push(chunk))
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
    socket.pipe(inner).pipe(socket)
  })
  const started = await listening(server)
  const clear = (): string => Buffer.concat(seen).toString('latin1')
  return { ...started, asked, clear, [Symbol.asyncDispose]: started[Symbol.asyncDispose] }
}

async function ask(
  binding: 'HTTP' | 'gRPC',
  url: string,
  settings: Partial<RouteSettings>,
): Promise<RawAnswer> {
  const client = new HttpClient({ timeoutMs: 10_000, now: () => midStep, ca: authority.ca, ...settings })
  const target = new URL(url)
  const fields = [['X-TOTP', '123456']] as const
  try {
    return binding === 'gRPC'
      ? await client.grpcConnection().call({ url: target, path: '/a.B/C', fields, message: Buffer.alloc(5) })
      : await client.exchange(client.connection(target), {
          method: 'GET',
          url: target,
          fields,
          mostBytes: 10_000,
        })
  } finally {
    client.close()
  }
}

const both = ['HTTP', 'gRPC'] as const

describe('an agent that is reached through a proxy', () => {
  it.each(both)('is asked over %s, and nothing of it passes in clear', async (binding) => {
    await using server = await agent()
    await using proxy = await proxyTo(server.port)
    const choice = chooseProxy({ HTTPS_PROXY: `http://us%40er:pass@127.0.0.1:${proxy.port}` })
    const answer = await ask(binding, 'https://agent.example:8443', { proxy: choice })
    expect(answer).toMatchObject({ answered: true, status: 200 })
    expect(proxy.asked).toEqual([
      {
        target: 'agent.example:8443',
        authorization: `Basic ${Buffer.from('us@er:pass').toString('base64')}`,
      },
    ])
    expect(proxy.clear().length).toBeGreaterThan(200)
    expect(proxy.clear()).not.toMatch(/x-totp|123456|hello/i)
  })

  it.each(both)('is insisted on to have a trusted certificate, over %s', async (binding) => {
    await using server = await agent()
    await using proxy = await proxyTo(server.port)
    const choice = chooseProxy({}, `http://127.0.0.1:${proxy.port}`)
    const answer = await ask(binding, 'https://agent.example', { proxy: choice, ca: makeAuthority().ca })
    expect(answer).toMatchObject({ answered: false, reason: 'tls' })
  })

  it.each(both)('is told apart from the proxy, which answers for itself, over %s', async (binding) => {
    for (const [status, hint] of [
      [407, /A2A_TOTP_PROXY_PASSWORD/],
      [403, /does not let/],
      [502, /does not reach the agent/],
      [504, /does not reach the agent/],
    ] as const) {
      await using proxy = await proxyTo(1, { answer: status })
      const choice = chooseProxy({}, `http://127.0.0.1:${proxy.port}`)
      expect(await ask(binding, 'https://agent.example', { proxy: choice })).toMatchObject({
        answered: false,
        reason: 'unreachable',
        explanation: `the proxy 127.0.0.1:${proxy.port} answered ${status} to CONNECT`,
        hint: expect.stringMatching(hint) as string,
      })
    }
  })

  it('is not reached by a proxy that is not there, or says nothing, or speaks no HTTP', async () => {
    const through = (port: number) =>
      ask('HTTP', 'https://agent.example', {
        timeoutMs: 300,
        proxy: chooseProxy({}, `http://127.0.0.1:${port}`),
      })
    expect(await through(1)).toMatchObject({
      reason: 'unreachable',
      explanation: 'the proxy 127.0.0.1:1 cannot be used: no connection (ECONNREFUSED)',
    })
    await using silent = await listening(createTcpServer())
    expect(await through(silent.port)).toMatchObject({
      reason: 'timeout',
      explanation: `no answer of the proxy 127.0.0.1:${silent.port} to CONNECT within 300 ms`,
    })
    await using odd = await listening(createTcpServer((socket) => socket.end('SSH-2.0-x\r\n')))
    expect(await through(odd.port)).toMatchObject({
      reason: 'unreachable',
      explanation: expect.stringContaining(`the proxy 127.0.0.1:${odd.port} cannot be used`) as string,
    })
  })

  it('may have a proxy that speaks TLS itself, with a certificate that is trusted', async () => {
    await using server = await agent()
    await using proxy = await proxyTo(server.port, { tls: true })
    const choice = chooseProxy({}, `https://127.0.0.1:${proxy.port}`)
    for (const binding of both) {
      const answer = await ask(binding, 'https://agent.example', { proxy: choice })
      expect(answer).toMatchObject({ answered: true, status: 200 })
    }
    const distrusted = await ask('HTTP', 'https://agent.example', { proxy: choice, ca: makeAuthority().ca })
    expect(distrusted).toMatchObject({ answered: false, reason: 'unreachable' })
  })

  it('is never one on this machine, nor one over plain http', async () => {
    await using server = await agent()
    await using plain = await listening(createHttpServer((_request, response) => response.end('hello')))
    await using proxy = await proxyTo(server.port)
    const always = () => ({ url: new URL(`http://127.0.0.1:${proxy.port}`) })
    await ask('HTTP', `https://127.0.0.1:${server.port}`, { proxy: always })
    await ask('gRPC', `https://127.0.0.1:${server.port}`, { proxy: always })
    // To the URL parser this is no loopback address, but it leads there.
    const beyond = `http://[::ffff:127.0.0.1]:${plain.port}`
    expect(await ask('HTTP', beyond, { proxy: always })).toMatchObject({ answered: true, body: 'hello' })
    expect(proxy.asked).toEqual([])
    expect(proxy.connections()).toBe(0)
  })

  it('is reported with the name of the proxy, without its credentials', async () => {
    await using server = await agent()
    await using proxy = await proxyTo(server.port)
    const choice = chooseProxy({ https_proxy: `http://someone:hush@127.0.0.1:${proxy.port}` })
    const options = probeOptions('https://agent.example', stillClock(midStep))
    const report = await probe({ ...options, proxy: choice, ca: authority.ca, binding: 'jsonrpc' })
    const reach = report.checks.find(({ id }) => id === 'reach')
    expect(reach).toMatchObject({ status: 'pass', detail: `through the proxy 127.0.0.1:${proxy.port}` })
    expect(JSON.stringify(report)).not.toMatch(/hush|someone/)
    expect(proxy.asked.length).toBeGreaterThan(0)
  })
})

describe('the choice of a proxy', () => {
  const at = (env: Record<string, string>, url: string, given?: string): string | undefined =>
    chooseProxy(env, given)(new URL(url))?.url.href

  const target = 'https://api.agent.example:8443/x'
  it.each([
    [{ HTTPS_PROXY: 'http://p.example:3128' }, 'http://p.example:3128/'],
    [{ https_proxy: 'http://low.example', HTTPS_PROXY: 'http://up.example' }, 'http://low.example/'],
    [{ https_proxy: '', HTTPS_PROXY: 'http://up.example' }, 'http://up.example/'],
    [{ ALL_PROXY: 'https://all.example' }, 'https://all.example/'],
    [{ all_proxy: 'p.example:3128' }, 'http://p.example:3128/'],
    [{ HTTP_PROXY: 'http://p.example' }, undefined],
    [{}, undefined],
  ] as [Record<string, string>, string | undefined][])('follows the environment: %o', (env, expected) => {
    expect(at(env, target)).toBe(expected)
    expect(at(env, target.replace('https:', 'http:'))).toBeUndefined()
    for (const own of ['localhost', '127.0.0.1', '127.8.8.8', '[::1]']) {
      expect(at(env, `https://${own}:8443`)).toBeUndefined()
    }
  })

  it.each([
    ['*', true],
    ['agent.example', true],
    ['.agent.example', true],
    ['*.agent.example', true],
    ['AGENT.example', true],
    ['other.example, api.agent.example', true],
    ['other.example api.agent.example:8443', true],
    ['api.agent.example:443', false],
    ['gent.example', false],
    ['i.agent.example', false],
    ['', false],
    [',', false],
  ])('leaves out what NO_PROXY names: %j', (noProxy, without) => {
    const env = { HTTPS_PROXY: 'http://p.example', NO_PROXY: noProxy }
    expect(at(env, target) === undefined).toBe(without)
    expect(at({ no_proxy: noProxy }, target, 'http://p.example') === undefined).toBe(without)
  })

  it.each([
    ['https://192.0.2.7', '192.0.2.7', true],
    ['https://192.0.2.7', '192.0.2.0/24', true],
    ['https://192.0.2.7', '192.0.3.0/24', false],
    ['https://192.0.2.7', '192.0.2.0/99', false],
    ['https://192.0.2.7', '2.7', false],
    ['https://[2001:db8::1]', '2001:db8::1', true],
    ['https://[2001:db8::1]', '[2001:DB8:0::1]', true],
    ['https://[2001:db8::1]:8443', '[2001:db8::1]:8443', true],
    ['https://[2001:db8::1]', '[2001:db8::1]:8443', false],
    ['https://[2001:db8::1]', '2001:db8::/32', true],
    ['https://[2001:db8::1]', '192.0.2.0/24', false],
  ])('reads addresses and networks: %s, %s', (url, noProxy, without) => {
    expect(at({ HTTPS_PROXY: 'http://p.example', NO_PROXY: noProxy }, url) === undefined).toBe(without)
  })

  it('takes the user from --proxy and the password from its variable', () => {
    const choice = chooseProxy({ A2A_TOTP_PROXY_PASSWORD: 'pa:ss' }, 'http://user@p.example:3128')
    expect(choice(new URL(target))).toEqual({
      url: new URL('http://p.example:3128'),
      authorization: `Basic ${Buffer.from('user:pa:ss').toString('base64')}`,
    })
  })

  it.each(['http://user:hush@p.example', 'socks5://p.example', 'ftp://p.example', '', 'http://'])(
    'refuses --proxy %j, and quotes nothing of it',
    (given) => {
      expect(() => chooseProxy({}, given)).toThrow(
        expect.objectContaining({
          code: 'ERR_USAGE',
          message: expect.not.stringMatching(/hush|user|p\.example/) as string,
        }),
      )
    },
  )

  it('refuses a variable that names no such proxy, where it would be used', () => {
    const choice = chooseProxy({ ALL_PROXY: 'socks5://user:hush@p.example' })
    expect(choice(new URL('https://127.0.0.1'))).toBeUndefined()
    expect(() => choice(new URL(target))).toThrow(/^\$ALL_PROXY names no proxy that can be used/)
    expect(() => choice(new URL(target))).not.toThrow(/hush/)
  })
})
