import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { ListenAddress } from './address.js'
import { listenHttp } from './http.js'
import type { Listener } from './listener.js'

/** What one path answers. */
export interface Page {
  /** By default 200. */
  readonly status?: number
  readonly type: string
  readonly text: string
}

export const plainText = 'text/plain; charset=utf-8'

export interface PagesOptions {
  /** Made for each request to its path, spelled exactly so. */
  readonly pages: Readonly<Record<string, () => Page | Promise<Page>>>
  /** What a 404 says; by default the paths. */
  readonly notFound?: string
  /** Why a request is refused with 403, if it is. */
  readonly refuse?: (request: IncomingMessage) => string | undefined
}

/**
 * Serves a few pages for programs of an operator: GET and HEAD only, never cached.
 *
 * @throws {TOTPError} `ERR_PORT_UNAVAILABLE`
 */
export function servePages({ host, port }: ListenAddress, options: PagesOptions): Promise<Listener> {
  const server = createServer({ maxHeaderSize: 16_384, connectionsCheckingInterval: 1000 }, handler(options))
  // Slow or idle clients hold no socket for long, and few of them at all.
  Object.assign(server, { headersTimeout: 10_000, requestTimeout: 10_000, maxConnections: 256 })
  return listenHttp(server, port, host)
}

/** A page as it leaves. */
type Sent = Page & { readonly headers?: Record<string, string> }

function handler({ pages, notFound, refuse }: PagesOptions): RequestListener {
  const paths = Object.keys(pages)
  const lost = notFound ?? `there are: ${paths.join(' ')}`
  const pageFor = (request: IncomingMessage): Sent | Promise<Sent> => {
    const { method = '', url = '' } = request
    const refused = refuse?.(request)
    if (refused !== undefined) return { status: 403, type: plainText, text: `${refused}\n` }
    const path = url.split('?', 1)[0] ?? ''
    const page = Object.hasOwn(pages, path) ? pages[path] : undefined
    if (!page) return { status: 404, type: plainText, text: `${lost}\n` }
    if (method === 'GET' || method === 'HEAD') return page()
    return { status: 405, type: plainText, text: 'only GET is served\n', headers: { Allow: 'GET, HEAD' } }
  }
  const send = (request: IncomingMessage, response: ServerResponse, page: Sent): void => {
    const { status = 200, type, text, headers } = page
    response.writeHead(status, {
      'Content-Type': type,
      'Content-Length': Buffer.byteLength(text),
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      ...headers,
    })
    response.end(request.method === 'HEAD' ? undefined : text)
  }
  return (request, response) => {
    const page = pageFor(request)
    // What is known is answered at once, also in the last moment of a process.
    if (!(page instanceof Promise)) send(request, response, page)
    else
      page.then(
        (made) => send(request, response, made),
        () => response.destroy(),
      )
  }
}
