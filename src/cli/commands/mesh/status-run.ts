import { extname, join } from 'node:path'
import { isTOTPError } from '../../../core/errors.js'
import type { Roster } from '../../../core/roster.js'
import { readRecord } from '../../../mesh/apply/delivery-record.js'
import {
  readReports,
  statusFormats,
  statusOf,
  type StatusFormat,
  type UnreadStore,
} from '../../../mesh/status/index.js'
import type { CliContext } from '../../context.js'
import { pathFrom } from '../../io/path.js'
import { emit, outFile, type OutOptions } from '../../io/result-file.js'
import { openMesh, type MeshFileOption, type OpenedMesh } from './open-mesh.js'

/** How far ahead to look without `--within`: two weeks. */
const usualMs = 14 * 86_400_000

export interface StatusCommandOptions extends MeshFileOption, OutOptions {
  reports?: string
  format?: StatusFormat
  within?: number
}

/** Shows how a mesh is and was. */
export async function runStatus(context: CliContext, options: StatusCommandOptions): Promise<void> {
  const { reports, within = usualMs } = options
  const opened = await openMesh(context, options)
  const { mesh } = opened
  const folder = reports === undefined ? join(mesh.folder, 'reports') : pathFrom(context, reports)
  const kept = readReports(folder, mesh.path)
  for (const { file, reason } of kept.passedOver.slice(0, 10))
    context.output.say(`passed over ${join(folder, file)}: ${reason}`)
  const status = statusOf({
    ...{ mesh, kept, at: context.now(), withinMs: within, delivered: readRecord(mesh.path) },
    ...(await readStores(opened)),
  })
  const format = options.format ?? formatFor(context, options)
  emit(context, options, statusFormats[format](status), status)
  if (options.format === undefined && format === 'table') context.output.say('the page: --out status.html')
}

/** Nobody reads HTML on a terminal. */
function formatFor({ output }: CliContext, { out }: OutOptions): StatusFormat {
  const file = outFile(out)
  if (file === undefined) return output.width === undefined ? 'html' : 'table'
  return extname(file).toLowerCase() === '.json' ? 'json' : 'html'
}

/** What the stores hold that can be read: a machine that only shows reports may have none of them. */
async function readStores({ mesh, stores }: OpenedMesh): Promise<{
  readonly rosters: ReadonlyMap<string, Roster>
  readonly unread: readonly UnreadStore[]
}> {
  const rosters = new Map<string, Roster>()
  const unread: UnreadStore[] = []
  for (const agent of mesh.agents.values()) {
    try {
      rosters.set(agent.name, await stores(agent).read())
    } catch (error) {
      if (!isTOTPError(error)) throw error
      // The list says whose store it is.
      const { message } = isTOTPError(error.cause) ? error.cause : error
      unread.push({ agent: agent.name, reason: message })
    }
  }
  return { rosters, unread }
}
