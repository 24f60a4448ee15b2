import { existsSync } from 'node:fs'
import { extname } from 'node:path'
import { isTOTPError, TOTPError } from '../../../core/errors.js'
import { quoteName } from '../../../core/name.js'
import type { Mesh, MeshAgent } from '../../../mesh/file/mesh.js'
import { showFormats, viewMesh, type ShowFormat, type StoreReading } from '../../../mesh/show/index.js'
import { realPath } from '../../../programs/work-tree.js'
import type { CliContext } from '../../context.js'
import { pathFrom } from '../../io/path.js'
import { emit, outFile } from '../../io/result-file.js'
import { openMesh } from './open-mesh.js'
import type { ShowOptions } from './show-options.js'

/** A terminal of old, where nothing says how wide the reader's is. */
const usualWidth = 80

const formatOfEnding: Readonly<Record<string, ShowFormat>> = {
  '.svg': 'svg',
  '.html': 'html',
  '.htm': 'html',
  '.json': 'json',
  '.mmd': 'mermaid',
}

/** Reads the mesh and what of its stores can be read, and prints it. */
export async function runShow(context: CliContext, options: ShowOptions): Promise<void> {
  const { output } = context
  const { mesh } = await openMesh(context, options)
  const file = outFile(options.out)
  if (file !== undefined) refuseOwn(mesh, pathFrom(context, file))
  const readings = options.stores ? await readStores(context, mesh) : new Map<string, StoreReading>()
  const at = context.now()
  const view = viewMesh(mesh, readings, at)
  const format = options.format ?? (output.json ? 'json' : formatOf(file))
  const width = file === undefined ? (output.width ?? usualWidth) : usualWidth
  const content = showFormats[format](view, { width, at })
  emit(context, options, content, format === 'json' ? view : { format, content })
  sayUnread(context, mesh, readings)
}

/** A table in a file that is called a picture would open nowhere. @throws {TOTPError} `ERR_USAGE` */
function formatOf(file: string | undefined): ShowFormat {
  const ending = file === undefined ? '' : extname(file).toLowerCase()
  const format = ending === '' || ending === '.txt' ? 'table' : formatOfEnding[ending]
  if (format !== undefined) return format
  const known = Object.keys(formatOfEnding).join(', ')
  throw new TOTPError(
    'ERR_USAGE',
    `no format goes with the name of --out; end it in ${known} or .txt, or pass --format`,
  )
}

/** Reads each store that needs no question; what cannot be read is a part of the picture, and no error. */
async function readStores(context: CliContext, mesh: Mesh): Promise<Map<string, StoreReading>> {
  const readings = new Map<string, StoreReading>()
  const access = context.store.unasked()
  const agents = [...mesh.agents.values()]
  await context.progress.during('reading stores', async (_, show) => {
    for (const [index, agent] of agents.entries()) {
      show(`reading stores: ${index} of ${agents.length}`)
      readings.set(agent.name, await readingOf(agent, () => access.at(agent.store).read()))
    }
  })
  return readings
}

async function readingOf(
  { name, store }: MeshAgent,
  read: () => ReturnType<CliContext['store']['read']>,
): Promise<StoreReading> {
  if (!existsSync(store)) return { state: 'missing' }
  try {
    const roster = await read()
    if (roster.agent === name) return { state: 'read', roster }
    const problem = `its store is that of ${quoteName(roster.agent)}; rename one of them, or name another store`
    return { state: 'unusable', problem }
  } catch (error) {
    if (!isTOTPError(error)) throw error
    return { state: error.code === 'ERR_STORE_KEY_MISSING' ? 'locked' : 'unusable', problem: error.message }
  }
}

function sayUnread({ output }: CliContext, mesh: Mesh, readings: ReadonlyMap<string, StoreReading>): void {
  const closed = [...mesh.agents.keys()].filter((name) => {
    const state = readings.get(name)?.state
    return state !== 'read' && state !== 'missing'
  })
  if (closed.length === 0) return
  const all = closed.length === mesh.agents.size
  output.say(
    all
      ? 'drawn from the file alone: no store was read'
      : `drawn from the file where stores could not be read: ${closed.join(', ')}`,
  )
}

/** @throws {TOTPError} `ERR_FILE_EXISTS` where the picture would replace the mesh file or a store, whose seeds would be lost */
function refuseOwn(mesh: Mesh, path: string): void {
  const own = [mesh.path, ...[...mesh.agents.values()].map(({ store }) => store)]
  if (!own.some((one) => realPath(one) === realPath(path))) return
  throw new TOTPError('ERR_FILE_EXISTS', `${path} is the mesh file or one of its stores; name another file`)
}
