import { once } from 'node:events'
import { connect, type ClientHttp2Stream } from 'node:http2'
import { gzipSync } from 'node:zlib'
import { status } from '@grpc/grpc-js'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { parseUpstream } from '../../../src/sidecar/gate/upstream-address.js'
import { credentialsOf, fileWith, gateTo, type TestGate, type TestGateOptions } from '../../support/gate.js'
import { callEcho, echoAgent, type EchoAgent } from '../../support/grpc-echo.js'
import { peers } from '../../support/guarded.js'
import { ownTime } from '../../support/own-time.js'
import { proofOf } from '../../support/proof-of.js'

/** An agent that has nothing but gRPC, behind a gate. */
async function guarded(options: TestGateOptions = {}): Promise<{ agent: EchoAgent; gate: TestGate }> {
  const agent = await echoAgent()
  const grpcUpstream = parseUpstream('--grpc-upstream', agent.url)
  const gate = await gateTo('http://127.0.0.1:9', { ...options, proxy: { grpcUpstream, ...options.proxy } })
  return { agent, gate }
}

const signedFile = (signed: string) => fileWith({ replay: 'once', signed })

/** Metadata with token, code and proof of a call. */
function signedMetadata(message: string | Buffer, method = 'Say'): Record<string, string> {
  const headers = credentialsOf()
  const target = `/test.Echo/${method}`
  const call = { binding: 'grpc', target, headers, body: Buffer.from(message), agent: 'agent' } as const
  return { ...headers, ...proofOf({ seed: peers.alice.seed, at: new Date(), ...call }) }
}

function frame(message: Buffer, flag = 0): Buffer {
  const prefix = Buffer.alloc(5)
  prefix[0] = flag
  prefix.writeUInt32BE(message.length, 1)
  return Buffer.concat([prefix, message])
}

/** A call of raw HTTP/2, for contents that no client of gRPC sends. */
function rawCall({ port }: TestGate, fields: Record<string, string>): ClientHttp2Stream {
  const session = connect(`http://127.0.0.1:${port}`)
  session.on('error', () => undefined)
  onTestFinished(() => session.destroy())
  const stream = session.request({
    ...{ ':method': 'POST', ':path': '/test.Echo/Say', 'content-type': 'application/grpc', te: 'trailers' },
    ...fields,
  })
  return stream.on('error', () => undefined)
}

async function statusOf(stream: ClientHttp2Stream): Promise<string | undefined> {
  const [headers] = (await once(stream, 'response')) as [Record<string, string>]
  stream.resume()
  if (headers['grpc-status'] !== undefined) return headers['grpc-status']
  const [trailers] = (await once(stream, 'trailers')) as [Record<string, string>]
  return trailers['grpc-status']
}

describe('a gate in front of a gRPC agent', () => {
  it('passes calls on with the name of their caller, and their answers with trailers', async () => {
    const { agent, gate } = await guarded()
    const ended = await callEcho(gate, 'Say', { ...credentialsOf(), totppeer: 'mallory', 'x-own': '1' })
    expect(ended).toMatchObject({ code: status.OK, messages: ['hello'], trailers: { 'x-trailer': ['end'] } })
    const metadata = agent.calls[0]?.metadata
    expect(metadata?.get('totppeer')).toEqual(['alice'])
    expect(metadata?.get('x-own')).toEqual(['1'])
    expect(metadata?.get('authorization')).toEqual([])
    expect(metadata?.get('x-totp')).toEqual([])
    expect(await callEcho(gate, 'Fail', credentialsOf())).toMatchObject({
      code: status.NOT_FOUND,
      details: 'no such task',
    })
    expect(gate.events[0]).toMatchObject({ type: 'authenticated', binding: 'grpc', peer: 'alice' })
  })

  it.each([
    ['nothing', {}],
    ['a wrong code', { ...credentialsOf(), 'x-totp': '000000' }],
    ['the token alone', { authorization: credentialsOf().authorization }],
  ])('refuses %s in trailers with the challenges, and the agent sees nothing', async (_, fields) => {
    const { agent, gate } = await guarded()
    const ended = await callEcho(gate, 'Watch', fields)
    expect(ended).toMatchObject({ code: status.UNAUTHENTICATED, messages: [] })
    expect(ended.details).toBe('a bearer token and a valid one-time code are required')
    // Clients on node:http2 join the two lines.
    expect(ended.trailers['www-authenticate']?.join()).toMatch(
      /^Bearer realm=.*TOTP realm="a2a", header="X-TOTP"$/,
    )
    expect(agent.calls).toEqual([])
  })

  it('leaves health checks closed', async () => {
    const { gate } = await guarded()
    const stream = rawCall(gate, { ':path': '/grpc.health.v1.Health/Check' })
    stream.end(frame(Buffer.alloc(0)))
    expect(await statusOf(stream)).toBe(String(status.UNAUTHENTICATED))
  })

  it('answers UNIMPLEMENTED where the agent has no gRPC, after it has asked for credentials', async () => {
    const gate = await gateTo('http://127.0.0.1:9')
    expect(await callEcho(gate, 'Say', {})).toMatchObject({ code: status.UNAUTHENTICATED })
    expect(await callEcho(gate, 'Say', credentialsOf())).toMatchObject({ code: status.UNIMPLEMENTED })
  })

  it('answers UNAVAILABLE where the agent is down', async () => {
    const grpcUpstream = parseUpstream('--grpc-upstream', 'http://127.0.0.1:9')
    const gate = await gateTo('http://127.0.0.1:9', { proxy: { grpcUpstream } })
    const ended = await callEcho(gate, 'Say', credentialsOf())
    expect(ended).toMatchObject({ code: status.UNAVAILABLE, details: 'the agent cannot be reached' })
  })

  it('ends an open stream with UNAUTHENTICATED within 4 s of its credentials leaving the file', async () => {
    const { agent, gate } = await guarded()
    let opened: () => void = () => undefined
    const open = new Promise<void>((done) => (opened = done))
    const ending = callEcho(gate, 'Watch', credentialsOf(), 'hello', { onMessage: () => opened() })
    await open
    const file = fileWith({})
    delete file.peers['alice']
    gate.replaceFile(file)
    const spent = ownTime()
    expect(await ending).toMatchObject({ code: status.UNAUTHENTICATED, messages: ['hello'] })
    expect(spent()).toBeLessThan(4000)
    await vi.waitFor(() => expect(agent.open.size).toBe(0))
  })

  it('ends the call at the agent when the client leaves', async () => {
    const { agent, gate } = await guarded()
    const stream = rawCall(gate, { ...credentialsOf(), ':path': '/test.Echo/Watch' })
    stream.end(frame(Buffer.from('hello')))
    await once(stream, 'data')
    expect(agent.open.size).toBe(1)
    stream.close(8)
    await vi.waitFor(() => expect(agent.open.size).toBe(0))
  })
})

describe('a signed gRPC call at a gate', () => {
  it.each([
    ['a short message', 'hello', false],
    ['a compressed message', 'hello '.repeat(100), true],
    ['a message that is compared on its way', 'x'.repeat(200_000), false],
    ['an empty message', '', false],
  ])('with %s is let in once', async (_, message, compressed) => {
    const { agent, gate } = await guarded({ file: signedFile('require') })
    const fields = signedMetadata(message)
    const ended = await callEcho(gate, 'Say', fields, message, { compressed })
    expect(ended).toMatchObject({ code: status.OK, messages: [message] })
    expect(agent.calls[0]?.metadata.get('signature')).toEqual([])
    expect(agent.calls[0]?.metadata.get('content-digest')).toEqual([])
    expect(await callEcho(gate, 'Say', fields, message)).toMatchObject({ code: status.UNAUTHENTICATED })
    expect(agent.calls).toHaveLength(1)
  })

  it.each([
    ['a short message', 'hello', 'hellp', false],
    ['a compressed message', 'hello '.repeat(100), 'hellp '.repeat(100), true],
    ['a long message', 'x'.repeat(200_000), `${'x'.repeat(199_999)}y`, false],
  ])('with another message than %s never reaches the handler', async (_, message, other, compressed) => {
    const { agent, gate } = await guarded({ file: signedFile('accept') })
    const ended = await callEcho(gate, 'Say', signedMetadata(message), other, { compressed })
    expect(ended.code).toBe(status.UNAUTHENTICATED)
    expect(agent.calls).toEqual([])
    expect(gate.events.some((event) => 'reason' in event && event.reason === 'proof-digest')).toBe(true)
  })

  it.each([
    ['a second message at once', [Buffer.concat([frame(Buffer.from('hello')), frame(Buffer.from('more'))])]],
    ['no message', []],
    ['half a message', [frame(Buffer.from('hello')).subarray(0, 7)]],
    ['an unknown flag', [frame(Buffer.from('hello'), 2)]],
    ['a compressed message without its encoding', [frame(gzipSync('hello'), 1)]],
  ])('with %s never reaches the handler', async (_, contents) => {
    const { agent, gate } = await guarded({ file: signedFile('accept') })
    const stream = rawCall(gate, signedMetadata('hello'))
    for (const content of contents) stream.write(content)
    stream.end()
    expect(await statusOf(stream)).toBe(String(status.UNAUTHENTICATED))
    expect(agent.calls).toEqual([])
  })

  it('is cut off when a second message follows', async () => {
    const { agent, gate } = await guarded({ file: signedFile('accept') })
    const stream = rawCall(gate, signedMetadata('hello'))
    stream.write(frame(Buffer.from('hello')))
    await vi.waitFor(() => expect(gate.events.some(({ type }) => type === 'authenticated')).toBe(true))
    stream.end(frame(Buffer.from('more')))
    expect(await statusOf(stream)).toBe(String(status.UNAUTHENTICATED))
    // The agent has the message that was signed by then, and may take the end of the call for that of its content.
    expect(agent.calls.map(({ message }) => message).filter((message) => message !== 'hello')).toEqual([])
  })

  it('does not expand a message that was made to fill the memory', async () => {
    const { agent, gate } = await guarded({ file: signedFile('accept') })
    const bomb = Buffer.alloc(64 * 1024 * 1024)
    const stream = rawCall(gate, { ...signedMetadata(bomb), 'grpc-encoding': 'gzip' })
    stream.end(frame(gzipSync(bomb), 1))
    expect(await statusOf(stream)).toBe(String(status.UNAUTHENTICATED))
    expect(agent.calls).toEqual([])
  })

  it('is observed under observe: nothing is withheld, and another message is reported', async () => {
    const { gate } = await guarded({ file: fileWith({ signed: 'observe' }) })
    expect(await callEcho(gate, 'Say', signedMetadata('hello'), 'hellp')).toMatchObject({
      code: status.OK,
      messages: ['hellp'],
    })
    await vi.waitFor(() => {
      expect(gate.events.filter(({ type }) => type === 'proof_observed')).toMatchObject([
        { proof: 'invalid', proofReason: 'proof-digest' },
      ])
    })
    expect(await callEcho(gate, 'Say', signedMetadata('hello'), 'hello')).toMatchObject({ code: status.OK })
    expect(gate.events.at(-1)).toMatchObject({ type: 'authenticated', proof: 'valid' })
    await vi.waitFor(() => expect(gate.calls).toHaveLength(2))
    expect(gate.calls).toMatchObject([{ shown: { proof: 'valid' } }, { shown: { proof: 'valid' } }])
  })

  it('is demanded under require', async () => {
    const { agent, gate } = await guarded({ file: signedFile('require') })
    const ended = await callEcho(gate, 'Say', credentialsOf())
    expect(ended.code).toBe(status.UNAUTHENTICATED)
    expect(ended.trailers['accept-signature']).toHaveLength(1)
    expect(agent.calls).toEqual([])
  })
})
