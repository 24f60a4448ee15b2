import { once } from 'node:events'
import { createServer, request as send, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { connect } from 'node:net'
import { describe, expect, it, vi } from 'vitest'
import { credentialsOf, fileWith, gateTo, type TestGate } from '../../support/gate.js'
import { tokenEntry } from '../../support/server-file.js'
import { ownTime } from '../../support/own-time.js'
import { listen } from '../../support/recording-server.js'
import { peers } from '../../support/guarded.js'

/** An agent that answers with a stream of events, which it leaves open. */
async function streamingAgent() {
  const open = new Set<ServerResponse>()
  const agent = await listen((req, res) => {
    open.add(res)
    res.once('close', () => open.delete(res))
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    res.write('data: 1\n\n')
    req.resume()
  })
  return { ...agent, open }
}

/** Opens a stream at a gate. */
async function openStream({ port }: TestGate, peer: 'alice' | 'bob' = 'alice'): Promise<IncomingMessage> {
  const sent = send({ host: '127.0.0.1', port, method: 'POST', path: '/', headers: credentialsOf(peer) })
  sent.on('error', () => undefined)
  sent.end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  await once(response, 'data')
  return response.on('error', () => undefined)
}

/** Resolves with how a stream ended, and after how many milliseconds of its own. */
async function endOf(response: IncomingMessage): Promise<{ readonly isWhole: boolean; readonly ms: number }> {
  const spent = ownTime()
  response.resume()
  await new Promise<void>((done) => response.once('close', () => done()))
  return { isWhole: response.complete, ms: spent() }
}

describe('an open stream through a gate', () => {
  it('is cut within 4 s of its caller leaving the file, and the others are not', async () => {
    await using agent = await streamingAgent()
    const gate = await gateTo(agent.origin)
    const [alices, bobs] = [await openStream(gate, 'alice'), await openStream(gate, 'bob')]
    const file = fileWith({})
    delete file.peers['alice']
    gate.replaceFile(file)
    const { isWhole, ms } = await endOf(alices)
    expect(isWhole).toBe(false)
    expect(ms).toBeLessThan(4000)
    await vi.waitFor(() => expect(agent.open.size).toBe(1))
    expect(bobs.destroyed).toBe(false)
    bobs.destroy()
  })

  it('is cut within 4 s of the time at which its token expires', async () => {
    await using agent = await streamingAgent()
    const file = fileWith({})
    const expiresAt = new Date(Date.now() + 3000).toISOString()
    const alice = file.peers['alice']
    if (alice) alice['tokens'] = [tokenEntry('t', peers.alice.token, expiresAt)]
    const gate = await gateTo(agent.origin, { file })
    const { isWhole, ms } = await endOf(await openStream(gate))
    expect(isWhole).toBe(false)
    expect(ms).toBeLessThan(7000)
    await vi.waitFor(() => expect(gate.calls).toMatchObject([{ own: 'credentials-ended' }]))
  })

  it('ends at the agent when the client leaves', async () => {
    await using agent = await streamingAgent()
    const gate = await gateTo(agent.origin)
    const stream = await openStream(gate)
    stream.destroy()
    await vi.waitFor(() => expect(agent.open.size).toBe(0))
    await vi.waitFor(() => expect(gate.calls).toMatchObject([{ own: 'client-left' }]))
  })

  it('is cut for the client when the agent cuts it, and never ends cleanly', async () => {
    await using agent = await streamingAgent()
    const gate = await gateTo(agent.origin)
    const stream = await openStream(gate)
    for (const res of agent.open) res.destroy()
    expect((await endOf(stream)).isWhole).toBe(false)
    await vi.waitFor(() => expect(gate.calls).toMatchObject([{ own: 'upstream-cut' }]))
  })

  it('goes on while the gate drains, which takes no new calls and then ends', async () => {
    await using agent = await streamingAgent()
    const gate = await gateTo(agent.origin)
    const stream = await openStream(gate)
    const drained = gate.sidecar.drain(10_000)
    const refused = connect(gate.port, '127.0.0.1')
    const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException]
    expect(error.code).toBe('ECONNREFUSED')
    const rest = text(stream)
    for (const res of agent.open) res.end('data: last\n\n')
    expect(await rest).toContain('last')
    await drained
  })

  it('is cut when the time to drain is over', async () => {
    await using agent = await streamingAgent()
    const gate = await gateTo(agent.origin)
    const stream = await openStream(gate)
    const ending = endOf(stream)
    await gate.sidecar.drain(100)
    expect((await ending).isWhole).toBe(false)
  })

  it('may carry any number of bytes in both directions at once', async () => {
    const server = createServer((req, res) => void req.pipe(res))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const gate = await gateTo(`http://127.0.0.1:${(server.address() as { port: number }).port}`)
    const sent = send({ host: '127.0.0.1', port: gate.port, method: 'POST', headers: credentialsOf() })
    const chunk = Buffer.alloc(1024 * 1024)
    let received = 0
    sent.write(chunk)
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    response.on('data', (data: Buffer) => (received += data.length))
    for (let count = 1; count < 20; count++) if (!sent.write(chunk)) await once(sent, 'drain')
    sent.end()
    await once(response, 'end')
    expect(received).toBe(20 * chunk.length)
    server.close()
  })
})
