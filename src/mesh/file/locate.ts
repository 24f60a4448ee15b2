import { isAbsolute, resolve } from 'node:path'
import { TOTPError } from '../../core/errors.js'
import { findUpward, type PassedOver } from '../../store/find-upward.js'

/** The names of a mesh file. Where a folder has several, the first one counts. */
export const meshFileNames = ['mesh.yaml', 'mesh.yml', 'mesh.json'] as const

export interface LocateMeshOptions {
  /** The value of `--file`. */
  readonly file?: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  /** The working directory, which is asked for only where it matters: it may have been deleted. */
  readonly cwd: string
}

/** Where a mesh file is. */
export interface LocatedMesh {
  /** Absolute. */
  readonly path: string
  /** Nearer files that were not trusted, nearest first. */
  readonly passedOver: readonly PassedOver[]
}

/** Returns the path that `--file` names, else `$A2A_TOTP_MESH`; undefined where none of them does. */
function namedMesh(options: LocateMeshOptions): string | undefined {
  const named = options.file ?? options.env['A2A_TOTP_MESH'] ?? ''
  if (named === '') return undefined
  return isAbsolute(named) ? resolve(named) : resolve(options.cwd, named)
}

/**
 * Finds the mesh file: the one that is named, else the nearest in the working directory or above that is trusted. It
 * decides who may call whom, and may have commands in it.
 *
 * @throws {TOTPError} `ERR_FILE_UNREADABLE` where there is none
 */
export function locateMesh(options: LocateMeshOptions): LocatedMesh {
  const named = namedMesh(options)
  if (named !== undefined) return { path: named, passedOver: [] }
  const { path, passedOver } = findUpward(options.cwd, meshFileNames)
  if (path !== undefined) return { path, passedOver }
  const [nearest] = passedOver
  throw new TOTPError(
    'ERR_FILE_UNREADABLE',
    nearest
      ? `the only mesh file found is ${nearest.path}, and ${nearest.reason}; fix that, or name the file with --file`
      : 'no mesh file here or in a folder above; run `a2a-totp mesh init STORE...`, or name one with --file',
  )
}
