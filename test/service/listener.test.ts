import { createServer, get, type IncomingMessage } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'
import { once } from 'node:events'
import { Server as GrpcServer } from '@grpc/grpc-js'
import { afterEach, describe, expect, it } from 'vitest'
import { listenGrpc } from '../../src/service/grpc.js'
import { listenHttp } from '../../src/service/http.js'
import type { Listener } from '../../src/service/listener.js'

const started: Listener[] = []
afterEach(() => Promise.all(started.splice(0).map((listener) => listener.stop())))

const kinds = {
  HTTP: (port: number) => listenHttp(createServer(), port),
  gRPC: (port: number) => listenGrpc(new GrpcServer(), port),
}

async function start(kind: keyof typeof kinds, port: number): Promise<Listener> {
  const listener = await kinds[kind](port)
  started.push(listener)
  return listener
}

const portOf = ({ address }: Listener): number => Number(address.split(':')[1])

describe.each(Object.keys(kinds) as (keyof typeof kinds)[])('a listener for %s', (kind) => {
  it('takes a free port of the loopback address, and frees it', async () => {
    const listener = await start(kind, 0)
    expect(listener.address).toMatch(/^127\.0\.0\.1:[1-9]\d*$/)
    await started.pop()?.stop()
    expect((await start(kind, portOf(listener))).address).toBe(listener.address)
  })

  it('names a port that is in use', async () => {
    const port = portOf(await start(kind, 0))
    await expect(start(kind, port)).rejects.toMatchObject({
      code: 'ERR_PORT_UNAVAILABLE',
      message: `port ${port} is in use; choose another, or 0 for any`,
    })
  })
})

const closed = (stream: NodeJS.EventEmitter): Promise<void> =>
  new Promise((done) => stream.on('error', () => undefined).once('close', done))

describe('a listener that stops', () => {
  it('ends a connection of HTTP that is idle', async () => {
    const listener = await listenHttp(createServer(), 0)
    const socket = connect(portOf(listener), '127.0.0.1')
    await once(socket, 'connect')
    const ended = closed(socket)
    await listener.stop()
    await ended
  })

  it('ends a stream of HTTP', async () => {
    const listener = await listenHttp(
      createServer((_, response) => void response.write('first')),
      0,
    )
    const answer = await new Promise<IncomingMessage>((done) => get(`http://${listener.address}`, done))
    const ended = closed(answer.resume())
    await listener.stop()
    await ended
  })

  it('ends a connection of gRPC', async () => {
    const listener = await listenGrpc(new GrpcServer(), 0)
    const session = connectHttp2(`http://${listener.address}`)
    await once(session, 'remoteSettings')
    const ended = closed(session)
    await listener.stop()
    await ended
  })
})
