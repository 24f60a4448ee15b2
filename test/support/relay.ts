import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface Relay extends AsyncDisposable {
  readonly port: number
  /** How many connections were made to it. */
  readonly connections: () => number
  /** The first bytes of each connection. */
  readonly heads: readonly string[]
}

/** A TCP server that passes everything on to a port of 127.0.0.1. */
export function relay(to: number, host = '127.0.0.1', port = 0): Promise<Relay> {
  return listening(host, port, (socket, head) => join(socket, to, head))
}

/** An HTTP proxy, for CONNECT and for requests in absolute form; it passes on all bytes to the host that they name. */
export function httpProxy(): Promise<Relay> {
  return listening('127.0.0.1', 0, (socket, head) => {
    const [, tunnel, port = ''] = /^(CONNECT )?[^\n]*?:(\d+)[/ ]/.exec(head.replace('http://', '')) ?? []
    if (tunnel !== undefined) socket.write('HTTP/1.1 200 OK\r\n\r\n')
    join(socket, Number(port), tunnel === undefined ? head : '')
  })
}

function join(socket: Socket, to: number, first = ''): void {
  const inner = connect(to, '127.0.0.1')
  inner.on('error', () => socket.destroy())
  socket.on('close', () => inner.destroy())
  inner.write(first, 'latin1')
  socket.pipe(inner).pipe(socket)
}

async function listening(
  host: string,
  port: number,
  pass: (socket: Socket, head: string) => void,
): Promise<Relay> {
  const open = new Set<Socket>()
  const heads: string[] = []
  let connections = 0
  const server = createServer((socket) => {
    connections++
    open.add(socket)
    socket.on('error', () => socket.destroy()).on('close', () => open.delete(socket))
    socket.once('readable', () => {
      const head = (socket.read() as Buffer | null)?.toString('latin1') ?? ''
      heads.push(head)
      pass(socket, head)
    })
  }).listen(port, host)
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    heads,
    [Symbol.asyncDispose]: async () => {
      for (const socket of open) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
