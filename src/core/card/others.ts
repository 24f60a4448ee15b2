import { portOf } from '../url.js'
import { isSameName, mayBeSameName } from './hosts.js'
import type { Binding } from './interfaces.js'
import { wellKnownCard } from './shapes.js'

/** Another agent, to which the credentials for this one must not go. */
export interface OtherAgent {
  readonly name: string
  readonly url: string
}

/**
 * Returns the other agent to which a URL leads; undefined where it leads to none that is known. Agents may share a host: of
 * those there, it is the one whose path is the longest that the URL is under, and this agent wins a tie. A gRPC interface
 * has no path, and is this agent's where both are at its port. Where a host may be spelled otherwise, it is the other
 * agent's and not this one's: a wrong guess then sends nothing.
 */
export function otherAgentAt(
  { binding, url }: { readonly binding?: Binding; readonly url: URL },
  own: URL,
  others: readonly OtherAgent[],
): OtherAgent | undefined {
  const closeness = (base: URL, isHostOf: (one: URL, other: URL) => boolean): number => {
    if (portOf(base) !== portOf(url) || !isHostOf(base, url)) return -1
    if (binding === 'grpc') return 0
    const path = pathOf(base)
    return path === pathOf(url) || url.pathname.startsWith(`${path}/`) ? path.length : -1
  }
  let closest: OtherAgent | undefined
  let most = closeness(own, isSameName)
  for (const other of others) {
    const close = closeness(new URL(other.url), mayBeSameName)
    if (close <= most) continue
    closest = other
    most = close
  }
  return closest
}

/** Whether two agents would get the same requests. */
export function isSamePlace(one: URL, other: URL): boolean {
  return (
    one.protocol === other.protocol &&
    portOf(one) === portOf(other) &&
    mayBeSameName(one, other) &&
    pathOf(one) === pathOf(other) &&
    one.search === other.search
  )
}

/** Where an agent is, without the place of its card and a slash at the end. */
const pathOf = ({ pathname }: URL): string => pathname.replace(wellKnownCard, '').replace(/\/+$/, '')
