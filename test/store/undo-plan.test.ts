import { chmodSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption'
import { describe, expect, it } from 'vitest'
import { TOTPError } from '../../src/core/errors.js'
import type { Roster } from '../../src/core/roster.js'
import { previousPath } from '../../src/store/previous.js'
import type { StoreKeys } from '../../src/store/protection.js'
import { formatStore } from '../../src/store/store-file.js'
import { readStore, sealed } from '../../src/store/store.js'
import { planUndo, undoStore } from '../../src/store/undo.js'
import { peerOf, rosterOf } from '../support/roster.js'
import { makeStoreFolder, rejectionOf } from '../support/store-folder.js'

const [mine, theirs] = [await generateX25519Identity(), await generateX25519Identity()]
const [me, them] = [await identityToRecipient(mine), await identityToRecipient(theirs)]
const keys: StoreKeys = {
  identities: () => Promise.resolve([mine]),
  passphrase: () => Promise.resolve('right'),
}

const [before, after] = [rosterOf([peerOf('alice')]), rosterOf([peerOf('alice'), peerOf('bob')])]
const old: Roster = { ...before, serial: 3 }
const now: Roster = { ...after, serial: 4 }

type Content = string | Uint8Array | Promise<Uint8Array>

const plain = (roster: Roster): string => formatStore(roster)

const sealedFor = (roster: Roster, ...recipients: string[]): Promise<Uint8Array> =>
  sealed({ roster, protection: { kind: 'recipients', recipients } })

/** With the least work, which is fast to open. */
function sealedWith(roster: Roster, passphrase: string): Promise<Uint8Array> {
  const encrypter = new Encrypter()
  encrypter.setScryptWorkFactor(1)
  encrypter.setPassphrase(passphrase)
  return encrypter.encrypt(formatStore(roster))
}

/** A store and what is kept of it. */
async function storeOf(current: Content, previous: Content): Promise<string> {
  const path = join(makeStoreFolder(), 'a2a-totp.json')
  writeFileSync(path, await current, { mode: 0o600 })
  writeFileSync(previousPath(path), await previous, { mode: 0o600 })
  return path
}

/** Undoes the last change, and returns what the store then holds. */
async function undone(path: string): Promise<Roster> {
  expect(await undoStore(path, { keys }, await planUndo(path, { keys }))).toBeUndefined()
  return readStore(path, { keys })
}

describe('an undo', () => {
  it('looks at what there is and what there would be, and changes nothing', async () => {
    const path = await storeOf(plain(now), plain(old))
    const plan = await planUndo(path, {})
    expect(plan.current?.roster).toMatchObject({ serial: 4 })
    expect(plan.damage).toBeUndefined()
    expect([...plan.restored.roster.peers.keys()]).toEqual(['alice'])
    expect(plan.restored.roster.serial).toBe(5)
    expect(plan.restored.protection).toEqual({ kind: 'none' })
    expect(readFileSync(path)).toEqual(plan.seen.current)
    expect(readFileSync(previousPath(path))).toEqual(plan.seen.previous)
  })

  it.each<[string, number | undefined, number | undefined, number]>([
    ['the store has the higher one', 41, 7, 42],
    ['what was kept has the higher one', 7, 41, 42],
    ['neither has one', undefined, undefined, 1],
    ['only the store has one', 7, undefined, 8],
    ['only what was kept has one', undefined, 7, 8],
  ])('gives the store a serial above both when %s', async (_what, serial, kept, next) => {
    const withSerial = (roster: Roster, one: number | undefined): string =>
      formatStore(one === undefined ? roster : { ...roster, serial: one })
    const path = await storeOf(withSerial(after, serial), withSerial(before, kept))
    expect((await undone(path)).serial).toBe(next)
  })

  it('has nothing to undo when the two differ in their serials alone', async () => {
    for (const [current, previous] of [
      [plain(now), plain({ ...now, serial: 2 })],
      [sealedFor(now, me, them), sealedFor({ ...now, serial: 2 }, me, them)],
    ] as const) {
      const error = await rejectionOf(planUndo(await storeOf(current, previous), { keys }))
      expect(error).toMatchObject({
        code: 'ERR_NOTHING_TO_UNDO',
        message: expect.stringMatching(
          /^there is nothing to undo: only the last change can be undone/,
        ) as string,
      })
    }
  })
})

describe('an undo of a damaged store', () => {
  it('puts back what was kept, and counts on from the serial that can still be seen', async () => {
    const path = await storeOf('{"version": 1, "serial": 9, "agent', plain(old))
    const plan = await planUndo(path, {})
    expect(plan.current).toBeUndefined()
    expect(plan.damage).toMatch(/^the store is not JSON: line 1, column \d+/)
    expect(await undone(path)).toMatchObject({ agent: 'agent', serial: 10 })
  })

  it('is made when what was kept is encrypted, or both are', async () => {
    expect(await undone(await storeOf('{', sealedFor(old, me)))).toMatchObject({ serial: 4 })
    const broken = Buffer.from(await sealedFor(now, me))
    broken.writeUInt8(broken.readUInt8(broken.length - 1) ^ 1, broken.length - 1)
    const plan = await planUndo(await storeOf(broken, sealedFor(old, me)), { keys })
    expect(plan.damage).toBe('the store was changed since it was encrypted')
    expect(plan.restored.protection).toEqual({ kind: 'recipients', recipients: [me] })
    // What is inside is not there to be seen.
    expect(plan.restored.roster.serial).toBe(4)
  })

  it('is not made when only the damaged one is encrypted', async () => {
    const broken = Buffer.from(await sealedFor(now, me)).subarray(0, -1)
    const error = await rejectionOf(planUndo(await storeOf(broken, plain(old)), { keys }))
    expect(error).toMatchObject({
      code: 'ERR_STORE_INVALID',
      message: expect.stringMatching(/bak-prev can be read by others than the store/) as string,
    })
  })

  it('is only for what is damaged: what cannot be read for another reason is refused', async () => {
    const newer = plain(now).replace('"version": 1', '"version": 2')
    expect(await rejectionOf(planUndo(await storeOf(newer, plain(old)), {}))).toMatchObject({
      code: 'ERR_STORE_VERSION',
      message: 'the store was written by a newer version of a2a-totp; update a2a-totp',
    })
    const mistake = Object.assign(new Error('a mistake of ours'), { code: 'ERR_STORE_INVALID' })
    const failing = { ...keys, identities: () => Promise.reject(mistake) }
    const path = await storeOf(sealedFor(now, me), plain(old))
    expect(await planUndo(path, { keys: failing }).catch((error: unknown) => error)).toBe(mistake)
  })
})

describe('a previous store that cannot be put back', () => {
  it('is said to be that one, with what is wrong and its cause', async () => {
    for (const [content, code, words] of [
      ['{', 'ERR_STORE_INVALID', 'the store is not JSON'],
      [plain(old).replace('"version": 1', '"version": 2'), 'ERR_STORE_VERSION', 'the store was written by'],
      [sealedFor(old, them), 'ERR_STORE_KEY_WRONG', ''],
    ] as const) {
      const error = await rejectionOf(planUndo(await storeOf(plain(now), content), { keys }))
      expect(error).toMatchObject({
        code,
        message: expect.stringContaining(`the previous store cannot be put back: ${words}`) as string,
      })
    }
    const cause = new Error('no such file')
    const missing = new TOTPError('ERR_STORE_KEY_MISSING', 'no identity was given', { cause })
    const failing = { ...keys, identities: () => Promise.reject(missing) }
    const path = await storeOf(plain(now), sealedFor(old, me))
    expect(await rejectionOf(planUndo(path, { keys: failing }))).toMatchObject({
      code: 'ERR_STORE_KEY_MISSING',
      message: 'the previous store cannot be put back: no identity was given',
      cause,
    })
  })

  it('is no reason to hide a mistake of ours', async () => {
    const mistake = new RangeError('a mistake of ours')
    const failing = { ...keys, identities: () => Promise.reject(mistake) }
    const path = await storeOf(plain(now), sealedFor(old, me))
    expect(await planUndo(path, { keys: failing }).catch((error: unknown) => error)).toBe(mistake)
  })

  it('is missing only when it is not there', async () => {
    const path = await storeOf(plain(now), plain(old))
    chmodSync(previousPath(path), 0o644)
    expect(await rejectionOf(planUndo(path, {}))).toMatchObject({ code: 'ERR_STORE_PERMISSIONS' })
    const other = join(makeStoreFolder(), 'a2a-totp.json')
    writeFileSync(other, plain(now), { mode: 0o600 })
    expect(await rejectionOf(planUndo(other, {}))).toMatchObject({ code: 'ERR_NOTHING_TO_UNDO' })
    symlinkSync(path, previousPath(other))
    expect(await rejectionOf(planUndo(other, {}))).toMatchObject({ code: 'ERR_STORE_PERMISSIONS' })
  })
})

describe('what was kept with another protection', () => {
  it.each<[string, () => Content, () => Content]>([
    ['plain text, of a store for recipients', () => sealedFor(now, me), () => plain(old)],
    ['for a recipient who was removed', () => sealedFor(now, me), () => sealedFor(old, me, them)],
    [
      'with a passphrase, of a store for recipients',
      () => sealedFor(now, me),
      () => sealedWith(old, 'right'),
    ],
    [
      'for recipients, of a store with a passphrase',
      () => sealedWith(now, 'right'),
      () => sealedFor(old, me),
    ],
    ['plain text, of a store with a passphrase', () => sealedWith(now, 'right'), () => plain(old)],
  ])('is not put back: %s', async (_what, current, previous) => {
    const path = await storeOf(current(), previous())
    expect(await rejectionOf(planUndo(path, { keys }))).toMatchObject({
      code: 'ERR_STORE_INVALID',
      message: `${previousPath(path)} can be read by others than the store, so it is not put back; remove it`,
    })
  })

  it('is not put back: with another passphrase', async () => {
    const path = await storeOf(sealedWith(now, 'right'), sealedWith(old, 'old'))
    const typed = ['right', 'old']
    const asking = { ...keys, passphrase: () => Promise.resolve(typed.shift() ?? '') }
    expect(await rejectionOf(planUndo(path, { keys: asking }))).toMatchObject({
      code: 'ERR_STORE_INVALID',
      message: expect.stringContaining('can be read by others than the store') as string,
    })
  })

  it('is put back with the same passphrase', async () => {
    const path = await storeOf(sealedWith(now, 'right'), sealedWith(old, 'right'))
    const { restored } = await planUndo(path, { keys })
    expect(restored).toMatchObject({
      roster: { serial: 5 },
      protection: { kind: 'passphrase', passphrase: 'right' },
    })
  })

  it('is put back although nothing else changed, where fewer could read it', async () => {
    for (const current of [plain(now), sealedFor(now, me, them)]) {
      const plan = await planUndo(await storeOf(current, sealedFor(now, me)), { keys })
      expect(plan.restored.protection).toEqual({ kind: 'recipients', recipients: [me] })
    }
    const decrypted = await storeOf(plain(now), sealedWith(now, 'right'))
    expect((await planUndo(decrypted, { keys })).restored.protection).toMatchObject({ kind: 'passphrase' })
  })
})
