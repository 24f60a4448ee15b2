import { expect, it } from 'vitest'
import { makeFolder } from '../support/cli.js'
import { meshStorm } from '../support/mesh-storm.js'

it('200 applies of a mesh, killed at every step and run again, lose nothing and lock nobody out', async () => {
  const kills = Number(process.env['MESH_KILLS'] ?? 200)
  const report = await meshStorm(makeFolder(), kills, Math.random)
  console.log(`mesh applies: ${JSON.stringify(report)}`)
  expect(report).toMatchObject({ kills, refused: [], unfinished: [], leftovers: [] })
  for (const step of ['stores', 'servers', 'clients'] as const)
    expect(report.reached[step], step).toBeGreaterThan(0)
})
