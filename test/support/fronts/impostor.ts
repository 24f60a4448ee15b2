import { once } from 'node:events'
import { createServer as createHttp2Server } from 'node:http2'
import { createServer } from 'node:http'
import { createServer as createTcpServer, type Server, type Socket } from 'node:net'

/** What else can be at the addresses of a gate: each of these knows nothing of who may pass. */
const impostors = {
  /** 200 to everything, as a page of some other server; over gRPC a message without content. */
  answers: {},
  /** The same, with an identity that names nobody. */
  'answers with an empty identity': { totppeer: '' },
  /** It takes the connection, and never answers. */
  'is silent': undefined,
} as const satisfies Readonly<Record<string, Readonly<Record<string, string>> | undefined>>

export type Impostor = keyof typeof impostors

/** Starts something else at the addresses of a gate. */
export async function startImpostor(
  impostor: Impostor,
  { port, grpcPort }: { readonly port: number; readonly grpcPort: number },
): Promise<{ close(): Promise<void> }> {
  const fields = impostors[impostor]
  const servers: Server[] = fields
    ? [answering(fields), answeringGrpc()]
    : [createTcpServer(), createTcpServer()]
  const sockets = new Set<Socket>()
  for (const [at, server] of servers.entries()) {
    server.on('connection', (socket) => {
      sockets.add(socket)
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
    })
    server.listen(at === 0 ? port : grpcPort, '127.0.0.1')
    await once(server, 'listening')
  }
  return {
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))))
    },
  }
}

const answering = (fields: Readonly<Record<string, string>>): Server =>
  createServer((req, res) => {
    req.resume()
    res.writeHead(200, { 'Content-Type': 'text/html', ...fields })
    res.end('<h1>It works!</h1>')
  })

/** An empty CheckResponse: its status is that of a message without fields, OK. */
function answeringGrpc(): Server {
  const server = createHttp2Server()
  server.on('session', (session) => session.on('error', () => undefined))
  server.on('stream', (stream) => {
    stream.on('error', () => undefined)
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
    stream.resume()
    stream.on('end', () => stream.end(Buffer.alloc(5)))
  })
  return server
}
