import { basename } from 'node:path'
import { printable } from '../../core/text.js'
import type { Roster } from '../../core/roster.js'
import type { DeliveryRecord } from '../apply/delivered.js'
import type { Mesh } from '../file/mesh.js'
import type { MeshReport } from '../prove/mesh-report.js'
import { earlierIn, type Earlier } from './current.js'
import { dueIn, removedIn, type DueRow, type RemovedRow } from './due.js'
import type { KeptReports, PassedOver } from './kept-reports.js'
import { turnsBetween, type Run, type Turn } from './runs.js'

/** What was handed over last, and when. */
export interface DeliveryRow {
  readonly to: 'agent' | 'peer'
  readonly name: string
  readonly at: Date
}

/** An agent whose store could not be read, so that nothing is known of what is due there. */
export interface UnreadStore {
  readonly agent: string
  readonly reason: string
}

/** How a mesh is, and how it was. Holds no secret. */
export interface MeshStatus {
  /** The name of its file. */
  readonly mesh: string
  readonly at: Date
  /** Oldest first. */
  readonly runs: readonly Run[]
  /** Null before the first run. */
  readonly latest: MeshReport | null
  /** The latest result of each agent and edge; null where the latest run has them all. */
  readonly current: MeshReport | null
  /** What of the current results is of earlier runs, the oldest first. */
  readonly earlier: readonly Earlier[]
  /** What changed from the run before the latest to it. */
  readonly turns: readonly Turn[]
  readonly due: readonly DueRow[]
  readonly removed: readonly RemovedRow[]
  /** Newest first. */
  readonly deliveries: readonly DeliveryRow[]
  readonly unread: readonly UnreadStore[]
  readonly passedOver: readonly PassedOver[]
}

export interface StatusSources {
  readonly mesh: Mesh
  readonly kept: KeptReports
  /** Of the stores that could be read, by agent. */
  readonly rosters: ReadonlyMap<string, Roster>
  readonly unread: readonly UnreadStore[]
  readonly delivered: DeliveryRecord
  readonly at: Date
  /** How far ahead to look for what is due. */
  readonly withinMs: number
}

/** How a mesh is: its last proof, what changed since the one before, and what has to be done soon. */
export function statusOf({
  mesh,
  kept,
  rosters,
  unread,
  delivered,
  at,
  withinMs,
}: StatusSources): MeshStatus {
  const { runs, latest, before, current, passedOver } = kept
  return {
    mesh: printable(basename(mesh.path)),
    at,
    runs,
    latest: latest ?? null,
    current: current && current.seenAt.size > 0 ? current.report : null,
    earlier: current ? earlierIn(current) : [],
    turns: latest && before ? turnsBetween(before, latest) : [],
    due: dueIn(mesh, rosters, at, withinMs),
    removed: removedIn(rosters),
    deliveries: deliveriesOf(delivered),
    unread,
    passedOver,
  }
}

function deliveriesOf({ agents, peers }: DeliveryRecord): DeliveryRow[] {
  return [
    ...Array.from(agents, ([name, { at }]): DeliveryRow => ({ to: 'agent', name, at })),
    ...Array.from(peers, ([name, { at }]): DeliveryRow => ({ to: 'peer', name, at })),
  ].sort((one, other) => other.at.getTime() - one.at.getTime())
}
