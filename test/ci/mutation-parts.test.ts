import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import parts from '../mutation/parts.json' with { type: 'json' }

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Folders whose functions have no surprises: a change of any line has to be noticed. */
const pure = ['src/core', 'src/state', 'src/store', 'src/server/scheme', 'src/mesh/plan']

const filesIn = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${folder}/${name}`)

/** The files of patterns as parts.json has them: `{a,b}` and a `*` for the whole name of a file. */
function filesOf(patterns: readonly string[]): string[] {
  return patterns.flatMap((pattern) => {
    const [, before = '', names, after = ''] = /^(.*?)\{(.*)\}(.*)$/.exec(pattern) ?? []
    if (names !== undefined) return filesOf(names.split(',').map((name) => before + name + after))
    const [folder, end] = pattern.split('/*')
    if (folder === undefined || end === undefined) return [pattern]
    return filesIn(folder).filter(
      (file) => file.endsWith(end) && !file.slice(folder.length + 1).includes('/'),
    )
  })
}

describe('the parts of the mutation score', () => {
  it('change each file of the pure folders, in one part alone', () => {
    const changed = Object.values(parts).flatMap(({ mutate }) => filesOf(mutate))
    expect(changed.filter((file, place) => changed.indexOf(file) !== place)).toEqual([])
    expect(pure.flatMap(filesIn).filter((file) => !changed.includes(file))).toEqual([])
  })

  it.each(Object.entries(parts))('%s names files that there are', (_, part) => {
    const files = filesOf([...part.mutate, ...part.tests, ...('without' in part ? part.without : [])])
    expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([])
    expect(filesOf(part.tests).length).toBeGreaterThan(0)
  })
})
