import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { describe, expect, it } from 'vitest'
import type { Roster } from '../../src/core/roster.js'
import { createStore } from '../../src/store/create-store.js'
import { previousPath } from '../../src/store/previous.js'
import type { StoreKeys } from '../../src/store/protection.js'
import {
  openStore,
  protectStore,
  readStore,
  storeExists,
  updateStore,
  withLock,
} from '../../src/store/store.js'
import { formatStore } from '../../src/store/store-file.js'
import { peerOf, rosterOf } from '../support/roster.js'
import { makeStore, makeStoreFolder, rejectionOf } from '../support/store-folder.js'

const named = (agent: string) => (roster: Roster) => ({ ...roster, agent })
const previousAgent = async (path: string): Promise<string> => (await readStore(previousPath(path))).agent

const identity = await generateX25519Identity()
const recipient = await identityToRecipient(identity)
/** Keys that count how often they are asked for, after something else has happened. */
function countedKeys(meanwhile: (asked: number) => void = () => undefined): StoreKeys & { asked: number } {
  return {
    asked: 0,
    identities() {
      meanwhile(++this.asked)
      return Promise.resolve([identity])
    },
    passphrase: () => Promise.reject(new Error('asked for a passphrase')),
  }
}

async function makeEncrypted(roster: Roster = rosterOf([peerOf('alice')])): Promise<string> {
  const path = join(makeStoreFolder(), 'a2a-totp.json')
  const protection = { kind: 'recipients', recipients: [recipient] } as const
  await createStore(path, roster, { now: new Date(), protection })
  return path
}

describe('the serial of a store', () => {
  it('grows by one with each change of what is inside', async () => {
    const { path } = makeStore()
    expect((await readStore(path)).serial).toBeUndefined()
    for (const serial of [1, 2, 3]) {
      expect((await updateStore(path, {}, named(`agent-${serial}`))).serial).toBe(serial)
      expect((await readStore(path)).serial).toBe(serial)
    }
  })

  it('is never less than the one that a change brings, nor than the next one', async () => {
    const { path } = makeStore()
    const brought = (serial: number) => (roster: Roster) => ({ ...roster, serial })
    expect((await updateStore(path, {}, brought(40))).serial).toBe(40)
    expect((await updateStore(path, {}, brought(7))).serial).toBe(41)
    expect((await updateStore(path, {}, brought(42))).serial).toBe(42)
  })

  it('stays when only the protection changes', async () => {
    const { path } = makeStore()
    await updateStore(path, {}, named('changed'))
    await protectStore(path, {}, () => ({ kind: 'recipients', recipients: [recipient] }))
    const { roster, protection } = await openStore(path, { keys: countedKeys() })
    expect(roster).toMatchObject({ agent: 'changed', serial: 1 })
    expect(protection).toEqual({ kind: 'recipients', recipients: [recipient] })
  })
})

describe('what is kept of a store', () => {
  it('is the one before the last change', async () => {
    const { path, text } = makeStore()
    await updateStore(path, {}, named('first'))
    expect(readFileSync(previousPath(path), 'utf8')).toBe(text)
    await updateStore(path, {}, named('second'))
    expect(await previousAgent(path)).toBe('first')
  })

  it('is the one before a command, whatever the number of its steps', async () => {
    const { path } = makeStore()
    const { serial } = await updateStore(path, {}, named('first'))
    const { serial: next } = await updateStore(path, { goesOnFrom: serial }, named('second'))
    await updateStore(path, { goesOnFrom: next }, named('third'))
    expect(await previousAgent(path)).toBe('agent')
  })

  it('is the one before the last step of a command when another process came in between', async () => {
    const { path } = makeStore()
    const { serial } = await updateStore(path, {}, named('first'))
    await updateStore(path, {}, named('other'))
    await updateStore(path, { goesOnFrom: serial }, named('second'))
    expect(await previousAgent(path)).toBe('other')
  })

  it('is the one before a first step also where there was no serial', async () => {
    const { path } = makeStore()
    await updateStore(path, { goesOnFrom: undefined }, named('first'))
    expect(await previousAgent(path)).toBe('agent')
  })

  it('is removed by a change that does not want it kept', async () => {
    const { path } = makeStore()
    await updateStore(path, {}, named('first'))
    expect(existsSync(previousPath(path))).toBe(true)
    await updateStore(path, { keepsPrevious: false }, named('second'))
    expect(existsSync(previousPath(path))).toBe(false)
    await updateStore(path, { keepsPrevious: true }, named('third'))
    expect(await previousAgent(path)).toBe('second')
  })

  it('is removed when it could be read by others than the store', async () => {
    const { path } = makeStore()
    await updateStore(path, {}, named('first'))
    await protectStore(path, {}, () => ({ kind: 'recipients', recipients: [recipient] }))
    expect(existsSync(previousPath(path))).toBe(false)
  })
})

describe('a change of an encrypted store', () => {
  it('asks for a key once', async () => {
    const path = await makeEncrypted()
    const keys = countedKeys()
    expect((await updateStore(path, { keys }, named('changed'))).agent).toBe('changed')
    expect(keys.asked).toBe(1)
    expect((await readStore(path, { keys: countedKeys() })).agent).toBe('changed')
  })

  it('starts from what is there under the lock, also when it changed while the key was typed', async () => {
    const path = await makeEncrypted()
    const other = readFileSync(await makeEncrypted(rosterOf([peerOf('bob')])))
    const keys = countedKeys((asked) => {
      if (asked === 1) writeFileSync(path, other)
    })
    const { peers } = await updateStore(path, { keys }, named('changed'))
    expect([...peers.keys()]).toEqual(['bob'])
    expect(keys.asked).toBe(2)
    const now = await readStore(path, { keys: countedKeys() })
    expect([now.agent, ...now.peers.keys()]).toEqual(['changed', 'bob'])
  })
})

describe('a change that changes nothing', () => {
  it.each<[string, (path: string) => Promise<unknown>]>([
    ['of the roster', (path) => updateStore(path, {}, () => undefined)],
    ['of the roster, which it returns', (path) => updateStore(path, {}, (roster) => roster)],
    ['of the protection', (path) => protectStore(path, {}, () => undefined)],
  ])('writes nothing and keeps nothing: %s', async (_what, change) => {
    const { path, text } = makeStore()
    const { ino } = statSync(path)
    await change(path)
    expect(statSync(path).ino).toBe(ino)
    expect(readFileSync(path, 'utf8')).toBe(text)
    expect(existsSync(previousPath(path))).toBe(false)
  })
})

it('is not changed while another one holds its lock, and is no longer waited for than asked', async () => {
  const { path, text } = makeStore()
  await withLock(path, {}, async () => {
    const change = updateStore(path, { lock: { deadlineMs: 0 } }, named('changed'))
    expect(await rejectionOf(change)).toMatchObject({ code: 'ERR_STORE_LOCKED' })
  })
  expect(readFileSync(path, 'utf8')).toBe(text)
  await updateStore(path, { lock: { deadlineMs: 0 } }, named('changed'))
  expect((await readStore(path)).agent).toBe('changed')
})

describe('a store that is opened', () => {
  it('says that it is not encrypted, or for whom', async () => {
    const { path, text } = makeStore()
    const { roster, protection } = await openStore(path)
    expect(formatStore(roster)).toBe(text)
    expect(protection).toEqual({ kind: 'none' })
    const opened = await openStore(await makeEncrypted(), { keys: countedKeys() })
    expect(opened.protection).toEqual({ kind: 'recipients', recipients: [recipient] })
  })

  it.each([readStore, openStore, (path: string) => updateStore(path, {}, named('changed'))])(
    'says what helps when it is damaged: %#',
    async (open) => {
      const { path } = makeStore()
      writeFileSync(path, '{')
      const error = await rejectionOf(open(path))
      expect(error).toMatchObject({ code: 'ERR_STORE_INVALID' })
      expect(String(error)).toMatch(/; correct it, or restore it from a backup; `a2a-totp doctor` checks it$/)
      expect(readFileSync(path, 'utf8')).toBe('{')
    },
  )
})

it('of which there is one already is not made, with its path', async () => {
  const { path } = makeStore()
  const error = await rejectionOf(createStore(path, rosterOf([]), { now: new Date() }))
  expect(error).toEqual(storeExists(path))
  expect(error).toMatchObject({
    code: 'ERR_STORE_EXISTS',
    message: `a store already exists at ${path}; nothing was changed`,
  })
})
