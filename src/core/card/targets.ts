import { isLoopback, portOf } from '../url.js'

/** An address as an http or https URL, or the reason why it was not understood. */
export type Address =
  | { readonly understood: true; readonly url: URL; readonly remarks: readonly string[] }
  | { readonly understood: false; readonly why: string }

/** gRPC's default port, with or without TLS. */
const defaultPort = 443

/** Names of gRPC resolvers, which cannot be host names in a target, even before a port. */
const resolvers = /^(dns|ipv4|ipv6|unix|unix-abstract|vsock|xds|google-c2p)$/i

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
      return readIp(path, /^(\d{1,3}\.){3}\d{1,3}(:|$)/, 'IPv4')
    case 'ipv6':
      return readIp(/^[\da-f.]*(:[\da-f.]*){2,}$/i.test(path) ? `[${path}]` : path, /^\[/, 'IPv6')
    default:
      return resolvers.test(text.split(':', 1)[0] ?? '') && text.includes(':')
        ? no(notATarget)
        : readHostAndPort(text)
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
  const plain = urlAt('http', host, port)
  if (plain === undefined) return no(notATarget)
  return yes(isLoopback(plain) ? plain : (urlAt('https', host, port) ?? plain))
}

/** Reads the part after `://` with the URL parser, which normalises the host. */
function readUrl(scheme: string, rest: string): Address {
  const secure = scheme === 'https' || scheme === 'grpcs'
  const read = secure ? parse('https', rest) : parse('http', rest)
  // The parser drops the default port of a scheme, so trying both schemes shows whether a port was given.
  const hasPort = (['http', 'https'] as const).some((one) => (parse(one, rest)?.port ?? '') !== '')
  if (read === undefined) return no('not a URL')
  if (!hasPort && scheme === 'grpc') read.port = String(defaultPort)
  const path = read.pathname === '/' ? [] : ['path ignored: gRPC has its own paths']
  read.pathname = '/'
  const { url, remarks } = withoutExtras(read)
  return yes(url, [...path, ...remarks])
}

/** Removes the parts of a URL that are never sent, with a remark on each. */
export function withoutExtras(given: URL): { url: URL; remarks: string[] } {
  const url = new URL(given)
  const remarks: string[] = []
  if (url.username !== '' || url.password !== '') remarks.push('user name and password not sent')
  if (url.search !== '') remarks.push('query not sent')
  if (url.hash !== '') remarks.push('fragment dropped')
  url.username = url.password = url.search = url.hash = ''
  return { url, remarks }
}

function parse(scheme: 'http' | 'https', rest: string): URL | undefined {
  return URL.canParse(`${scheme}://${rest}`) ? new URL(`${scheme}://${rest}`) : undefined
}

function urlAt(scheme: 'http' | 'https', host: string, port: string): URL | undefined {
  return parse(scheme, `${host}:${port}`)
}

function yes(url: URL, remarks: readonly string[] = []): Address {
  return { understood: true, url, remarks }
}

function no(why: string): Address {
  return { understood: false, why }
}
