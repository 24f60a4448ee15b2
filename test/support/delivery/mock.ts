import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { onTestFinished } from 'vitest'
import { listening } from '../listening.js'

export interface Asked {
  readonly method: string
  /** Decoded, without the query. */
  readonly path: string
  readonly query: URLSearchParams
  readonly authorization: string
  readonly body: string
}

/** A status and a document; a document alone is 200, nothing is 404. */
export type Told = readonly [status: number, document?: unknown] | undefined

/** A service of HTTP and JSON, as far as a recipe uses it. */
export interface MockService {
  readonly url: string
  /** From now on it answers everything with 403. */
  readonly fail: () => void
}

/** Starts a mock of a service on the loopback address; it ends with the test. */
export async function mockService(
  answer: (asked: Asked, request: IncomingMessage) => Told,
): Promise<MockService> {
  let failing = false
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = ''
    for await (const chunk of request as AsyncIterable<Buffer>) body += chunk.toString()
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://mock')
    const asked: Asked = {
      method: request.method ?? '',
      path: decodeURIComponent(pathname),
      query: searchParams,
      authorization: request.headers.authorization ?? '',
      body,
    }
    const [status, document = {}] = failing
      ? ([403] as const)
      : (answer(asked, request) ?? ([404, { message: 'not found' }] as const))
    response.writeHead(status, { 'Content-Type': 'application/json', 'Api-Version': '1.45' })
    response.end(status === 204 ? undefined : JSON.stringify(document))
  }
  const server = createServer((request, response) => void respond(request, response))
  const started = await listening(server)
  onTestFinished(() => started[Symbol.asyncDispose]())
  return {
    url: `http://127.0.0.1:${started.port}`,
    fail: () => {
      failing = true
    },
  }
}
