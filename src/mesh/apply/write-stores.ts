import { TOTPError } from '../../core/errors.js'
import type { Roster } from '../../core/roster.js'
import { canariesOf } from '../../core/roster.js'
import { listSome } from '../../core/text.js'
import type { MeshAgent } from '../file/mesh.js'
import type { MeshChange } from '../plan/plan.js'
import type { MeshRun } from './mesh-run.js'

/** What becomes of the store of an agent. The same roster: nothing. */
export type StoreChange = (agent: MeshAgent, roster: Roster | undefined) => Roster

/** Brings the stores to what the plan says, each as one change. One that cannot be changed is no reason to leave the others. */
export async function writeStores(
  run: MeshRun,
  changes: readonly MeshChange[],
  change: StoreChange,
): Promise<void> {
  const { mesh, talk } = run.work
  const named = new Set(changes.filter(isOfStore).map(({ agent }) => agent))
  const agents = [...mesh.agents.values()].filter(({ name }) => named.has(name))
  for (const [index, agent] of agents.entries()) {
    await talk.show(`store ${index + 1} of ${agents.length}: ${agent.name}`)
    const agreed = changes.filter((one) => one.agent === agent.name && one.action === 'remove')
    const problem = await run.attempt(async () => {
      run.rosters.set(
        agent.name,
        await written(run, agent, (roster) => agreedOn(agreed, roster, change(agent, roster))),
      )
      return undefined
    })
    if (problem === undefined) run.stored.add(agent.name)
    else run.problems.stores.set(agent.name, problem)
  }
}

const isOfStore = ({ action, blocked }: MeshChange): boolean => action !== 'deliver' && blocked === undefined

async function written(
  { work }: MeshRun,
  agent: MeshAgent,
  change: (roster: Roster | undefined) => Roster,
): Promise<Roster> {
  const store = work.stores(agent)
  if (store.exists()) return store.update(change)
  const roster = change(undefined)
  await store.create(roster)
  return roster
}

/**
 * The store may have changed since the list was shown: nobody is removed who was not on it.
 *
 * @throws {TOTPError} `ERR_CONFIRMATION_NEEDED`
 */
function agreedOn(agreed: readonly MeshChange[], before: Roster | undefined, after: Roster): Roster {
  if (before === undefined || before === after) return after
  const left = new Set([...after.peers.keys(), ...canariesOf(after).map(({ name }) => name)])
  const names = [...before.peers.keys(), ...canariesOf(before).map(({ name }) => name)]
  const unknown = names.filter((name) => !left.has(name) && !agreed.some(({ peer }) => peer === name))
  if (unknown.length === 0) return after
  throw new TOTPError(
    'ERR_CONFIRMATION_NEEDED',
    `another command added ${listSome(unknown)} meanwhile, so the store was not changed; run \`mesh plan\` again`,
  )
}
