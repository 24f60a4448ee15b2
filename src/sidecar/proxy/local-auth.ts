import { createHash, timingSafeEqual } from 'node:crypto'
import type { RequestHead } from '../forward/exchange.js'
import { linesOf, pairsOf, type RawFields } from '../forward/fields.js'

/** How a client of this machine shows that it may call: not at all, by a bearer token, or by the first path segment. */
export const localAuthKinds = ['none', 'header', 'url'] as const
export type LocalAuthKind = (typeof localAuthKinds)[number]

export type LocalAuth =
  | { readonly kind: 'none' }
  /** The token is that of this machine alone: it never leaves. */
  | { readonly kind: 'header' | 'url'; readonly token: string }

/**
 * Returns the target that a request has behind this listener; undefined if it may not call.
 *
 * With `url` it is the target without its first segment. gRPC has no place for one, so it may not call then. Nor may a
 * request that has the token a second time, where it would leave.
 */
export function admittedTarget(
  auth: LocalAuth,
  head: Pick<RequestHead, 'target' | 'fields' | 'isGrpc'>,
): string | undefined {
  if (auth.kind === 'none') return head.target
  const target = targetBehind(auth, head)
  return target?.includes(auth.token) === true ? undefined : target
}

function targetBehind(
  auth: LocalAuth & { readonly token: string },
  { target, fields, isGrpc }: Pick<RequestHead, 'target' | 'fields' | 'isGrpc'>,
): string | undefined {
  if (auth.kind === 'header') {
    const [line = '', second] = linesOf(fields, 'authorization')
    const token = second === undefined ? /^bearer +(\S+)$/i.exec(line)?.[1] : undefined
    return token !== undefined && isSame(token, auth.token) ? target : undefined
  }
  if (isGrpc) return undefined
  const [, segment = '', rest = ''] = /^\/([^/?]*)(.*)$/s.exec(target) ?? []
  if (!isSame(segment, auth.token)) return undefined
  return rest.startsWith('/') ? rest : `/${rest}`
}

/** The fields without those that have the token in their value, such as a Referer. */
export function withoutToken(auth: LocalAuth, fields: RawFields): RawFields {
  if (auth.kind === 'none') return fields
  return Array.from(pairsOf(fields)).flatMap((pair) => (pair[1].includes(auth.token) ? [] : pair))
}

/** The path that the URLs of a rewritten card begin with. */
export function pathPrefix(auth: LocalAuth): string {
  return auth.kind === 'url' ? `/${auth.token}/` : '/'
}

/** What the token of `--local-auth url` may consist of: it is one segment, sent as it is. RFC 3986 §2.3. */
export function isPathToken(token: string): boolean {
  return /^[A-Za-z0-9\-._~]+$/.test(token) && !/^\.{1,2}$/.test(token)
}

/** In constant time, whatever the lengths. */
function isSame(given: string, own: string): boolean {
  const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digestOf(given), digestOf(own))
}
