import type { Path } from '../../core/document.js'
import type { Checker } from './checker.js'
import type { Mesh } from './mesh.js'

/** Where the tool remembers what it delivered. */
export const statePathOf = (meshPath: string): string => `${meshPath}.state`

/** Notes each path that two would be written to: the second would replace the first. */
export function refuseSharedPlaces({ path, agents, peers }: Mesh, checker: Checker): void {
  const owners = new Map([
    [path, 'the mesh file itself'],
    [statePathOf(path), 'where the tool remembers what it delivered'],
  ])
  const take = (file: string | undefined, at: Path, owner: string, hint = ''): void => {
    if (file === undefined) return
    const other = owners.get(file)
    if (other !== undefined) checker.say(at, `is ${other} too; ${hint}`)
    else owners.set(file, owner)
  }
  for (const { name, store } of agents.values())
    take(
      store,
      ['agents', name, 'store'],
      `the store of agents.${name}`,
      'each agent needs a store of its own',
    )
  for (const { name, serverFile } of agents.values())
    take(
      serverFile,
      ['agents', name, 'serverFile'],
      `the server file of agents.${name}`,
      'each needs a file of its own; in defaults write {name} in the path',
    )
  for (const { name, clientFile } of peers.values())
    take(
      clientFile,
      ['peers', name, 'clientFile'],
      `the client file of peers.${name}`,
      'each needs a file of its own; in defaults write {name} in the path',
    )
}
