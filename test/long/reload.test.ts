import { join } from 'node:path'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../support/folder.js'
import { reloadStorm } from '../support/reload-storm.js'

const folder = temporaryFolder()

it('follows 1,000 changes of the server file under load without a failed request', async () => {
  const { requests, failed, slowestMs } = await reloadStorm(join(folder, 'server.json'), 1000)
  console.log(
    `1,000 reloads, ${requests} requests, ${failed} failed, slowest reload ${slowestMs.toFixed(0)} ms`,
  )
  expect(failed).toBe(0)
  expect(requests).toBeGreaterThan(1000)
})
