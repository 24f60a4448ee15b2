import { count } from '../../core/text.js'
import { dayText } from './duration-text.js'
import type { EdgeState, EdgeView } from './edge-view.js'
import type { AgentView, MeshView } from './view.js'

// What every format says in words.

/** `4 agents, 5 peers, 9 edges`. */
export function countsOf({ agents, peers, edges }: MeshView): string {
  return [count(agents.length, 'agent'), count(peers.length, 'peer'), count(edges.length, 'edge')].join(', ')
}

/** Which stores are not in the picture; empty when all were read, or there are none yet. */
export function unreadOf({ agents }: MeshView): string {
  const closed = agents.filter(({ store }) => store !== 'read' && store !== 'missing')
  if (closed.length === 0) return ''
  if (closed.length === agents.length) return 'from the file alone: no store was read'
  return `${closed.length} of ${count(agents.length, 'store')} could not be read`
}

/** `once, signed require`; what nobody says is left out, and empty where nothing is said. */
export function policyText({ replay, signed }: Pick<EdgeView, 'replay' | 'signed'>): string {
  return [...(replay ? [replay] : []), ...(signed ? [`signed ${signed}`] : [])].join(', ')
}

/** `SHA1 6/30s`; empty where it is not known. */
export function codesText({
  algorithm,
  digits,
  period,
}: Pick<EdgeView, 'algorithm' | 'digits' | 'period'>): string {
  return algorithm && digits && period ? `${algorithm} ${digits}/${period}s` : ''
}

/** The state of a store in words. */
export const storeWords: Readonly<Record<AgentView['store'], string>> = {
  read: 'read',
  missing: 'not created yet',
  locked: 'locked',
  unusable: 'cannot be used',
  unopened: 'not opened',
}

/** The state of an edge in words; empty for one that works, or of which nothing is known. */
export const stateWords: Readonly<Record<EdgeState, string>> = {
  live: '',
  unknown: '',
  pending: 'rotation pending',
  due: 'rotation due',
  missing: 'not created yet',
  expired: 'expired',
}

/** What is to be known of an edge: its state, and when it ends. Empty for most. */
export function remarkOn({ state, expiresAt }: EdgeView): string {
  const end = expiresAt === null ? '' : `${state === 'expired' ? 'on' : 'expires'} ${dayText(expiresAt)}`
  return state === 'expired' ? `expired ${end}`.trim() : [stateWords[state], end].filter(Boolean).join(', ')
}

/** How strictly an edge is held, which is how its line is drawn. */
export const lineKinds = ['signed', 'once', 'reuse', 'unsaid'] as const
export type LineKind = (typeof lineKinds)[number]

export function lineKindOf({ replay, signed }: Pick<EdgeView, 'replay' | 'signed'>): LineKind {
  if (signed === 'require') return 'signed'
  return replay ?? 'unsaid'
}

/** What each kind of line means, for legends. */
export const kindWords: Readonly<Record<LineKind, string>> = {
  signed: 'every request signed',
  once: 'each code once',
  reuse: 'codes reusable while valid',
  unsaid: 'policy left to the store',
}
