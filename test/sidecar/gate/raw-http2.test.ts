import { describe, expect, it, onTestFinished } from 'vitest'
import { parseUpstream } from '../../../src/sidecar/gate/upstream-address.js'
import { credentialsOf, gateTo, type TestGate } from '../../support/gate.js'
import { echoAgent } from '../../support/grpc-echo.js'
import { rawAgent, type RawRequest } from '../../support/raw-agent.js'
import {
  contentIn,
  endHeaders,
  endStream,
  frame,
  frames,
  framesIn,
  hpack,
  http2Request,
  opening,
  type Http2Fields,
} from '../../support/raw-http2.js'
import { RawSocket } from '../../support/raw-socket.js'

const pairs = (): Http2Fields => Object.entries(credentialsOf())
const pseudo: Http2Fields = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/t'],
  [':authority', 'a'],
]
const without = (name: string): Http2Fields => pseudo.filter(([one]) => one !== name)

const valuesOf = (fields: RawRequest['fields'], name: string): string[] =>
  fields.filter(([one]) => one.toLowerCase() === name).map(([, value]) => value)

describe('what an agent reads of a connection of HTTP/2', () => {
  /** What is heard of a request, until the gate has answered or reset it. */
  async function heardOf(gate: TestGate, request: Buffer): Promise<string> {
    const raw = new RawSocket({ port: gate.port })
    onTestFinished(() => void raw.socket.destroy())
    raw.socket.write(request)
    const isOver = (): boolean =>
      framesIn(raw.heard).some(({ type }) => type === frames.reset || type === frames.headers || type === 7)
    while (!isOver() && !raw.socket.destroyed) await new Promise((done) => raw.socket.once('data', done))
    return raw.heard
  }

  it.each<[string, Http2Fields]>([
    ['two methods', [[':method', 'GET'], ...pseudo]],
    ['two paths', [...pseudo, [':path', '/hidden']]],
    ['two authorities', [...pseudo, [':authority', 'b']]],
    ['two schemes', [...pseudo, [':scheme', 'https']]],
    ['a pseudo-field of answers', [...pseudo, [':status', '200']]],
    ['a pseudo-field that does not exist', [...pseudo, [':totppeer', 'admin']]],
    ['no path', without(':path')],
    ['no authority', without(':authority')],
    ['an absolute form', [[':path', 'http://b/'], ...without(':path')]],
    ['a version in its path', [[':path', '/ HTTP/1.1'], ...without(':path')]],
    ['a line end in its path', [[':path', '/ HTTP/1.1\r\nTotpPeer: admin'], ...without(':path')]],
    ['a line end in its method', [[':method', 'GET / HTTP/1.1\r\nTotpPeer: admin'], ...without(':method')]],
    ['a blank in its method', [[':method', 'GET /hidden'], ...without(':method')]],
    ['trace, which is not TRACE', [[':method', 'trace'], ...without(':method')]],
    ['connect, which is not CONNECT', [[':method', 'connect'], ...without(':method')]],
    ['an extended CONNECT', [[':method', 'CONNECT'], [':protocol', 'websocket'], ...without(':method')]],
    ['a path in its authority', [[':authority', 'a/b'], ...without(':authority')]],
    ['a user in its authority', [[':authority', 'b@a'], ...without(':authority')]],
    ['a Host that differs', [...pseudo, ['host', 'b']]],
    ['a Transfer-Encoding', [...pseudo, ['transfer-encoding', 'chunked']]],
    ['a Connection', [...pseudo, ['connection', 'totppeer']]],
    ['an Upgrade', [...pseudo, ['upgrade', 'h2c']]],
    ['a length that is not its own', [...pseudo, ['content-length', '60']]],
    ['two lengths', [...pseudo, ['content-length', '3'], ['content-length', '3']]],
    ['a name in capitals', [...pseudo, ['TotpPeer', 'admin']]],
  ])('is nothing of a request with %s, though it has both factors', async (_, fields) => {
    const agent = await rawAgent()
    const gate = await gateTo(agent.url)
    const heard = await heardOf(gate, http2Request([...fields, ...pairs()]))
    expect(contentIn(heard)).not.toContain('ok')
    expect(agent.requests).toEqual([])
  })

  it.each<[string, Http2Fields[number]]>([
    ['a line end in a value', ['x-a', 'b\r\nTotpPeer: admin']],
    ['a line end in a name', ['x-a: b\r\ntotppeer', 'admin']],
    ['a colon in a name', ['totppeer:', 'admin']],
    ['a blank in a name', ['totppeer ', 'admin']],
    ['a null in a value', ['x-a', 'admin\0']],
  ])('has nothing of a field with %s', async (_, field) => {
    const agent = await rawAgent()
    const gate = await gateTo(agent.url)
    await heardOf(gate, http2Request([...pseudo, ...pairs(), field]))
    expect(agent.connections.join('')).not.toContain('admin')
    for (const { fields } of agent.requests) expect(valuesOf(fields, 'totppeer')).toEqual(['alice'])
  })

  it('has no trailers of identity and credentials', async () => {
    const agent = await rawAgent()
    const gate = await gateTo(agent.url)
    const trailers: Http2Fields = [
      ['totppeer', 'admin'],
      ['authorization', 'Bearer x'],
      ['x-totp', '123456'],
      ['x-forwarded-for', '10.0.0.1'],
      ['host', 'b'],
      ['x-end', 'yes'],
    ]
    await heardOf(gate, http2Request([...pseudo, ...pairs()], 'abc', trailers))
    expect(agent.requests.map((request) => request.trailers)).toEqual([[['x-end', 'yes']]])
  })

  it('is one request for one that came in pieces of a byte each', async () => {
    const agent = await rawAgent()
    const gate = await gateTo(agent.url)
    const head = hpack([...pseudo, ...pairs()])
    const request = Buffer.concat([
      opening,
      frame(frames.headers, 0, 1, head.subarray(0, 1)),
      ...Array.from(head.subarray(1), (_, at) =>
        frame(frames.continuation, at + 2 === head.length ? endHeaders : 0, 1, head.subarray(at + 1, at + 2)),
      ),
      frame(frames.data, endStream, 1, Buffer.from('abc')),
    ])
    const heard = await heardOf(gate, request)
    // Either: what reads frames here may refuse so many of them.
    if (agent.requests.length > 0) expect(agent.requests).toMatchObject([{ body: 'abc' }])
    else expect(contentIn(heard)).not.toContain('ok')
  })

  it('of gRPC has no metadata of identity in any spelling', async () => {
    const echo = await echoAgent()
    const gate = await gateTo('http://127.0.0.1:9', {
      proxy: { grpcUpstream: parseUpstream('--grpc-upstream', echo.url) },
    })
    const fields: Http2Fields = [
      ...without(':path'),
      [':path', '/test.Echo/Say'],
      ...pairs(),
      ['content-type', 'application/grpc'],
      ['te', 'trailers'],
      ...(['totppeer', 'totp-peer', 'totp_peer', 'totppeer-bin', 'totp.assertion'] as const).map(
        (name) => [name, 'YWRtaW4='] as const,
      ),
    ]
    await heardOf(gate, http2Request(fields, '\0\0\0\0\x05hello', [['totppeer', 'YWRtaW4=']]))
    expect(echo.calls.map(({ metadata }) => metadata.getMap())).toEqual([
      expect.objectContaining({ totppeer: 'alice' }),
    ])
    expect(JSON.stringify(echo.calls[0]?.metadata.toJSON())).not.toMatch(
      /YWRtaW4|assertion|totp-peer|totp_peer/,
    )
  })

  it.each(['content-type', 'user-agent', 'if-match'])(
    'of gRPC is nothing where %s, which may be there once, is there twice; and the agent is not called down',
    async (name) => {
      const echo = await echoAgent()
      const gate = await gateTo('http://127.0.0.1:9', {
        proxy: { grpcUpstream: parseUpstream('--grpc-upstream', echo.url) },
      })
      const fields: Http2Fields = [
        ...[...without(':path'), [':path', '/test.Echo/Say'] as const, ...pairs()],
        ...[['content-type', 'application/grpc'] as const, [name, 'a'] as const, [name, 'b'] as const],
      ]
      await heardOf(gate, http2Request(fields, '\0\0\0\0\x05hello'))
      await expect.poll(() => gate.calls).toMatchObject([{ own: 'bad-request' }])
      expect(echo.calls).toEqual([])
      expect(gate.events.map(({ type }) => type)).not.toContain('upstream_down')
    },
  )
})
