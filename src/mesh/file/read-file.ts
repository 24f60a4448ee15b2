import type { Stats } from 'node:fs'
import { decodeUtf8 } from '../../core/encoding.js'
import { TOTPError } from '../../core/errors.js'
import { quoteForShell } from '../../core/shell.js'
import { closeQuietly, fileSystem, openExisting } from '../../store/file-system.js'
import { errnoOf, translateErrors } from '../../store/system-error.js'
import { mostBytes } from './tree.js'

export interface ReadMeshOptions {
  /** Accepts a file that others can write to, or that another user owns; still refuses a link. */
  readonly allowInsecurePermissions: boolean
}

/**
 * Returns the text of a mesh file after checking that it is a regular file, belongs to the user, and that nobody else can
 * write to it: it says who may call whom, and may have commands in it. It holds no secret, so others may read it. On
 * Windows, owners and modes cannot be checked.
 *
 * @throws {TOTPError} `ERR_FILE_UNREADABLE`
 */
export function readMeshFile(path: string, { allowInsecurePermissions }: ReadMeshOptions): string {
  return translateErrors('ERR_FILE_UNREADABLE', `cannot read the mesh file ${path}`, () => {
    const file = open(path)
    try {
      const stats = fileSystem.fstatSync(file)
      if (!stats.isFile()) throw unreadable(`the mesh file ${path} is not a regular file`)
      if (stats.size > mostBytes)
        throw unreadable(`the mesh file ${path} is longer than 1 MiB; split the mesh into several files`)
      if (!allowInsecurePermissions && process.platform !== 'win32') refuseOpen(path, stats)
      return decodeUtf8(fileSystem.readFileSync(file), `the mesh file ${path}`, unreadable)
    } finally {
      closeQuietly(file, fileSystem)
    }
  })
}

function open(path: string): number {
  try {
    return fileSystem.openSync(path, openExisting)
  } catch (error) {
    const errno = errnoOf(error)
    if (errno === 'ENOENT' || errno === 'ENOTDIR')
      throw unreadable(`no mesh file at ${path}; run \`a2a-totp mesh init STORE...\`, or check the path`)
    if (errno === 'ELOOP' || errno === 'EMLINK')
      throw unreadable(`the mesh file ${path} is a symbolic link; pass the path of the file it points to`)
    if (errno === 'ENXIO') throw unreadable(`the mesh file ${path} is not a regular file`)
    throw error
  }
}

function refuseOpen(path: string, { uid, mode }: Stats): void {
  if (uid !== process.geteuid?.())
    throw unreadable(
      `the mesh file ${path} belongs to another user (uid ${uid}); run as that user, or change its owner with chown`,
    )
  if ((mode & 0o022) !== 0)
    throw unreadable(
      `others can write to the mesh file ${path} (mode ${(mode & 0o777).toString(8).padStart(4, '0')}); run: chmod go-w ${quoteForShell(path)}`,
    )
}

function unreadable(message: string): TOTPError {
  return new TOTPError('ERR_FILE_UNREADABLE', message)
}
