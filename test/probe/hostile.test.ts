import type { ServerResponse } from 'node:http'
import { createServer, type Server, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { formats, probe, renderPretty, type ProbeReport } from '../../src/probe/index.js'
import { findings, midStep, probeAgent, probeOptions, stillClock } from '../support/probing.js'

const servers: Server[] = []
const sockets = new Set<Socket>()
afterEach(() => {
  for (const socket of sockets) socket.destroy()
  for (const server of servers.splice(0)) server.close()
})

/** A server that says what it likes to whoever connects. */
async function rawServer(say: (socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('data', () => say(socket))
  }).listen(0, '127.0.0.1')
  servers.push(server)
  await new Promise((resolve) => server.once('listening', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const probed = (url: string): Promise<ProbeReport> =>
  probe({ ...probeOptions(url, stillClock(midStep)), timeoutMs: 200, binding: 'jsonrpc', protocol: '1.0' })

describe('an agent that cannot be reached', () => {
  it('fails reach, skips the rest, and is not ok', async () => {
    const report = await probed('http://127.0.0.1:1')
    expect(report).toMatchObject({ ok: false, reachable: false, guessesSpent: 0 })
    const [reach, ...others] = report.checks
    expect(reach).toMatchObject({ id: 'reach', status: 'fail' })
    expect(reach?.actual).toContain('ECONNREFUSED')
    expect(new Set(others.map(({ status }) => status))).toEqual(new Set(['skip']))
  })

  it.each([['auth.none'], ['auth.valid'], ['clock', 'leak']])(
    'is not ok with %s alone either',
    async (...only) => {
      const report = await probe({ ...probeOptions('http://127.0.0.1:1', stillClock(midStep)), only })
      expect([report.ok, report.reachable]).toEqual([false, false])
    },
  )

  it.each([
    ['says nothing', () => undefined],
    ['hangs up', (socket: Socket) => void socket.end()],
    ['speaks no HTTP', (socket: Socket) => void socket.end('SSH-2.0-OpenSSH_9.9\r\n')],
    [
      'never ends its header',
      (socket: Socket) => void socket.write(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}`),
    ],
    [
      'drips',
      (socket: Socket) => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n')
        const drip = setInterval(() => socket.write('x'), 20)
        socket.once('close', () => clearInterval(drip))
      },
    ],
  ])('is one that %s', async (_, say) => {
    const report = await probed(await rawServer(say))
    expect(report).toMatchObject({ ok: false, reachable: false })
  })
})

describe('an agent whose card cannot be read', () => {
  const head = (fields: string): string => `HTTP/1.1 200 OK\r\nConnection: close\r\n${fields}\r\n`
  it.each([
    ['because it is too long', head('Content-Length: 2000000\r\n') + 'x'.repeat(2_000_000)],
    ['because its coding is unknown', head('Content-Encoding: zstd\r\n') + 'x'],
    ['because it is not in the coding that it names', head('Content-Encoding: gzip\r\n') + 'nope'],
  ])('is one that was reached: %s', async (_, text) => {
    const report = await probed(await rawServer((socket) => void socket.end(text)))
    expect(report).toMatchObject({ ok: false, reachable: true })
    expect(findings(report)).toEqual({ coverage: 'fail' })
  })

  it('is one that was reached: because it speaks HTTP/2 only', async () => {
    const text = 'HTTP/1.1 505 HTTP Version Not Supported\r\nContent-Length: 0\r\n\r\n'
    const report = await probed(await rawServer((socket) => void socket.end(text)))
    expect(report).toMatchObject({ ok: false, reachable: true })
    expect(findings(report)).toEqual({ reach: 'fail' })
  })

  it('is not said to answer a TLS handshake over plain http', async () => {
    const page = '<h1>400</h1>The plain HTTP request was sent to HTTPS port'
    const text = `HTTP/1.1 400 Bad Request\r\nContent-Length: ${page.length}\r\n\r\n${page}`
    const report = await probed(await rawServer((socket) => void socket.end(text)))
    expect(report.checks[0]).toMatchObject({
      id: 'reach',
      status: 'pass',
      actual: 'plain http was sent to a port that speaks TLS',
    })
  })
})

const nested = (open: string, close: string): string => `${open.repeat(60_000)}"x"${close.repeat(60_000)}`

describe('an agent that nests JSON without end', () => {
  it.each([
    ['in lists', nested('[', ']')],
    ['in objects', nested('{"a":', '}')],
  ])('%s, in its card and its answers, is reported as any other', async (_, json) => {
    const answer = (body: string, status = '200 OK'): string =>
      `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`
    const calls = createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.once('data', (data) => {
        const text = data.toString()
        const body = `{"url":"http://127.0.0.1/","skills":${json}}`
        if (text.startsWith('GET')) socket.end(answer(body))
        else if (text.includes('uthorization')) socket.end(answer(`{"jsonrpc":"2.0","result":${json}}`))
        else socket.end(answer(`{"error":${json}}`, '401 Unauthorized'))
      })
    }).listen(0, '127.0.0.1')
    servers.push(calls)
    await new Promise((resolve) => calls.once('listening', resolve))
    const report = await probed(`http://127.0.0.1:${(calls.address() as AddressInfo).port}`)
    expect(report).toMatchObject({ ok: false, reachable: true })
  })
})

describe('a hostile agent', () => {
  it('cannot make the probe read without end', async () => {
    const flood = (socket: Socket): void => {
      const chunk = 'x'.repeat(65_536)
      socket.write('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n')
      const more = (): void => {
        if (!socket.destroyed) socket.write(chunk, more)
      }
      more()
    }
    const report = await probed(await rawServer(flood))
    expect(report.checks[0]?.actual).toContain('longer than')
  })

  it('cannot get its escape codes, line breaks or long words into a report', async () => {
    const { report } = await probeAgent({
      refuse: (response) => {
        const message = `\u001b[31mred\u009b2J\u202e\n::error::boo ${'x'.repeat(5000)}`
        response.writeHead(403, { 'Content-Type': 'application/json' })
        response.end(JSON.stringify({ error: { code: -1, message } }))
        return true
      },
      card: (card) => ({ ...card, name: '\u001b]0;owned\u0007agent' }),
    })
    expect(JSON.stringify(report)).not.toMatch(/\\u001b|\\u009b|\\u202e|\\n/)
    expect(report.agent).toBe(']0;owned agent')
    expect(
      Math.max(...report.checks.map(({ actual, detail }) => Math.max(actual.length, detail.length))),
    ).toBeLessThan(400)
    expect(renderPretty(report, { color: false, symbols: false })).toMatch(/^[\x20-\x7e\n]*$/)
  })

  it.each(['::error::pwned', '##[error]pwned', '##vso[task.complete]'])(
    'cannot give a command to the log of a CI system by the name %s',
    async (name) => {
      const { report } = await probeAgent({ card: (card) => ({ ...card, name }) }, { only: ['auth.none'] })
      for (const render of Object.values(formats)) {
        expect(render(report, { color: false, symbols: false })).not.toMatch(/^\s*(::error::|##\S)/m)
      }
    },
  )

  it.each<[string, (response: ServerResponse) => void]>([
    ['hangs up', (response) => response.socket?.destroy()],
    ['speaks no HTTP', (response) => response.socket?.end('garbage\r\n\r\n')],
    ['floods the header', (response) => response.writeHead(401, { 'X-Flood': 'x'.repeat(100_000) }).end()],
  ])('that %s instead of refusing is not ok: nothing shows that anybody is kept out', async (_, act) => {
    const { report } = await probeAgent({
      refuse: (response) => {
        act(response)
        return true
      },
    })
    expect(report).toMatchObject({ ok: false, reachable: true })
    expect(findings(report)).toMatchObject({ 'auth.none': 'fail', 'auth.bearer-only': 'fail' })
  })

  it('cannot make a run endless by naming interfaces', async () => {
    const { report } = await probeAgent(
      {
        card: (card, origin) => ({
          ...card,
          supportedInterfaces: Array.from({ length: 1000 }, (_, index) => ({
            url: `${origin}/rpc/${index}`,
            protocolBinding: 'JSONRPC',
            protocolVersion: '1.0',
          })),
        }),
      },
      { only: ['auth.none'] },
    )
    expect(report.checks.filter(({ id }) => id === 'auth.none')).toHaveLength(12)
    expect(report.checks.find(({ id }) => id === 'coverage')?.detail).toContain('990 were not tested')
  })

  it('is given up in a cell where it leaves requests without an answer', async () => {
    const { report, agent } = await probeAgent(
      {
        answers: (response) => {
          response.socket?.destroy()
          return true
        },
      },
      { binding: 'rest', protocol: '1.0' },
    )
    expect(report.ok).toBe(false)
    expect(agent.requests.length).toBeLessThan(12)
  })
})
