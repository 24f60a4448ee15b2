import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import express from 'express'
import { afterEach, describe, expect, it } from 'vitest'
import { callerOf, outcomeOf, totpGuard, totpUpgradeGuard } from '../../../src/server/node.js'
import * as forExpress from '../../../src/server/express.js'
import type { AuthEvent } from '../../../src/server/scheme/events.js'
import type { PeerSeedsOptions } from '../../../src/server/scheme/options.js'
import { Clock, schemeFor } from '../../support/guarded.js'
import { bytesHeld } from '../../support/memory.js'
import { agent } from '../../support/proof-of.js'
import { framed, headOf, sendRaw, signed } from '../../support/signed-requests.js'

let server: Server | undefined
afterEach(() => {
  server?.close()
  server?.closeAllConnections()
})

const schemeWith = (given: Partial<PeerSeedsOptions> = {}, clock = new Clock()) =>
  schemeFor(clock, { replay: 'once', signed: 'require', agent, ...given })

async function listen(listener: (req: IncomingMessage, res: ServerResponse) => unknown): Promise<number> {
  const own = createServer((req, res) => void listener(req, res))
  server = own
  own.listen(0, '127.0.0.1')
  await once(own, 'listening')
  return (own.address() as AddressInfo).port
}

/** What handlers saw, and the request that they saw last. */
function recorder() {
  const seen = { started: 0, ended: 0, bytes: 0, last: undefined as IncomingMessage | undefined }
  const handler = (req: IncomingMessage, res: ServerResponse): void => {
    seen.started++
    seen.last = req
    req.on('data', (chunk: Buffer) => (seen.bytes += chunk.length))
    req.on('end', () => {
      seen.ended++
      res.end(callerOf(req)?.peer)
    })
  }
  return { seen, handler }
}

/** A connection, with everything that comes back on it. */
function open(port: number): { socket: Socket; text: () => string; closed: Promise<unknown> } {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  socket.on('data', (data: Buffer) => (text += data.toString('latin1')))
  socket.on('error', () => undefined)
  return { socket, text: () => text, closed: once(socket, 'close') }
}

const reasonsOf = (events: readonly AuthEvent[]): unknown[] =>
  events.flatMap((event) => ('reason' in event ? [event.reason] : []))

const long = signed({ body: Buffer.alloc(200_000, 'x') })
const longChanged = (): ReturnType<typeof signed> => {
  const request = signed({ body: Buffer.alloc(200_000, 'x') })
  return { ...request, body: Buffer.concat([request.body.subarray(1), Buffer.from('y')]) }
}

describe('a body that turns out to be another one', () => {
  it('is answered 401, its connection closed, and its caller taken back', async () => {
    const { scheme, events } = schemeWith()
    const { seen, handler } = recorder()
    const port = await listen(totpGuard(scheme, handler))
    const { socket, text, closed } = open(port)
    const request = longChanged()
    socket.write(headOf(request))
    socket.write(request.body.subarray(0, 100_000))
    await expect.poll(() => seen.started).toBe(1)
    const { last } = seen
    expect(callerOf(last ?? {})?.peer).toBe('alice')
    socket.write(request.body.subarray(100_000))
    await closed
    expect(text()).toMatch(/^HTTP\/1\.1 401 /)
    expect(text()).toMatch(/\r\nconnection: close\r\n/i)
    expect(text().match(/\r\nwww-authenticate:/gi)).toHaveLength(2)
    expect(seen).toMatchObject({ started: 1, ended: 0 })
    expect(callerOf(last ?? {})).toBeUndefined()
    expect(outcomeOf(last ?? {})?.refusal?.reason).toBe('proof-digest')
    expect(events.map(({ type }) => type)).toEqual(['authenticated', 'refused'])
  })

  it('ends no connection but its own', async () => {
    const { handler } = recorder()
    const port = await listen(totpGuard(schemeWith().scheme, handler))
    const other = open(port)
    const good = signed()
    other.socket.write(headOf(good) + good.body.toString())
    await expect.poll(other.text).toMatch(/alice/)
    expect((await sendRaw(port, longChanged())).status).toBe(401)
    const next = signed()
    other.socket.write(headOf(next) + next.body.toString())
    await expect.poll(() => other.text().match(/alice/g)?.length).toBe(2)
    other.socket.destroy()
  })

  it('is answered behind the answers that were asked for before it', async () => {
    const { handler } = recorder()
    const port = await listen(totpGuard(schemeWith().scheme, handler))
    const { socket, text, closed } = open(port)
    const first = signed()
    const second = longChanged()
    socket.write(
      Buffer.concat([Buffer.from(headOf(first)), first.body, Buffer.from(headOf(second)), second.body]),
    )
    await closed
    expect(Array.from(text().matchAll(/HTTP\/1\.1 (\d+) /g), ([, status]) => status)).toEqual(['200', '401'])
  })

  it('cuts an answer that has begun, and never ends it', async () => {
    const port = await listen(
      totpGuard(schemeWith().scheme, (req, res) => {
        res.write('begun')
        req.pipe(res)
      }),
    )
    const request = longChanged()
    const { socket, text, closed } = open(port)
    socket.write(headOf(request))
    await expect.poll(text).toContain('begun')
    socket.write(request.body)
    await closed
    expect(text()).toMatch(/^HTTP\/1\.1 200 /)
    expect(text()).not.toMatch(/\r\n0\r\n\r\n$/)
  })

  it('survives a handler that answers later, whatever it calls', async () => {
    let answer: (() => unknown) | undefined
    const port = await listen(
      totpGuard(schemeWith().scheme, (req, res) => {
        req.resume()
        answer = () => {
          res.setHeader('X-Late', 'yes')
          res.writeHead(200, { 'X-Later': 'yes' })
          res.write('late')
          return res.end('later')
        }
      }),
    )
    const { status, body } = await sendRaw(port, longChanged())
    expect([status, JSON.parse(body)]).toMatchObject([401, { error: { code: 401 } }])
    expect(answer).not.toThrow()
  })

  it('is withheld where something in front of the guard has waited, and the body came meanwhile', async () => {
    const clock = new Clock()
    const { scheme, events } = schemeWith({}, clock)
    const { seen, handler } = recorder()
    const guarded = totpGuard(scheme, handler)
    const port = await listen((req, res) => setTimeout(() => guarded(req, res), 50))
    const good = await sendRaw(port, signed())
    expect([good.status, good.body]).toEqual([200, 'alice'])
    const changed = { ...signed(), body: Buffer.from('{"hello":"there"}') }
    expect((await sendRaw(port, changed)).status).toBe(401)
    // Refused proofs are at most one event a second.
    clock.advance(1)
    expect((await sendRaw(port, longChanged())).status).toBe(401)
    const { status } = await sendRaw(port, long)
    expect([status, seen.ended]).toEqual([200, 2])
    expect(reasonsOf(events)).toEqual(['proof-digest', 'proof-digest'])
  })
})

describe('a signed body', () => {
  it('may come slowly, in pieces, with trailers', async () => {
    const { seen, handler } = recorder()
    const port = await listen(totpGuard(schemeWith().scheme, handler))
    const request = signed({ chunked: true })
    const { socket, text, closed } = open(port)
    socket.write(headOf(request).replace('\r\n\r\n', '\r\nTrailer: x\r\nConnection: close\r\n\r\n'))
    const bytes = framed(request)
      .toString()
      .replace(/\r\n\r\n$/, '\r\nx: y\r\n\r\n')
    for (const byte of bytes) {
      socket.write(byte)
      await new Promise(setImmediate)
    }
    await closed
    expect([text().endsWith('alice\r\n0\r\n\r\n') || text().endsWith('alice'), seen.ended]).toEqual([true, 1])
    expect(seen.last?.trailers).toEqual({ x: 'y' })
  })

  it.each([['by Node'], ['by a listener of checkContinue']])('is asked for %s', async (who) => {
    const { handler } = recorder()
    const { scheme } = schemeWith()
    const port = await listen(totpGuard(scheme, handler))
    if (who !== 'by Node') {
      server?.on(
        'checkContinue',
        totpGuard(scheme, (req, res) => {
          res.writeContinue()
          handler(req, res)
        }),
      )
    }
    const request = signed()
    const { socket, text } = open(port)
    socket.write(headOf(request).replace('\r\n\r\n', '\r\nExpect: 100-continue\r\n\r\n'))
    await expect.poll(text).toMatch(/^HTTP\/1\.1 100 /)
    socket.write(request.body)
    await expect.poll(text).toMatch(/alice/)
    socket.destroy()
  })

  it('that its client leaves is no other body', async () => {
    const { scheme, events } = schemeWith()
    const { seen, handler } = recorder()
    const port = await listen(totpGuard(scheme, handler))
    const { socket } = open(port)
    socket.write(headOf(signed({ body: long.body })))
    socket.write(long.body.subarray(0, 50_000))
    await expect.poll(() => seen.started).toBe(1)
    const gone = new Promise((done) => seen.last?.on('close', done))
    socket.destroy()
    await gone
    expect(seen.ended).toBe(0)
    expect(events.map(({ type }) => type)).toEqual(['authenticated'])
    expect((await sendRaw(port, signed())).status).toBe(200)
  })

  it('that nobody reads holds up nothing, and is not reported on', async () => {
    const { scheme, events } = schemeWith()
    const port = await listen(totpGuard(scheme, (_req, res) => res.end('unread')))
    const { socket, text } = open(port)
    for (let round = 1; round <= 2; round++) {
      const request = signed({ body: long.body })
      socket.write(headOf(request))
      socket.write(request.body)
      await expect.poll(() => text().match(/unread/g)?.length).toBe(round)
    }
    socket.destroy()
    expect(reasonsOf(events)).toEqual([])
  })

  it('of 100 MB passes in flat memory', async () => {
    const { scheme } = schemeWith()
    const { seen, handler } = recorder()
    const port = await listen(totpGuard(scheme, handler))
    const body = Buffer.alloc(100 * 1024 * 1024, 'x')
    const request = signed({ body })
    const before = bytesHeld()
    let most = 0
    const watch = setInterval(() => (most = Math.max(most, bytesHeld() - before)), 300)
    const { socket, text } = open(port)
    socket.write(headOf(request))
    for (let at = 0; at < body.length; at += 1 << 20) {
      if (!socket.write(body.subarray(at, at + (1 << 20)))) await once(socket, 'drain')
    }
    await expect.poll(text).toMatch(/alice/)
    clearInterval(watch)
    expect(seen.bytes).toBe(body.length)
    expect(most).toBeLessThan(32 * 1024 * 1024)
    socket.destroy()
  }, 60_000)
})

describe('a guard behind something that has read the body', () => {
  it.each(['accept', 'require'] as const)(
    'refuses signed requests under %s, and says what to do',
    async (policy) => {
      const { scheme, events } = schemeWith({ signed: policy })
      const app = express()
      app.use(express.json())
      app.use(forExpress.totpGuard(scheme))
      let started = 0
      app.use((_req, res) => {
        started++
        res.end()
      })
      const port = await listen(app as never)
      expect((await sendRaw(port, signed())).status).toBe(503)
      expect((await sendRaw(port, signed({ method: 'DELETE' }))).status).toBe(503)
      expect(started).toBe(0)
      expect(events).toMatchObject([
        {
          reason: 'guard-failed',
          cause: 'content-unseen',
          advice: expect.stringContaining('body parser') as string,
        },
        { cause: 'content-unseen' },
      ])
      expect((await sendRaw(port, signed({ method: 'GET', body: '' }))).status).toBe(200)
    },
  )

  it('lets them in under observe, and reports that they would be refused', async () => {
    const { scheme, events } = schemeWith({ signed: 'observe', replay: 'reuse' })
    const app = express()
    app.use(express.json())
    app.use(forExpress.totpGuard(scheme))
    app.use((_req, res) => void res.end())
    const port = await listen(app as never)
    for (const sent of [signed(), { ...signed(), body: Buffer.from('{}') }]) {
      expect((await sendRaw(port, sent)).status).toBe(200)
      expect(events.splice(0)).toMatchObject([
        { type: 'authenticated', peer: 'alice', proof: 'valid' },
        {
          type: 'proof_observed',
          peer: 'alice',
          proof: 'invalid',
          proofReason: 'content-unseen',
          advice: expect.stringContaining('body parser') as string,
        },
      ])
    }
    expect((await sendRaw(port, signed({ method: 'GET', body: '' }))).status).toBe(200)
    expect(events).toMatchObject([{ type: 'authenticated', proof: 'valid' }])
  })

  it('takes the bytes as they were sent, if they are at hand', async () => {
    const app = express()
    app.use(express.raw({ type: () => true }))
    app.use(forExpress.totpGuard(schemeWith().scheme))
    app.use((req, res) => void res.end(forExpress.callerOf(req)?.peer))
    const port = await listen(app as never)
    expect((await sendRaw(port, signed())).body).toBe('alice')
    expect((await sendRaw(port, { ...signed(), body: Buffer.from('{"hello":"there"}') })).status).toBe(401)
  })
})

describe('the target of a signed request', () => {
  it('is what was received, whatever a router has stripped, and what a proxy has', async () => {
    const { scheme } = schemeWith({ pathPrefix: '/agents/billing' })
    const app = express()
    const inner = express.Router()
    inner.use(forExpress.totpGuard(scheme))
    inner.use((_req, res) => void res.end('through'))
    app.use('/a2a', inner)
    const port = await listen(app as never)
    const sent = { ...signed({ target: '/agents/billing/a2a/x?y=%2F' }), target: '/a2a/x?y=%2F' }
    expect((await sendRaw(port, sent)).status).toBe(200)
    expect((await sendRaw(port, signed({ target: '/a2a/x' }))).status).toBe(401)
  })
})

describe('a signed upgrade', () => {
  const upgrade = { Connection: 'Upgrade', Upgrade: 'x' }

  it('is let in without content, and refused with one', async () => {
    const { scheme, events } = schemeWith()
    const port = await listen((_req, res) => res.end())
    server?.on(
      'upgrade',
      totpUpgradeGuard(scheme, (req, socket) => {
        socket.end(`HTTP/1.1 101 Switching Protocols\r\n\r\n${callerOf(req)?.peer}`)
      }),
    )
    const ask = async (request: ReturnType<typeof signed>): Promise<string> => {
      const { socket, text, closed } = open(port)
      socket.write(headOf(request) + request.body.toString())
      await closed
      return text()
    }
    expect(await ask(signed({ method: 'GET', body: '', headers: upgrade }))).toMatch(
      /^HTTP\/1\.1 101 [^]*alice$/,
    )
    const appended = { ...signed({ method: 'GET', body: '', headers: upgrade }), body: Buffer.from('x') }
    expect(await ask(appended)).toMatch(/^HTTP\/1\.1 401 /)
    expect(reasonsOf(events)).toEqual(['proof-digest'])
  })
})

describe('under observe', () => {
  it('nothing is withheld, and another body is reported', async () => {
    const { scheme, events } = schemeWith({ replay: 'reuse', signed: 'observe' })
    const { seen, handler } = recorder()
    const port = await listen(totpGuard(scheme, handler))
    expect((await sendRaw(port, signed())).body).toBe('alice')
    for (const request of [longChanged(), { ...signed(), body: Buffer.from('{}') }]) {
      expect((await sendRaw(port, request)).body).toBe('alice')
    }
    expect(seen.ended).toBe(3)
    expect(events.map(({ type }) => type)).toEqual([
      'authenticated',
      'authenticated',
      'proof_observed',
      'authenticated',
      'proof_observed',
    ])
  })
})
