import { connect, constants } from 'node:http2'
import { status } from '@grpc/grpc-js'
import { A2AService } from '@a2a-js/sdk/server/grpc'
import { afterEach, describe, expect, it } from 'vitest'
import { grpcGuard } from '../../src/server/grpc.js'
import { Clock, schemeFor } from '../support/guarded.js'
import { grpcAgent, type GrpcTestServer } from '../support/grpc-agent.js'

const unauthenticated = String(status.UNAUTHENTICATED)

let server: GrpcTestServer | undefined
afterEach(() => server?.close())

describe('the stream of a refused gRPC call', () => {
  it.each([
    ['has sent more than a megabyte', 120, 1.5],
    ['never ends its messages', 20, 0],
  ])('is closed after its answer if the client %s', async (_, count, megabytes) => {
    const { scheme } = schemeFor(new Clock())
    const agent = await grpcAgent(scheme, [grpcGuard(scheme)])
    server = agent.server
    const session = connect(`http://${server.address}`, { maxSessionMemory: 1000 })
    const body = Buffer.alloc(megabytes * 1024 * 1024 + 1)
    const closed = Array.from({ length: count }, () => {
      const stream = session.request({
        ':method': 'POST',
        ':path': A2AService.sendMessage.path,
        'content-type': 'application/grpc',
        te: 'trailers',
      })
      let answer: unknown
      stream.on('response', (headers) => (answer = headers['grpc-status']))
      stream.resume().write(body)
      return new Promise((done) => stream.on('close', () => done([answer, stream.rstCode])))
    })
    for (const ending of await Promise.all(closed))
      expect(ending).toEqual([unauthenticated, constants.NGHTTP2_CANCEL])
    session.destroy()
  })
})
