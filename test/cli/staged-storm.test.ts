import { expect, it } from 'vitest'
import { stagedStorms } from '../support/staged-storm.js'

it(
  'a staged rotation that is killed at any moment, and resumed, refuses nobody',
  { timeout: 600_000 },
  async () => {
    const rounds = Number(process.env['STAGED_ROTATIONS'] ?? 40)
    const report = await stagedStorms(rounds)
    console.log(`staged rotations: ${JSON.stringify({ ...report, refused: report.refused.length })}`)
    expect(report).toMatchObject({ rounds, refused: [], letInLate: 0, unfinished: 0 })
    expect(report.calls).toBeGreaterThan(rounds * 10)
  },
)
