import { expect, it } from 'vitest'
import { stagedStorms } from '../support/staged-storm.js'

it('300 staged rotations, killed at every step and resumed, refuse nobody', async () => {
  const report = await stagedStorms(300)
  console.log(`staged rotations: ${JSON.stringify({ ...report, refused: report.refused.length })}`)
  expect(report).toMatchObject({ rounds: 300, refused: [], letInLate: 0, unfinished: 0 })
  for (const step of ['staged', 'admitted', 'delivered', 'proved'])
    expect(report.killedAt[step], step).toBeGreaterThan(0)
})
