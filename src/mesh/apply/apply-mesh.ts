import type { Roster } from '../../core/roster.js'
import { acquireLock } from '../../store/lock/lock.js'
import { requireOwn } from '../own-store.js'
import type { DeliveryRecord } from './delivered.js'
import type { Plan } from '../plan/plan.js'
import { clientDocumentOf, digestOf, placeOfAgent, placeOfPeer, serverDocumentOf } from '../plan/documents.js'
import { checkReadable, deliverClients, deliverServers } from './deliver-files.js'
import { admit, proveNew, retire, withNewInUse } from './finish-rotations.js'
import { MeshRun } from './mesh-run.js'
import { outcomeOf, type Applied } from './outcome.js'
import { throwIfInterrupted, type MeshWork } from './ports.js'
import { writeStores, type StoreChange } from './write-stores.js'

/** What a run is to do. */
export interface Intent {
  /** Works out what is to be done. Called under the lock of the mesh. */
  plan(rosters: ReadonlyMap<string, Roster>, delivered: DeliveryRecord, at: Date): Plan
  /** What becomes of a store: what the plan says of it. */
  readonly change: (at: Date) => StoreChange
  /** Asks what has to be asked. @throws {TOTPError} to leave all as it is */
  agree(plan: Plan): Promise<void>
  /** Whether removals of the plan are done. */
  readonly prune: boolean
}

/**
 * Brings stores, agents and peers to what the mesh file says: the stores, each as one change; then the server files; then
 * the client files; then what a rotation superseded ends. A run that is cut off at any point is finished by the next: what
 * is to be done is worked out from the stores and from what was delivered.
 *
 * @throws {TOTPError} before anything is changed: `ERR_STORE_LOCKED` while another command applies the mesh; `ERR_CONFIG_INVALID`
 *   when the file was changed meanwhile; what reading a
 *   store throws; `ERR_CONFIG_INVALID` for a server file that its agent would refuse; what `agree` throws
 */
export async function applyMesh(work: MeshWork, intent: Intent): Promise<Applied> {
  const lock = await acquireLock(work.mesh.path)
  try {
    // Another run may have been waited for, and with it a newer file: an older one would undo what that has done.
    work.requireCurrent()
    return await applyLocked(work, intent)
  } finally {
    lock.release()
  }
}

async function applyLocked(work: MeshWork, intent: Intent): Promise<Applied> {
  const at = work.now()
  const run = new MeshRun(work, await readRosters(work))
  const plan = intent.plan(run.before, run.seen, at)
  const change = onceForNew(intent.change(at))
  requireReadable(run, plan, change, at)
  await intent.agree(plan)
  throwIfInterrupted(work)
  try {
    await writeStores(run, plan.changes, change)
    await deliverAll(run)
  } finally {
    run.keepRecord()
  }
  return outcomeOf(run, plan, intent.prune, handOutOf(run))
}

/** The agents first: what they do not know yet is in nobody's hands, and what they no longer know opens nothing. */
async function deliverAll(run: MeshRun): Promise<void> {
  const agents = [...run.mesh.agents.values()]
  await deliverServers(run, agents)
  run.keepRecord()
  await proveNew(run)
  const admitted = await admit(run)
  await deliverClients(run, withNewInUse(run, admitted))
  run.keepRecord()
  if (admitted.length > 0) await retire(run, admitted)
}

/**
 * Returns what the stores hold, without those that do not exist.
 *
 * @throws {TOTPError} `ERR_STORE_*`, and what {@link requireOwn} throws
 */
export async function readRosters({
  mesh,
  stores,
  signal,
}: Pick<MeshWork, 'mesh' | 'stores' | 'signal'>): Promise<Map<string, Roster>> {
  const rosters = new Map<string, Roster>()
  for (const agent of mesh.agents.values()) {
    throwIfInterrupted({ signal })
    const store = stores(agent)
    if (!store.exists()) continue
    const roster = await store.read()
    requireOwn(agent, roster)
    rosters.set(agent.name, roster)
  }
  return rosters
}

/** A store that does not exist is made once: what was checked is what is written. */
function onceForNew(change: StoreChange): StoreChange {
  const made = new Map<string, Roster>()
  return (agent, roster) => {
    if (roster) return change(agent, roster)
    const known = made.get(agent.name) ?? change(agent, undefined)
    made.set(agent.name, known)
    return known
  }
}

/** What an agent would refuse later is refused before anything is changed. */
function requireReadable(run: MeshRun, { changes }: Plan, change: StoreChange, at: Date): void {
  const named = new Set(changes.flatMap(({ agent, blocked }) => (blocked === undefined ? agent : [])))
  for (const agent of run.mesh.agents.values()) {
    if (!named.has(agent.name)) continue
    const roster = change(agent, run.before.get(agent.name))
    checkReadable(run, roster, serverDocumentOf(roster, at))
  }
}

/** What the run has made and nobody delivers: the operator hands it out. */
function handOutOf({ work, before, rosters }: MeshRun): Applied['handOut'] {
  const { mesh } = work
  const at = work.now()
  const server = (roster: Roster | undefined): object | undefined => roster && serverDocumentOf(roster, at)
  return {
    agents: [...mesh.agents.values()]
      .filter((agent) => !placeOfAgent(agent))
      .filter((agent) => differs(server(before.get(agent.name)), server(rosters.get(agent.name))))
      .map(({ name }) => name),
    peers: [...mesh.peers.values()]
      .filter((peer) => !placeOfPeer(peer))
      .filter((peer) => {
        const client = (now: ReadonlyMap<string, Roster>): object | undefined =>
          clientDocumentOf(mesh, now, peer.name, at)
        return differs(client(before), client(rosters))
      })
      .map(({ name }) => name),
  }
}

function differs(before: object | undefined, now: object | undefined): boolean {
  if (now === undefined) return false
  return before === undefined || digestOf({}, before) !== digestOf({}, now)
}
