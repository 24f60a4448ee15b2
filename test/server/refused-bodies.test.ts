import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { totpGuard } from '../../src/server/node.js'
import { Clock, headersOf, schemeFor, someInstant } from '../support/guarded.js'
import { frameworks, rawExchange, type GuardedServer } from '../support/http-frameworks.js'

const both = Object.entries(headersOf('alice', someInstant)).map(([name, value]) => `${name}: ${value}`)
const request = (start: string, ...lines: string[]): string =>
  [`${start} HTTP/1.1`, 'Host: a', ...lines, '', ''].join('\r\n')

/** The status codes of answers on one connection. */
const statusesOf = (answers: string): string[] =>
  Array.from(answers.matchAll(/HTTP\/1\.1 (\d+) /g), ([, status = '']) => status)

let server: GuardedServer | undefined
afterEach(() => server?.close())

describe.each(Object.entries(frameworks))('after a refusal, %s', (_, serve) => {
  const start = async (): Promise<number> => {
    server = await serve({ scheme: schemeFor(new Clock()).scheme, through: () => undefined })
    return server.port
  }

  it('hangs up within seconds where the body is sent slowly, or never comes', async () => {
    const port = await start()
    const ends = [
      ['Transfer-Encoding: chunked', '1\r\nx\r\n'],
      ['Content-Length: 100', ''],
      ['Content-Length: 100\r\nExpect: 100-continue', ''],
    ].map(async ([field = '', chunk = '']) => {
      const client = connect(port, '127.0.0.1')
      client.on('error', () => undefined)
      let answer = ''
      client.on('data', (data: Buffer) => (answer += data.toString()))
      client.write(request('POST /x', field))
      const slowly = setInterval(() => client.write(chunk), 100)
      await new Promise((done) => client.on('close', done))
      clearInterval(slowly)
      return statusesOf(answer).filter((status) => status !== '100')
    })
    expect(await Promise.all(ends)).toEqual([['401'], ['401'], ['401']])
  })

  it('answers what was sent behind it on the same connection', async () => {
    const refused = request('POST /x', 'Content-Length: 5') + 'hello'
    const answers = await rawExchange(
      await start(),
      refused + request('GET /y', ...both, 'Connection: close'),
    )
    expect(statusesOf(answers)).toEqual(['401', '200'])
  })
})

describe('the guard for node:http', () => {
  let own: Server | undefined
  afterEach(() => {
    own?.close()
    own?.closeAllConnections()
  })

  it('cuts no earlier answer off for a refused body that is too long', async () => {
    const { scheme } = schemeFor(new Clock())
    let finish: () => unknown = () => undefined
    own = createServer(
      totpGuard(scheme, (_req, res) => {
        res.write('begun ')
        finish = () => res.end('and finished')
      }),
    ).listen(0, '127.0.0.1')
    await once(own, 'listening')
    const client = connect((own.address() as AddressInfo).port, '127.0.0.1')
    client.on('error', () => undefined)
    let answers = ''
    client.on('data', (data: Buffer) => (answers += data.toString()))
    client.write(request('GET /x', ...both) + request('POST /x', `Content-Length: ${4 << 20}`))
    client.write(Buffer.alloc(2 << 20))
    await expect.poll(() => answers).toContain('begun')
    await expect.poll(() => client.bytesWritten).toBeGreaterThan(1 << 20)
    finish()
    await new Promise((done) => client.on('close', done))
    expect(answers).toContain('and finished')
    expect(statusesOf(answers)).toEqual(['200', '401'])
  })

  it('sends the text of its own status, whatever something in front has set', async () => {
    const guarded = totpGuard(schemeFor(new Clock()).scheme, (_req, res) => res.end())
    own = createServer((req, res) => {
      res.statusMessage = 'Fine'
      guarded(req, res)
    }).listen(0, '127.0.0.1')
    await once(own, 'listening')
    const answer = await rawExchange(
      (own.address() as AddressInfo).port,
      request('GET /', 'Connection: close'),
    )
    expect(answer).toMatch(/^HTTP\/1\.1 401 Unauthorized\r\n/)
  })
})
