import { randomInt } from 'node:crypto'
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { armor, Encrypter, generateIdentity, identityToRecipient } from 'age-encryption'
import { beforeAll, describe, expect, it } from 'vitest'
import { previousPath } from '../../src/store/previous.js'
import type { Protection, StoreKeys } from '../../src/store/protection.js'
import { createStore } from '../../src/store/create-store.js'
import { openStore, protectStore, readStore, updateStore } from '../../src/store/store.js'
import { formatStore } from '../../src/store/store-file.js'
import { watchedFs } from '../support/faulty-fs.js'
import { peerOf, rosterOf } from '../support/roster.js'
import { makeStoreFolder, rejectionOf } from '../support/store-folder.js'

const now = new Date('2026-11-23T22:45:01Z')
const roster = rosterOf([peerOf('alice')])
const secrets = ['a2a-totp', 'a2at_', 'alice', 'MFQWCYLB', 'profile']

const keysOf = (...identities: string[]): StoreKeys => ({
  identities: () => Promise.resolve(identities),
  passphrase: () => Promise.reject(new Error('asked for a passphrase')),
})
const noKeys: StoreKeys = {
  identities: () => Promise.reject(new Error('asked for an identity')),
  passphrase: () => Promise.reject(new Error('asked for a passphrase')),
}

let [mine, theirs, other] = ['', '', '']
let [myRecipient, theirRecipient] = ['', '']
beforeAll(async () => {
  ;[mine, theirs, other] = await Promise.all([generateIdentity(), generateIdentity(), generateIdentity()])
  ;[myRecipient, theirRecipient] = await Promise.all([identityToRecipient(mine), identityToRecipient(theirs)])
})

async function makeEncrypted(protection?: Protection): Promise<{ path: string; folder: string }> {
  const folder = makeStoreFolder()
  const path = join(folder, 'a2a-totp.json')
  const recipients = [myRecipient, theirRecipient]
  await createStore(path, roster, { now, protection: protection ?? { kind: 'recipients', recipients } })
  return { path, folder }
}

describe('a store for recipients', () => {
  it('shows nothing of what it holds, and opens with the identity of each of them', async () => {
    const { path, folder } = await makeEncrypted()
    const bytes = readFileSync(path, 'latin1')
    for (const secret of secrets) expect(bytes).not.toContain(secret)
    expect(readdirSync(folder)).toEqual(['a2a-totp.json'])
    for (const identity of [mine, theirs]) {
      const opened = await openStore(path, { keys: keysOf(identity) })
      expect([...opened.roster.peers.keys()]).toEqual(['alice'])
      expect(opened.protection).toEqual({ kind: 'recipients', recipients: [myRecipient, theirRecipient] })
    }
    expect((await readStore(path, { keys: keysOf(other, mine) })).agent).toBe('agent')
  })

  it('stays one for all of them when one of them changes it', async () => {
    const { path } = await makeEncrypted()
    await updateStore(path, { keys: keysOf(mine) }, (before) => ({ ...before, agent: 'renamed' }))
    expect((await readStore(path, { keys: keysOf(theirs) })).agent).toBe('renamed')
    expect(readFileSync(path, 'latin1')).not.toContain('renamed')
  })

  it('is never there in plain text, at no moment of its making and of its changes, in no file', async () => {
    const folder = makeStoreFolder()
    const path = join(folder, 'a2a-totp.json')
    let looks = 0
    const fs = watchedFs(() => {
      for (const name of readdirSync(folder)) {
        // A lock file says which host and process holds it.
        if (name.includes('.lock-')) continue
        const bytes = readFileSync(join(folder, name), 'latin1')
        for (const secret of secrets.slice(1)) expect(bytes, name).not.toContain(secret)
        looks++
      }
    })
    const protection: Protection = { kind: 'recipients', recipients: [myRecipient, theirRecipient] }
    await createStore(path, roster, { now, protection, fs })
    await updateStore(path, { keys: keysOf(mine), fs }, (before) => ({ ...before, agent: 'renamed' }))
    await createStore(path, roster, { now, protection, fs, replace: true })
    expect(looks).toBeGreaterThan(50)
    expect(readdirSync(folder)).toHaveLength(3)
  })

  it('does not open for anybody else, and is not changed by the attempt', async () => {
    const { path, folder } = await makeEncrypted()
    const before = readFileSync(path)
    const change = updateStore(path, { keys: keysOf(other) }, () => rosterOf([]))
    expect(await rejectionOf(change)).toMatchObject({ code: 'ERR_STORE_KEY_WRONG' })
    expect(await rejectionOf(readStore(path))).toMatchObject({ code: 'ERR_STORE_KEY_MISSING' })
    const broken = await rejectionOf(readStore(path, { keys: keysOf('AGE-SECRET-KEY-1BROKEN') }))
    expect(broken).toMatchObject({ code: 'ERR_CONFIG_INVALID' })
    expect(String(broken)).not.toContain('BROKEN')
    expect(readFileSync(path)).toEqual(before)
    expect(readdirSync(folder)).toEqual(['a2a-totp.json'])
  })

  it('is told apart from one of other keys when it is damaged', async () => {
    const { path } = await makeEncrypted()
    const bytes = readFileSync(path)
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
    writeFileSync(path, bytes)
    expect(await rejectionOf(readStore(path, { keys: keysOf(mine) }))).toMatchObject({
      code: 'ERR_STORE_INVALID',
      message: 'the store was changed since it was encrypted; restore it from a backup',
    })
  })

  it('is refused with any one bit of it flipped', async () => {
    const { path } = await makeEncrypted()
    const whole = readFileSync(path)
    for (let flip = 0; flip < 200; flip++) {
      const bytes = Buffer.from(whole)
      const bit = randomInt(0, bytes.length * 8)
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      writeFileSync(path, bytes)
      const error = await rejectionOf(readStore(path, { keys: keysOf(mine) }))
      expect(error, `bit ${bit}`).toMatchObject({ code: expect.stringMatching(/^ERR_STORE_/) as string })
    }
  })

  it('may be read by others, but not written to', async () => {
    const { path } = await makeEncrypted()
    chmodSync(path, 0o644)
    expect((await readStore(path, { keys: keysOf(mine) })).agent).toBe('agent')
    await updateStore(path, { keys: keysOf(mine) }, (before) => ({ ...before, agent: 'renamed' }))
    expect(statSync(path).mode & 0o777).toBe(0o600)
    for (const mode of [0o664, 0o646]) {
      chmodSync(path, mode)
      expect(await rejectionOf(readStore(path, { keys: keysOf(mine) }))).toMatchObject({
        code: 'ERR_STORE_PERMISSIONS',
        message: expect.stringContaining('chmod go-w') as string,
      })
    }
  })

  it('opens in armor too', async () => {
    const { path } = await makeEncrypted()
    writeFileSync(path, armor.encode(readFileSync(path)))
    expect((await readStore(path, { keys: keysOf(theirs) })).agent).toBe('agent')
    writeFileSync(path, '-----BEGIN AGE ENCRYPTED FILE-----\nnothing\n')
    expect(await rejectionOf(readStore(path, { keys: keysOf(mine) }))).toMatchObject({
      code: 'ERR_STORE_INVALID',
    })
  })
})

describe('a store that was encrypted elsewhere', () => {
  async function encryptElsewhere(path: string, ...recipients: string[]): Promise<void> {
    const encrypter = new Encrypter()
    for (const recipient of recipients) encrypter.addRecipient(recipient)
    writeFileSync(path, await encrypter.encrypt(formatStore(roster)))
  }

  it('stays ours when it was for us alone', async () => {
    const { path } = await makeEncrypted()
    await encryptElsewhere(path, myRecipient)
    await updateStore(path, { keys: keysOf(mine) }, (before) => ({ ...before, agent: 'renamed' }))
    expect(await openStore(path, { keys: keysOf(mine) })).toMatchObject({
      roster: { agent: 'renamed' },
      protection: { kind: 'recipients', recipients: [myRecipient] },
    })
  })

  it('is not changed when that would shut out others whom it does not name', async () => {
    const { path } = await makeEncrypted()
    await encryptElsewhere(path, myRecipient, theirRecipient)
    const before = readFileSync(path)
    const change = updateStore(path, { keys: keysOf(mine) }, (old) => ({ ...old, agent: 'renamed' }))
    expect(await rejectionOf(change)).toMatchObject({ code: 'ERR_STORE_UNWRITABLE' })
    expect(readFileSync(path)).toEqual(before)
  })
})

describe('changing the protection', () => {
  it('goes from plain text to recipients and back, and leaves what is inside alone', async () => {
    const { path } = await makeEncrypted({ kind: 'none' })
    const text = readFileSync(path, 'utf8')
    await protectStore(path, { keys: noKeys }, () => ({ kind: 'recipients', recipients: [myRecipient] }))
    expect(readFileSync(path, 'latin1')).not.toContain('alice')
    expect(existsSync(previousPath(path))).toBe(false)
    const encrypted = readFileSync(path)
    await protectStore(path, { keys: keysOf(mine) }, () => ({ kind: 'none' }))
    expect(readFileSync(path, 'utf8')).toBe(text)
    expect(readFileSync(previousPath(path))).toEqual(encrypted)
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it('changes nothing for a recipient that is none', async () => {
    const { path, folder } = await makeEncrypted({ kind: 'none' })
    const before = readFileSync(path)
    for (const recipient of ['age1nonsense', 'ssh-ed25519 AAAA', mine, myRecipient.slice(0, -1)]) {
      const change = protectStore(path, {}, () => ({ kind: 'recipients', recipients: [recipient] }))
      const error = await rejectionOf(change)
      expect(error).toMatchObject({ code: 'ERR_RECIPIENT_INVALID' })
      expect(String(error)).not.toContain(recipient)
    }
    expect(readFileSync(path)).toEqual(before)
    expect(readdirSync(folder)).toEqual(['a2a-totp.json'])
  })
})
