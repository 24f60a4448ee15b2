import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'

/** What a server says to a command, as RESP without the final line end; undefined for the usual answer. */
export type Says = (command: string, words: readonly string[]) => string | undefined

export interface FakeRedis {
  readonly port: number
  close(): Promise<void>
}

/** What clients ask when they connect. */
const usual: Readonly<Record<string, string>> = {
  CLIENT: '+OK',
  INFO: '$20\r\nredis_version:6.2.14',
  PING: '+PONG',
  HELLO: '-ERR unknown command `HELLO`',
}

/** A server that speaks RESP 2 and says what it is told to, for what no Redis that is installed here says. */
export async function fakeRedis(says: Says): Promise<FakeRedis> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    let received = ''
    socket.on('data', (data) => {
      received += data.toString('latin1')
      for (let next = readCommand(received); next; next = readCommand(received)) {
        received = received.slice(next.length)
        const [command = '', ...words] = next.words
        const name = command.toUpperCase()
        socket.write(`${says(name, words) ?? usual[name] ?? '+OK'}\r\n`)
      }
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = once(server, 'close')
      for (const socket of sockets) socket.destroy()
      server.close()
      await closed
    },
  }
}

/** The first command, if it has arrived as a whole: `*2\r\n$4\r\nPING\r\n$1\r\nx\r\n`. */
function readCommand(text: string): { words: string[]; length: number } | undefined {
  const head = /^\*(\d+)\r\n/.exec(text)
  if (!head) return undefined
  const words: string[] = []
  let at = head[0].length
  for (let n = 0; n < Number(head[1]); n++) {
    const size = /^\$(\d+)\r\n/.exec(text.slice(at, at + 20))
    if (!size) return undefined
    at += size[0].length
    const end = at + Number(size[1])
    if (text.length < end + 2) return undefined
    words.push(text.slice(at, end))
    at = end + 2
  }
  return { words, length: at }
}
