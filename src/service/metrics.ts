import { createServer } from 'node:http'
import type { ListenAddress } from './address.js'
import { listenHttp } from './http.js'
import type { Listener } from './listener.js'

/** OpenMetrics 1.0, as Prometheus asks for it. */
const contentType = 'application/openmetrics-text; version=1.0.0; charset=utf-8'

/**
 * Serves metrics: GET and HEAD of `/metrics`, and nothing else.
 *
 * @param read returns the metrics, ending in `# EOF`; undefined as long as there are none, which is answered with 503
 * @throws {TOTPError} `ERR_PORT_UNAVAILABLE`
 */
export function serveMetrics(
  { host, port }: ListenAddress,
  read: () => string | undefined,
): Promise<Listener> {
  const server = createServer(({ method = '', url = '' }, response) => {
    const answer = (status: number, text: string, headers: Readonly<Record<string, string>>): void => {
      response.writeHead(status, { 'Cache-Control': 'no-store', ...headers })
      response.end(method === 'HEAD' ? undefined : text)
    }
    const plain = { 'Content-Type': 'text/plain; charset=utf-8' }
    const metrics = read()
    if (url.split('?', 1)[0] !== '/metrics') answer(404, 'the metrics are at /metrics\n', plain)
    else if (method !== 'GET' && method !== 'HEAD') {
      answer(405, 'only GET is served\n', { ...plain, Allow: 'GET, HEAD' })
    } else if (metrics === undefined) answer(503, 'there is no verdict at the moment\n', plain)
    else answer(200, metrics, { 'Content-Type': contentType })
  })
  return listenHttp(server, port, host)
}
