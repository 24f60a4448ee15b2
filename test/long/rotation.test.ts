import { describe, expect, it } from 'vitest'
import { makeStore } from '../support/cli.js'
import { rotationStorm } from '../support/rotation-storm.js'

describe('a rotation under 200 requests a second', () => {
  it.each([
    ['seed and token', ['--overlap', '15s']],
    ['the seed', ['--seed', '--overlap', '15s']],
    ['the token', ['--token', '--overlap', '15s']],
    ['seed and token at once', ['--now']],
  ])('of %s refuses nobody, but the old ones from their end on', async (what, flags) => {
    const cwd = await makeStore(['alice', 'bob'])
    const report = await rotationStorm(cwd, { peer: 'alice', flags, perSecond: 200 })
    const { requests, perSecond, refused, refusedLate, servedLate, firstRefusalMs } = report
    console.log(
      `rotation of ${what}: ${requests} requests, ${perSecond.toFixed(0)} a second; ${refused} refused in the overlap; after it, ${refusedLate} of ${refusedLate + servedLate} with old credentials, the first ${firstRefusalMs} ms after the end`,
    )
    expect(refused).toBe(0)
    expect(servedLate).toBe(0)
    expect(refusedLate).toBeGreaterThan(10)
  })
})
