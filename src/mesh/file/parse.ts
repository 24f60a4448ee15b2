import { Checker } from './checker.js'
import type { Mesh } from './mesh.js'
import { Problems } from './problems.js'
import { readMesh } from './read-mesh.js'
import { readTree } from './tree.js'

/**
 * Reads the text of a mesh file: YAML, and so JSON too.
 *
 * @param path its absolute path; paths in it are relative to its folder
 * @throws {TOTPError} `ERR_CONFIG_INVALID` with everything that is wrong, each with its line and the path of its field,
 *   and never a value
 */
export function parseMesh(text: string, path: string): Mesh {
  const problems = new Problems()
  const { value, places } = readTree(text, problems)
  problems.throwIfAny(path)
  const mesh = readMesh(value, path, new Checker(places, problems))
  problems.throwIfAny(path)
  return mesh
}
