import { TOTPError } from '../../../core/errors.js'
import { count, printable } from '../../../core/text.js'
import type { Intent } from '../../../mesh/apply/apply-mesh.js'
import { readRecord } from '../../../mesh/apply/delivery-record.js'
import type { Mesh } from '../../../mesh/file/mesh.js'
import type { MeshChange, Plan } from '../../../mesh/plan/plan.js'
import { planOf } from '../../../mesh/plan/plan-of.js'
import { rosterAfter } from '../../../mesh/plan/roster-after.js'
import { plaintext } from '../../../store/protection.js'
import type { CliContext } from '../../context.js'
import { protectionFrom } from '../store/encryption.js'
import type { ApplyOptions } from './mesh-options.js'
import { linesOf } from './done-lines.js'
import { applyAndShow, meshWork, prepare, showPlanned } from './mesh-work.js'
import { openMesh, type OpenedMesh } from './open-mesh.js'

/** What `mesh apply` does. */
export async function runApply(context: CliContext, options: ApplyOptions): Promise<void> {
  const protection = (await protectionFrom(context, options)) ?? plaintext
  const opened = await openMesh(context, options, protection)
  const work = meshWork(context, opened, options)
  const intent = applyIntent(context, opened, { ...options, plaintext: protection.kind === 'none' })
  if (options.dryRun) return showPlanned(context, work, intent)
  await applyAndShow(context, work, intent, opened)
}

function applyIntent(
  context: CliContext,
  opened: OpenedMesh,
  options: ApplyOptions & { readonly plaintext: boolean },
): Intent {
  const { random } = context
  const { mesh } = opened
  const prune = options.prune ?? false
  const stagingId = `r-${Buffer.from(random(5)).toString('hex')}`
  return {
    prune,
    plan: (rosters, delivered, at) => planOf(mesh, { rosters, delivered, at }),
    change: (at) => (agent, roster) =>
      rosterAfter(mesh, agent.name, roster, { at, random, prune, stagingId }),
    async agree(plan) {
      await agreeToNewStores(context, mesh, plan, options)
      await agreeToLosses(context, plan, options)
      await prepare(context, opened, plan, options)
    },
  }
}

/** A store that was delivered from and is not there is lost, or elsewhere: a new one has other seeds for all peers. */
async function agreeToNewStores(
  context: CliContext,
  mesh: Mesh,
  { changes }: Plan,
  { yes }: ApplyOptions,
): Promise<void> {
  const delivered = readRecord(mesh.path)
  const lost = changes
    .filter(({ action, peer }) => action === 'create' && peer === undefined)
    .filter(({ agent }) => delivered.agents.has(agent))
    .map(({ agent }) => agent)
  if (lost.length === 0) return
  context.output.remark('these agents have their server files, and their stores are not there:')
  for (const agent of lost)
    context.output.remark(`  ${agent}: ${printable(mesh.agents.get(agent)?.store ?? '')}`)
  await ask(context, `Create ${count(lost.length, 'store')}, with new credentials for all peers?`, yes)
}

/** Shows what ends, and asks. @throws {TOTPError} `ERR_CONFIRMATION_NEEDED`, `ERR_DECLINED` */
async function agreeToLosses(
  context: CliContext,
  { changes }: Plan,
  { prune, yes }: ApplyOptions,
): Promise<void> {
  const losses = changes.filter(({ action }) => action !== 'deliver')
  const removals = prune ? losses.filter(({ needs }) => needs === 'prune') : []
  const lockouts = losses.filter(({ needs }) => needs === 'yes')
  const show = (rows: readonly MeshChange[]): void => {
    for (const line of linesOf(rows)) context.output.remark(`  ${line}`)
  }
  if (removals.length > 0) {
    context.output.remark('the file does not name these, so they are removed:')
    show(removals)
    await ask(context, `Remove ${count(removals.length, 'entry', 'entries')} from the stores?`, yes)
  }
  if (lockouts.length > 0) {
    context.output.remark('after these changes peers are refused until they have their new client files:')
    show(lockouts)
    await ask(context, `Make ${count(lockouts.length, 'such change')}?`, yes)
  }
}

export async function ask({ confirm }: CliContext, question: string, yes: true | undefined): Promise<void> {
  if (yes || (await confirm(question, '--yes'))) return
  throw new TOTPError('ERR_DECLINED', 'nothing was changed')
}
