import { isLoopback, portOf } from '../url.js'

/** An address that was understood, as a URL of http or https; or why it was not. */
export type Address =
  | { readonly understood: true; readonly url: URL; readonly remarks: readonly string[] }
  | { readonly understood: false; readonly why: string }

/** The port that gRPC takes where none is named, with TLS or without. */
const defaultPort = 443

/** Names of resolvers: gRPC reads them as such, even where a port follows. */
const resolvers = /^(dns|ipv4|ipv6|unix|unix-abstract|vsock|xds|google-c2p)$/i

const notATarget =
  'it is not a gRPC target: host:port, dns:, ipv4:, ipv6:, or a URL of grpc, grpcs, http or https'

/**
 * Reads a gRPC target (gRPC naming, and the URLs that cards use in its place). The URL has https where the call goes
 * over TLS, and the path `/`.
 *
 * A target without a scheme of a URL means TLS, and plaintext on loopback alone. What leads to more than one place, or
 * asks a name server of its own, is not understood: where credentials go must be certain.
 */
export function readGrpcTarget(text: string): Address {
  const [, scheme = '', rest = ''] = /^(grpcs?|https?):\/\/(.*)$/is.exec(text) ?? []
  if (scheme !== '') return readUrl(scheme.toLowerCase(), rest)
  const [, resolver = '', authority = '', path = text] =
    /^(dns|ipv4|ipv6):(?:\/\/([^/]*)\/)?(.*)$/is.exec(text) ?? []
  if (authority !== '') return no('it names a name server of its own')
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

/** What gRPC dials to get to the URL of a target, spelled so that no host name passes for a resolver. */
export function dialledAt(url: URL): string {
  return `dns:${url.hostname}:${portOf(url)}`
}

function readIp(path: string, form: RegExp, family: string): Address {
  if (path.includes(',')) return no('it names several addresses')
  return form.test(path) ? readHostAndPort(path) : no(`it is not an ${family} address`)
}

function readHostAndPort(text: string): Address {
  const [, host = '', port = String(defaultPort)] =
    /^([\w.-]+|\[[\da-f:.]+\])(?::(\d{1,5}))?$/i.exec(text) ?? []
  if (host === '') return no(notATarget)
  if (/^\d+$/.test(host)) return no('it has no host')
  const plain = urlAt('http', host, port)
  if (plain === undefined) return no(notATarget)
  return yes(isLoopback(plain) ? plain : (urlAt('https', host, port) ?? plain))
}

/** Reads the part behind `://` as that of a URL, which normalises the host. */
function readUrl(scheme: string, rest: string): Address {
  const secure = scheme === 'https' || scheme === 'grpcs'
  const read = secure ? parse('https', rest) : parse('http', rest)
  // The parser drops the default port of its own scheme, so two of them tell whether one was written.
  const hasPort = (['http', 'https'] as const).some((one) => (parse(one, rest)?.port ?? '') !== '')
  if (read === undefined) return no('it is not a URL')
  if (!hasPort && scheme === 'grpc') read.port = String(defaultPort)
  const path = read.pathname === '/' ? [] : ['its path is not used: gRPC has paths of its own']
  read.pathname = '/'
  const { url, remarks } = withoutExtras(read)
  return yes(url, [...path, ...remarks])
}

/** A URL without what is never sent, and a remark on each part that went. */
export function withoutExtras(given: URL): { url: URL; remarks: string[] } {
  const url = new URL(given)
  const remarks: string[] = []
  if (url.username !== '' || url.password !== '') remarks.push('its user name and password are not sent')
  if (url.search !== '') remarks.push('its query is not sent')
  if (url.hash !== '') remarks.push('its fragment is dropped')
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
