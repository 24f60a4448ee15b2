// One server of the gRPC section: a unary call that is answered with what it was sent.
import { Server, ServerCredentials, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js'
import { grpcGuard, guardedService } from '../../src/server/grpc.js'
import { TOTPServerAuthScheme } from '../../src/server/index.js'
import { echoService } from './echo-service.js'
import { now, obey } from './order.js'
import type { PeerData } from './protocol.js'

obey(async ({ server: name, peers }) => {
  const replay = name.endsWith('once') ? 'once' : 'reuse'
  const guarded = name !== 'grpc-js'
  const server = new Server(guarded ? { interceptors: [grpcGuard(schemeOf(peers, replay))] } : {})
  server.addService(guarded ? guardedService(echoService) : echoService, {
    echo: (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => done(null, call.request),
  })
  return new Promise((done, fail) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error ? fail(error) : done(port),
    ),
  )
})

function schemeOf(peers: readonly PeerData[], replay: 'once' | 'reuse'): TOTPServerAuthScheme {
  return new TOTPServerAuthScheme({
    peerSeeds: new Map(peers.map(({ name, seed }) => [name, seed])),
    tokenToPeer: new Map(peers.map(({ name, token }) => [token, name])),
    replay,
    now,
  })
}
