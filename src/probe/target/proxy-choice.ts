import { BlockList, isIP } from 'node:net'
import { TOTPError } from '../../core/errors.js'
import { parseHttpUrl, portOf } from '../../core/url.js'
import { mayUseProxy, type Proxy, type ProxyChoice } from '../wire/proxy.js'

type Env = Readonly<Record<string, string | undefined>>

/**
 * Which proxy https URLs are reached by: the one of `--proxy`, else of `https_proxy`, `HTTPS_PROXY`, `all_proxy` or
 * `ALL_PROXY`, in this order. `no_proxy` and `NO_PROXY` list hosts that are reached without one. Plain http and this
 * machine never are reached by one.
 *
 * @param given the value of `--proxy`; its password comes from `$A2A_TOTP_PROXY_PASSWORD`
 * @returns a function that throws `ERR_USAGE` where a variable names a proxy that cannot be used
 * @throws {TOTPError} `ERR_USAGE` for a `given` that is no http(s) URL or has a password in it. No error quotes a value.
 */
export function chooseProxy(env: Env, given?: string): ProxyChoice {
  const excepted = readNoProxy(firstOf(env, 'no_proxy', 'NO_PROXY')?.value ?? '')
  const find = given === undefined ? () => fromEnvironment(env) : () => flagged
  const flagged = given === undefined ? undefined : fromFlag(given, env)
  let found: Proxy | undefined
  return (url) => {
    if (!mayUseProxy(url) || excepted(url)) return undefined
    return (found ??= find())
  }
}

function fromFlag(given: string, env: Env): Proxy {
  const url = parseProxy(given)
  if (!url) throw new TOTPError('ERR_USAGE', '--proxy must be an http or https URL')
  if (url.password !== '') {
    throw new TOTPError(
      'ERR_USAGE',
      '--proxy must not contain a password; set $A2A_TOTP_PROXY_PASSWORD instead',
    )
  }
  return proxyAt(url, env['A2A_TOTP_PROXY_PASSWORD'] ?? '')
}

function fromEnvironment(env: Env): Proxy | undefined {
  const found = firstOf(env, 'https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY')
  if (!found) return undefined
  const url = parseProxy(found.value)
  if (!url) {
    throw new TOTPError(
      'ERR_USAGE',
      `$${found.name} names no proxy that can be used; expected an http or https URL, or take the host out with NO_PROXY`,
    )
  }
  return proxyAt(url, decoded(url.password))
}

/** An http(s) URL, or a host and port alone. */
function parseProxy(text: string): URL | undefined {
  const url = parseHttpUrl(text.includes('://') ? text : `http://${text}`)
  return url && url.hostname !== '' ? url : undefined
}

function proxyAt(url: URL, password: string): Proxy {
  if (url.username === '') return { url: bare(url) }
  const credentials = Buffer.from(`${decoded(url.username)}:${password}`).toString('base64')
  return { url: bare(url), authorization: `Basic ${credentials}` }
}

/** Without user and password, so that nothing can print them. */
const bare = (url: URL): URL => new URL(`${url.protocol}//${url.host}`)

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** The first of several variables that is not empty. */
function firstOf(env: Env, ...names: readonly string[]): { name: string; value: string } | undefined {
  return names.map((name) => ({ name, value: env[name]?.trim() ?? '' })).find(({ value }) => value !== '')
}

/**
 * Reads NO_PROXY: hosts, separated by commas or spaces. A host stands for itself and every name below it, with or without a
 * dot or `*.` in front, and on one port if it names one. An address may be a network (192.0.2.0/24); `*` is every host.
 */
function readNoProxy(text: string): (url: URL) => boolean {
  const entries = text.split(/[\s,]+/).filter((entry) => entry !== '')
  return (url) => entries.some((entry) => isExcepted(entry, url))
}

function isExcepted(entry: string, url: URL): boolean {
  if (entry === '*') return true
  const host = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')
  const [, bracketed, port] = /^\[(.+)\](?::(\d+))?$/.exec(entry) ?? []
  const [, name = entry, namedPort] = isIP(entry) > 0 ? [] : (/^([^:]+):(\d+)$/.exec(entry) ?? [])
  const wantedPort = port ?? namedPort
  if (wantedPort !== undefined && Number(wantedPort) !== portOf(url)) return false
  const wanted = (bracketed ?? name).toLowerCase()
  if (isIP(host) > 0) return isInNetwork(host, wanted)
  const suffix = wanted.replace(/^\*?\./, '').replace(/\.$/, '')
  return suffix !== '' && (host === suffix || host.endsWith(`.${suffix}`))
}

/** Whether an address is another one, or in a network. */
function isInNetwork(host: string, text: string): boolean {
  const [address = '', bits = ''] = text.split('/')
  const family = isIP(address)
  if (family === 0) return false
  const most = family === 4 ? 32 : 128
  const prefix = text.includes('/') ? (/^\d{1,3}$/.test(bits) ? Number(bits) : -1) : most
  if (prefix < 0 || prefix > most) return false
  const networks = new BlockList()
  networks.addSubnet(address, prefix, family === 4 ? 'ipv4' : 'ipv6')
  return networks.check(host, isIP(host) === 4 ? 'ipv4' : 'ipv6')
}
