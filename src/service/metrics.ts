import type { ListenAddress } from './address.js'
import type { Listener } from './listener.js'
import { openMetricsType } from './open-metrics.js'
import { plainText, servePages } from './pages.js'

/**
 * Serves metrics: GET and HEAD of `/metrics`, and nothing else.
 *
 * @param read returns the metrics, ending in `# EOF`; undefined as long as there are none, which is answered with 503
 * @throws {TOTPError} `ERR_PORT_UNAVAILABLE`
 */
export function serveMetrics(address: ListenAddress, read: () => string | undefined): Promise<Listener> {
  return servePages(address, {
    notFound: 'the metrics are at /metrics',
    pages: {
      '/metrics': () => {
        const text = read()
        return text === undefined
          ? { status: 503, type: plainText, text: 'there is no verdict at the moment\n' }
          : { type: openMetricsType, text }
      },
    },
  })
}
