import { generateIdentity, identityToRecipient } from 'age-encryption'
import { randomInt } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createStore } from '../../src/store/create-store.js'
import { readStore } from '../../src/store/store.js'
import { peerOf, rosterOf } from '../support/roster.js'
import { makeStoreFolder, rejectionOf } from '../support/store-folder.js'

it('an encrypted store is refused with any one of 1,000 bits flipped', async () => {
  const identity = await generateIdentity()
  const keys = {
    identities: () => Promise.resolve([identity]),
    passphrase: () => Promise.reject(new Error('asked for a passphrase')),
  }
  const path = join(makeStoreFolder(), 'a2a-totp.json')
  const protection = { kind: 'recipients', recipients: [await identityToRecipient(identity)] } as const
  await createStore(path, rosterOf([peerOf('alice')]), { now: new Date(), protection })
  const whole = readFileSync(path)
  expect((await readStore(path, { keys })).peers.size).toBe(1)
  let refused = 0
  for (let flip = 0; flip < 1000; flip++) {
    const bytes = Buffer.from(whole)
    const bit = randomInt(0, bytes.length * 8)
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    writeFileSync(path, bytes)
    const error = await rejectionOf(readStore(path, { keys }))
    expect(error, `bit ${bit}`).toMatchObject({ code: expect.stringMatching(/^ERR_STORE_/) as string })
    refused++
  }
  console.log(`1,000 flipped bits: ${refused} refused`)
})
