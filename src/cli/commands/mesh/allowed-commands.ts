import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import * as v from 'valibot'
import { TOTPError, isTOTPError } from '../../../core/errors.js'
import { parseJson } from '../../../core/json.js'
import { jsonText, printable } from '../../../core/text.js'
import type { Mesh } from '../../../mesh/file/mesh.js'
import { realPath } from '../../../programs/work-tree.js'
import { writeNewFile } from '../../../store/atomic-write.js'
import { readStoreBytes } from '../../../store/read-file.js'
import { distrustFolder } from '../../../store/trusted-folder.js'
import type { CliContext } from '../../context.js'

/*
 * A mesh file may come from a repository, and its commands run with the rights of whoever applies it. So each is shown once,
 * and again whenever its text changed. What was allowed is kept outside the folder of the file, as digests.
 */

const schema = v.object({ allowed: v.array(v.string()) })

interface Command {
  /** Whom it delivers to. */
  readonly to: string
  readonly text: string
}

/**
 * Requires that all commands of a mesh file are allowed.
 *
 * @param given whether `--allow-commands` was
 * @throws {TOTPError} `ERR_CONFIRMATION_NEEDED`, `ERR_DECLINED`
 */
export async function requireAllowed(context: CliContext, mesh: Mesh, given: boolean): Promise<void> {
  const commands = commandsOf(mesh)
  const known = readAllowed(context, mesh)
  const fresh = commands.filter(({ text }) => !known.has(digestOf(mesh, text)))
  if (fresh.length === 0) return
  context.output.remark(
    `${printable(mesh.path)} has commands that were not run before; each runs by /bin/sh:`,
  )
  for (const { to, text } of fresh) context.output.remark(`  ${printable(to)}: ${printable(text)}`)
  if (
    !given &&
    !(await context.confirm('Run these commands, now and whenever this mesh is applied?', '--allow-commands'))
  )
    throw new TOTPError('ERR_DECLINED', 'the commands were not allowed; nothing was changed')
  const why = keep(context, mesh, commands)
  if (why !== undefined) context.output.say(`that they are allowed is not remembered: ${why}`)
}

function commandsOf({ agents, peers }: Mesh): Command[] {
  return [
    ...[...agents.values()].flatMap(({ name, deliver }) =>
      deliver === undefined ? [] : [{ to: `agent ${name}`, text: deliver }],
    ),
    ...[...peers.values()].flatMap(({ name, deliver }) =>
      deliver === undefined ? [] : [{ to: `peer ${name}`, text: deliver }],
    ),
  ]
}

/** Nothing is allowed by a file that others could have written. */
function readAllowed(context: CliContext, mesh: Mesh): ReadonlySet<string> {
  const folder = folderOf(context)
  if (folder === undefined || distrustFolder(folder) !== undefined) return new Set()
  try {
    const bytes = readStoreBytes(fileOf(mesh, folder))
    return new Set(v.parse(schema, parseJson(Buffer.from(bytes).toString())).allowed)
  } catch {
    return new Set()
  }
}

/** Why it could not be kept; undefined when it was. */
function keep(context: CliContext, mesh: Mesh, commands: readonly Command[]): string | undefined {
  const folder = folderOf(context)
  if (folder === undefined) return 'there is no home folder'
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const distrust = distrustFolder(folder)
    if (distrust !== undefined) return distrust
    const allowed = [...new Set(commands.map(({ text }) => digestOf(mesh, text)))]
    writeNewFile(fileOf(mesh, folder), `${jsonText({ allowed })}\n`, { force: true })
    return undefined
  } catch (error) {
    return isTOTPError(error) ? error.message : `${folder} cannot be created`
  }
}

function folderOf({ env }: CliContext): string | undefined {
  const { XDG_STATE_HOME: state = '', HOME: home = '' } = env
  if (isAbsolute(state)) return join(state, 'a2a-totp', 'meshes')
  return isAbsolute(home) ? join(home, '.local', 'state', 'a2a-totp', 'meshes') : undefined
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

const fileOf = ({ path }: Mesh, folder: string): string =>
  join(folder, `${sha256(realPath(path)).slice(0, 32)}.json`)

/** Of the place of the mesh file and the text, so that neither a copy elsewhere nor another text is allowed. */
const digestOf = ({ path }: Mesh, text: string): string => sha256(`${realPath(path)}\n${text}`)
