import { count, listSome } from '../../../core/text.js'
import { applyMesh, readRosters, type Intent } from '../../../mesh/apply/apply-mesh.js'
import { readRecord } from '../../../mesh/apply/delivery-record.js'
import { statePathOf } from '../../../mesh/file/shared-places.js'
import type { Applied } from '../../../mesh/apply/outcome.js'
import { lookAtFiles } from '../../../mesh/apply/places.js'
import type { MeshWork } from '../../../mesh/apply/ports.js'
import type { MeshChange, Plan } from '../../../mesh/plan/plan.js'
import { isTOTPError } from '../../../core/errors.js'
import { ignoreResultInGit } from '../../../store/ignore-file.js'
import type { CliContext } from '../../context.js'
import { exitCodes } from '../../errors.js'
import { beforePlaintext } from '../store/plaintext.js'
import { requireAllowed } from './allowed-commands.js'
import type { DeliverOptions } from './mesh-options.js'
import { rowOf } from './done-rows.js'
import { doneLinesOf, linesOf } from './done-lines.js'
import { makeFolderIn, meshDelivery } from './mesh-delivery.js'
import { meshProof } from './mesh-proof.js'
import type { OpenedMesh } from './open-mesh.js'

/** What a mesh is applied with, from the command line. */
export function meshWork(
  context: CliContext,
  { mesh, stores, requireCurrent, ignored }: OpenedMesh,
  options: DeliverOptions,
): MeshWork {
  const { timeout = 60, wait = 60, concurrency = 4, prove, gitignore, allowWeakSeed = false } = options
  const { now, random, sleep, signal, output, progress } = context
  return {
    ...{ mesh, stores, requireCurrent, now, random, sleep, signal, concurrency },
    delivery: meshDelivery(context, mesh, {
      ...{ timeout, gitignore, allowWeakSeed },
      onIgnored: (name) => void ignored.push(name),
    }),
    ...(prove && { proof: meshProof(context, mesh, wait) }),
    talk: { say: (text) => output.say(text), show: (text) => progress.start(text) },
  }
}

/** Asks for the commands of the file, and keeps new stores out of git. Nothing of the mesh is changed yet. */
export async function prepare(
  context: CliContext,
  { mesh, stores, ignored }: OpenedMesh,
  { changes }: Plan,
  { allowCommands, yes, gitignore, plaintext }: DeliverOptions & { readonly plaintext: boolean },
): Promise<void> {
  if (changes.length === 0) return
  await requireAllowed(context, mesh, allowCommands ?? false)
  for (const agent of mesh.agents.values()) {
    const store = stores(agent)
    if (store.exists() || !changes.some((change) => change.agent === agent.name)) continue
    makeFolderIn(mesh, store.path)
    if (!plaintext) continue
    const warning = await beforePlaintext(context, store.path, {
      ...{ yes, gitignore, action: 'Create a store in plain text' },
      onIgnored: (name) => void ignored.push(name),
    })
    if (warning !== undefined) context.output.warn(warning)
  }
  if (gitignore) keepRecordOutOfGit(context, mesh.path)
}

/** What was delivered from here is of no use in another checkout. */
function keepRecordOutOfGit({ output }: CliContext, meshPath: string): void {
  try {
    ignoreResultInGit(statePathOf(meshPath))
  } catch (error) {
    if (!isTOTPError(error)) throw error
    output.warn(error.message)
  }
}

/** Prints what would be done, and does nothing. */
export async function showPlanned(context: CliContext, work: MeshWork, intent: Intent): Promise<void> {
  const { output } = context
  const rosters = await readRosters(work)
  const delivered = lookAtFiles(work.mesh, readRecord(work.mesh.path))
  const { changes, remarks } = intent.plan(rosters, delivered, work.now())
  const rows = changes.map((change) => ({
    ...change,
    done: false,
    ...(change.blocked !== undefined && { problem: change.blocked }),
  }))
  const isStuck = ({ blocked }: MeshChange): boolean => blocked !== undefined
  const stuck = doneLinesOf(rows.filter(isStuck))
  const words = [...linesOf(rows.filter((row) => !isStuck(row))), ...stuck]
  output.result(words.join('\n'), { dryRun: true, changes: rows.map(rowOf) })
  for (const remark of remarks) output.say(remark)
  output.say(rows.length === 0 ? 'nothing would be changed' : 'nothing was changed')
  if (stuck.length > 0) context.setExitCode(exitCodes.no)
}

/** Applies a mesh, and prints what was done. */
export async function applyAndShow(
  context: CliContext,
  work: MeshWork,
  intent: Intent,
  { ignored }: OpenedMesh,
): Promise<void> {
  const applied = await applyMesh(work, intent).finally(() => {
    context.progress.stop()
    if (ignored.length > 0) context.output.say(`added to .gitignore: ${listSome(ignored)}`)
  })
  showOutcome(context, applied)
}

/** Prints what was done, and what is left to do by hand. Exit code 1 where something failed. */
function showOutcome(context: CliContext, { changes, remarks, handOut }: Applied): void {
  const { output } = context
  output.result(doneLinesOf(changes).join('\n'), { changes: changes.map(rowOf) })
  for (const remark of remarks) output.say(remark)
  if (changes.length === 0) output.say('nothing to do: stores and deliveries are as the file says')
  const kept = changes.filter(
    ({ action, needs, done }) => action === 'remove' && needs === 'prune' && !done,
  ).length
  if (kept === 1) output.say('1 entry of the stores is not in the file; --prune removes it')
  if (kept > 1) output.say(`${kept} entries of the stores are not in the file; --prune removes them`)
  const { agents, peers } = handOut
  if (agents.length > 0) output.say(`hand out: ${configOf('server', agents)}`)
  if (peers.length > 0) output.say(`hand out: ${configOf('client', peers)}`)
  const failed = changes.filter(({ problem }) => problem !== undefined)
  if (failed.length === 0) return
  context.setExitCode(exitCodes.no)
  const blocked = failed.filter((change) => change.blocked !== undefined).length
  if (blocked > 0) output.warn(`${count(blocked, 'edge')} cannot be rotated now`)
  if (blocked === failed.length) return
  output.warn(
    `${count(failed.length - blocked, 'change')} not done; run \`a2a-totp mesh apply\` again when the cause is removed`,
  )
}

/** The command that writes a file to hand out; without `--out` it would print seeds and tokens on the terminal. */
function configOf(side: 'server' | 'client', names: readonly string[]): string {
  const command = (name: string): string => `a2a-totp mesh config ${side} ${name} --out FILE`
  const [only] = names
  return only !== undefined && names.length === 1
    ? command(only)
    : `${command('NAME')} for ${listSome(names)}`
}
