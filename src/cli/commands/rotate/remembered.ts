import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import * as v from 'valibot'
import { isTOTPError } from '../../../core/errors.js'
import { parseJson } from '../../../core/json.js'
import { jsonText } from '../../../core/text.js'
import { clientFragments, type ClientFormat } from '../../../fragments/index.js'
import { realPath } from '../../../programs/work-tree.js'
import { writeNewFile } from '../../../store/atomic-write.js'
import { fileSystem, removeQuietly } from '../../../store/file-system.js'
import { readStoreBytes } from '../../../store/read-file.js'
import { distrustFolder } from '../../../store/trusted-folder.js'
import type { CliContext } from '../../context.js'
import type { StagedOptions } from './staged-options.js'

/*
 * The options of a rotation that is not finished, among them commands, are not kept in the store: an encrypted store may be
 * public, anyone can encrypt to its recipients, and a command from there would be run. They are kept in a folder that only
 * the user can write to.
 */

const text = v.string()
const yes = v.literal(true)
const schema = v.strictObject({
  cwd: text,
  deliver: v.exactOptional(text),
  format: v.picklist(Object.keys(clientFragments) as ClientFormat[]),
  serverOut: v.exactOptional(text),
  deliverServer: v.exactOptional(text),
  prove: v.exactOptional(text),
  wait: v.number(),
  timeout: v.number(),
  allowHost: v.exactOptional(v.array(text)),
  insecureHttp: v.exactOptional(yes),
  ca: v.exactOptional(text),
  allowWeakSeed: v.exactOptional(yes),
})

/** Keeps the options of a rotation for `--resume`. Without a place for them it says so, and the rotation goes on. */
export function remember(context: CliContext, id: string, options: StagedOptions): void {
  const folder = folderOf(context)
  const why = folder === undefined ? 'there is no home folder' : writing(context, folder, id, options)
  if (why === undefined) return
  context.output.say(`the options are not remembered (${why}): --resume will need them again`)
}

function writing(
  context: CliContext,
  folder: string,
  id: string,
  options: StagedOptions,
): string | undefined {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const distrust = distrustFolder(folder)
    if (distrust !== undefined) return distrust
    writeNewFile(fileOf(context, folder, id), `${jsonText(options)}\n`, { force: true })
    return undefined
  } catch (error) {
    return isTOTPError(error) ? error.message : `${folder} cannot be created`
  }
}

/** What is remembered; undefined when nothing is, or others could have written it. */
export function recall(context: CliContext, id: string): StagedOptions | undefined {
  const folder = folderOf(context)
  if (folder === undefined || distrustFolder(folder) !== undefined) return undefined
  try {
    // With the rules of a store: a regular file of the user alone.
    const bytes = readStoreBytes(fileOf(context, folder, id))
    const read = v.safeParse(schema, parseJson(Buffer.from(bytes).toString()))
    return read.success ? read.output : undefined
  } catch {
    return undefined
  }
}

export function forget(context: CliContext, id: string): void {
  const folder = folderOf(context)
  if (folder !== undefined) removeQuietly(fileOf(context, folder, id), fileSystem)
}

function folderOf({ env }: CliContext): string | undefined {
  const { XDG_STATE_HOME: state = '', HOME: home = '' } = env
  if (isAbsolute(state)) return join(state, 'a2a-totp', 'rotations')
  return isAbsolute(home) ? join(home, '.local', 'state', 'a2a-totp', 'rotations') : undefined
}

function fileOf({ store }: CliContext, folder: string, id: string): string {
  const name = createHash('sha256')
    .update(`${realPath(store.path())}\n${id}`)
    .digest('hex')
  return join(folder, `${name.slice(0, 32)}.json`)
}
