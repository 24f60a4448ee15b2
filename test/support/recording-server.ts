import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** A request as it came over the wire. */
export interface Recorded {
  readonly method: string
  readonly path: string
  /** Name and value of every field line, in their order; names in lower case. */
  readonly fields: readonly (readonly [name: string, value: string])[]
  readonly body: string
}

/** The values of all field lines of one name. */
export function fieldsOf({ fields }: Recorded, name: string): string[] {
  return fields.filter(([field]) => field === name.toLowerCase()).map(([, value]) => value)
}

export interface RecordingServer extends AsyncDisposable {
  readonly origin: string
  readonly requests: Recorded[]
}

/** Starts a real server on 127.0.0.1. */
export async function listen(
  listener: RequestListener,
): Promise<AsyncDisposable & { readonly origin: string }> {
  const server = createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

type Answer = (request: Recorded, response: ServerResponse) => void

/** Starts a real server that keeps what it was sent, and answers 200 with the method unless told otherwise. */
export async function record(
  answer: Answer = ({ method }, response) => response.end(method),
): Promise<RecordingServer> {
  const requests: Recorded[] = []
  const server = await listen((incoming, response) => {
    void recorded(incoming).then((request) => {
      requests.push(request)
      answer(request, response)
    })
  })
  return { ...server, requests }
}

async function recorded(incoming: IncomingMessage): Promise<Recorded> {
  const { method = '', url: path = '', rawHeaders } = incoming
  const fields = rawHeaders.flatMap((name, index) =>
    index % 2 === 0 ? [[name.toLowerCase(), rawHeaders[index + 1] ?? ''] as const] : [],
  )
  return { method, path, fields, body: await text(incoming) }
}
