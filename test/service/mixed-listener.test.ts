import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { request, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect as connectHttp2, constants, type ClientHttp2Session } from 'node:http2'
import { request as requestHttps } from 'node:https'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { connect as connectTls } from 'node:tls'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { ListenPlace } from '../../src/service/address.js'
import { listenMixed, type MixedListener, type MixedOptions } from '../../src/service/mixed-listener.js'
import { ownTime } from '../support/own-time.js'
import { answerTo, RawSocket } from '../support/raw-socket.js'
import { selfSigned } from '../support/tls.js'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

type Handler = (req: IncomingMessage, res: ServerResponse) => void
const sayVersion: Handler = (req, res) => void res.end(`${req.httpVersion} ${req.method} ${req.url}`)
const loopback = { host: '127.0.0.1', port: 0 }

async function start(
  handler: Handler = sayVersion,
  options: MixedOptions = {},
  address: ListenPlace = loopback,
): Promise<MixedListener & { readonly port: number }> {
  const listener = await listenMixed(address, handler, options)
  cleanups.push(() => listener.stop())
  return Object.assign(listener, { port: Number(listener.address.split(':')[1]) })
}

function h2(url: string, options: object = {}): ClientHttp2Session {
  const session = connectHttp2(url, options)
  session.on('error', () => undefined)
  cleanups.push(() => session.destroy())
  return session
}

function raw(port: number): RawSocket {
  const socket = new RawSocket({ port })
  cleanups.push(() => socket.socket.destroy())
  return socket
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'a2a-totp-'))
  cleanups.push(() => rmSync(path, { recursive: true }))
  return path
}

const head = ['Host: agent', '', '']
const late = { headerTimeoutMs: 600 }
const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'

/** A frame of HTTP/2 (RFC 9113 §4.1). */
function frame(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): string {
  const start = Buffer.alloc(9)
  start.writeUIntBE(payload.length, 0, 3)
  start.writeUInt8(type, 3)
  start.writeUInt8(flags, 4)
  start.writeUInt32BE(stream, 5)
  return Buffer.concat([start, payload]).toString('latin1')
}
const settings = frame(4, 0, 0)
/** `GET / HTTP` of authority `a`, in HPACK. */
const getRoot = Buffer.from([0x82, 0x86, 0x84, 0x41, 0x01, 0x61])
const closed = (emitter: NodeJS.EventEmitter): Promise<unknown> =>
  new Promise((done) => emitter.on('error', () => undefined).once('close', done))

describe('one port', () => {
  it('speaks HTTP/1.1 and HTTP/2', async () => {
    const { port } = await start()
    expect(await answerTo(port, 'GET /a HTTP/1.1', 'Connection: close', ...head)).toMatch(/1\.1 GET \/a$/)
    expect(await text(h2(`http://127.0.0.1:${port}`).request({ ':path': '/b' }))).toBe('2.0 GET /b')
  })

  it.each([1, 3, 14, 23])('knows HTTP/2 also if its first %i bytes come alone', async (length) => {
    const { port } = await start()
    const socket = createConnection(port, '127.0.0.1')
    socket.setNoDelay(true)
    const write = socket.write.bind(socket)
    await once(socket, 'connect')
    write(preface.slice(0, length))
    await new Promise((done) => setTimeout(done, 30))
    write(preface.slice(length) + settings)
    const [first] = (await once(socket, 'data')) as [Buffer]
    // The server's own SETTINGS.
    expect(first[3]).toBe(4)
    socket.destroy()
  })

  it.each(['P', 'PUT /x HTTP/1.1\r\nCo'])('knows HTTP/1.1 after %j', async (begin) => {
    const { port } = await start()
    const whole = ['PUT /x HTTP/1.1', 'Connection: close', ...head].join('\r\n')
    const socket = raw(port)
    await once(socket.socket, 'connect')
    socket.say(begin)
    await new Promise((done) => setTimeout(done, 30))
    expect(await socket.say(whole.slice(begin.length)).over).toMatch(/1\.1 PUT \/x$/)
  })

  it('with TLS agrees on the protocol by ALPN, and speaks nothing else', async () => {
    const tls = selfSigned()
    const { port } = await start(sayVersion, { tls })
    const session = h2(`https://127.0.0.1:${port}`, { ca: tls.cert })
    expect(await text(session.request({ ':path': '/a' }))).toBe('2.0 GET /a')
    const sent = requestHttps({ port, host: '127.0.0.1', path: '/b', ca: tls.cert, agent: false }).end()
    const [answer] = (await once(sent, 'response')) as [IncomingMessage]
    expect(await text(answer)).toBe('1.1 GET /b')
    expect(await answerTo(port, 'GET / HTTP/1.1', ...head)).not.toContain('GET')
  })

  it('names a port that is in use', async () => {
    const { port } = await start()
    await expect(start(sayVersion, {}, { host: '127.0.0.1', port })).rejects.toMatchObject({
      code: 'ERR_PORT_UNAVAILABLE',
    })
  })
})

describe('a socket in the file system', () => {
  const ask = async (socketPath: string): Promise<string> => {
    const sent = request({ socketPath, path: '/s', agent: false }).end()
    const [answer] = (await once(sent, 'response')) as [IncomingMessage]
    return text(answer)
  }

  it('is for its owner alone, and gone when the listener stops', async () => {
    const socket = join(folder(), 's')
    const listener = await start(sayVersion, {}, { socket })
    expect(statSync(socket).mode & 0o777).toBe(0o600)
    expect(listener.address).toBe(socket)
    expect(await ask(socket)).toBe('1.1 GET /s')
    await listener.stop()
    expect(existsSync(socket)).toBe(false)
  })

  it('replaces one that a dead process has left', async () => {
    const socket = join(folder(), 's')
    const script = `require('net').createServer().listen(${JSON.stringify(socket)}, () => console.log('up'))`
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(child.stdout, 'data')
    const left = once(child, 'exit')
    child.kill('SIGKILL')
    await left
    expect(existsSync(socket)).toBe(true)
    await start(sayVersion, {}, { socket })
    expect(statSync(socket).mode & 0o777).toBe(0o600)
    expect(await ask(socket)).toBe('1.1 GET /s')
  })

  it('leaves one that is answered, and a file that is none', async () => {
    const socket = join(folder(), 's')
    await start(sayVersion, {}, { socket })
    const unavailable = { code: 'ERR_PORT_UNAVAILABLE' }
    await expect(start(sayVersion, {}, { socket })).rejects.toMatchObject(unavailable)
    expect(await ask(socket)).toBe('1.1 GET /s')
    const file = join(folder(), 'f')
    writeFileSync(file, 'kept')
    await expect(start(sayVersion, {}, { socket: file })).rejects.toMatchObject(unavailable)
    expect(existsSync(file)).toBe(true)
    const nowhere = join(folder(), 'none', 's')
    await expect(start(sayVersion, {}, { socket: nowhere })).rejects.toMatchObject(unavailable)
  })
})

describe('the head of a request', () => {
  it('of more than 16 KiB is answered with 431, and one below passes', async () => {
    const { port } = await start()
    const ask = (length: number): Promise<string> =>
      answerTo(port, 'GET / HTTP/1.1', 'Connection: close', `X-Long: ${'a'.repeat(length)}`, ...head)
    expect(await ask(15_000)).toMatch(/^HTTP\/1\.1 200/)
    expect(await ask(16_500)).toMatch(/^HTTP\/1\.1 431/)
    expect(await ask(500_000)).toMatch(/^HTTP\/1\.1 431/)
  })

  it('of more than 16 KiB is refused over HTTP/2', async () => {
    let calls = 0
    const { port } = await start((req, res) => {
      calls++
      sayVersion(req, res)
    })
    const ask = async (length: number): Promise<unknown> => {
      const lines = Object.fromEntries([1, 2, 3, 4].map((line) => [`x-${line}`, 'ä'.repeat(length / 4)]))
      const stream = h2(`http://127.0.0.1:${port}`).request({ ':path': '/', ...lines })
      const answer = new Promise((done) => {
        stream.once('response', (headers) => done(headers[':status']))
        stream.once('error', () => done('refused'))
        stream.once('close', () => done('refused'))
      })
      return answer
    }
    expect(await ask(12_000)).toBe(200)
    expect(await ask(17_000)).toBe(431)
    expect(await ask(40_000)).toBe(431)
    expect(await ask(100_000)).toBe('refused')
    expect(calls).toBe(1)
  })

  it('keeps every line of a field, however many there are', async () => {
    let lines = 0
    const { port } = await start((req, res) => {
      lines = req.rawHeaders.filter((name) => name === 'a').length
      res.end()
    })
    await answerTo(port, 'GET / HTTP/1.1', 'Connection: close', ...Array<string>(3000).fill('a:'), ...head)
    expect(lines).toBe(3000)
  })

  /** Says a byte whenever a tenth of the limit has passed, for as long as somebody hears it. */
  const drip = (socket: RawSocket, bytes: string): void => {
    let place = 0
    const timer = setInterval(() => socket.say(bytes[place++ % bytes.length] ?? ''), 60)
    socket.socket.once('close', () => clearInterval(timer))
  }
  const timeOf = async (over: Promise<unknown>): Promise<number> => {
    const spent = ownTime()
    await over
    return spent()
  }

  const begun = preface + settings + frame(1, 0, 1, Buffer.from([0x82]))
  const continued = frame(9, 0, 1, Buffer.from([0x86]))

  it.each([
    ['nothing', '', ''],
    ['an HTTP/1.1 head byte by byte', '', 'GET / HTTP/1.1\r\nX-A: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'],
    ['the preface of HTTP/2 byte by byte', '', preface],
    ['pings of HTTP/2 and no call', preface + settings, frame(6, 0, 0, Buffer.alloc(8))],
    ['a head of HTTP/2 byte by byte', begun, continued],
  ])('has to be complete in time: %s', async (_, begin, bytes) => {
    const { port } = await start(sayVersion, late)
    const socket = raw(port)
    await once(socket.socket, 'connect')
    socket.say(begin)
    if (bytes) drip(socket, bytes)
    expect(await timeOf(socket.over)).toBeLessThan(2000)
  })

  it('has to be complete in time after an answer, too', async () => {
    const { port } = await start(sayVersion, late)
    const socket = raw(port)
    socket.say('GET /first HTTP/1.1', ...head)
    await socket.hears('/first')
    drip(socket, 'GET / HTTP/1.1\r\nX-A: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')
    expect(await timeOf(socket.over)).toBeLessThan(2000)
  })

  it('has to be complete in time after an answer of HTTP/2, too', async () => {
    const { port } = await start(sayVersion, late)
    const socket = raw(port).say(preface + settings + frame(1, 5, 1, getRoot))
    await socket.hears('GET /')
    socket.say(frame(1, 0, 3, Buffer.from([0x82])))
    drip(socket, frame(9, 0, 3, Buffer.from([0x86])))
    expect(await timeOf(socket.over)).toBeLessThan(2500)
  })

  it('has to come in time over TLS, handshake included', async () => {
    const tls = selfSigned()
    const { port } = await start(sayVersion, { ...late, tls })
    expect(await timeOf(raw(port).over)).toBeLessThan(2000)
    const socket = connectTls({ port, host: '127.0.0.1', ca: tls.cert, ALPNProtocols: ['h2'] }).resume()
    expect(await timeOf(closed(socket))).toBeLessThan(2000)
  })

  it('may be followed by silence: streams and idle connections stay', async () => {
    const { port } = await start((req, res) => {
      res.write('first')
      if (req.url === '/end') res.end()
    }, late)
    const stream = raw(port).say('GET / HTTP/1.1', ...head)
    const idle = raw(port).say('GET /end HTTP/1.1', ...head)
    const session = h2(`http://127.0.0.1:${port}`)
    const call = session.request({ ':path': '/' })
    const idleSession = h2(`http://127.0.0.1:${port}`)
    await text(idleSession.request({ ':path': '/end' }))
    await Promise.all([stream.hears('first'), idle.hears('first'), once(call, 'data')])
    await new Promise((done) => setTimeout(done, 1500))
    const states = [stream.socket.closed, idle.socket.closed, session.closed, call.closed, idleSession.closed]
    expect(states).toEqual(states.map(() => false))
  })
})

describe('requests of a kind of their own', () => {
  it.each(['CONNECT agent:80 HTTP/1.1', 'CONNECT agent:80 HTTP/1.0'])('refuses %s', async (line) => {
    let calls = 0
    const { port } = await start(() => calls++)
    const answer = await answerTo(port, line, ...head, 'GET /behind HTTP/1.1', ...head)
    expect(answer).toMatch(/^HTTP\/1\.1 405/)
    expect(answer.match(/HTTP\//g)).toHaveLength(1)
    expect(calls).toBe(0)
  })

  it('refuses CONNECT over HTTP/2', async () => {
    const { port } = await start()
    const stream = h2(`http://127.0.0.1:${port}`).request(
      { ':method': 'CONNECT', ':authority': 'agent:80' },
      { endStream: false },
    )
    const [headers] = (await once(stream, 'response')) as [Record<string, unknown>]
    expect(headers[':status']).toBe(405)
  })

  it('gives an upgrade to the handler, with its content, and closes the connection after the answer', async () => {
    const { port } = await start((req, res) => {
      void text(req).then((content) => res.end(`${req.headers.upgrade}: ${content}`))
    })
    const upgrade = ['Connection: Upgrade', 'Upgrade: h2c', 'Content-Length: 5', ...head].join('\r\n')
    const second = ['GET /second HTTP/1.1', ...head].join('\r\n')
    const answer = await answerTo(port, 'POST / HTTP/1.1', `${upgrade}hello${second}`)
    expect(answer).toMatch(/^HTTP\/1\.1 200/)
    expect(answer).toContain('h2c: hello')
    expect(answer.match(/HTTP\/1/g)).toHaveLength(1)
  })

  it('answers Expect once the content is read', async () => {
    let read = (): void => undefined
    const { port } = await start((req, res) => {
      read = () => void text(req).then((content) => res.end(`got ${content}`))
    })
    const socket = raw(port)
    socket.say('POST / HTTP/1.1', 'Expect: 100-continue', 'Content-Length: 5', ...head)
    await new Promise((done) => setTimeout(done, 100))
    expect(socket.heard).toBe('')
    read()
    await socket.hears('HTTP/1.1 100 Continue\r\n\r\n')
    socket.say('hello')
    expect(await socket.hears('got hello')).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200/)
  })

  it('never asks for the content of a request that is answered without it', async () => {
    const { port } = await start((req, res) => {
      req.resume()
      res.writeHead(401).end('no')
    })
    const socket = raw(port)
    socket.say('POST / HTTP/1.1', 'Expect: 100-continue', 'Content-Length: 5', ...head)
    expect(await socket.hears('no')).toMatch(/^HTTP\/1\.1 401/)
    const stream = h2(`http://127.0.0.1:${port}`).request({ ':method': 'POST', expect: '100-continue' })
    let isAsked = false
    stream.on('continue', () => (isAsked = true))
    const [headers] = (await once(stream, 'response')) as [Record<string, unknown>]
    expect([headers[':status'], isAsked]).toEqual([401, false])
  })

  it('answers Expect over HTTP/2 once the content is read', async () => {
    const { port } = await start((req, res) => void text(req).then((content) => res.end(`got ${content}`)))
    const stream = h2(`http://127.0.0.1:${port}`).request({ ':method': 'POST', expect: '100-continue' })
    await once(stream, 'continue')
    stream.end('hello')
    expect(await text(stream)).toBe('got hello')
  })

  it('leaves a request with any other expectation to the handler', async () => {
    const { port } = await start((req, res) => {
      req.resume()
      res.writeHead(401).end(`no: ${req.headers.expect}`)
    })
    const heard = await answerTo(port, 'POST / HTTP/1.1', 'Expect: tea', 'Connection: close', ...head)
    expect(heard).toMatch(/^HTTP\/1\.1 401 [^]*no: tea/)
    const stream = h2(`http://127.0.0.1:${port}`).request({ ':method': 'POST', expect: 'tea' })
    const [headers] = (await once(stream, 'response')) as [Record<string, unknown>]
    expect([headers[':status'], await text(stream)]).toEqual([401, 'no: tea'])
  })
})

describe('clients that misbehave', () => {
  it('are closed when they open streams only to reset them', async () => {
    let calls = 0
    const { port } = await start((_req, res) => {
      calls++
      setTimeout(() => res.end(), 50)
    }, late)
    const socket = raw(port)
    socket.say(preface + settings)
    let stream = 1
    const burst = (): void => {
      const frames: string[] = []
      for (let one = 0; one < 500; one++, stream += 2) {
        frames.push(frame(1, 5, stream, getRoot), frame(3, 0, stream, Buffer.from([0, 0, 0, 8])))
      }
      socket.say(frames.join(''))
    }
    const timer = setInterval(burst, 5)
    await socket.over
    clearInterval(timer)
    expect(calls).toBeLessThan(5000)
    expect(await answerTo(port, 'GET / HTTP/1.1', 'Connection: close', ...head)).toMatch(/200 OK/)
  })

  it('do not end the process, however they break off', async () => {
    const { port } = await start((req, res) => {
      req.resume()
      res.write('first')
    })
    const starts = [
      '',
      'GET / HT',
      'PRI * HT',
      `${preface}${settings}`,
      `${preface}junk that is no frame at all`,
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc',
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz',
      'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
      'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n',
      '\x16\x03\x01\x02\x00\x01',
    ]
    for (const said of [...starts, ...starts]) {
      const socket = raw(port)
      await once(socket.socket, 'connect')
      socket.say(said)
      await new Promise((done) => setTimeout(done, 10))
      socket.socket.resetAndDestroy()
    }
    const socket = raw(port).say('GET / HTTP/1.1', ...head)
    await socket.hears('first')
  })

  it('may be many', async () => {
    const { port } = await start()
    const sockets = Array.from({ length: 500 }, () => raw(port))
    for (const socket of sockets) socket.say('GET /many HTTP/1.1', ...head)
    await Promise.all(sockets.map((socket) => socket.hears('/many')))
  })
})

describe('a listener that drains', () => {
  it('does not fail on a client of HTTP/2 that keeps its side of the connection open', async () => {
    const listener = await start(sayVersion, { headerTimeoutMs: 200 })
    const socket = createConnection({ port: listener.port, host: '127.0.0.1', allowHalfOpen: true })
    cleanups.push(() => socket.destroy())
    socket.on('error', () => undefined)
    socket.write(preface + settings, 'latin1')
    await once(socket, 'data')
    // Nothing of ours is sent any more, whatever is looked at meanwhile.
    await listener.drain(600)
  })

  it('takes nothing new, lets what runs end, and then is closed', async () => {
    const answers: ServerResponse[] = []
    const listener = await start((_req, res) => {
      res.write('first')
      answers.push(res)
    })
    const { port } = listener
    const stream = raw(port).say('GET / HTTP/1.1', ...head)
    const call = h2(`http://127.0.0.1:${port}`).request({ ':path': '/' })
    const idle = raw(port)
    await Promise.all([stream.hears('first'), once(call, 'data'), once(idle.socket, 'connect')])
    let isDrained = false
    const drained = listener.drain(60_000).then(() => (isDrained = true))
    await idle.over
    await closed(createConnection(port, '127.0.0.1'))
    expect(isDrained).toBe(false)
    for (const res of answers) res.end('last')
    expect(await text(call)).toBe('last')
    expect(await stream.over).toContain('last\r\n0\r\n\r\n')
    await drained
  })

  it('answers what is on its way, and closes the connection after it', async () => {
    let isAsked = false
    const listener = await start((_req, res) => {
      isAsked = true
      setTimeout(() => res.end('slow'), 150)
    })
    const socket = raw(listener.port).say('GET / HTTP/1.1', ...head)
    await vi.waitUntil(() => isAsked)
    const drained = listener.drain(60_000)
    const heard = await socket.over
    expect(heard).toContain('slow')
    expect(heard).toMatch(/connection: close/i)
    await drained
  })

  it('cuts off what still runs after its time', async () => {
    const listener = await start((_req, res) => void res.write('first'))
    const stream = raw(listener.port).say('GET / HTTP/1.1', ...head)
    const call = h2(`http://127.0.0.1:${listener.port}`).request({ ':path': '/' })
    await Promise.all([stream.hears('first'), once(call, 'data')])
    const ended = closed(call)
    await listener.drain(100)
    expect(await stream.over).not.toContain('0\r\n\r\n')
    await ended
    expect(call.rstCode).not.toBe(constants.NGHTTP2_NO_ERROR)
  })

  it('is stopped at once by a second word', async () => {
    const listener = await start((_req, res) => void res.write('first'))
    const stream = raw(listener.port).say('GET / HTTP/1.1', ...head)
    await stream.hears('first')
    const drained = listener.drain(60_000)
    await listener.stop()
    await Promise.all([drained, stream.over])
  })
})
