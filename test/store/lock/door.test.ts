import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const src = fileURLToPath(new URL('../../../src', import.meta.url))
const room = join(src, 'store', 'lock')

it('the lock is a room with one door: lock.ts', () => {
  const outside = readdirSync(src, { recursive: true, encoding: 'utf8' })
    .map((file) => join(src, file))
    .filter((file) => file.endsWith('.ts') && !file.startsWith(room + sep))
  const entered = outside.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/(?:from |import\()'(\.[^']*)'/g)]
      .map(([, path = '']) => relative(room, resolve(file, '..', path)))
      .filter((path) => !path.startsWith('..')),
  )
  expect([...new Set(entered)]).toEqual(['lock.js'])
})
