import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { StoreKeys } from '../../src/store/protection.js'
import { createStore } from '../../src/store/create-store.js'
import { readStore, updateStore } from '../../src/store/store.js'
import { peerOf, rosterOf } from '../support/roster.js'
import { makeStoreFolder, rejectionOf } from '../support/store-folder.js'

const typed = (passphrase: string): StoreKeys => ({
  identities: () => Promise.reject(new Error('asked for an identity')),
  passphrase: () => Promise.resolve(passphrase),
})

// It costs a second of CPU and more, by design, each time that a passphrase is tried: a file of its own, therefore.
it('a store with a passphrase opens with it and with no other, and keeps it through a change', async () => {
  const folder = makeStoreFolder()
  const path = join(folder, 'a2a-totp.json')
  const protection = { kind: 'passphrase', passphrase: 'right' } as const
  await createStore(path, rosterOf([peerOf('alice')]), { now: new Date(), protection })
  for (const secret of ['a2at_', 'alice', 'MFQWCYLB']) {
    expect(readFileSync(path, 'latin1')).not.toContain(secret)
  }
  await updateStore(path, { keys: typed('right') }, (before) => ({ ...before, agent: 'renamed' }))
  expect((await readStore(path, { keys: typed('right') })).agent).toBe('renamed')
  const before = readFileSync(path)
  const change = updateStore(path, { keys: typed('wrong') }, () => rosterOf([]))
  expect(await rejectionOf(change)).toMatchObject({ code: 'ERR_STORE_KEY_WRONG' })
  expect(readFileSync(path)).toEqual(before)
  expect(readdirSync(folder).sort()).toEqual(['a2a-totp.json', 'a2a-totp.json.bak-prev'])
}, 240_000)
