import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'
import { json } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { PeerSeedsOptions } from '../../src/server/index.js'
import { PeerTokenAuth } from '../../src/server/scheme/delegates.js'
import { temporaryFolder } from '../support/folder.js'
import { followedScheme, type FollowedScheme } from '../support/followed-scheme.js'
import { headersOf, peers, schemeFor, type PeerName } from '../support/guarded.js'
import { ownSleep, ownTime } from '../support/own-time.js'
import { serverFile } from '../support/server-file.js'
import {
  firstEvent,
  Gate,
  http2Server,
  streamingServers,
  type StreamingServer,
} from '../support/streaming-servers.js'

const folder = temporaryFolder()
const withoutAlice = serverFile()
delete withoutAlice.peers['alice']

let server: StreamingServer
let gate: Gate
let followed: FollowedScheme
afterEach(async () => {
  gate.open()
  followed.scheme.close()
  await server.close()
})

/** Opens a request, and returns its answer once the head is there. */
function ask(path: string, peer: PeerName = 'alice', method = 'GET'): Promise<IncomingMessage> {
  return new Promise((done, fail) => {
    const headers = headersOf(peer, new Date())
    request({ port: server.port, host: '127.0.0.1', path, method, headers, agent: false }, (answer) =>
      done(answer.on('error', () => undefined)),
    )
      .on('error', fail)
      .end()
  })
}

/** Reads what there is for now. */
async function firstOf(answer: IncomingMessage): Promise<string> {
  const [chunk] = (await once(answer, 'data')) as [Buffer]
  return chunk.toString()
}

/** How an answer ends: whether it was whole. */
async function endOf(answer: IncomingMessage): Promise<'whole' | 'cut'> {
  answer.resume()
  // Not `events.once`, which rejects on an error, and a cut is one.
  if (!answer.closed) await new Promise((done) => answer.once('close', done))
  return answer.complete ? 'whole' : 'cut'
}

const entered = (handlers: number): Promise<void> =>
  vi.waitFor(() => expect(gate.entered).toBe(handlers), { interval: 5 })

describe.each(Object.entries(streamingServers))('an open stream behind the guard for %s', (_, serve) => {
  async function start(): Promise<void> {
    gate = new Gate()
    followed = followedScheme(folder, serverFile())
    server = await serve(followed.scheme, gate)
  }

  it('is cut within a second when its peer leaves the server file, and others go on', async () => {
    await start()
    const [alice, other] = [await ask('/stream'), await ask('/stream', 'bob')]
    expect(await firstOf(alice)).toBe(firstEvent)
    expect(await firstOf(other)).toBe(firstEvent)
    const ended = endOf(alice)
    const otherEnded = endOf(other)
    await followed.replace(withoutAlice)
    expect(await Promise.race([ended, ownSleep(1000)])).toBe('cut')
    expect(await Promise.race([otherEnded, sleep(100)])).toBeUndefined()
    expect((await ask('/stream')).statusCode).toBe(401)
    other.destroy()
  })

  it('leaves a call alone that was let in before and is answered whole', async () => {
    await start()
    const pending = ask('/wait', 'alice', 'POST')
    await entered(1)
    await followed.replace(withoutAlice)
    await sleep(150)
    gate.open()
    const answer = await pending
    expect([answer.statusCode, await json(answer)]).toEqual([200, { whole: true }])
  })

  it('does not begin, or is cut, if it would begin only after its peer has left', async () => {
    await start()
    const late = async (): Promise<unknown> => {
      const answer = await ask('/late')
      const end = await endOf(answer)
      return end === 'whole' ? answer.statusCode : end
    }
    const pending = late().catch(() => 'cut')
    await entered(1)
    await followed.replace(withoutAlice)
    gate.open()
    expect(['cut', 500]).toContain(await Promise.race([pending, ownSleep(2000)]))
  })
})

/** Schemes whose alice expires in a moment. */
const expiring: [what: string, given: (expiresAt: Date) => Partial<PeerSeedsOptions>][] = [
  [
    'token',
    (expiresAt) => ({
      delegate: new PeerTokenAuth([
        { peer: 'alice', token: peers.alice.token, expiresAt },
        { peer: 'bob', token: peers.bob.token },
      ]),
    }),
  ],
  [
    'seed',
    (expiresAt) => ({
      peerSeeds: { alice: { seeds: [{ seed: peers.alice.seed, expiresAt }] }, bob: peers.bob.seed },
    }),
  ],
]

describe('an open stream', () => {
  const node = streamingServers['node:http'] ?? expect.fail()

  it.each(expiring)('is cut the moment its %s expires, and others go on', async (_, given) => {
    gate = new Gate()
    const expiresAt = new Date(Date.now() + 1500)
    const spent = ownTime()
    const { scheme } = schemeFor({ now: () => new Date() } as never, given(expiresAt))
    followed = { scheme, replace: () => Promise.resolve() }
    server = await node(scheme, gate)
    const [alice, other] = [await ask('/stream'), await ask('/stream', 'bob')]
    const otherEnded = endOf(other)
    expect(await endOf(alice)).toBe('cut')
    expect(Date.now()).toBeGreaterThanOrEqual(expiresAt.getTime())
    expect(spent()).toBeLessThan(1500 + 1000)
    expect(await Promise.race([otherEnded, sleep(100)])).toBeUndefined()
    other.destroy()
  })

  it('shows that it was cut even where the end of the connection is the end of the body (HTTP/1.0)', async () => {
    gate = new Gate()
    followed = followedScheme(folder, serverFile())
    server = await node(followed.scheme, gate)
    const socket = connect(server.port, '127.0.0.1')
    const fields = Object.entries(headersOf('alice', new Date())).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    )
    socket.write(`GET /stream HTTP/1.0\r\n${fields.join('')}\r\n`)
    let received = ''
    socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')))
    await vi.waitFor(() => expect(received).toContain(firstEvent), { interval: 5 })
    const error = new Promise((done) => socket.once('error', done))
    await followed.replace(withoutAlice)
    expect(await error).toMatchObject({ code: 'ECONNRESET' })
  })

  it('is cut while its caller is still sending', async () => {
    gate = new Gate()
    followed = followedScheme(folder, serverFile())
    server = await node(followed.scheme, gate)
    const upload = request({
      port: server.port,
      host: '127.0.0.1',
      path: '/wait',
      method: 'POST',
      headers: headersOf('alice', new Date()),
      agent: false,
    })
    const failed = new Promise((done) => upload.once('error', done))
    upload.write('a part')
    await entered(1)
    await followed.replace(withoutAlice)
    expect(await failed).toMatchObject({ code: expect.stringMatching(/ECONNRESET|EPIPE/) as string })
  })

  it('is reset over HTTP/2, and the other streams of its connection go on', async () => {
    gate = new Gate()
    followed = followedScheme(folder, serverFile())
    server = await http2Server(followed.scheme, gate)
    const session = connectHttp2(`http://127.0.0.1:${server.port}`)
    const open = (peer: PeerName, path: string) => {
      const stream = session.request({ ':path': path, ...headersOf(peer, new Date()) })
      stream.on('error', () => undefined)
      return stream
    }
    const [alice, bob, waiting] = [open('alice', '/stream'), open('bob', '/stream'), open('alice', '/wait')]
    for (const stream of [alice, bob]) {
      const [chunk] = (await once(stream, 'data')) as [Buffer]
      expect(chunk.toString()).toBe(firstEvent)
    }
    await entered(3)
    const closed = once(alice, 'close')
    await followed.replace(withoutAlice)
    await closed
    expect(alice.rstCode).toBe(8)
    expect(bob.closed).toBe(false)
    gate.open()
    expect(await json(waiting)).toEqual({ whole: true })
    session.destroy()
  })

  it('keeps nothing of requests that are over, whether or not their responses say that they close', async () => {
    gate = new Gate()
    followed = followedScheme(folder, serverFile())
    server = await node(followed.scheme, gate)
    gate.open()
    const answers = await Promise.all([ask('/wait'), ask('/wait', 'bob')])
    expect(await Promise.all(answers.map(endOf))).toEqual(['whole', 'whole'])
    await followed.replace(withoutAlice)
    expect((await ask('/wait', 'bob')).statusCode).toBe(200)
  })
})
