import { expect, it } from 'vitest'
import { makeFolder } from '../support/cli.js'
import { meshStorm } from '../support/mesh-storm.js'

it(
  'an apply that is killed at any moment is finished by the next, and locks nobody out',
  { timeout: 600_000 },
  async () => {
    const kills = Number(process.env['MESH_KILLS'] ?? 12)
    const report = await meshStorm(makeFolder(), kills, Math.random)
    console.log(`mesh applies: ${JSON.stringify(report)}`)
    expect(report).toMatchObject({ kills, refused: [], unfinished: [], leftovers: [] })
  },
)
