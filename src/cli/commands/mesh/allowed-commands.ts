import { createHash } from 'node:crypto'
import * as v from 'valibot'
import { TOTPError } from '../../../core/errors.js'
import { parseJson } from '../../../core/json.js'
import { jsonText, printable } from '../../../core/text.js'
import type { Mesh } from '../../../mesh/file/mesh.js'
import { realPath } from '../../../programs/work-tree.js'
import type { CliContext } from '../../context.js'
import { readState, stateFolder, writeState } from '../../store/state-folder.js'

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
  for (const { to, text } of fresh) {
    const [only = '', ...more] = text.split('\n')
    // Line by line: joined, what follows a comment would look like a part of it.
    context.output.remark(`  ${printable(to)}: ${more.length === 0 ? printable(only) : ''}`.trimEnd())
    if (more.length > 0) for (const line of [only, ...more]) context.output.remark(`    ${printable(line)}`)
  }
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

/** Nothing is allowed by a file that others could have written, or that cannot be read. */
function readAllowed({ env }: CliContext, mesh: Mesh): ReadonlySet<string> {
  const read = v.safeParse(schema, parseJson(readState(stateFolder(env, folderName), fileOf(mesh)) ?? ''))
  return new Set(read.success ? read.output.allowed : [])
}

/** Why it could not be kept; undefined when it was. */
function keep({ env }: CliContext, mesh: Mesh, commands: readonly Command[]): string | undefined {
  const allowed = [...new Set(commands.map(({ text }) => digestOf(mesh, text)))]
  return writeState(stateFolder(env, folderName), fileOf(mesh), `${jsonText({ allowed })}\n`)
}

const folderName = 'meshes'

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

const fileOf = ({ path }: Mesh): string => `${sha256(realPath(path)).slice(0, 32)}.json`

/** Of the place of the mesh file and the text, so that neither a copy elsewhere nor another text is allowed. */
const digestOf = ({ path }: Mesh, text: string): string => sha256(`${realPath(path)}\n${text}`)
