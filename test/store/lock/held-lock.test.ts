import { closeSync, fstatSync, openSync } from 'node:fs'
import { expect, it, onTestFinished } from 'vitest'
import { makeStore } from '../../support/store-folder.js'
import { acquire } from '../../support/store-locks.js'

it('a lock that is released twice closes no file that was opened since', async () => {
  const { path } = makeStore()
  const lock = await acquire(path)
  lock.release()
  // The system gives out the lowest number that is free: that of the lock's own descriptor.
  const file = openSync(path, 'r')
  onTestFinished(() => closeSync(file))
  lock.release()
  expect(fstatSync(file).isFile()).toBe(true)
})
