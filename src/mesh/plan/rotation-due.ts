import type { CodeProfile } from '../../core/profile.js'
import { isLive, newestLive, type Credential, type Peer } from '../../core/roster.js'
import { mostLiveSeeds, type Rotation } from '../../core/rotation.js'
import type { MeshEdge } from '../file/mesh.js'

/** Whether an edge of a store needs other credentials than it has. */
export type RotationDue =
  | { readonly due: 'no' }
  | { readonly due: 'yes'; readonly rotation: Rotation }
  /** It is old, but has as many live seeds as it may have until then. */
  | { readonly due: 'later'; readonly until: Date }
  /** Its credentials have expired, and the file does not say that they should be valid. */
  | { readonly due: 'expired' }

/** Returns whether the file says that the credentials of an edge have ended. */
export function hasEnded({ expires }: MeshEdge, at: Date): boolean {
  return expires instanceof Date && expires <= at
}

/**
 * Returns whether an edge that has not ended is to be rotated: because its codes are made in another way, because it has
 * expired and the file gives it a later end, or because of its age.
 *
 * @param yes whether codes may change, for which no old seed can stay
 */
export function rotationDue(edge: MeshEdge, peer: Peer, at: Date, yes: boolean): RotationDue {
  const seed = newestLive(peer.seeds, at)
  const token = newestLive(peer.tokens, at)
  const isUsable = seed !== undefined && token !== undefined
  if (!isUsable && edge.expires === undefined) return { due: 'expired' }
  const profile = yes ? profileDifference(edge, peer) : undefined
  const base = { overlapMs: edge.overlapMs, ...(profile && { profile }) }
  // Which credentials of a rotation are in use is not known here, so all of them make way.
  if (peer.pending && (profile || !isUsable))
    return { due: 'yes', rotation: { ...base, seed: true, token: true, overlapMs: 0 } }
  if (profile) return { due: 'yes', rotation: { ...base, seed: true, token: true } }
  // A new seed that goes to nobody would lock the peer out: a token that cannot be sent goes with it.
  const hasUnsendable = token !== undefined && token.token.value === undefined
  const isOld = { seed: isOlder(seed, edge, at), token: isOlder(token, edge, at) }
  const until = isOld.seed ? fullUntil(peer, at) : undefined
  const rotation = {
    ...base,
    seed: !seed || (isOld.seed && !until),
    token: !token || isOld.token || hasUnsendable,
  }
  // What is old goes with what has expired, else the next run would rotate once more.
  if (!isUsable) return { due: 'yes', rotation }
  if (peer.pending || (!isOld.seed && !isOld.token)) return { due: 'no' }
  return until ? { due: 'later', until } : { due: 'yes', rotation }
}

function isOlder(one: Credential | undefined, { rotateAfterMs }: MeshEdge, at: Date): boolean {
  return (
    rotateAfterMs !== undefined &&
    one !== undefined &&
    one.createdAt.getTime() <= at.getTime() - rotateAfterMs
  )
}

/** How codes are to be made, where it is named and differs. */
function profileDifference(edge: MeshEdge, peer: Peer): Partial<CodeProfile> | undefined {
  const fields = (['algorithm', 'digits', 'period'] as const).filter(
    (field) => edge[field] !== undefined && edge[field] !== peer[field],
  )
  return fields.length === 0 ? undefined : Object.fromEntries(fields.map((field) => [field, edge[field]]))
}

/** When the first of too many live seeds ends; undefined if there may be one more. */
function fullUntil({ seeds }: Peer, at: Date): Date | undefined {
  const live = seeds.filter((one) => isLive(one, at))
  const ends = live.flatMap(({ expiresAt }) => expiresAt ?? [])
  return live.length < mostLiveSeeds ? undefined : new Date(Math.min(...ends.map(Number)))
}
