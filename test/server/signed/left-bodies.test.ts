import { once } from 'node:events'
import {
  connect as connectHttp2,
  createServer as createHttp2Server,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type Http2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { totpGuard } from '../../../src/server/node.js'
import type { PeerSeedsOptions } from '../../../src/server/scheme/options.js'
import { memoryState } from '../../../src/state/index.js'
import { Clock, schemeFor } from '../../support/guarded.js'
import { agent, sendHttp2, signed, type SentRequest } from '../../support/signed-requests.js'

const schemeWith = (given: Partial<PeerSeedsOptions> = {}) =>
  schemeFor(new Clock(), { replay: 'once', signed: 'require', agent, ...given })

let server: Http2Server | undefined
let session: ClientHttp2Session | undefined
afterEach(() => {
  session?.destroy()
  server?.close()
})

type Http2Listener = (req: Http2ServerRequest, res: Http2ServerResponse) => unknown

/** Node reports a bug of its own as an uncaught exception, which fails the whole run. */
async function listenHttp2(given: Partial<PeerSeedsOptions>, listener: Http2Listener) {
  const { scheme, events } = schemeWith(given)
  const guarded = totpGuard(scheme, listener as never) as unknown as Http2Listener
  const closed: Promise<unknown>[] = []
  const own = createHttp2Server((req, res) => {
    closed.push(once(req.stream, 'close'))
    guarded(req, res)
  })
  server = own
  own.listen(0, '127.0.0.1')
  await once(own, 'listening')
  const { port } = own.address() as AddressInfo
  return { port, events, closed }
}

function open(port: number, { method, target, headers }: SentRequest): ClientHttp2Stream {
  session = connectHttp2(`http://127.0.0.1:${port}`)
  session.on('error', () => undefined)
  const stream = session.request({ ':method': method, ':path': target, ...Object.fromEntries(headers) })
  stream.on('error', () => undefined)
  return stream.resume()
}

const ignoring: Http2Listener = (_req, res) => void res.end('ignored')
const long = () => signed({ body: Buffer.alloc(200_000, 'x') })
/** For what Node does in later turns. */
const turns = () => new Promise((done) => setTimeout(done, 20))

/** Decides only when it is told to. */
function waitingState() {
  const state = memoryState()
  let go: () => void = () => undefined
  let ask: () => void = () => undefined
  const asked = new Promise<void>((done) => (ask = done))
  const told = new Promise<void>((done) => (go = done))
  const decide: typeof state.decide = async (attempt) => {
    ask()
    await told
    return state.decide(attempt)
  }
  return { state: { supports: state.supports, decide } as PeerSeedsOptions['state'], asked, go: () => go() }
}

describe('over HTTP/2, a signed request', () => {
  it.each(['GET', 'POST'])('may be answered by a handler that reads nothing: %s', async (method) => {
    const { port, events, closed } = await listenHttp2({}, ignoring)
    const request = method === 'GET' ? signed({ method, body: '' }) : long()
    expect(await sendHttp2(port, request)).toMatchObject({ status: 200, body: 'ignored' })
    await Promise.all(closed)
    await turns()
    // Nothing is said of a content that nobody has seen.
    expect(events.map(({ type }) => type)).toEqual(['authenticated'])
  })

  it.each(['before', 'after'])('may be left %s it is answered', async (when) => {
    const { port, events, closed } = await listenHttp2({}, when === 'after' ? ignoring : () => undefined)
    const stream = open(port, long())
    stream.write('x')
    await expect.poll(() => events.length).toBe(1)
    session?.destroy()
    await expect.poll(() => closed.length).toBe(1)
    await Promise.all(closed)
    await turns()
    expect(events.map(({ type }) => type)).toEqual(['authenticated'])
  })

  it.each(['require', 'observe'] as const)('may be left before it is decided about: %s', async (policy) => {
    const { state, asked, go } = waitingState()
    let ended = false
    const { port, events, closed } = await listenHttp2({ signed: policy, state }, (req) => {
      req.on('data', () => undefined).on('end', () => (ended = true))
    })
    open(port, long())
    await asked
    session?.destroy()
    await Promise.all(closed)
    go()
    await expect.poll(() => events.length).toBe(1)
    await turns()
    expect(events[0]?.type).toBe(policy === 'observe' ? 'authenticated' : 'refused')
    // As Node does it without a guard.
    expect(ended).toBe(policy === 'observe')
  })

  it('may be read after its client has left', async () => {
    let read: (() => unknown) | undefined
    let ended = false
    const { port, closed } = await listenHttp2({}, (req) => {
      read = () => req.on('data', () => undefined).on('end', () => (ended = true))
    })
    const stream = open(port, long())
    stream.write('x')
    await expect.poll(() => read !== undefined).toBe(true)
    session?.destroy()
    await Promise.all(closed)
    read?.()
    await turns()
    expect(ended).toBe(false)
  })
})
