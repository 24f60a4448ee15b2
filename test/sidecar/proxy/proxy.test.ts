import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { credentials as grpcCredentials, makeClientConstructor, Metadata, status } from '@grpc/grpc-js'
import { describe, expect, it, vi } from 'vitest'
import { Token } from '../../../src/core/token.js'
import { makeAuthority } from '../../support/authority.js'
import { clientAgent } from '../../support/client-agent.js'
import { makeFolder } from '../../support/cli.js'
import { FakeClock, token } from '../../support/client-scheme.js'
import { proxied } from '../../support/proxied.js'
import { fieldsOf, listen, record } from '../../support/recording-server.js'

const post = (url: string, body = '{}', headers: Record<string, string> = {}): Promise<Response> =>
  fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } })

/** What a raw socket is answered. */
async function raw(url: string, request: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  // Not before: a client that closes its side has left.
  socket.once('data', () => socket.end())
  socket.write(request)
  return text(socket)
}

const errorOf = async (response: Response): Promise<unknown> =>
  ((await response.json()) as { error: unknown }).error

/** A JSON-RPC request that only reads. */
const getTask = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'GetTask', params: { id: 'none' } })

describe('a request through the proxy', () => {
  it('has token, code and proof of its own, and none of what the client sent in their place', async () => {
    const clock = new FakeClock()
    await using agent = await record()
    const { url } = await proxied(agent.origin, { clock })
    const fields = [
      ...[
        'Authorization: Bearer mine',
        'X-TOTP: 000000',
        'x_totp: 000000',
        'Signature: a=:b:',
        'X-Kept: yes',
      ],
      ...[
        'Signature-Input: a=("x")',
        'Content-Digest: sha-256=:x:',
        'Connection: close, X-Hop',
        'X-Hop: secret',
      ],
      ...['Proxy-Authorization: Basic x', 'TE: trailers', 'Keep-Alive: 5', 'Content-Length: 2'],
    ]
    await raw(
      url,
      `POST /rpc?a=b HTTP/1.1\r\nHost: localhost:${new URL(url).port}\r\n${fields.join('\r\n')}\r\n\r\n{}`,
    )
    const [request] = agent.requests
    if (!request) throw new Error('nothing arrived')
    expect(request.path).toBe('/rpc?a=b')
    expect(fieldsOf(request, 'authorization')).toEqual([`Bearer ${token}`])
    expect(fieldsOf(request, 'x-totp')).toEqual([clock.code()])
    for (const name of ['signature', 'signature-input', 'content-digest'])
      expect(fieldsOf(request, name)).toHaveLength(1)
    expect(fieldsOf(request, 'x-kept')).toEqual(['yes'])
    for (const name of ['x_totp', 'x-hop', 'proxy-authorization', 'te', 'keep-alive']) {
      expect(fieldsOf(request, name)).toEqual([])
    }
    expect(JSON.stringify(request)).not.toMatch(/mine|123321|secret/)
  })

  it('is let in where every request has to be signed, over HTTP and gRPC', async () => {
    const clock = new FakeClock()
    await using agent = await clientAgent(clock, { replay: 'once', signed: 'require' })
    const { url, calls } = await proxied(agent.origin, {
      clock,
      credentials: { replay: 'once', signed: 'require' },
    })
    const card = (await (
      await fetch(`${url}/.well-known/agent-card.json`, { headers: { 'a2a-version': '1.0' } })
    ).json()) as {
      supportedInterfaces: { url: string; protocolBinding: string }[]
    }
    const rpc =
      card.supportedInterfaces.find(({ protocolBinding }) => protocolBinding === 'JSONRPC')?.url ?? ''
    expect(rpc.startsWith(url)).toBe(true)
    for (let times = 0; times < 3; times++) {
      const response = await post(rpc, getTask, { 'a2a-version': '1.0' })
      expect(response.status).toBe(200)
      expect(await response.text()).toContain('none')
    }
    expect(await grpcStatus(url)).toBe(status.NOT_FOUND)
    expect(agent.seen.every(({ passed }) => passed)).toBe(true)
    expect(agent.seen.some(({ binding }) => binding === 'grpc')).toBe(true)
    expect(calls.filter(({ proof }) => proof === 'signed').length).toBeGreaterThanOrEqual(4)
  })

  it('of more than may be held is streamed unsigned with auto', async () => {
    await using agent = await record()
    const { url } = await proxied(agent.origin, { maxSignedBody: 10 })
    const long = 'x'.repeat(100_000)
    expect((await post(url, long)).status).toBe(200)
    const chunked = new ReadableStream({
      start: (controller) => {
        for (let chunk = 0; chunk < 20; chunk++) controller.enqueue(Buffer.from('12345'))
        controller.close()
      },
    })
    await fetch(url, { method: 'POST', body: chunked, duplex: 'half' })
    expect(agent.requests.map(({ body }) => body)).toEqual([long, '12345'.repeat(20)])
    for (const request of agent.requests) {
      expect(fieldsOf(request, 'x-totp')).toHaveLength(1)
      expect(fieldsOf(request, 'signature')).toEqual([])
    }
  })

  it.each([{ sign: 'always' } as const, { credentials: { signed: 'require' } } as const])(
    'of more than may be held is 413 where every request is signed: %j',
    async (options) => {
      await using agent = await record()
      const { url } = await proxied(agent.origin, { maxSignedBody: 10, ...options })
      const response = await post(url, 'x'.repeat(11))
      expect(response.status).toBe(413)
      expect((await post(url, 'x'.repeat(10))).status).toBe(200)
      expect(agent.requests).toHaveLength(1)
    },
  )

  it('is not signed with never', async () => {
    await using agent = await record()
    const { url } = await proxied(agent.origin, { sign: 'never' })
    await post(url)
    expect(agent.requests.map((request) => fieldsOf(request, 'signature'))).toEqual([[]])
  })

  it('gets the redirects of the agent, which are not followed', async () => {
    await using agent = await record((_, response) =>
      response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end(),
    )
    const { url } = await proxied(agent.origin)
    const response = await fetch(url, { redirect: 'manual' })
    expect(response.status).toBe(307)
    expect(response.headers.get('location')).toBe('http://127.0.0.1:1/')
    expect(agent.requests).toHaveLength(1)
  })

  it('to an agent that is down is 502, and over gRPC UNAVAILABLE', async () => {
    const gone = await listen((_, response) => response.end())
    await gone[Symbol.asyncDispose]()
    const { url, events } = await proxied(gone.origin)
    const response = await post(url)
    expect(response.status).toBe(502)
    expect(await errorOf(response)).toMatchObject({ code: 502, status: 'UNAVAILABLE' })
    expect(await grpcStatus(url)).toBe(status.UNAVAILABLE)
    expect(events.filter(({ type }) => type === 'upstream_down')).toHaveLength(1)
  })

  it('is cut where the agent cuts its answer', async () => {
    await using agent = await record((_, response) => {
      response.writeHead(200)
      response.write('half', () => response.destroy())
    })
    const { url } = await proxied(agent.origin)
    await expect(post(url).then((response) => response.text())).rejects.toThrow()
  })

  it('that its client abandons is abandoned at the agent', async () => {
    const abandoned = vi.fn()
    await using agent = await listen((_, response) => {
      response.once('close', abandoned)
      response.write('begun')
    })
    const { url } = await proxied(agent.origin)
    const leaving = new AbortController()
    await fetch(url, { method: 'POST', signal: leaving.signal })
    leaving.abort()
    await vi.waitFor(() => expect(abandoned).toHaveBeenCalled())
  })
})

describe('a web page', () => {
  it.each([
    ['403', 'GET / HTTP/1.1\r\nHost: evil.example\r\n'],
    ['403', 'GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n'],
    ['403', 'GET / HTTP/1.0\r\n'],
    ['403', 'GET / HTTP/1.1\r\nHost: OWN\r\nOrigin: http://OWN\r\n'],
    ['403', 'GET / HTTP/1.1\r\nHost: OWN\r\nSec-Fetch-Site: none\r\n'],
    ['403', 'OPTIONS / HTTP/1.1\r\nHost: OWN\r\n'],
    ['403', 'TRACE / HTTP/1.1\r\nHost: OWN\r\n'],
    ['403', 'GET / HTTP/1.1\r\nHost: OWN\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n'],
    ['405', 'CONNECT evil.example:443 HTTP/1.1\r\nHost: OWN\r\n'],
    ['400', 'GET / HTTP/1.1\r\nHost: OWN\r\nHost: OWN\r\n'],
    ['400', 'GET http://OWN/ HTTP/1.1\r\nHost: OWN\r\n'],
    ['400', 'GET /#a HTTP/1.1\r\nHost: OWN\r\n'],
    ['400', 'POST / HTTP/1.1\r\nHost: OWN\r\nTransfer-Encoding: gzip, chunked\r\n'],
  ])('is answered with %s, and nothing reaches the agent: %j', async (expected, head) => {
    await using agent = await record()
    const { url } = await proxied(agent.origin)
    const closing = /Connection|CONNECT/.test(head) ? '' : 'Connection: close\r\n'
    const answer = await raw(url, `${head.replaceAll('OWN', new URL(url).host)}${closing}\r\n`)
    expect(answer.split(' ')[1]).toBe(expected)
    expect(agent.requests).toEqual([])
  })
})

describe('local authentication', () => {
  const withToken = (content = 'local-secret\n'): string => {
    const path = join(makeFolder(), 'token')
    writeFileSync(path, content)
    return path
  }

  it('by header admits its bearer token alone, which does not leave', async () => {
    await using agent = await record()
    const { url, calls } = await proxied(agent.origin, { localAuth: 'header', localTokenFile: withToken() })
    expect((await post(url)).status).toBe(401)
    expect((await post(url, '{}', { authorization: 'Bearer other' })).status).toBe(401)
    expect(
      (await post(url, '{}', { authorization: 'Bearer local-secret', 'x-copy': 'local-secret' })).status,
    ).toBe(200)
    expect(agent.requests).toHaveLength(1)
    expect(JSON.stringify([agent.requests, calls])).not.toContain('local-secret')
  })

  it('by URL admits its first segment alone, which the card carries and nothing else', async () => {
    const clock = new FakeClock()
    await using agent = await clientAgent(clock)
    const { url, calls, proxy, events } = await proxied(agent.origin, {
      ...{ clock, localAuth: 'url', localTokenFile: withToken() },
    })
    expect((await fetch(`${url}/.well-known/agent-card.json`)).status).toBe(401)
    expect((await fetch(`${url}/x/local-secret/`)).status).toBe(401)
    const card = await (await fetch(`${url}/local-secret/.well-known/agent-card.json`)).text()
    const [, rpc = ''] = /"(http[^"]*jsonrpc)"/.exec(card) ?? []
    expect(rpc.startsWith(`${url}/local-secret/`)).toBe(true)
    expect(card).not.toContain('GRPC')
    expect((await post(rpc, getTask, { 'a2a-version': '1.0' })).status).toBe(200)
    expect(await grpcStatus(url)).toBe(status.UNAUTHENTICATED)
    expect(JSON.stringify([calls, events, proxy.listeners])).not.toContain('local-secret')
  })

  it.each(['', ' \n', undefined])('does not start without a token: %j', async (content) => {
    const options = {
      localAuth: 'header',
      localTokenFile: content === undefined ? undefined : withToken(content),
    } as const
    await expect(proxied('http://127.0.0.1:1', options)).rejects.toMatchObject({ code: 'ERR_CONFIG_INVALID' })
  })
})

describe('under once without proofs', () => {
  const credentials = { replay: 'once', agent: undefined } as const

  it('each request has a step of its own', async () => {
    const clock = new FakeClock()
    await using agent = await record()
    const { url } = await proxied(agent.origin, { clock, credentials })
    await Promise.all([post(url), post(url), post(url)])
    const codes = agent.requests.map((request) => fieldsOf(request, 'x-totp')[0])
    expect(new Set(codes).size).toBe(3)
  })

  it('a client that leaves spends none', async () => {
    const clock = new FakeClock()
    await using agent = await record()
    const wakes: (() => void)[] = []
    clock.sleep = () => new Promise((wake) => wakes.push(wake))
    const { url, proxy } = await proxied(agent.origin, { clock, credentials })
    await post(url)
    const leaving = new AbortController()
    const left = fetch(url, { method: 'POST', body: '{}', signal: leaving.signal }).catch(() => undefined)
    await vi.waitFor(() => expect(proxy.agents()[0]?.queueLength).toBe(1))
    leaving.abort()
    await left
    await vi.waitFor(() => expect(proxy.agents()[0]?.queueLength).toBe(0))
    clock.advance(30)
    expect((await post(url)).status).toBe(200)
    expect(fieldsOf(agent.requests[1] ?? never(), 'x-totp')).toEqual([clock.code()])
    expect(agent.requests).toHaveLength(2)
  })

  it.each([
    ['queue-full', { maxQueue: 0 }],
    ['queue-wait', { maxWaitMs: 1000 }],
  ] as const)('one request too many is 503 at once, and says when: %s', async (own, limits) => {
    const clock = new FakeClock()
    clock.sleep = () => new Promise(() => undefined)
    await using agent = await record()
    const { url, calls } = await proxied(agent.origin, { clock, credentials, ...limits })
    await post(url)
    const response = await post(url)
    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).toBe('30')
    await vi.waitFor(() => expect(calls.at(-1)).toMatchObject({ own }))
    expect(agent.requests).toHaveLength(1)
  })

  it('the card is asked for without a step', async () => {
    const clock = new FakeClock()
    await using agent = await clientAgent(clock, { replay: 'once' })
    const { url } = await proxied(agent.origin, { clock, credentials })
    for (let times = 0; times < 3; times++) await fetch(`${url}/.well-known/agent-card.json`)
    expect(agent.seen).toEqual([])
    expect(agent.cardRequests()).toBe(3)
  })
})

describe('wrong credentials', () => {
  it('are sent with three codes, and then no more until they change', async () => {
    const clock = new FakeClock()
    let answer = 401
    await using agent = await record((_, response) =>
      response.writeHead(answer, { date: clock.now().toUTCString() }).end(),
    )
    const { url, proxy, events, change } = await proxied(agent.origin, { clock })
    for (let step = 0; step < 3; step++) {
      expect(proxy.ready()).toBeUndefined()
      // The same code again is no other one.
      for (let times = 0; times < (step < 2 ? 2 : 1); times++) expect((await post(url)).status).toBe(401)
      clock.advance(30)
    }
    expect(proxy.ready()).toMatch(/refuses the credentials/)
    const response = await post(url)
    expect(response.status).toBe(503)
    expect((await fetch(`${url}/.well-known/agent-card.json`)).status).toBe(503)
    expect(new Set(agent.requests.map((request) => fieldsOf(request, 'x-totp')[0])).size).toBe(3)
    expect(agent.requests).toHaveLength(5)
    answer = 200
    change({ token: Token.parse('another-token') })
    expect((await post(url)).status).toBe(200)
    expect(fieldsOf(agent.requests.at(-1) ?? never(), 'authorization')).toEqual(['Bearer another-token'])
    expect(events.map(({ type }) => type).filter((type) => type !== 'warning')).toEqual([
      'breaker_opened',
      'breaker_closed',
      'credentials_loaded',
    ])
  })

  it('are tried again when it is asked to read its files', async () => {
    const clock = new FakeClock()
    await using agent = await record((_, response) => response.writeHead(401).end())
    const { url, proxy } = await proxied(agent.origin, { clock })
    for (let step = 0; step < 3; step++) {
      await post(url)
      clock.advance(30)
    }
    expect((await post(url)).status).toBe(503)
    await proxy.reload()
    expect((await post(url)).status).toBe(401)
  })

  it('are not those whose codes were only spent, at an agent that accepted one', async () => {
    const clock = new FakeClock()
    let status = 200
    await using agent = await record((_, response) =>
      response.writeHead(status, { 'retry-after': '30' }).end(),
    )
    const { url } = await proxied(agent.origin, { clock })
    await post(url)
    status = 401
    for (let step = 0; step < 5; step++) {
      expect((await post(url)).status).toBe(401)
      clock.advance(30)
    }
  })

  it('are those of an agent that has accepted none and says of each that it was spent', async () => {
    const clock = new FakeClock()
    await using agent = await record((_, response) => response.writeHead(401, { 'retry-after': '1' }).end())
    const { url, proxy } = await proxied(agent.origin, { clock })
    for (let step = 0; step < 3; step++) {
      expect((await post(url)).status).toBe(401)
      clock.advance(30)
    }
    expect((await post(url)).status).toBe(503)
    expect(proxy.agents()).toMatchObject([{ breakerOpen: true, lastSuccessAt: undefined }])
  })
})

describe('files that are read anew', () => {
  it('are each read for itself, and the last good ones stay', async () => {
    const folder = makeFolder()
    const [caFile, localTokenFile] = [join(folder, 'ca.pem'), join(folder, 'token')] as const
    writeFileSync(caFile, makeAuthority().ca)
    writeFileSync(localTokenFile, 'local-token')
    await using agent = await record()
    const { url, proxy, events } = await proxied(agent.origin, {
      ...{ caFile, localTokenFile, localAuth: 'header' },
    })
    for (const file of [caFile, localTokenFile]) writeFileSync(file, '')
    await proxy.reload()
    const messages = events.filter(({ type }) => type === 'warning').map((event) => JSON.stringify(event))
    expect(messages.filter((message) => /--local-token-file .* stays in force/.test(message))).toHaveLength(1)
    expect(messages.filter((message) => /--ca .* stays in force/.test(message))).toHaveLength(1)
    const headers = { Authorization: 'Bearer local-token' }
    expect((await fetch(url, { method: 'POST', headers })).status).toBe(200)
  })
})

describe('a call that is under way', () => {
  it('goes on while files are read anew, and its connection is not used again', async () => {
    const ends: (() => void)[] = []
    const closed: Promise<unknown>[] = []
    await using agent = await listen((request, response) => {
      closed.push(new Promise((done) => request.socket.once('close', done)))
      response.write('first, ')
      ends.push(() => response.end('last'))
    })
    const { url, proxy } = await proxied(agent.origin)
    const [answered, open] = await Promise.all([post(url), post(url)])
    const texts = Promise.all([answered.text(), open.text()])
    ends[0]?.()
    await proxy.reload()
    ends[1]?.()
    expect(await texts).toEqual(['first, last', 'first, last'])
    // Whether it was idle then or in use.
    await Promise.all(closed)
  })
})

describe('the card', () => {
  const interfaces = (...urls: string[]) =>
    JSON.stringify({
      name: 'agent',
      supportedInterfaces: urls.map((url) => ({ url, protocolBinding: 'HTTP+JSON', protocolVersion: '1.0' })),
    })
  const cardOf = async (url: string): Promise<string> =>
    (await fetch(`${url}/.well-known/agent-card.json`, { headers: { 'a2a-version': '1.0' } })).text()

  it('sends requests to another host only where that is allowed', async () => {
    await using other = await record()
    await using agent = await record((_, response) =>
      response.end(interfaces(`${agent.origin}/own`, `${other.origin}/other`)),
    )
    const closed = await proxied(agent.origin)
    expect(await cardOf(closed.url)).not.toContain('/other')
    await post(`${closed.url}/other/message:send`)
    expect(other.requests).toEqual([])
    expect(closed.events.map(({ type }) => type)).toContain('card_remark')

    const open = await proxied(agent.origin, { allowHosts: [new URL(other.origin).host] })
    // Without having asked for the card.
    await post(`${open.url}/other/message:send`)
    expect(other.requests.map(({ path }) => path)).toEqual(['/other/message:send'])
    expect(await cardOf(open.url)).toContain(`${open.url}/other`)
  })

  it('that cannot be used is 502, and one that is not there is what the agent says', async () => {
    let content: string | undefined = '<html>'
    await using agent = await record((_, response) =>
      response.writeHead(content === undefined ? 404 : 200).end(content),
    )
    const { url } = await proxied(agent.origin)
    expect((await fetch(`${url}/.well-known/agent-card.json`)).status).toBe(502)
    content = undefined
    expect((await fetch(`${url}/.well-known/agent-card.json`)).status).toBe(404)
  })
})

const never = (): never => {
  throw new Error('nothing arrived')
}

/** The status of GetTask of a task that is not there, over gRPC, as a stock client calls it. */
async function grpcStatus(url: string): Promise<number> {
  const bytes = (value: Buffer): Buffer => value
  const method = {
    requestStream: false,
    responseStream: false,
    requestSerialize: bytes,
    requestDeserialize: bytes,
  }
  const Client = makeClientConstructor(
    {
      getTask: {
        ...method,
        path: '/lf.a2a.v1.A2AService/GetTask',
        responseSerialize: bytes,
        responseDeserialize: bytes,
      },
    },
    'A2AService',
  )
  const client = new Client(new URL(url).host, grpcCredentials.createInsecure())
  const metadata = new Metadata()
  metadata.set('a2a-version', '1.0')
  try {
    return await new Promise((done) => {
      const call = client['getTask'] as unknown as (...all: unknown[]) => void
      call.call(
        client,
        Buffer.from([0x12, 4, ...Buffer.from('none')]),
        metadata,
        (error: { code: number } | null) => done(error?.code ?? status.OK),
      )
    })
  } finally {
    client.close()
  }
}
