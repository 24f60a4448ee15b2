import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { jsonText, printable } from '../core/text.js'
import { isLoopback, type ListenAddress } from './address.js'
import type { Listener } from './listener.js'
import { openMetricsType } from './open-metrics.js'
import { plainText, servePages, type Page } from './pages.js'

/** What a service tells those who run it. None of it may contain a secret. */
export interface AdminPages {
  /** Undefined if it can do its work; else why not, in a few words. */
  ready(): string | undefined | Promise<string | undefined>
  /** OpenMetrics text, ending in `# EOF`. */
  metrics(): string
  /** Facts, for people and scripts. */
  status(): object
  /** The public keys with which others check what it signs (RFC 7517 §5), if it signs anything. */
  readonly jwks?: (() => object) | undefined
}

/**
 * Serves `/healthz` (200 as long as it runs), `/readyz` (200, or 503 and why), `/metrics`, `/status` and, if there are keys,
 * `/jwks.json`: GET and HEAD, and 404 for every other path.
 *
 * No web page can read it, neither across origins nor by rebinding its own name to this address: only the names of
 * {@link refusedPage} are answered.
 *
 * @throws {TOTPError} `ERR_PORT_UNAVAILABLE`
 */
export function serveAdmin(address: ListenAddress, service: AdminPages): Promise<Listener> {
  const { jwks } = service
  return servePages(address, {
    refuse: (request) => refusedPage(request, isLoopback(address)),
    pages: {
      '/healthz': () => ({ type: plainText, text: 'ok\n' }),
      '/readyz': () => {
        const why = service.ready()
        return why instanceof Promise ? why.then(readiness) : readiness(why)
      },
      '/metrics': () => ({ type: openMetricsType, text: service.metrics() }),
      '/status': () => json('application/json', service.status()),
      ...(jwks && { '/jwks.json': () => json('application/jwk-set+json', jwks()) }),
    },
  })
}

const readiness = (why: string | undefined): Page =>
  why === undefined
    ? { type: plainText, text: 'ready\n' }
    : { status: 503, type: plainText, text: `${printable(why)}\n` }

const json = (type: string, value: object): { type: string; text: string } => ({
  type,
  text: `${jsonText(value)}\n`,
})

/**
 * Why a request may come from a web page; undefined if it does not. A page that rebinds a name of its own to this address
 * sends that name as Host, which is the only sign of it. So the Host has to be an address of this machine or `localhost`;
 * beyond loopback any other address too, or a name without dots, as in a compose file, since nobody can own one in the
 * public DNS. The port is not looked at: it may be a forwarded one.
 */
function refusedPage({ headers, rawHeaders }: IncomingMessage, local: boolean): string | undefined {
  const { origin, host = '' } = headers
  const site = headers['sec-fetch-site']
  // What somebody typed into the address bar is `none`.
  if (origin !== undefined || (site !== undefined && site !== 'none' && site !== 'same-origin'))
    return 'web pages are not served'
  const hosts = rawHeaders.filter((text, index) => index % 2 === 0 && text.toLowerCase() === 'host').length
  if (hosts === 1 && isAllowedHost(host, local)) return undefined
  return local
    ? 'the Host has to be 127.0.0.1, [::1] or localhost'
    : 'the Host has to be an IP address, localhost or a name without dots'
}

function isAllowedHost(host: string, local: boolean): boolean {
  const [, bracketed, name = ''] = /^(?:\[([\da-f:.]+)\]|([\w.-]+))(?::\d{1,5})?$/i.exec(host) ?? []
  const address = bracketed ?? name
  if (address.toLowerCase() === 'localhost' || isLoopback({ host: address })) return true
  if (local || address === '') return false
  return isIP(address) !== 0 || !address.includes('.')
}
