import type { RandomBytes } from '../../core/random.js'
import type { Roster } from '../../core/roster.js'
import type { DeliveryRecord } from '../apply/delivered.js'
import type { Mesh } from '../file/mesh.js'
import { clientRows, serverRows, withRotationsOver, type Rosters } from './deliver-rows.js'
import type { Plan } from './plan.js'
import { remarksOn, remarksOnCallers, remarksOnUndeclared } from './remarks.js'
import { rosterAfter } from './roster-after.js'
import { storeRows } from './store-rows.js'

/** What a mesh file is compared with. */
export interface PlanInput {
  /** What the stores hold, by the names of agents. An agent that is not there has no store yet. */
  readonly rosters: ReadonlyMap<string, Roster>
  /** Without the places where something else is now. */
  readonly delivered: DeliveryRecord
  readonly at: Date
}

/**
 * Returns what is to be done so that the stores, and what was delivered, are as the file says. The order of agents, peers and
 * calls in the file makes no difference.
 *
 * @throws {TOTPError} what {@link rosterAfter} throws
 */
export function planOf(mesh: Mesh, { rosters, delivered, at }: PlanInput): Plan {
  const names = [...mesh.agents.keys()].sort()
  const after = (name: string, choice: { readonly prune: boolean; readonly yes: boolean }): Roster =>
    rosterAfter(mesh, name, rosters.get(name), { at, random: standIn(), stagingId: 'plan', ...choice })
  const plans = names.map((name) => {
    const whole = after(name, { prune: true, yes: true })
    return { name, whole, rows: storeRows(name, rosters.get(name), whole, at) }
  })
  const over = (some: readonly (readonly [string, Roster])[]): ReadonlyMap<string, Roster> =>
    new Map(some.map(([name, roster]) => [name, withRotationsOver(roster, at)]))
  const whole = over(plans.map((one) => [one.name, one.whole]))
  const needsWord = plans.some(({ rows }) => rows.some(({ needs }) => needs !== undefined))
  // Without a word that is needed nothing depends on one.
  const only = (yes: boolean, prune: boolean): ReadonlyMap<string, Roster> =>
    needsWord ? over(names.map((name) => [name, after(name, { prune, yes })])) : whole
  const all: Rosters = {
    before: rosters,
    plain: only(false, false),
    pruned: only(false, true),
    agreed: only(true, false),
    whole,
  }
  const stores = plans.flatMap(({ rows }) => rows)
  const changes = [...stores, ...serverRows(mesh, all, delivered), ...clientRows(mesh, all, delivered, at)]
  const remarks = names.flatMap((name) => remarksOn(mesh, name, rosters.get(name), at))
  const ofFiles = [...remarksOnUndeclared(mesh, delivered), ...remarksOnCallers(mesh, delivered)]
  return { changes, remarks: [...remarks, ...ofFiles] }
}

/** Stands for randomness where nothing that is made is kept: never the same bytes twice. */
function standIn(): RandomBytes {
  let calls = 0
  return (size) => {
    const bytes = Buffer.alloc(size, 'a2a-totp plan')
    bytes.writeUInt32BE(calls++, size - 4)
    return bytes
  }
}
