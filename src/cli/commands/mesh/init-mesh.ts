import { existsSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { TOTPError } from '../../../core/errors.js'
import { quoteName } from '../../../core/name.js'
import { count, listSome, printable } from '../../../core/text.js'
import { draftMesh, urlOf, type DraftedStore } from '../../../mesh/file/draft.js'
import { exampleMesh, exampleNames } from '../../../mesh/file/example.js'
import { meshFileNames } from '../../../mesh/file/locate.js'
import { realPath } from '../../../programs/work-tree.js'
import { writeNewFile } from '../../../store/atomic-write.js'
import { distrustFolder } from '../../../store/trusted-folder.js'
import type { CliContext } from '../../context.js'
import { pathFrom } from '../../io/path.js'

export interface MeshInitOptions {
  file?: string
  out?: string
  force?: true
}

/**
 * Writes a mesh file from stores, or an example.
 *
 * @throws {TOTPError} `ERR_FILE_EXISTS`; `ERR_CONFIG_INVALID` where two stores are of one agent, or a store has one seed for
 *   all peers; `ERR_STORE_*` for a store that cannot be read
 */
export async function initMesh(
  context: CliContext,
  given: readonly string[],
  options: MeshInitOptions,
): Promise<void> {
  const { output, now, progress } = context
  const path = targetOf(context, options)
  const paths = [...new Set(given.map((one) => realPath(pathFrom(context, one))))]
  const stores: DraftedStore[] = []
  await progress.during('reading the stores', async () => {
    for (const store of paths) stores.push(await drafted(context, store, path))
  })
  refuseSameAgent(stores)
  const isExample = given.length === 0
  const text = isExample ? exampleMesh : draftMesh(stores, now())
  writeNewFile(path, text, { force: options.force ?? false })
  const peers = [...new Set(stores.flatMap(({ roster }) => [...roster.peers.keys()]))]
  const names = isExample ? exampleNames : { agents: stores.map(agentIn), peers }
  output.result(printable(path), { file: path, ...names })
  remark(context, path, stores)
}

function targetOf(context: CliContext, { file, out, force }: MeshInitOptions): string {
  if (file !== undefined && out !== undefined)
    throw new TOTPError('ERR_USAGE', '--file and --out both name the file to write; omit one')
  const named = file ?? out
  if (named === '' || named === '-')
    throw new TOTPError(
      'ERR_USAGE',
      `${file === undefined ? '--out' : '--file'} needs the path of a file to write`,
    )
  const path = pathFrom(context, named ?? 'mesh.yaml')
  // A mesh.yaml would be found before the mesh.yml or mesh.json that is in use.
  const others = named === undefined ? meshFileNames.map((name) => join(dirname(path), name)) : [path]
  const there = others.find((one) => existsSync(one))
  if (there !== undefined && !force)
    throw new TOTPError(
      'ERR_FILE_EXISTS',
      `${there} already exists; name another file with --out, or pass --force to replace it`,
    )
  return path
}

async function drafted(context: CliContext, store: string, meshPath: string): Promise<DraftedStore> {
  const roster = await context.store.at(store).read()
  if (roster.sharedSeeds)
    throw new TOTPError(
      'ERR_CONFIG_INVALID',
      `the store ${store} has one seed for all peers, and a mesh has one for each edge; leave it out`,
    )
  const path = relative(dirname(realPath(meshPath)), store)
    .split(sep)
    .join('/')
  return { store: path.startsWith('~') ? `./${path}` : path, roster }
}

const agentIn = ({ roster }: DraftedStore): string => roster.agent

function refuseSameAgent(stores: readonly DraftedStore[]): void {
  const known = new Map<string, string>()
  for (const { store, roster } of stores) {
    const other = known.get(roster.agent)
    if (other !== undefined)
      throw new TOTPError(
        'ERR_CONFIG_INVALID',
        `${other} and ${store} are both of an agent named ${quoteName(roster.agent)}; give one another name with ` +
          '`a2a-totp --store STORE rename --agent NAME`',
      )
    known.set(roster.agent, store)
  }
}

function remark({ output }: CliContext, path: string, stores: readonly DraftedStore[]): void {
  const edges = stores.reduce((sum, { roster }) => sum + roster.peers.size, 0)
  if (stores.length > 0) output.say(`${count(stores.length, 'agent')}, ${count(edges, 'edge')}`)
  const without = stores.filter(({ roster }) => urlOf(roster) === undefined).map(agentIn)
  if (without.length > 0)
    output.warn(
      `fill in the empty url of ${listSome(without)} in the file: ${without.length > 1 ? 'their stores have' : 'its store has'} none`,
    )
  const open = distrustFolder(dirname(path))
  if (open !== undefined)
    output.warn(`${open}; commands ignore this file unless --file or $A2A_TOTP_MESH names it`)
  output.say(stores.length === 0 ? 'next: edit it, then a2a-totp mesh plan' : 'next: a2a-totp mesh plan')
}
