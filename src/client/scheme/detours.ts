import dns from 'node:dns/promises'
import { TOTPError } from '../../core/errors.js'
import { parseHttpUrl, portOf } from '../../core/url.js'

/**
 * What can lead plaintext away from the host that a URL names, where this library does not send itself: a resolver with
 * an answer of its own for `localhost`, and proxies.
 */

const loopbackAddresses = new Set(['127.0.0.1', '::1'])

/**
 * @throws {TOTPError} `ERR_INSECURE_TRANSPORT` for the name `localhost` over plaintext, unless this machine resolves it to
 *   127.0.0.1 and ::1 alone
 */
export async function requireLocalName({ protocol, hostname }: URL): Promise<void> {
  if (protocol !== 'http:' || hostname !== 'localhost') return
  // Also set for gRPC alone: it then asks name servers, and not the hosts file.
  const asksServers = process.env['GRPC_NODE_USE_ALTERNATIVE_RESOLVER'] === 'true'
  const addresses = asksServers ? [] : await dns.lookup(hostname, { all: true }).catch(() => [])
  if (addresses.length > 0 && addresses.every(({ address }) => loopbackAddresses.has(address))) return
  throw new TOTPError(
    'ERR_INSECURE_TRANSPORT',
    'token and code are not sent to localhost over plaintext: its name may be resolved to another machine; use 127.0.0.1 or [::1]',
  )
}

/** @throws {TOTPError} `ERR_INSECURE_TRANSPORT` for plain http, if the global `fetch` would send it to a proxy */
export function requireNoHttpProxy(url: URL): void {
  if (url.protocol !== 'http:' || !globalFetchProxies(url)) return
  throw new TOTPError(
    'ERR_INSECURE_TRANSPORT',
    `token and code are not sent over plain http through a proxy, which the global fetch uses for ${url.host} (HTTP_PROXY, or setGlobalDispatcher): add ${url.hostname} to NO_PROXY, or use totpFetch or totpTransports, which go past it`,
  )
}

/** @throws {TOTPError} `ERR_INSECURE_TRANSPORT` for plaintext that gRPC sends to a proxy */
export function requireNoGrpcProxy(proxied: boolean, { protocol, host, hostname }: URL): void {
  if (protocol !== 'http:' || !proxied) return
  throw new TOTPError(
    'ERR_INSECURE_TRANSPORT',
    `token and code are not sent over plaintext through a proxy, which gRPC uses for ${host} (grpc_proxy, https_proxy, http_proxy): add ${hostname} to no_grpc_proxy, or pass the channel option 'grpc.enable_http_proxy': 0`,
  )
}

/** Whether an address, as an http URL, is that of gRPC's proxy. */
export function isGrpcProxy(dialled: URL): boolean {
  return grpcProxy()?.host === dialled.host
}

/** Whether gRPC dials a proxy for a host, unless a channel option says that it does not. */
export function grpcProxies({ hostname }: URL): boolean {
  const exempt = firstSet('no_grpc_proxy', 'no_proxy').split(',')
  return grpcProxy() !== undefined && !exempt.includes(hostname)
}

/** gRPC reads these variables in lower case only, and understands proxies over http alone. */
function grpcProxy(): URL | undefined {
  const proxy = parseHttpUrl(firstSet('grpc_proxy', 'https_proxy', 'http_proxy'))
  return proxy?.protocol === 'http:' ? proxy : undefined
}

function firstSet(...names: readonly string[]): string {
  return names.map((name) => process.env[name] ?? '').find((value) => value !== '') ?? ''
}

/**
 * Whether the global `fetch` sends plain http for a URL to a proxy: since Node 24 with `NODE_USE_ENV_PROXY=1` or
 * `--use-env-proxy`, and on each Node after `setGlobalDispatcher` of undici.
 */
function globalFetchProxies(url: URL): boolean {
  // A second symbol, for a newer interface, since undici 8.
  return ['1', '2'].some((version) => {
    const dispatcher: unknown = Reflect.get(globalThis, Symbol.for(`undici.globalDispatcher.${version}`))
    if (!(dispatcher instanceof Object) || !/proxy/i.test(dispatcher.constructor.name)) return false
    const agentOf = (kind: string): unknown => {
      const symbol = Object.getOwnPropertySymbols(dispatcher).find(({ description }) => description === kind)
      return symbol && Reflect.get(dispatcher, symbol)
    }
    const plain = agentOf('http proxy agent')
    if (plain === undefined) return true
    // EnvHttpProxyAgent has one agent for everything that goes past its proxies.
    return plain !== agentOf('no proxy agent') && !isExempt(url)
  })
}

/** Whether `NO_PROXY` names a host in full. It can do so in more ways, which clients read differently. */
function isExempt(url: URL): boolean {
  const list = (process.env['no_proxy'] ?? process.env['NO_PROXY'] ?? '').toLowerCase()
  const entries = list.split(/[,\s]+/)
  return list === '*' || entries.includes(url.hostname) || entries.includes(`${url.hostname}:${portOf(url)}`)
}
