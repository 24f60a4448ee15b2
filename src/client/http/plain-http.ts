import { Agent, ClientRequest, type IncomingMessage } from 'node:http'
import type { LookupFunction } from 'node:net'
import { Readable, type Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate, constants as zlib } from 'node:zlib'
import { canBeSentAgain } from './redirect.js'

type Fetch = typeof globalThis.fetch

/**
 * A plain agent: Node's global one may be a proxy's. An idle connection is kept for less than the 5 seconds after
 * which common servers close it, since a POST that meets a closing connection cannot be repeated.
 */
const connections = new Agent({ keepAlive: true, timeout: 4000 })

/** Fields that belong to a connection, or that follow from the body. */
const own = ['connection', 'content-length', 'expect', 'keep-alive', 'transfer-encoding', 'upgrade']

/**
 * `fetch` for plain http: straight to the host. The global `fetch` goes through a proxy where the environment
 * (`NODE_USE_ENV_PROXY`) or the program (`setGlobalDispatcher`) says so, and the proxy would read the credentials. It
 * also asks a resolver for the address of `localhost`.
 *
 * It does not follow redirects: `redirect` counts as `manual` unless it is `error`. It rejects with a `TypeError` where
 * `fetch` does, and with the reason of an aborted signal.
 */
export const plainFetch: Fetch = async (input, init = {}) => {
  // Checks and completes the arguments as fetch does: the media type of a form, for instance.
  const request = new Request(input, init)
  const url = new URL(request.url)
  request.signal.throwIfAborted()
  const headers = { accept: '*/*', 'user-agent': 'node', ...Object.fromEntries(request.headers) }
  for (const name of own) Reflect.deleteProperty(headers, name)
  const body = request.body && canBeSentAgain(init) ? Buffer.from(await request.arrayBuffer()) : request.body
  const framing =
    body === null
      ? {}
      : Buffer.isBuffer(body)
        ? { 'content-length': String(body.length) }
        : { 'transfer-encoding': 'chunked' }

  return new Promise((resolve, reject) => {
    // The class rather than `request`, which some proxy packages replace for the whole process.
    const sent = new ClientRequest({
      method: request.method,
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port || 80,
      path: url.pathname + url.search,
      headers: { host: url.host, ...headers, ...framing },
      agent: connections,
      ...(url.hostname === 'localhost' && { lookup: lookUpLocalhost, autoSelectFamily: true }),
    })
    let received: IncomingMessage | undefined
    const fail = (cause?: unknown): void => reject(new TypeError('fetch failed', { cause }))
    const abort = (): void => {
      reject(request.signal.reason as Error)
      received?.destroy(request.signal.reason as Error)
      sent.destroy()
    }
    request.signal.addEventListener('abort', abort, { once: true })
    sent.on('error', fail)
    sent.on('close', () => {
      request.signal.removeEventListener('abort', abort)
      fail(new Error('the connection was closed'))
    })
    sent.on('response', (message) => {
      received = message
      try {
        resolve(responseOf(message, request))
      } catch (error) {
        fail(error)
        sent.destroy()
      }
    })
    if (body === null || Buffer.isBuffer(body)) sent.end(body ?? undefined)
    else
      Readable.fromWeb(body)
        .on('error', (error) => sent.destroy(error))
        .pipe(sent)
  })
}

/** `localhost` is this machine by definition (RFC 6761 §6.3); a resolver could answer otherwise. */
const lookUpLocalhost: LookupFunction = (_name, { all }, done) => {
  if (all)
    done(null, [
      { address: '127.0.0.1', family: 4 },
      { address: '::1', family: 6 },
    ])
  else done(null, '127.0.0.1', 4)
}

const withoutBody = new Set([204, 205, 304])

function responseOf(message: IncomingMessage, { method, url, redirect }: Request): Response {
  const status = message.statusCode ?? 0
  if (redirect === 'error' && status >= 300 && status < 400 && message.headers.location !== undefined) {
    throw new Error('unexpected redirect')
  }
  const headers = new Headers()
  for (let index = 0; index < message.rawHeaders.length; index += 2) {
    headers.append(message.rawHeaders[index] ?? '', message.rawHeaders[index + 1] ?? '')
  }
  const empty = method === 'HEAD' || withoutBody.has(status)
  if (empty) message.resume()
  const body = empty ? null : (Readable.toWeb(decoded(message)) as ReadableStream<Uint8Array>)
  const response = new Response(body, { status, statusText: message.statusMessage ?? '', headers })
  return Object.defineProperty(response, 'url', { value: url })
}

const flush = { flush: zlib.Z_SYNC_FLUSH, finishFlush: zlib.Z_SYNC_FLUSH }
const decoders: Readonly<Record<string, () => Transform>> = {
  gzip: () => createGunzip(flush),
  'x-gzip': () => createGunzip(flush),
  deflate: () => createInflate(flush),
  br: () =>
    createBrotliDecompress({
      flush: zlib.BROTLI_OPERATION_FLUSH,
      finishFlush: zlib.BROTLI_OPERATION_FLUSH,
    }),
}

/** The body without its Content-Encoding, as `fetch` returns it; as it is if an encoding is unknown. */
function decoded(message: IncomingMessage): Readable {
  const names = (message.headers['content-encoding'] ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
  const make = names.flatMap((name) => decoders[name] ?? [])
  if (make.length !== names.length) return message
  return make.reverse().reduce<Readable>((source, decoder) => {
    const target = decoder()
    source.on('error', (error) => target.destroy(error))
    target.on('close', () => source.destroy())
    return source.pipe(target)
  }, message)
}
