import { once } from 'node:events'
import { createServer as createHttp, request as send } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { TrustedProxies } from '../../../src/sidecar/gate/trusted-proxies.js'
import { temporaryFolder } from '../../support/folder.js'
import { ask, credentialsOf, fileWith, gateTo, signedHeaders } from '../../support/gate.js'
import { fieldsOf, listen, record } from '../../support/recording-server.js'

const folder = temporaryFolder()

describe('a gate in front of an agent', () => {
  it('passes a request with both factors on, and its answer back', async () => {
    await using agent = await record((_, response) => {
      response.writeHead(201, ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'X-Agent', 'yes'])
      response.end('done')
    })
    const gate = await gateTo(agent.origin)
    const answer = await ask(gate, {
      path: '/a2a?x=1',
      headers: { ...credentialsOf(), 'content-type': 'application/json' },
      body: '{"a":1}',
    })
    expect(answer).toMatchObject({ status: 201, body: 'done' })
    expect(answer.headers['set-cookie']).toEqual(['a=1', 'b=2'])
    const [seen] = agent.requests
    expect(seen).toMatchObject({ method: 'POST', path: '/a2a?x=1', body: '{"a":1}' })
    if (!seen) return
    expect(fieldsOf(seen, 'totppeer')).toEqual(['alice'])
    for (const name of ['authorization', 'x-totp', 'totpassertion']) expect(fieldsOf(seen, name)).toEqual([])
    expect(gate.calls).toMatchObject([{ role: 'gate', status: '201', path: '/a2a', proof: 'plain' }])
  })

  it.each([
    ['nothing', () => ({}), 401, 'Bearer realm="a2a"'],
    ['the token alone', () => ({ authorization: credentialsOf().authorization }), 401, undefined],
    ['the code alone', () => ({ 'x-totp': credentialsOf()['x-totp'] }), 401, 'Bearer realm="a2a"'],
    ['a wrong code', () => ({ ...credentialsOf(), 'x-totp': '000000' }), 401, undefined],
    ['a malformed code', () => ({ ...credentialsOf(), 'x-totp': '12345' }), 401, undefined],
    ['another token', () => ({ ...credentialsOf(), authorization: 'Bearer a2at_x' }), 401, undefined],
    [
      'two codes',
      () => ({ ...credentialsOf(), 'x-totp': ['000000', credentialsOf()['x-totp']] }),
      401,
      undefined,
    ],
    [
      'the code in X_TOTP',
      () => ({ authorization: credentialsOf().authorization, X_TOTP: credentialsOf()['x-totp'] }),
      401,
      undefined,
    ],
  ])('refuses %s, and the agent sees nothing of it', async (_, headers, status, challenge) => {
    await using agent = await record()
    const gate = await gateTo(agent.origin)
    const answer = await ask(gate, { headers: headers(), body: 'x'.repeat(100) })
    expect(answer.status).toBe(status)
    const challenges = answer.raw.filter((__, at) => answer.raw[at - 1]?.toLowerCase() === 'www-authenticate')
    expect(challenges).toEqual([
      challenge ?? 'Bearer realm="a2a", error="invalid_token"',
      'TOTP realm="a2a", header="X-TOTP"',
    ])
    expect(JSON.parse(answer.body)).toMatchObject({ error: { code: 401, status: 'UNAUTHENTICATED' } })
    expect(agent.requests).toEqual([])
  })

  it('decides before a body is read', async () => {
    await using agent = await record()
    const { port } = await gateTo(agent.origin)
    const sent = send({ host: '127.0.0.1', port, method: 'POST', headers: { 'content-length': '1000000' } })
    sent.flushHeaders()
    const [response] = (await once(sent, 'response')) as [{ statusCode: number }]
    expect(response.statusCode).toBe(401)
    sent.destroy()
  })

  it.each(['OPTIONS', 'HEAD', 'GET', 'DELETE', 'PATCH', 'PROPFIND'])(
    'refuses %s without credentials',
    async (method) => {
      await using agent = await record()
      const gate = await gateTo(agent.origin)
      expect((await ask(gate, { method, path: '/v1/tasks' })).status).toBe(401)
      expect(agent.requests).toEqual([])
    },
  )

  it('ignores an upgrade', async () => {
    await using agent = await record()
    const gate = await gateTo(agent.origin)
    const upgrade = { connection: 'Upgrade', upgrade: 'websocket' }
    expect((await ask(gate, { method: 'GET', headers: upgrade })).status).toBe(401)
    const headers = { ...upgrade, ...credentialsOf() }
    expect((await ask(gate, { method: 'GET', headers })).status).toBe(200)
    const [seen] = agent.requests
    expect(seen && fieldsOf(seen, 'upgrade')).toEqual([])
  })

  it('passes on no TRACE, whose answer would show what the agent gets', async () => {
    await using agent = await record()
    const gate = await gateTo(agent.origin)
    expect((await ask(gate, { method: 'TRACE', headers: credentialsOf() })).status).toBe(405)
    expect(agent.requests).toEqual([])
  })

  it.each(['TotpPeer', 'X-TOTP, Authorization', 'close, totppeer'])(
    'names the caller with Connection: %s',
    async (connection) => {
      await using agent = await record()
      const gate = await gateTo(agent.origin)
      const headers = { ...credentialsOf(), connection, TotpPeer: 'mallory', totp_peer: 'mallory' }
      expect((await ask(gate, { headers })).status).toBe(200)
      const [seen] = agent.requests
      expect(seen && fieldsOf(seen, 'totppeer')).toEqual(['alice'])
      expect(JSON.stringify(seen)).not.toContain('mallory')
    },
  )

  it.each(['Content-Type', 'close, a2a-version', 'Content-Length'])(
    'refuses a request whose Connection names %s, which every receiver reads',
    async (connection) => {
      await using agent = await record()
      const gate = await gateTo(agent.origin)
      expect((await ask(gate, { headers: { ...credentialsOf(), connection } })).status).toBe(400)
      expect(agent.requests).toEqual([])
      expect(gate.calls).toMatchObject([{ own: 'bad-request' }])
    },
  )

  it.each([
    ['two Host fields', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n'],
    ['an absolute form', 'GET http://a/ HTTP/1.1\r\nHost: a\r\n'],
    ['a fragment', 'GET /#a HTTP/1.1\r\nHost: a\r\n'],
    ['another Transfer-Encoding', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n'],
    [
      'a length beside a Transfer-Encoding',
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n',
    ],
  ])('answers 400 to %s, whoever sends it', async (_, head) => {
    await using agent = await record()
    const { port } = await gateTo(agent.origin)
    const { authorization, 'x-totp': code } = credentialsOf()
    const socket = connect(port, '127.0.0.1')
    socket.write(`${head}Authorization: ${authorization}\r\nX-TOTP: ${code}\r\n\r\n`)
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 400 /)
    expect(agent.requests).toEqual([])
  })

  it('decides a request with Expect first, and asks for its content only then', async () => {
    await using agent = await record()
    const { port } = await gateTo(agent.origin)
    const attempt = async (
      headers: Record<string, string>,
    ): Promise<{ continued: boolean; status?: number }> => {
      const sent = send({
        ...{ host: '127.0.0.1', port, method: 'POST' },
        headers: { ...headers, expect: '100-continue', 'content-length': '5' },
      })
      let continued = false
      sent.once('continue', () => {
        continued = true
        sent.end('hello')
      })
      sent.flushHeaders()
      const [response] = (await once(sent, 'response')) as [{ statusCode: number; resume(): void }]
      response.resume()
      sent.destroy()
      return { continued, status: response.statusCode }
    }
    expect(await attempt({})).toEqual({ continued: false, status: 401 })
    expect(await attempt(credentialsOf())).toEqual({ continued: true, status: 200 })
    expect(agent.requests.map(({ body }) => body)).toEqual(['hello'])
  })

  it('tells the agent where a request came from, and believes trusted proxies alone', async () => {
    await using agent = await record()
    const forged = {
      ...{ 'x-forwarded-for': '203.0.113.9', 'x-forwarded-proto': 'https', forwarded: 'for=6.6.6.6' },
      'x-original-url': '/admin',
    }
    const stranger = await gateTo(agent.origin)
    await ask(stranger, { headers: { ...credentialsOf(), ...forged } })
    const behind = await gateTo(agent.origin, { gate: { trusted: new TrustedProxies(['127.0.0.0/8']) } })
    await ask(behind, { headers: { ...credentialsOf(), ...forged } })
    const [direct, proxied] = agent.requests
    if (!direct || !proxied) throw new Error('the agent saw nothing')
    expect(fieldsOf(direct, 'x-forwarded-for')).toEqual(['127.0.0.1'])
    expect(fieldsOf(direct, 'x-forwarded-proto')).toEqual(['http'])
    expect(fieldsOf(proxied, 'x-forwarded-for')).toEqual(['203.0.113.9, 127.0.0.1'])
    expect(fieldsOf(proxied, 'x-forwarded-proto')).toEqual(['https'])
    for (const one of [direct, proxied]) {
      expect([...fieldsOf(one, 'forwarded'), ...fieldsOf(one, 'x-original-url')]).toEqual([])
    }
    expect(stranger.calls[0]?.source).toBe('127.0.0.1')
    expect(behind.calls[0]?.source).toBe('203.0.113.9')
    expect(behind.events).toMatchObject([{ type: 'authenticated', source: '203.0.113.9' }])
  })

  it('reaches an agent at a unix socket', async () => {
    const path = join(folder, 'agent.sock')
    const server = createHttp((req, res) => res.end(String(req.headers['totppeer'])))
    server.listen(path)
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const gate = await gateTo(`unix:${path}`)
    expect((await ask(gate, { headers: credentialsOf('bob') })).body).toBe('bob')
    expect(gate.warnings).toEqual([])
  })

  it('warns where users of this machine could call the agent, and names the unix socket', async () => {
    await using agent = await record()
    const { warnings } = await gateTo(agent.origin)
    expect(warnings.join()).toMatch(/forge the identity.*unix socket/)
  })

  it('says in JSON that the agent is down, reports it once, and passes calls on when it is back', async () => {
    const agent = await record()
    const { port } = new URL(agent.origin)
    await agent[Symbol.asyncDispose]()
    const gate = await gateTo(agent.origin)
    for (let round = 0; round < 2; round++) {
      const answer = await ask(gate, { headers: credentialsOf() })
      expect(answer.status).toBe(502)
      expect(JSON.parse(answer.body)).toMatchObject({ error: { code: 502, status: 'UNAVAILABLE' } })
    }
    expect(gate.calls).toMatchObject([{ own: 'upstream-unreachable' }, { own: 'upstream-unreachable' }])
    const server = createHttp((_, res) => res.end('back'))
    server.listen(Number(port), '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    expect((await ask(gate, { headers: credentialsOf() })).body).toBe('back')
    const types = gate.events.map(({ type }) => type).filter((type) => type.startsWith('upstream'))
    expect(types).toEqual(['upstream_down', 'upstream_up'])
  })

  it('gives up on an agent that does not begin to answer in time, and leaves streams alone', async () => {
    await using slow = await listen(() => undefined)
    const gate = await gateTo(slow.origin, { proxy: { upstreamTimeoutMs: 200 } })
    expect((await ask(gate, { headers: credentialsOf() })).status).toBe(504)
    expect(gate.calls).toMatchObject([{ own: 'upstream-slow' }])
    await using streaming = await listen((_, res) => {
      res.write('first ')
      setTimeout(() => res.end('last'), 600)
    })
    const other = await gateTo(streaming.origin, { proxy: { upstreamTimeoutMs: 200 } })
    expect((await ask(other, { headers: credentialsOf() })).body).toBe('first last')
  })

  it('lets anyone read a public path, exactly spelled, without anything that could be more', async () => {
    await using agent = await record()
    const gate = await gateTo(agent.origin, { proxy: { publicPaths: ['/docs'] } })
    const headers = { ...credentialsOf(), cookie: 'c=1', TotpPeer: 'mallory', 'x-original-url': '/a2a' }
    expect((await ask(gate, { method: 'GET', path: '/docs?page=2', headers })).status).toBe(200)
    const [seen] = agent.requests
    expect(seen?.path).toBe('/docs?page=2')
    expect(JSON.stringify(seen?.fields)).not.toMatch(/authorization|totp|cookie|original/i)
    for (const path of ['/docs/', '/Docs', '/%64ocs', '//docs', '/x/../docs', '/docs;a', '/docs%3Fx']) {
      expect((await ask(gate, { method: 'GET', path })).status).toBe(401)
    }
    expect((await ask(gate, { path: '/docs' })).status).toBe(401)
    expect(agent.requests).toHaveLength(1)
  })

  it('answers 503 to plain codes of the first steps under once, and says so at its start', async () => {
    await using agent = await record()
    const gate = await gateTo(agent.origin, {
      file: fileWith({ replay: 'once' }),
      gate: { state: undefined },
    })
    expect(gate.warnings.join('\n')).toMatch(/503 for the first time steps/)
    const answer = await ask(gate, { headers: credentialsOf() })
    expect(answer.status).toBe(503)
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
    expect(agent.requests).toEqual([])
  })

  it('takes a change of the server file within a second', async () => {
    await using agent = await record()
    const gate = await gateTo(agent.origin)
    expect((await ask(gate, { headers: credentialsOf('bob') })).status).toBe(200)
    const file = fileWith({})
    delete file.peers['bob']
    gate.replaceFile({ ...file, serial: 9 })
    await vi.waitFor(async () =>
      expect((await ask(gate, { headers: credentialsOf('bob') })).status).toBe(401),
    )
    expect((await ask(gate, { headers: credentialsOf() })).status).toBe(200)
  })
})

describe('a signed request at a gate', () => {
  const file = fileWith({ replay: 'once', signed: 'accept' })
  const request = {
    path: '/a2a?x=1',
    headers: { 'content-type': 'application/json' },
    body: '{"jsonrpc":"2.0"}',
  }

  it('is let in once, and reaches the agent without its proof', async () => {
    await using agent = await record()
    const gate = await gateTo(agent.origin, { file })
    const headers = signedHeaders(request)
    expect((await ask(gate, { ...request, headers })).status).toBe(200)
    expect((await ask(gate, { ...request, headers })).status).toBe(401)
    expect(agent.requests).toHaveLength(1)
    expect(JSON.stringify(agent.requests[0]?.fields)).not.toMatch(
      /signature|content-digest|authorization|x-totp/,
    )
    expect(agent.requests[0]?.body).toBe(request.body)
    expect(gate.calls).toMatchObject([{ proof: 'signed' }, {}])
  })

  it.each([
    ['another body of that length', { body: '{"jsonrpc":"2.1"}' }, 'proof-digest'],
    ['another target', { path: '/a2a?x=2' }, 'proof-mac'],
    ['another method', { method: 'PUT' }, 'proof-mac'],
  ])('is refused with %s', async (_, change, reason) => {
    await using agent = await record()
    const gate = await gateTo(agent.origin, { file })
    const answer = await ask(gate, { ...request, headers: signedHeaders(request), ...change })
    expect(answer.status).toBe(401)
    expect(agent.requests).toEqual([])
    expect(gate.events.find(({ type }) => type === 'refused')).toMatchObject({ reason })
  })

  it.each(['content-length', 'chunked'])(
    'that is too long to be held never reaches the agent whole unless it is the signed one (%s)',
    async (framing) => {
      const seen: { bytes: number; ended: boolean }[] = []
      await using agent = await listen((req, res) => {
        const one = { bytes: 0, ended: false }
        seen.push(one)
        req.on('data', (chunk: Buffer) => (one.bytes += chunk.length))
        req.on('end', () => {
          one.ended = true
          res.end('read')
        })
        req.on('error', () => undefined)
      })
      const gate = await gateTo(agent.origin, { file })
      const body = Buffer.alloc(300_000, 'a')
      const long = { path: '/a2a', body }
      const framed =
        framing === 'chunked' ? { 'transfer-encoding': 'chunked' } : { 'content-length': '300000' }
      const sent = (changed: Buffer) =>
        ask(gate, { ...long, body: changed, headers: { ...signedHeaders(long), ...framed } })
      expect(await sent(body)).toMatchObject({ status: 200, body: 'read' })
      expect(seen).toEqual([{ bytes: 300_000, ended: true }])
      const other = Buffer.from(body)
      other[299_999] = 98
      expect((await sent(other)).status).toBe(401)
      expect(seen[1]?.ended ?? false).toBe(false)
      expect(seen[1]?.bytes ?? 0).toBeLessThan(300_000)
      expect(gate.events.some((event) => 'reason' in event && event.reason === 'proof-digest')).toBe(true)
    },
  )
})
