import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { acquireLock } from '../../src/store/lock/lock.js'
import { useWorkers } from '../support/store-processes.js'
import { contention, killStorm, makeCounter, writers } from '../support/store-storms.js'

const workers = useWorkers()
const ownNamespace = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc']
const separable = spawnSync('unshare', [...ownNamespace.slice(1), 'true']).status === 0

describe('a store under load', () => {
  it('loses nothing over 1,000 kills', async () => {
    const { acknowledged, slowestMs } = await killStorm(workers, 1000)
    console.log(
      `1,000 kills: ${acknowledged} changes acknowledged, 0 lost, slowest after a kill ${slowestMs.toFixed(0)} ms`,
    )
    expect(acknowledged).toBeGreaterThanOrEqual(1000)
  })

  it('has all 1,600 peers that 8 processes added', async () => {
    const { acknowledged, present } = await writers(workers, 8, 200)
    expect(acknowledged).toHaveLength(1600)
    expect(present.sort()).toEqual(acknowledged.sort())
    console.log(`8 processes x 200 changes: ${present.length} of ${acknowledged.length} peers present`)
  })

  it('never has two holders over 200 rounds of 12 contenders on a dead holder’s lock', async () => {
    const said = await contention(workers, 12, 200)
    expect(said).toEqual(Array.from({ length: 12 * 200 }, () => 'alone'))
    console.log(`12 contenders, 200 rounds: the lock was held ${said.length} times, each time by one alone`)
  })

  it.skipIf(!separable)(
    'has all that processes in five pid namespaces added at once (skipped without unshare)',
    async () => {
      const { acknowledged, present } = await writers(workers, 8, 50, (index) =>
        index % 2 === 0 ? [] : ownNamespace,
      )
      expect(acknowledged).toHaveLength(400)
      expect(present.sort()).toEqual(acknowledged.sort())
      console.log(`8 processes in 5 pid namespaces x 50 changes: ${present.length} of 400 peers present`)
    },
  )

  it.skipIf(!separable)(
    'takes a holder in another pid namespace for alive while its heart beats (skipped without unshare)',
    async () => {
      const path = makeCounter()
      const holder = workers.start('hold', path, '', ownNamespace)
      await holder.hasSaid(1)
      const patience = { silenceMs: 3000, deadlineMs: 6000 }
      await expect(acquireLock(path, patience)).rejects.toMatchObject({ code: 'ERR_STORE_LOCKED' })
      holder.child.kill('SIGKILL')
      const startMs = performance.now()
      const lock = await acquireLock(path, { ...patience, deadlineMs: 20_000 })
      const waitedMs = performance.now() - startMs
      expect(waitedMs).toBeGreaterThan(2500)
      console.log(`a dead holder in another pid namespace: its lock taken after ${waitedMs.toFixed(0)} ms`)
      lock.release()
    },
  )
})
