import { isLoopback, portOf } from '../url.js'

/** An address as an http or https URL, or the reason why it was not understood. */
export type Address =
  | {
      readonly understood: true
      readonly url: URL
      readonly remarks: readonly string[]
      /** The query that the URL is without, such as `?tenant=a`. */
      readonly query?: string
    }
  | { readonly understood: false; readonly why: string }

/** gRPC's default port, with or without TLS. */
const defaultPort = 443

/** gRPC's other resolvers. It would not read their names as host names, even before a port. */
const otherResolver = /^(unix|unix-abstract|vsock|xds|google-c2p):/i

/** As gRPC reads it: four decimal numbers. The URL parser also accepts fewer numbers, hexadecimal and octal ones. */
const ipv4 = /^((0|[1-9]\d{0,2})\.){3}(0|[1-9]\d{0,2})(:|$)/

const notATarget =
  'not a gRPC target; expected host:port, dns:, ipv4:, ipv6:, or a URL with grpc, grpcs, http or https'

/**
 * Reads a gRPC target, in gRPC's own naming or as one of the URLs that cards use instead. The resulting URL has https for
 * TLS, and the path `/`.
 *
 * A target without a URL scheme means TLS, and plaintext only on loopback. Targets with several addresses, or with a name
 * server of their own, are not understood: the destination of credentials must be unambiguous.
 */
export function readGrpcTarget(text: string): Address {
  const [, scheme = '', rest = ''] = /^(grpcs?|https?):\/\/(.*)$/is.exec(text) ?? []
  if (scheme !== '') return readUrl(scheme.toLowerCase(), rest)
  const [, resolver = '', authority = '', path = text] =
    /^(dns|ipv4|ipv6):(?:\/\/([^/]*)\/)?(.*)$/is.exec(text) ?? []
  if (authority !== '') return no('names its own name server')
  switch (resolver.toLowerCase()) {
    case 'dns':
      return readHostAndPort(path)
    case 'ipv4':
      return readIp(path, ipv4, 'IPv4')
    case 'ipv6':
      return readIp(/^[\da-f.]*(:[\da-f.]*){2,}$/i.test(path) ? `[${path}]` : path, /^\[/, 'IPv6')
    default:
      return otherResolver.test(text) ? no(notATarget) : readHostAndPort(text)
  }
}

/** The target to pass to gRPC, in a form in which no host name can be taken for a resolver. */
export function dialledAt(url: URL): string {
  return `dns:${url.hostname}:${portOf(url)}`
}

function readIp(path: string, form: RegExp, family: string): Address {
  if (path.includes(',')) return no('names several addresses')
  return form.test(path) ? readHostAndPort(path) : no(`not an ${family} address`)
}

function readHostAndPort(text: string): Address {
  const [, host = '', port = String(defaultPort)] =
    /^([\w.-]+|\[[\da-f:.]+\])(?::(\d{1,5}))?$/i.exec(text) ?? []
  if (host === '') return no(notATarget)
  if (/^\d+$/.test(host)) return no('no host')
  const secure = parse('https', `${host}:${port}`)
  if (secure === undefined) return no(notATarget)
  // gRPC looks up a host that the URL parser has rewritten, such as 127.1 or `127.0.0.1.`, as a name.
  if (!host.startsWith('[') && secure.hostname !== host.toLowerCase()) return no('not an IPv4 address')
  return yes(isLoopback(secure) ? new URL(`http://${secure.hostname}:${port}`) : secure)
}

/** Reads the part after `://` with the URL parser, which normalises the host. */
function readUrl(scheme: string, rest: string): Address {
  const secure = scheme === 'https' || scheme === 'grpcs'
  const read = parse(secure ? 'https' : 'http', rest)
  // The parser drops the default port of a scheme, so trying both schemes shows whether a port was given.
  const hasPort = (['http', 'https'] as const).some((one) => (parse(one, rest)?.port ?? '') !== '')
  if (read === undefined) return no('not a URL')
  if (!hasPort && scheme === 'grpc') read.port = String(defaultPort)
  const path = read.pathname === '/' ? [] : ['path ignored: gRPC has its own paths']
  read.pathname = '/'
  const { url, remarks } = withoutExtras(read)
  return yes(url, [...path, ...remarks])
}

/** The remark on an address whose query was removed. */
export const queryRemoved = 'query not sent'

/** Removes the parts of a URL that are not sent, with a remark on each. */
export function withoutExtras(given: URL): { url: URL; remarks: string[]; query: string } {
  const url = new URL(given)
  const query = url.search
  const remarks: string[] = []
  if (url.username !== '' || url.password !== '') remarks.push('user name and password not sent')
  if (url.search !== '') remarks.push(queryRemoved)
  if (url.hash !== '') remarks.push('fragment dropped')
  url.username = url.password = url.search = url.hash = ''
  return { url, remarks, query }
}

function parse(scheme: 'http' | 'https', rest: string): URL | undefined {
  return URL.canParse(`${scheme}://${rest}`) ? new URL(`${scheme}://${rest}`) : undefined
}

function yes(url: URL, remarks: readonly string[] = []): Address {
  return { understood: true, url, remarks }
}

function no(why: string): Address {
  return { understood: false, why }
}
