import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const src = join(root, 'src')
const page = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8')

/** The table of rooms: for each, what it may import. */
const rooms = Array.from(
  page.matchAll(/^\| `src\/([a-z]+)\/` +\|.*\| ([^|]+?) +\|$/gm),
  ([, name = '', may = '']) => ({
    name,
    may: may.split(', '),
  }),
)
const roomNames = readdirSync(src, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? entry.name : [],
)

/** The other rooms that the files of a room import. */
function importedBy(room: string): string[] {
  const files = readdirSync(join(src, room), { recursive: true, encoding: 'utf8' })
  const imported = files
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => {
      const path = join(src, room, name)
      return Array.from(
        readFileSync(path, 'utf8').matchAll(/(?:from|import\() *'(\.[^']+)'/g),
        ([, from = '']) => relative(src, join(dirname(path), from)).split(sep)[0] ?? '',
      )
    })
  return [...new Set(imported)].filter((name) => name !== room && roomNames.includes(name))
}

describe('the rooms of CONTRIBUTING.md', () => {
  it('are the folders of src', () => {
    expect(rooms.map(({ name }) => name).sort()).toEqual(roomNames.sort())
  })

  it.each(rooms)('$name imports what the table allows', ({ name, may }) => {
    if (may.includes('everything')) return
    expect(importedBy(name).filter((other) => !may.includes(other))).toEqual([])
  })

  it('come in an order in which each uses only those before it', () => {
    for (const [place, { name }] of rooms.entries()) {
      const before = rooms.slice(0, place).map((room) => room.name)
      expect(
        importedBy(name).filter((other) => !before.includes(other)),
        name,
      ).toEqual([])
    }
  })
})
