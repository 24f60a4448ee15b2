import type { MeshWords } from '../../completes.js'
import type { CliContext } from '../../context.js'
import type { Mesh } from '../../../mesh/file/mesh.js'
import { readMesh } from './open-mesh.js'

/** Returns names of the mesh file that a shell may offer; none where the file cannot be read. Opens no store. */
export async function meshNames(
  context: CliContext,
  kind: MeshWords,
  file: string | undefined,
): Promise<string[]> {
  const mesh = await readMesh(context, file === undefined ? {} : { file }).catch(() => undefined)
  return mesh ? namesIn[kind](mesh) : []
}

const namesIn: Readonly<Record<MeshWords, (mesh: Mesh) => string[]>> = {
  'mesh-agents': ({ agents }) => [...agents.keys()],
  'mesh-peers': ({ peers }) => [...peers.keys()],
  'mesh-edges': ({ edges }) => edges.map(({ peer, agent }) => `${peer}:${agent}`),
  'mesh-parts': (mesh) => [...namesIn['mesh-agents'](mesh), ...namesIn['mesh-edges'](mesh)],
}
