import { count } from '../../../core/text.js'
import { readRosters } from '../../../mesh/apply/apply-mesh.js'
import { readRecord } from '../../../mesh/apply/delivery-record.js'
import { lookAtFiles } from '../../../mesh/apply/places.js'
import type { Mesh } from '../../../mesh/file/mesh.js'
import type { ChangeAction, Plan } from '../../../mesh/plan/plan.js'
import { planOf } from '../../../mesh/plan/plan-of.js'
import { remarksOnLostStores } from '../../../mesh/plan/remarks.js'
import { planText, wordsNeeded, type PlanLook } from '../../../mesh/plan/plan-text.js'
import type { CliContext } from '../../context.js'
import { openMesh, type MeshFileOption } from './open-mesh.js'

export interface PlanOptions extends MeshFileOption {
  check?: true
}

/** What `mesh plan` does. */
export async function runPlan(context: CliContext, options: PlanOptions): Promise<void> {
  const { output, progress, now, setExitCode } = context
  const opened = await openMesh(context, options)
  const { mesh } = opened
  const rosters = await progress.during('reading the stores', () =>
    readRosters({ ...opened, signal: context.signal }),
  )
  const record = readRecord(mesh.path)
  const planned = planOf(mesh, { rosters, delivered: lookAtFiles(mesh, record), at: now() })
  const plan = { ...planned, remarks: [...remarksOnLostStores(mesh, record, rosters), ...planned.remarks] }
  const { changes, remarks } = plan
  const text = changes.length === 0 ? nothingToDo(mesh) : planText(plan, await lookOf(context))
  output.result(text, { changes: changes.map((change) => ({ ...change, done: false })), remarks })
  sayMore(context, plan)
  if (options.check && changes.length > 0) setExitCode(1)
}

const nothingToDo = ({ agents, edges }: Mesh): string =>
  `nothing to do: ${count(agents.size, 'agent')} and ${count(edges.length, 'edge')} are as the file says`

function sayMore({ output }: CliContext, plan: Plan): void {
  for (const remark of plan.remarks) output.say(remark)
  const words = wordsNeeded(plan)
  for (const one of words) output.say(one)
  if (plan.changes.length === 0) return
  const removesOnly = plan.changes.every(({ needs }) => needs === 'prune')
  output.say(`next: a2a-totp mesh apply${removesOnly ? ' --prune' : ''}`)
}

async function lookOf({ output }: CliContext): Promise<PlanLook> {
  const { unicode, forPerson } = output
  if (!forPerson) return { unicode }
  const { default: chalk } = await import('chalk')
  const paints: Readonly<Record<ChangeAction, (text: string) => string>> = {
    create: chalk.green,
    change: chalk.yellow,
    rotate: chalk.cyan,
    remove: chalk.red,
    deliver: chalk.dim,
  }
  return { unicode, paint: (action, text) => paints[action](text) }
}
