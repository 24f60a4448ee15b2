import { existsSync, readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { TOTPError } from '../../../core/errors.js'
import type { Mesh, MeshAgent } from '../../../mesh/file/mesh.js'
import type { MeshStore, MeshStores } from '../../../mesh/stores.js'
import type { Protection } from '../../../store/protection.js'
import type { CliContext } from '../../context.js'
import { pathFrom } from '../../io/path.js'

export interface MeshFileOption {
  file?: string
}

export const fileOption = (command: Command): Command =>
  command.option(
    '--file <path>',
    'the mesh file (default: $A2A_TOTP_MESH, else the nearest mesh.yaml upward)',
  )

/** A mesh file, and the stores of its agents. */
export interface OpenedMesh {
  readonly mesh: Mesh
  readonly stores: MeshStores
}

/**
 * Finds and reads the mesh file. Stores are opened when they are read; keys are asked for once for all of them.
 *
 * @param protection of stores that are created
 */
export async function openMesh(
  context: CliContext,
  { file }: MeshFileOption,
  protection: Protection = { kind: 'none' },
): Promise<OpenedMesh> {
  const names = ['mesh.yaml', 'mesh.yml', 'mesh.json']
  const path =
    file === undefined
      ? names.map((one) => pathFrom(context, one)).find((one) => existsSync(one))
      : pathFrom(context, file)
  if (path === undefined)
    throw new TOTPError(
      'ERR_FILE_UNREADABLE',
      'no mesh file; write mesh.yaml, or run `a2a-totp mesh init STORE...`',
    )
  const { parseMesh } = await import('../../../mesh/file/parse.js')
  const mesh = parseMesh(readFileSync(path, 'utf8'), path)
  const opened = new Map<string, MeshStore>()
  const stores = (agent: MeshAgent): MeshStore => {
    const known = opened.get(agent.name) ?? storeOf(context, agent, protection)
    opened.set(agent.name, known)
    return known
  }
  return { mesh, stores }
}

function storeOf(context: CliContext, agent: MeshAgent, protection: Protection): MeshStore {
  const access = context.store.at(agent.store)
  return {
    path: agent.store,
    exists: () => existsSync(agent.store),
    read: () => access.read(),
    create: async (roster) => {
      await access.create(roster, { replace: false, protection })
    },
    update: (change) => access.update(change),
  }
}
