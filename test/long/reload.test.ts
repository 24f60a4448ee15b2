import { join } from 'node:path'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../support/folder.js'
import { reloadStorm } from '../support/reload-storm.js'

const folder = temporaryFolder()

it('follows 1,000 changes of the server file under load without a failed request', async () => {
  const { requests, failed, delaysMs } = await reloadStorm(join(folder, 'server.json'), 1000)
  const at = (share: number): string => (delaysMs[Math.floor(share * 999)] ?? 0).toFixed(0)
  console.log(
    `1,000 reloads, ${requests} requests, ${failed} failed; in force after ${at(0.5)} ms (median), ${at(0.99)} ms (99 %), ${at(1)} ms (slowest)`,
  )
  expect(failed).toBe(0)
  expect(requests).toBeGreaterThan(1000)
})
