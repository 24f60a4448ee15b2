import { describe, expect, it } from 'vitest'
import { startGateProcess } from '../../support/gate-process.js'
import { ask, credentialsOf, fileWith, gateTo } from '../../support/gate.js'
import { rawAgent } from '../../support/raw-agent.js'
import { endHeaders, frame, frames, hpack, opening } from '../../support/raw-http2.js'
import { answerTo, RawSocket } from '../../support/raw-socket.js'
import { fieldsOf, record } from '../../support/recording-server.js'

const cardOfNobody = '/.well-known/agent-card.json'

describe('a gate under attack', () => {
  it('lets one of 64 equal requests in under once', async () => {
    await using agent = await record()
    const gate = await gateTo(agent.origin, { file: fileWith({ replay: 'once' }) })
    const headers = credentialsOf()
    const answers = await Promise.all(Array.from({ length: 64 }, () => ask(gate, { headers })))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(63)
    expect(agent.requests).toHaveLength(1)
  })

  it.each([
    ...[
      '//.well-known/agent-card.json',
      '/.well-known//agent-card.json',
      '/x/../.well-known/agent-card.json',
    ],
    ...[
      '/.well-known/./agent-card.json',
      '/.well-known/agent-card.json/',
      '/.well-known/agent-card.json/../../rpc',
    ],
    ...[
      '/.well-known/agent-card.json;a',
      '/.well-known/agent-card.json%3f',
      '/.well-known/agent-card.json%00',
    ],
    ...['/%2ewell-known/agent-card.json', '/.well-known%2fagent-card.json', '/.well-known/agent-card%2ejson'],
    ...['/.WELL-KNOWN/agent-card.json', '/.well-known/Agent-Card.json', '/.well-known\\agent-card.json'],
    ...[
      '/rpc?/.well-known/agent-card.json',
      '/.well-known/agent-card.json%23',
      '/healthz',
      '/metrics',
      '/status',
    ],
  ])('opens nothing at %s', async (path) => {
    const agent = await rawAgent()
    const gate = await gateTo(agent.url)
    const heard = await answerTo(gate.port, `GET ${path} HTTP/1.1`, 'Host: a', 'Connection: close', '', '')
    expect(heard).toMatch(/^HTTP\/1\.1 401 /)
    expect(agent.requests).toEqual([])
  })

  it.each([
    ['X-Original-URL', cardOfNobody],
    ['X-Rewrite-URL', cardOfNobody],
    ['X-Forwarded-Uri', cardOfNobody],
    ['X-Original-Method', 'GET'],
    ['X-Forwarded-Method', 'OPTIONS'],
    ['X-HTTP-Method-Override', 'OPTIONS'],
    ['X-Forwarded-For', '127.0.0.1'],
    ['X-Forwarded-Host', 'localhost'],
    ['Forwarded', 'for=127.0.0.1;host=localhost'],
    ['X-Real-IP', '127.0.0.1'],
    ['User-Agent', 'kube-probe/1.30'],
    ['User-Agent', 'ELB-HealthChecker/2.0'],
    ['User-Agent', 'GoogleHC/1.0'],
    ['X-Envoy-Internal', 'true'],
    ['TotpPeer', 'alice'],
    ['X-TOTP-Bypass', '1'],
  ])('opens nothing for %s: %s', async (name, value) => {
    await using agent = await record()
    const gate = await gateTo(agent.origin)
    for (const method of ['GET', 'POST', 'OPTIONS', 'HEAD']) {
      expect((await ask(gate, { method, path: '/rpc', headers: { [name]: value } })).status).toBe(401)
    }
    expect(agent.requests).toEqual([])
  })

  it('asks for the card alone whatever the method, the query and the content say', async () => {
    await using agent = await record()
    const gate = await gateTo(agent.origin, { proxy: { card: 'pass' } })
    const headers = { ...credentialsOf(), 'x-original-url': '/rpc', 'content-length': '3', TotpPeer: 'admin' }
    await ask(gate, { method: 'GET', path: `${cardOfNobody}?x=/rpc`, headers, body: 'abc' })
    const [seen] = agent.requests
    expect(seen).toMatchObject({ method: 'GET', path: cardOfNobody, body: '' })
    expect(JSON.stringify(seen?.fields)).not.toMatch(/totp|authorization|original/i)
    expect(seen && fieldsOf(seen, 'content-length')).toEqual([])
  })
})

describe('the built gate under attack', () => {
  it('stays up, keeps its log to lines of its own, and serves others', async () => {
    const agent = await rawAgent()
    const { gate, url } = await startGateProcess(agent.url, ['--header-timeout', '1'])
    const port = Number(new URL(url).port)
    const pseudo = [
      [':method', 'GET'],
      [':scheme', 'http'],
      [':path', '/'],
      [':authority', 'a'],
    ] as const

    using drip = new RawSocket({ port }).say('GET / HTTP/1.1\r\nHost: a\r\n')
    const dripping = setInterval(() => drip.say('X-A: b\r\n'), 50)

    using flood = new RawSocket({ port })
    flood.socket.write(Buffer.concat([opening, frame(frames.headers, 0, 1, hpack(pseudo))]))
    const piece = frame(frames.continuation, 0, 1, hpack([['x-a', 'b'.repeat(8000)]]))
    const flooding = setInterval(() => flood.socket.writable && flood.socket.write(piece), 5)

    using resets = new RawSocket({ port })
    resets.socket.write(opening)
    let stream = 1
    const burst = setInterval(() => {
      for (let one = 0; one < 200 && resets.socket.writable; one++, stream += 2) {
        const head = frame(frames.headers, endHeaders | 1, stream, hpack(pseudo))
        resets.socket.write(Buffer.concat([head, frame(frames.reset, 0, stream, Buffer.from([0, 0, 0, 8]))]))
      }
    }, 5)

    await Promise.all([drip.over, flood.over, resets.over])
    for (const timer of [dripping, flooding, burst]) clearInterval(timer)

    const long = await answerTo(port, 'GET / HTTP/1.1', 'Host: a', `X-A: ${'b'.repeat(17_000)}`, '', '')
    expect(long).toMatch(/^HTTP\/1\.1 431 /)
    await answerTo(
      port,
      ...[
        'GET /%0a{"forged":1}::error::\xe2\x80\xae HTTP/1.1',
        'Host: a',
        'User-Agent: \x1b[31m',
        'Connection: close',
        '',
        '',
      ],
    )
    const lines = Object.entries(credentialsOf()).map(([name, value]) => `${name}: ${value}`)
    const served = await answerTo(
      port,
      'GET /last HTTP/1.1',
      'Host: a',
      ...lines,
      'Connection: close',
      '',
      '',
    )
    expect(served).toMatch(/^HTTP\/1\.1 200 /)
    await gate.hasLogged(({ path }) => path === '/last')
    // Throws if a line is no JSON.
    expect(gate.log().some((line) => 'forged' in line)).toBe(false)
    const said = gate.said.join('\n')
    expect(['::error::', '\u001b', '\u202e'].filter((text) => said.includes(text))).toEqual([])
    expect(agent.requests.map(({ line }) => line)).toEqual(['GET /last HTTP/1.1'])
  })
})
