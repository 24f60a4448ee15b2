import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { totpFetch } from '../../src/client/index.js'
import { FakeClock, schemeOn, token } from '../support/client-scheme.js'
import { codeOf } from '../support/failure.js'
import { fieldsOf, record, type RecordingServer } from '../support/recording-server.js'

let clock: FakeClock
let agent: RecordingServer
beforeEach(async () => {
  clock = new FakeClock()
  agent = await record()
})
afterEach(() => agent[Symbol.asyncDispose]())

const fetchOn = (options: Parameters<typeof totpFetch>[1] = {}) => totpFetch(schemeOn(clock), options)

/** The credentials of a recorded request, every field line of them. */
function credentialsOf(server: RecordingServer, index = 0) {
  const request = server.requests[index]
  if (!request) throw new Error(`there was no request ${index}`)
  return { authorization: fieldsOf(request, 'authorization'), code: fieldsOf(request, 'x-totp') }
}

const fresh = () => ({ authorization: [`Bearer ${token}`], code: [clock.code()] })

describe('a request', () => {
  it('carries token and code, made when it is sent', async () => {
    const fetch = fetchOn()
    for (const index of [0, 1, 2]) {
      clock.advance(30)
      await fetch(`${agent.origin}/a2a`, { method: 'POST', body: 'x' })
      expect(credentialsOf(agent, index)).toEqual(fresh())
    }
  })

  const stale = 'Bearer stale'
  it.each([
    [
      'an object with two spellings',
      { Authorization: stale, authorization: stale, 'x-totp': '1', 'X-TOTP': '2' },
    ],
    [
      'a list',
      [
        ['AUTHORIZATION', stale],
        ['X-Totp', '1'],
        ['x-totp', '2'],
      ],
    ],
    ['Headers', new Headers({ authorization: stale, 'x-totp': '1' })],
  ] as [string, RequestInit['headers']][])('drops stale credentials in %s', async (_what, headers) => {
    await fetchOn()(agent.origin, { headers: headers ?? {} })
    expect(credentialsOf(agent)).toEqual(fresh())
  })

  it('drops a stale Authorization even if the delegate has none to put in its place', async () => {
    const scheme = schemeOn(clock, { delegate: { headers: () => Promise.resolve({ 'X-Api-Key': 'k' }) } })
    await totpFetch(scheme)(agent.origin, { headers: { authorization: stale, 'X-TOTP': '1' } })
    expect(credentialsOf(agent)).toEqual({ authorization: [], code: [clock.code()] })
  })

  it('keeps method, body and the other headers', async () => {
    const body = JSON.stringify({ jsonrpc: '2.0' })
    const headers = { 'Content-Type': 'application/json', 'A2A-Version': '1.0' }
    await fetchOn()(new URL('/a2a?x=1', agent.origin), { method: 'PUT', body, headers })
    const [request] = agent.requests
    expect(request).toMatchObject({ method: 'PUT', path: '/a2a?x=1', body })
    expect(request && fieldsOf(request, 'content-type')).toEqual(['application/json'])
    expect(request && fieldsOf(request, 'a2a-version')).toEqual(['1.0'])
  })

  it('may be a Request, which init overrides', async () => {
    const headers = { 'X-TOTP': '1', 'X-Other': 'o' }
    const request = new Request(`${agent.origin}/r`, { method: 'POST', body: 'from the request', headers })
    await fetchOn()(request)
    expect(agent.requests[0]).toMatchObject({ method: 'POST', path: '/r', body: 'from the request' })
    expect(credentialsOf(agent)).toEqual(fresh())
    await fetchOn()(new Request(`${agent.origin}/r`, { headers }), { method: 'POST', body: 'from init' })
    expect(agent.requests[1]).toMatchObject({ method: 'POST', body: 'from init' })
    expect(agent.requests[1] && fieldsOf(agent.requests[1], 'x-other')).toEqual(['o'])
  })

  it('may have a stream for its body', async () => {
    const body = new Blob(['streamed']).stream()
    await fetchOn()(agent.origin, { method: 'POST', body, duplex: 'half' })
    expect(agent.requests[0]?.body).toBe('streamed')
  })

  it('does not change what it was given', async () => {
    const init = Object.freeze({ headers: Object.freeze({ 'x-totp': '1' }) })
    await fetchOn()(agent.origin, init)
    expect(init).toEqual({ headers: { 'x-totp': '1' } })
  })

  it('can be aborted', async () => {
    await using silent = await record(() => undefined)
    const abort = new AbortController()
    const pending = fetchOn()(silent.origin, { signal: abort.signal })
    setTimeout(() => abort.abort(), 20)
    await expect(pending).rejects.toMatchObject({ name: 'AbortError' })
    const aborted = new Request(agent.origin, { signal: AbortSignal.abort() })
    await expect(fetchOn({ origins: [agent.origin] })(aborted)).rejects.toMatchObject({ name: 'AbortError' })
    expect(agent.requests).toEqual([])
  })

  it('goes through the fetch that was given, as a URL and plain headers', async () => {
    const calls: unknown[] = []
    const fetch: typeof globalThis.fetch = (input, init) => {
      calls.push([input, init?.headers])
      return Promise.resolve(new Response('ok'))
    }
    await fetchOn({ fetch })('https://agent.example/a2a', { headers: { A: 'b' } })
    expect(calls).toEqual([
      ['https://agent.example/a2a', { a: 'b', authorization: `Bearer ${token}`, 'x-totp': clock.code() }],
    ])
  })
})

describe('a redirect on the same origin', () => {
  const redirecting = (status: number) =>
    record(({ path, method }, response) => {
      if (path !== '/from') return void response.end(method)
      clock.advance(30)
      response.writeHead(status, { Location: '/to' }).end('moved')
    })

  it.each([
    [301, 'POST', 'GET'],
    [302, 'POST', 'GET'],
    [303, 'POST', 'GET'],
    [303, 'PUT', 'GET'],
    [307, 'POST', 'POST'],
    [308, 'POST', 'POST'],
    [302, 'PUT', 'PUT'],
    [301, 'GET', 'GET'],
    [303, 'HEAD', 'HEAD'],
  ])('%d turns a %s into a %s with a code of its own', async (status, method, then) => {
    await using server = await redirecting(status)
    const hasBody = method === 'POST' || method === 'PUT'
    const headers = { 'Content-Type': 'text/x', 'X-Kept': 'k' }
    const response = await fetchOn()(`${server.origin}/from`, {
      method,
      headers,
      ...(hasBody ? { body: 'b' } : {}),
    })
    expect(response.status).toBe(200)
    const second = server.requests[1]
    expect(second).toMatchObject({ method: then, path: '/to', body: hasBody && then === method ? 'b' : '' })
    expect(second && fieldsOf(second, 'x-kept')).toEqual(['k'])
    expect(second && fieldsOf(second, 'content-type')).toEqual(then === method ? ['text/x'] : [])
    expect(credentialsOf(server, 1)).toEqual(fresh())
    expect(credentialsOf(server, 0).code).not.toEqual(credentialsOf(server, 1).code)
  })

  it('is refused with 307 when the body was a stream', async () => {
    await using server = await redirecting(307)
    const body = new Blob(['x']).stream()
    const pending = fetchOn()(`${server.origin}/from`, { method: 'POST', body, duplex: 'half' })
    await expect(pending).rejects.toMatchObject({ code: 'ERR_AGENT_UNREACHABLE' })
    expect(server.requests).toHaveLength(1)
  })

  it('is not followed when the caller wants to see it, or wants none', async () => {
    await using server = await redirecting(307)
    const shown = await fetchOn()(`${server.origin}/from`, { redirect: 'manual' })
    expect(shown.status).toBe(307)
    await expect(fetchOn()(`${server.origin}/from`, { redirect: 'error' })).rejects.toThrow(TypeError)
    expect(server.requests).toHaveLength(2)
  })

  it('without a Location is an answer like any other', async () => {
    await using server = await record((_request, response) => response.writeHead(307).end('x'))
    expect((await fetchOn()(server.origin)).status).toBe(307)
  })

  it('to something that is no URL is an error', async () => {
    await using server = await record((_request, response) =>
      response.writeHead(307, { Location: 'http://[' }).end(),
    )
    await expect(fetchOn()(server.origin)).rejects.toMatchObject({ code: 'ERR_AGENT_UNREACHABLE' })
  })

  it('is followed no more than 20 times', async () => {
    await using server = await record((_request, response) =>
      response.writeHead(302, { Location: '/' }).end(),
    )
    await expect(fetchOn()(server.origin)).rejects.toMatchObject({ code: 'ERR_AGENT_UNREACHABLE' })
    expect(server.requests).toHaveLength(21)
  })
})

describe('a redirect to another origin', () => {
  it.each([301, 302, 303, 307, 308])('with %d takes neither token nor code along', async (status) => {
    await using other = await record()
    await using server = await record((_request, response) =>
      response.writeHead(status, { Location: `${other.origin}/x` }).end(),
    )
    const origins = [server.origin, other.origin]
    for (const options of [{}, { origins }]) {
      const pending = fetchOn(options)(server.origin, { method: 'POST', body: 'b' })
      await expect(pending).rejects.toMatchObject({
        code: 'ERR_HOST_FORBIDDEN',
        message: expect.stringContaining(other.origin) as string,
      })
    }
    expect(other.requests).toEqual([])
  })
})

describe('the destination', () => {
  it('is pinned to the origin of the first request', async () => {
    await using other = await record()
    const fetch = fetchOn()
    await fetch(agent.origin)
    await expect(fetch(other.origin)).rejects.toMatchObject({ code: 'ERR_HOST_FORBIDDEN' })
    await expect(fetch(agent.origin.replace('127.0.0.1', 'localhost'))).rejects.toMatchObject({
      code: 'ERR_HOST_FORBIDDEN',
    })
    expect(other.requests).toEqual([])
    expect((await fetch(`${agent.origin}/again`)).ok).toBe(true)
  })

  it('may be one of several origins, and no other', async () => {
    await using other = await record()
    const fetch = fetchOn({ origins: [`${other.origin}/with/a/path`, 'https://agent.example'] })
    expect((await fetch(other.origin)).ok).toBe(true)
    await expect(fetch(agent.origin)).rejects.toMatchObject({ code: 'ERR_HOST_FORBIDDEN' })
    expect(agent.requests).toEqual([])
  })

  it.each(['agent.example', '', 'ftp://agent.example', 'data:,x'])('may not be %j', (origin) => {
    expect(codeOf(() => fetchOn({ origins: [origin] }))).toBe('ERR_CONFIG_INVALID')
  })

  const unsent: typeof globalThis.fetch = () => Promise.resolve(new Response('sent'))

  it.each([
    ...[
      'http://agent.example/',
      'http://192.168.0.1/',
      'http://127.0.0.1.example/',
      'http://localhost.example/',
    ],
    // Names that a resolver may answer with any address.
    ...['http://agent.localhost/', 'http://localhost./', 'http://[::ffff:127.0.0.1]/'],
    ...['http://[::2]/', 'http://0.0.0.0/', 'ftp://127.0.0.1/', 'data:,x', 'ws://127.0.0.1/'],
  ])('is not %s, which nothing protects on the way', async (url) => {
    await expect(fetchOn({ fetch: unsent })(url)).rejects.toMatchObject({ code: 'ERR_INSECURE_TRANSPORT' })
  })

  it.each([
    ...['https://agent.example/', 'http://localhost:1/', 'http://127.1/', 'http://127.9.9.9/'],
    ...['http://[::1]:8/', 'http://0x7f.1/', 'http://LOCALHOST/'],
  ])('may be %s', async (url) => {
    expect(await (await fetchOn({ fetch: unsent })(url)).text()).toBe('sent')
  })

  it('may be plain http when that is said in so many words, but nothing other than http', async () => {
    const fetch = fetchOn({ fetch: unsent, allowInsecureHttp: true })
    expect((await fetch('http://agent.example/')).ok).toBe(true)
    await expect(fetch('ftp://agent.example/')).rejects.toMatchObject({ code: 'ERR_INSECURE_TRANSPORT' })
  })

  it('is not pinned by a request that was not sent', async () => {
    const fetch = fetchOn()
    await expect(fetch('http://agent.example/')).rejects.toMatchObject({ code: 'ERR_INSECURE_TRANSPORT' })
    expect((await fetch(agent.origin)).ok).toBe(true)
  })
})

describe('a refused code', () => {
  /** Refuses everything, after so many seconds. */
  const refusing = (seconds: number) =>
    record((_request, response) => {
      clock.advance(seconds)
      response.writeHead(401).end('no')
    })

  it('is not sent again', async () => {
    await using server = await refusing(29)
    const response = await fetchOn()(server.origin, { method: 'POST', body: 'b' })
    expect([response.status, await response.text()]).toEqual([401, 'no'])
    expect(server.requests).toHaveLength(1)
  })

  it('gives way to a new one, once, when its step ended on the way', async () => {
    await using server = await refusing(30)
    const first = clock.code()
    const response = await fetchOn()(server.origin, { method: 'POST', body: 'b' })
    expect(response.status).toBe(401)
    expect(server.requests.map(({ body }) => body)).toEqual(['b', 'b'])
    const second = credentialsOf(server, 1).code
    expect(credentialsOf(server, 0).code).toEqual([first])
    expect(second).not.toEqual([first])
  })

  it('is final when the body was a stream', async () => {
    await using server = await refusing(30)
    const body = new Blob(['x']).stream()
    expect((await fetchOn()(server.origin, { method: 'POST', body, duplex: 'half' })).status).toBe(401)
    expect(server.requests).toHaveLength(1)
  })
})

describe('a redirect on the same host', () => {
  it.each([
    ['http://127.0.0.1:8080/a', 'https://127.0.0.1:8080/a'],
    ['http://127.0.0.1/a', 'https://127.0.0.1/a'],
    ['https://agent.example/a', 'http://agent.example/a'],
    ['https://agent.example/a', 'https://agent.example:8443/a'],
    ['https://agent.example/a', 'https://agent.example./a'],
    ['https://agent.example/a', 'https://me@agent.example.evil.example/a'],
    ['https://agent.example/a', '//evil.example/a'],
    ['https://agent.example/a', '\\\\evil.example/a'],
  ])('is not one on the same origin: from %s to %s', async (from, to) => {
    const sent: string[] = []
    const send: typeof globalThis.fetch = (input) => {
      sent.push(input as string)
      return Promise.resolve(new Response(null, { status: 307, headers: { Location: to } }))
    }
    const origins = [from, ...(URL.canParse(to) ? [to] : [])]
    await expect(fetchOn({ fetch: send, origins })(from)).rejects.toMatchObject({
      code: 'ERR_HOST_FORBIDDEN',
    })
    expect(sent).toEqual([from])
  })
})
