import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { isTOTPError, TOTPError } from '../../../core/errors.js'
import type { Mesh, MeshAgent } from '../../../mesh/file/mesh.js'
import type { MeshStore, MeshStores } from '../../../mesh/stores.js'
import { plaintext, type Protection } from '../../../store/protection.js'
import type { CliContext } from '../../context.js'

export interface MeshFileOption {
  file?: string
}

export const fileOption = (command: Command): Command =>
  command.option(
    '--file <path>',
    'the mesh file (default: $A2A_TOTP_MESH, else the nearest mesh.yaml upward)',
    (path: string) => {
      if (path !== '') return path
      throw new TOTPError('ERR_USAGE', '--file needs a path; omit it to search for the mesh file')
    },
  )

/** A mesh file, and the stores of its agents. */
export interface OpenedMesh {
  readonly mesh: Mesh
  readonly stores: MeshStores
  /** @throws {TOTPError} `ERR_CONFIG_INVALID` when the file no longer says what was read */
  readonly requireCurrent: () => void
  /** The names of the files that this command has put into `.gitignore`. */
  readonly ignored: string[]
}

/**
 * Finds and reads the mesh file. Stores are opened when they are read; keys are asked for once for all of them.
 *
 * @param protection of stores that are created
 * @throws {TOTPError} `ERR_FILE_UNREADABLE` where there is no mesh file that can be trusted; `ERR_CONFIG_INVALID` with all
 *   that is wrong in it
 */
export async function openMesh(
  context: CliContext,
  options: MeshFileOption,
  protection: Protection = plaintext,
): Promise<OpenedMesh> {
  const say = (text: string): void => context.output.note(text)
  const { mesh, textNow } = await readBoth(context, options, say)
  const text = textNow()
  return {
    mesh,
    stores: storesOf(context, protection),
    ignored: [],
    requireCurrent() {
      if (textNow() === text) return
      throw new TOTPError(
        'ERR_CONFIG_INVALID',
        `${mesh.path} was changed while this command waited; nothing was done, run it again`,
      )
    },
  }
}

/** Finds and reads the mesh file alone. @throws {TOTPError} as {@link openMesh} does */
export async function readMesh(context: CliContext, options: MeshFileOption): Promise<Mesh> {
  return (await readBoth(context, options, () => undefined)).mesh
}

/** The mesh, and what its file says at any time. */
async function readBoth(
  context: CliContext,
  { file }: MeshFileOption,
  say: (text: string) => void,
): Promise<{ readonly mesh: Mesh; readonly textNow: () => string }> {
  const { locateMesh, parseMesh, readMeshFile } = await import('../../../mesh/file/index.js')
  const { env, store } = context
  const { path, passedOver } = locateMesh({
    file,
    env,
    get cwd() {
      return context.cwd
    },
  })
  for (const one of passedOver) say(`passed over ${one.path}: ${one.reason}`)
  const { allowsInsecurePermissions: allowInsecurePermissions } = store
  const textNow = (): string => readMeshFile(path, { allowInsecurePermissions })
  return { mesh: parseMesh(textNow(), path), textNow }
}

/** The same store for the same agent: what one command changes in several steps is undone as one. */
function storesOf(context: CliContext, protection: Protection): MeshStores {
  const opened = new Map<string, MeshStore>()
  return (agent) => {
    const known = opened.get(agent.name) ?? storeOf(context, agent, protection)
    opened.set(agent.name, known)
    return known
  }
}

function storeOf(context: CliContext, { name, store: path }: MeshAgent, protection: Protection): MeshStore {
  const access = context.store.at(path)
  return {
    path,
    exists: () => existsSync(path),
    read: () => access.read().catch((error: unknown) => ofStore(name, path, error)),
    create: async (roster) => {
      await access.create(roster, { replace: false, protection })
    },
    update: (change) => access.update(change),
  }
}

/** Says whose store it is that cannot be read, of the many that a command reads. */
function ofStore(name: string, path: string, error: unknown): never {
  if (!isTOTPError(error)) throw error
  if (error.code === 'ERR_STORE_MISSING') {
    throw new TOTPError(
      'ERR_STORE_MISSING',
      `the store of ${name}, ${path}, is not there; run \`a2a-totp mesh apply\` first`,
    )
  }
  if (error.message.includes(path)) throw error
  throw new TOTPError(error.code, `the store of ${name}, ${path}: ${error.message}`, { cause: error })
}
