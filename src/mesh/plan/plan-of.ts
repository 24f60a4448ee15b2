import { createHash } from 'node:crypto'
import type { RandomBytes } from '../../core/random.js'
import type { Roster } from '../../core/roster.js'
import type { DeliveryRecord } from '../apply/delivered.js'
import type { Mesh } from '../file/mesh.js'
import { clientRows, serverRows, withRotationsOver, type Rosters } from './deliver-rows.js'
import type { Plan } from './plan.js'
import { remarksOn, remarksOnUndeclared } from './remarks.js'
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
  const after = (choice: { readonly prune: boolean; readonly yes: boolean }) =>
    new Map(
      names.map((name) => {
        const options = { at, random: standIn(name), stagingId: 'plan', ...choice }
        return [name, rosterAfter(mesh, name, rosters.get(name), options)] as const
      }),
    )
  const over = (some: ReadonlyMap<string, Roster>) =>
    new Map([...some].map(([name, roster]) => [name, withRotationsOver(roster, at)] as const))
  const whole = after({ prune: true, yes: true })
  const all: Rosters = {
    before: rosters,
    plain: over(after({ prune: false, yes: false })),
    pruned: over(after({ prune: true, yes: false })),
    whole: over(whole),
  }
  const stores = [...whole].flatMap(([name, roster]) => storeRows(name, rosters.get(name), roster, at))
  const changes = [
    ...stores,
    ...serverRows(mesh, all, delivered, at),
    ...clientRows(mesh, all, delivered, at),
  ]
  const remarks = names.flatMap((name) => remarksOn(mesh, name, rosters.get(name), at))
  return { changes, remarks: [...remarks, ...remarksOnUndeclared(mesh, delivered)] }
}

/** Stands for randomness where nothing that is made is kept: never the same bytes twice. */
function standIn(agent: string): RandomBytes {
  let calls = 0
  return (size) => {
    const bytes = createHash('sha512').update(`a2a-totp plan ${agent} ${calls++}`).digest()
    if (size > bytes.length) throw new RangeError(`a plan makes no secret of ${size} bytes`)
    return bytes.subarray(0, size)
  }
}
