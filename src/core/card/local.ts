import { portOf } from '../url.js'
import { canonicalJson } from './canonical.js'
import { withoutTotpExtension } from './extension.js'
import { isExposed } from './hosts.js'
import type { CardInterface, UnderstoodInterface } from './interfaces.js'
import { Remarks, shown } from './remarks.js'
import { withAddresses } from './rewritten.js'
import { conflicting, routeTo, type CardRoute } from './routes.js'
import { withoutSatisfied } from './satisfied.js'
import { isMutualTls, kindOfScheme } from './schemes.js'
import type { CardJson } from './shapes.js'
import { isSigned, withoutSignatures } from './signatures.js'

export interface LocalCardOptions {
  /** The URL that the card was read from; relative addresses are resolved against it. */
  readonly cardUrl: URL
  /**
   * Where the sidecar is called. A path is put in front of each path of the card; since gRPC has paths of its own, its
   * interfaces are dropped then.
   */
  readonly self: URL
  /** Whether requests with credentials may be sent to an interface; see `isOursToCall` and `isExposed`. */
  readonly isOurs: (one: UnderstoodInterface) => boolean
  /** The header that carries the code. */
  readonly header: string
  /** Whether the card still demands what the sidecar adds. */
  readonly security: 'remove' | 'keep'
  /** Whether the sidecar shows the agent a client certificate. */
  readonly certificate?: boolean
}

/** A card for the clients of a sidecar that calls the agent for them. */
export interface LocalCard {
  readonly card: CardJson
  /** Where the sidecar sends the requests that clients of this card make; see `routeFor`. */
  readonly routes: readonly CardRoute[]
  /** What was left out and why, safe to print. */
  readonly remarks: readonly string[]
}

/** More than agents have, and few enough to be looked through for each request. */
const mostRoutes = 64

/**
 * Returns a card whose interfaces lead to a sidecar, with their paths, and that does not demand what the sidecar adds. No
 * interface leads anywhere else: what is not ours to call, or was not understood, is dropped with a remark. So are
 * signatures, unless nothing has changed.
 *
 * @param card untrusted, as `readCard` returns it
 */
export function localCard(card: CardJson, options: LocalCardOptions): LocalCard {
  const { cardUrl, self, isOurs, header } = options
  const remarks = new Remarks()
  const routes: CardRoute[] = []
  const addressOf = (one: CardInterface): string | undefined => {
    const why = reasonToDrop(one)
    if (why !== undefined) remarks.about(one, `is left out: ${why}`)
    return why === undefined && one.understood ? localAddress(one, self) : undefined
  }
  const reasonToDrop = (one: CardInterface): string | undefined => {
    if (!one.understood) return `not understood: ${shown(one.why)}`
    if (!isOurs(one)) return reasonNotOurs(one)
    if (one.binding === 'grpc' && hasPath(self)) return 'gRPC has no path that a local token fits into'
    const route = routeTo(one)
    const other = conflicting(routes, route)
    if (other !== undefined) return `its path is taken by ${other.upstream.origin}`
    if (routes.some((known) => isSameRoute(known, route))) return undefined
    if (routes.length >= mostRoutes) return `the card has more than ${String(mostRoutes)} others`
    routes.push(route)
    return undefined
  }
  const local = withAddresses(card, addressOf, cardUrl)
  if (routes.length === 0) remarks.add('the card has no interface that can be called')
  const open = options.security === 'keep' ? local : withoutAdded(local, header, options, remarks)
  if (!isSigned(open) || isUnchanged(card, open)) return { card: open, routes, remarks: remarks.list() }
  remarks.add('the signatures of the card are left out: they are of the card as it was')
  return { card: withoutSignatures(open), routes, remarks: remarks.list() }
}

function withoutAdded(
  card: CardJson,
  header: string,
  { certificate = false }: LocalCardOptions,
  remarks: Remarks,
): CardJson {
  const { card: open, left } = withoutSatisfied(
    card,
    (scheme) =>
      ['bearer', 'code'].includes(kindOfScheme(scheme, header)) || (certificate && isMutualTls(scheme)),
  )
  for (const name of left)
    remarks.add(`clients have to satisfy the security scheme "${shown(name)}" themselves`)
  return withoutTotpExtension(open)
}

function localAddress({ binding, url, written }: UnderstoodInterface, self: URL): string {
  if (binding === 'grpc') return `${self.hostname}:${portOf(self)}`
  const base = self.href.replace(/\/$/, '')
  // Clients of HTTP+JSON append to the address as it is written.
  const isBare = url.pathname === '/' && !written.address.trim().endsWith('/')
  return isBare ? base : base + url.pathname
}

function reasonNotOurs({ url }: UnderstoodInterface): string {
  const allowed = `allow it with --allow-host ${url.host}`
  return isExposed(url)
    ? `it is elsewhere or unencrypted; ${allowed}, or allow --insecure-http`
    : `it is elsewhere; ${allowed}`
}

function hasPath({ pathname }: URL): boolean {
  return pathname !== '/'
}

function isSameRoute(one: CardRoute, other: CardRoute): boolean {
  return (
    one.binding === other.binding &&
    one.protocolVersion === other.protocolVersion &&
    one.path === other.path &&
    one.upstream.href === other.upstream.href
  )
}

function isUnchanged(before: CardJson, after: CardJson): boolean {
  return canonicalJson(before) === canonicalJson(after)
}
