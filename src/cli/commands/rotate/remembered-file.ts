import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { realPath } from '../../../programs/work-tree.js'
import { fileSystem, removeQuietly } from '../../../store/file-system.js'
import type { CliContext } from '../../context.js'
import { stateFolder } from '../../store/state-folder.js'

/** Where the options of rotations are remembered; undefined where there is no place for them. */
export const rememberedIn = ({ env }: CliContext): string | undefined => stateFolder(env, 'rotations')

/** The file with those of a rotation of the store. */
export function rememberedAs({ store }: CliContext, id: string): string {
  const name = createHash('sha256')
    .update(`${realPath(store.path())}\n${id}`)
    .digest('hex')
  return `${name.slice(0, 32)}.json`
}

export function forget(context: CliContext, id: string): void {
  const folder = rememberedIn(context)
  if (folder !== undefined) removeQuietly(join(folder, rememberedAs(context, id)), fileSystem)
}
