import { TOTPError } from '../../../core/errors.js'
import { quoteName } from '../../../core/name.js'
import { didYouMean } from '../../../core/nearest.js'
import { count } from '../../../core/text.js'
import type { Intent } from '../../../mesh/apply/apply-mesh.js'
import { edgeName } from '../../../mesh/apply/mesh-run.js'
import { rotationPlan, withRotatedEdges, type EdgeRotation } from '../../../mesh/apply/rotate-edges.js'
import type { Mesh, MeshEdge } from '../../../mesh/file/mesh.js'
import type { CliContext } from '../../context.js'
import { refuseTogether } from '../../options.js'
import { requireAllowed } from './allowed-commands.js'
import { ask } from './apply-run.js'
import { applyAndShow, meshWork, prepare, showPlanned } from './mesh-work.js'
import { openMesh, type OpenedMesh } from './open-mesh.js'
import type { MeshRotateOptions } from './mesh-options.js'

/** What `mesh rotate` does. */
export async function runRotate(context: CliContext, options: MeshRotateOptions): Promise<void> {
  refuseTogether({ '--now': options.now, '--overlap': options.overlap })
  const opened = await openMesh(context, options)
  const rotation = rotationFrom(context, opened.mesh, options)
  const work = meshWork(context, opened, options)
  const intent = rotationIntent(context, opened, rotation, options)
  if (options.dryRun) return showPlanned(context, work, intent)
  await applyAndShow(context, work, intent, opened)
}

/** Without `--seed` or `--token`, both. */
function rotationFrom({ now }: CliContext, mesh: Mesh, options: MeshRotateOptions): EdgeRotation {
  const { only, olderThan, seed, token, overlap, now: atOnce } = options
  const both = seed === token
  const overlapMs = atOnce ? 0 : overlap
  return {
    edges: only ? only.map((name) => edgeNamed(mesh, name)) : mesh.edges,
    seed: both || seed === true,
    token: both || token === true,
    ...(overlapMs !== undefined && { overlapMs }),
    ...(olderThan !== undefined && { madeBefore: new Date(now().getTime() - olderThan) }),
  }
}

/** @throws {TOTPError} `ERR_PEER_UNKNOWN` */
function edgeNamed({ edges, path }: Mesh, name: string): MeshEdge {
  const found = edges.find((edge) => edgeName(edge) === name)
  if (found) return found
  const next = didYouMean([name], edges.map(edgeName)) ?? 'name each as PEER:AGENT'
  throw new TOTPError('ERR_PEER_UNKNOWN', `${path} has no edge ${quoteName(name)}; ${next}`)
}

function rotationIntent(
  context: CliContext,
  opened: OpenedMesh,
  rotation: EdgeRotation,
  options: MeshRotateOptions,
): Intent {
  const { random } = context
  const stagingId = `r-${Buffer.from(random(5)).toString('hex')}`
  return {
    prune: false,
    plan: (rosters, _delivered, at) =>
      rotationPlan(opened.mesh, rosters, rotation, { at, random, stagingId }),
    change: (at) => (agent, roster) => {
      if (!roster)
        throw new TOTPError('ERR_STORE_MISSING', `no store of ${agent.name}; run \`a2a-totp mesh apply\``)
      return withRotatedEdges(roster, agent.name, rotation, { at, random, stagingId })
    },
    async agree(plan) {
      const changes = plan.changes.filter(({ blocked }) => blocked === undefined)
      const ended = changes.filter(({ action }) => action === 'rotate').length
      if (options.now && ended > 0)
        await ask(context, `End the credentials of ${count(ended, 'edge')} now?`, options.yes)
      // Also where no edge is rotated: what an earlier run could not deliver, and what the file has changed, is delivered.
      await requireAllowed(context, opened.mesh, options.allowCommands ?? false)
      await prepare(context, opened, { ...plan, changes }, { ...options, plaintext: false })
    },
  }
}
