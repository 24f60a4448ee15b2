import { expect, it } from 'vitest'
import { reloadStormOfGate } from '../support/sidecar-storm.js'

it('a gate follows 1,000 changes of its server file under load and open streams without a failed call', async () => {
  const { requests, failed, streams, cut, delaysMs } = await reloadStormOfGate(1000, 100)
  const at = (share: number): string => (delaysMs[Math.floor(share * 999)] ?? 0).toFixed(0)
  console.log(
    `1,000 reloads, 500 of them by SIGHUP, ${requests} requests, ${failed.length} failed; ${streams} streams, ${cut} cut off; in force after ${at(0.5)} ms (median), ${at(0.99)} ms (99 %), ${at(1)} ms (slowest)`,
  )
  expect(failed).toEqual([])
  expect(cut).toBe(0)
  expect(requests).toBeGreaterThan(1000)
})
