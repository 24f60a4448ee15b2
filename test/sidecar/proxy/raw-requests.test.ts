import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeFolder } from '../../support/cli.js'
import { proxied, type Proxied } from '../../support/proxied.js'
import { rawAgent } from '../../support/raw-agent.js'
import { contentIn, frames, framesIn, http2Request, type Http2Fields } from '../../support/raw-http2.js'
import { answerTo, RawSocket } from '../../support/raw-socket.js'
import { token } from '../../support/client-scheme.js'
import { record } from '../../support/recording-server.js'

/** A frame that closes a connection of HTTP/2. */
const goaway = 7

const portOf = ({ url }: Proxied): number => Number(new URL(url).port)
const hostOf = (proxy: Proxied): string => `Host: localhost:${portOf(proxy)}`

describe('a proxy, on raw sockets', () => {
  it.each([
    ['a rebound name', 'GET / HTTP/1.1', ['Host: evil.example:PORT'], 403],
    ['no Host', 'GET / HTTP/1.0', [], 403],
    ['a second Host', 'GET / HTTP/1.1', ['Host: localhost:PORT', 'Host: localhost:PORT'], 400],
    ['a second Host of a page', 'GET / HTTP/1.1', ['Host: localhost:PORT', 'Host: evil.example:PORT'], 403],
    ['an absolute form of a page', 'GET http://evil.example/ HTTP/1.1', ['Host: localhost:PORT'], 400],
    ['an absolute form of its own', 'GET http://localhost:PORT/ HTTP/1.1', ['Host: localhost:PORT'], 400],
    ['a fragment', 'GET /#a HTTP/1.1', ['Host: localhost:PORT'], 400],
    ['an origin', 'POST / HTTP/1.1', ['Host: localhost:PORT', 'Origin: null', 'Content-Length: 0'], 403],
    ['an expectation of a page', 'POST / HTTP/1.1', ['Host: evil.example', 'Expect: tea'], 403],
    ['an empty origin', 'GET / HTTP/1.1', ['Host: localhost:PORT', 'Origin:'], 403],
    ['a site that is none', 'GET / HTTP/1.1', ['Host: localhost:PORT', 'sec-fetch-site: none'], 403],
    [
      'an upgrade',
      'GET / HTTP/1.1',
      ['Host: localhost:PORT', 'Connection: Upgrade', 'Upgrade: websocket'],
      403,
    ],
    [
      'an upgrade to HTTP/2',
      'GET / HTTP/1.1',
      ['Host: localhost:PORT', 'Connection: Upgrade', 'Upgrade: h2c'],
      403,
    ],
    ['an upgrade alone', 'GET / HTTP/1.1', ['Host: localhost:PORT', 'Upgrade: x'], 403],
    ['OPTIONS', 'OPTIONS / HTTP/1.1', ['Host: localhost:PORT'], 403],
    ['OPTIONS of all', 'OPTIONS * HTTP/1.1', ['Host: localhost:PORT'], 400],
    ['TRACE', 'TRACE / HTTP/1.1', ['Host: localhost:PORT'], 403],
    ['CONNECT', 'CONNECT localhost:PORT HTTP/1.1', ['Host: localhost:PORT'], 405],
    ['CONNECT to another', 'CONNECT evil.example:443 HTTP/1.1', ['Host: evil.example:443'], 405],
    [
      'a length beside chunked',
      'POST / HTTP/1.1',
      ['Host: localhost:PORT', 'Content-Length: 5', 'Transfer-Encoding: chunked'],
      400,
    ],
    ['another coding', 'POST / HTTP/1.1', ['Host: localhost:PORT', 'Transfer-Encoding: gzip, chunked'], 400],
    [
      'a Connection that names the type',
      'POST / HTTP/1.1',
      ['Host: localhost:PORT', 'Content-Type: a/b', 'Connection: content-type', 'Content-Length: 0'],
      400,
    ],
    [
      'a Connection that names Host, of a page',
      'GET / HTTP/1.1',
      ['Host: evil.example', 'Connection: host'],
      403,
    ],
  ])('refuses %s, and what comes behind it', async (_, line, fields, status) => {
    const agent = await rawAgent()
    const proxy = await proxied(agent.url)
    const port = String(portOf(proxy))
    const own = [line, ...fields].map((one) => one.replace('PORT', port))
    // Only what Node or the proxy closes by itself ends without the last line.
    const heard = await answerTo(
      portOf(proxy),
      ...[...own, '', ''],
      ...(status === 403
        ? ['GET /last HTTP/1.1', 'Host: evil.example', 'Connection: close', '', '']
        : ['GET /hidden HTTP/1.1', hostOf(proxy), '', '']),
    )
    expect(Number(/^HTTP\/1\.1 (\d{3})/.exec(heard)?.[1])).toBe(status)
    expect(heard).not.toMatch(/HTTP\/1\.1 [12]/)
    expect(agent.connections.join('')).toBe('')
  })

  it('sends the agent one request for each, and nothing of their contents as another', async () => {
    const agent = await rawAgent()
    const proxy = await proxied(agent.url)
    const hidden = 'POST /hidden HTTP/1.1\r\nHost: a\r\n\r\n'
    await answerTo(
      portOf(proxy),
      ...['POST /one HTTP/1.1', hostOf(proxy), `Content-Length: ${hidden.length}`, '', hidden],
      ...['POST /two HTTP/1.1', hostOf(proxy), 'Transfer-Encoding: chunked', ''],
      ...[hidden.length.toString(16), hidden, '0', '', ''],
      ...['GET /page HTTP/1.1', hostOf(proxy), 'Origin: http://evil.example', '', ''],
      ...['GET /three HTTP/1.1', hostOf(proxy), 'Connection: close', '', ''],
    ).catch(() => '')
    expect(agent.requests.map(({ line, body }) => [line, body])).toEqual([
      ['POST /one HTTP/1.1', hidden],
      ['POST /two HTTP/1.1', hidden],
      ['GET /three HTTP/1.1', ''],
    ])
  })

  it('lets no credentials of a client leave in trailers', async () => {
    const agent = await rawAgent()
    const proxy = await proxied(agent.url, { maxSignedBody: 2 })
    await answerTo(
      portOf(proxy),
      ...[
        'POST / HTTP/1.1',
        hostOf(proxy),
        'Transfer-Encoding: chunked',
        'Connection: close',
        '',
        '3',
        'abc',
        '0',
      ],
      ...['Authorization: Bearer mine', 'X-TOTP: 000000', 'x_totp: 000000', 'Signature: a=:b:', 'Host: b'],
      ...['X-End: yes', '', ''],
    )
    expect(agent.requests.map(({ trailers }) => trailers)).toEqual([[['X-End', 'yes']]])
  })

  it.each<[string, Http2Fields]>([
    ['the authority of a page', [[':authority', 'evil.example']]],
    [
      'a Host of a page beside its own authority',
      [
        [':authority', 'OWN'],
        ['host', 'evil.example'],
      ],
    ],
    [
      'an origin',
      [
        [':authority', 'OWN'],
        ['origin', 'null'],
      ],
    ],
    ['no authority', []],
    [
      'two authorities',
      [
        [':authority', 'OWN'],
        [':authority', 'OWN'],
      ],
    ],
  ])('refuses %s over HTTP/2', async (_, fields) => {
    await using agent = await record()
    const proxy = await proxied(agent.origin)
    using raw = new RawSocket({ port: portOf(proxy) })
    const own = fields.map(
      ([name, value]) => [name, value.replace('OWN', `localhost:${portOf(proxy)}`)] as const,
    )
    const pseudo = own.filter(([name]) => name.startsWith(':'))
    const rest = own.filter(([name]) => !name.startsWith(':'))
    raw.socket.write(
      http2Request([[':method', 'POST'], [':scheme', 'http'], [':path', '/'], ...pseudo, ...rest]),
    )
    const isOver = (): boolean =>
      framesIn(raw.heard).some(({ type }) => [frames.headers, frames.reset, goaway].includes(type))
    await expect.poll(isOver).toBe(true)
    expect(contentIn(raw.heard)).not.toContain('POST')
    expect(agent.requests).toEqual([])
  })
})

describe('the token of --local-auth', () => {
  const localToken = 'local-token-of-this-machine'
  const withToken = async (agentUrl: string, localAuth: 'header' | 'url'): Promise<Proxied> => {
    const localTokenFile = join(makeFolder(), 'token')
    writeFileSync(localTokenFile, localToken, { mode: 0o600 })
    return proxied(agentUrl, { localAuth, localTokenFile })
  }

  it('admits nothing that is like it, and the answer is the same for all', async () => {
    const agent = await rawAgent()
    const proxy = await withToken(agent.url, 'header')
    const answers = new Set<string>()
    for (const sent of [
      ...[
        'Bearer',
        'Bearer ',
        `Bearer ${localToken.slice(0, -1)}`,
        `Bearer ${localToken}x`,
        `Basic ${localToken}`,
      ],
      ...[
        `Bearer ${localToken.toUpperCase()}`,
        `Bearer ${localToken}, Bearer ${localToken}`,
        `Bearer "${localToken}"`,
      ],
    ]) {
      const heard = await answerTo(
        portOf(proxy),
        ...[
          'POST / HTTP/1.1',
          hostOf(proxy),
          `Authorization: ${sent}`,
          'Content-Length: 0',
          'Connection: close',
          '',
          '',
        ],
      )
      answers.add(heard.replace(/^Date: .*$/m, ''))
    }
    expect([...answers]).toEqual([expect.stringMatching(/^HTTP\/1\.1 401 /)])
    expect(agent.requests).toEqual([])
    expect([...answers].join()).not.toContain(localToken)
  })

  it.each([
    '/x/../TOKEN/a',
    '//TOKEN/a',
    '/./TOKEN/a',
    '/TOKENx/a',
    '/%6Cocal-token-of-this-machine/a',
    '/a?/TOKEN/',
    '/TOKEN%2Fa',
  ])('is the first segment, as it is: not %s', async (target) => {
    const agent = await rawAgent()
    const proxy = await withToken(agent.url, 'url')
    const heard = await answerTo(
      portOf(proxy),
      ...[`GET ${target.replace('TOKEN', localToken)} HTTP/1.1`, hostOf(proxy), 'Connection: close', '', ''],
    )
    expect(heard).toMatch(/^HTTP\/1\.1 401 /)
    expect(agent.requests).toEqual([])
    expect(JSON.stringify(proxy.calls)).not.toContain(localToken)
  })
})

describe('the card of an agent that means harm', () => {
  it.each([
    ['another host', 'http://evil.example/rpc'],
    ['the metadata of a cloud', 'http://169.254.169.254/latest'],
    ['another port of this machine', 'http://127.0.0.1:1/rpc'],
    ['its own host behind another name', 'http://127.0.0.1.evil.example/rpc'],
    ['a user before another host', 'http://127.0.0.1@evil.example/rpc'],
    ['a file', 'file:///etc/passwd'],
    ['a script', 'javascript:alert(1)'],
    ['a number for a host', 'http://2130706433:1/rpc'],
  ])('leads no request, and no client, to %s', async (_, url) => {
    await using agent = await record(({ path }, response) => {
      if (!path.endsWith('.json')) return void response.end('own')
      const card = {
        ...{
          name: '<script>alert(1)</script>',
          description: 'a',
          version: '1',
          capabilities: {},
          skills: [],
        },
        ...{ defaultInputModes: ['text/plain'], defaultOutputModes: ['text/plain'] },
        supportedInterfaces: [
          { url, protocolBinding: 'JSONRPC', protocolVersion: '1.0' },
          { url, protocolBinding: 'HTTP+JSON', protocolVersion: '1.0' },
          { url: `${agent.origin}/rpc`, protocolBinding: 'JSONRPC', protocolVersion: '1.0' },
        ],
      }
      response.setHeader('Content-Type', 'text/html').end(JSON.stringify(card))
    })
    const proxy = await proxied(agent.origin)
    const answer = await fetch(`${proxy.url}/.well-known/agent-card.json`, {
      headers: { 'A2A-Version': '1.0' },
    })
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
    const card = await answer.text()
    expect(card).not.toContain(url)
    expect(card).toContain(`${proxy.url}/rpc`)
    expect(await (await fetch(`${proxy.url}/rpc`, { method: 'POST', body: '{}' })).text()).toBe('own')
    expect(card).not.toContain(token)
  })

  it('fills neither the log nor the memory with remarks', async () => {
    let cards = 0
    await using agent = await record((_, response) => {
      const url = `http://host-${++cards}.example/rpc`
      const interfaces = Array.from({ length: 50 }, (__, at) => ({
        ...{ url: `${url}${at}`, protocolBinding: 'JSONRPC', protocolVersion: '1.0' },
      }))
      response.end(
        JSON.stringify({
          ...{ name: 'a', description: 'a', version: '1', capabilities: {}, skills: [] },
          ...{ defaultInputModes: [], defaultOutputModes: [], supportedInterfaces: interfaces },
        }),
      )
    })
    const proxy = await proxied(agent.origin)
    for (let round = 0; round < 10; round++) {
      await (
        await fetch(`${proxy.url}/.well-known/agent-card.json`, { headers: { 'A2A-Version': '1.0' } })
      ).text()
    }
    expect(cards).toBeGreaterThan(5)
    expect(proxy.events.length).toBeLessThanOrEqual(101)
  })
})
