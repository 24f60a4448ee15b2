import { chmodSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { memoryState, TOTPServerAuthScheme } from '../../../src/server/index.js'
import type { ServerFileEvent } from '../../../src/server/scheme/events.js'
import { followRoster } from '../../../src/sidecar/gate/followed-roster.js'
import { readStore } from '../../../src/store/store.js'
import { formatStore } from '../../../src/store/store-file.js'
import { generateCodeOfStep, timeStepAt } from '../../../src/core/totp.js'
import { peerOf, rosterOf } from '../../support/roster.js'
import { makeStore, rejectionOf } from '../../support/store-folder.js'
import { requestWith } from '../../support/guarded.js'

/** A scheme that follows a store, and what happened to the store since. */
async function following(path: string) {
  const events: ServerFileEvent[] = []
  const rules = await followRoster(
    { path, read: () => readStore(path, {}) },
    { state: memoryState({ since: new Date(0) }) },
    (event) => events.push(event),
  )
  const scheme = TOTPServerAuthScheme.following(rules)
  onTestFinished(() => scheme.close())
  const next = async (): Promise<ServerFileEvent | undefined> => {
    await vi.waitFor(() => expect(events).not.toEqual([]), { interval: 10 })
    return events.shift()
  }
  return { rules, scheme, next }
}

async function isLetIn(scheme: TOTPServerAuthScheme, name: string): Promise<boolean> {
  const { seeds, algorithm, digits, period } = peerOf(name)
  const [seed] = seeds
  if (!seed) throw new Error('the peer has no seed')
  const profile = { algorithm, digits, period }
  const code = generateCodeOfStep(seed.seed, profile, timeStepAt(profile, new Date()))
  const request = requestWith({ authorization: `Bearer a2at_token-of-${name}`, 'x-totp': code })
  return (await scheme.authenticate(request)).caller?.peer === name
}

function replace(path: string, text: string): void {
  writeFileSync(`${path}.new`, text, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

const storeOf = (names: readonly string[], serial: number): string =>
  formatStore(
    rosterOf(
      names.map((name) => peerOf(name)),
      { serial },
    ),
  )

describe('a store that is followed', () => {
  it('lets its peers in, and a new one once the store has it', async () => {
    const { path } = makeStore()
    const { scheme, rules, next } = await following(path)
    expect(await isLetIn(scheme, 'alice')).toBe(true)
    expect(await isLetIn(scheme, 'carol')).toBe(false)
    replace(path, storeOf(['alice', 'carol'], 7))
    expect(await next()).toMatchObject({ type: 'server_file_loaded', path, serial: 7 })
    expect(await isLetIn(scheme, 'carol')).toBe(true)
    expect(await isLetIn(scheme, 'bob')).toBe(false)
    expect(rules.inForce.serial).toBe(7)
  })

  it('stays as it was when it is broken, readable by others or gone, and says so', async () => {
    const { path } = makeStore()
    const { scheme, rules, next } = await following(path)
    replace(path, storeOf(['alice'], 7))
    await next()
    replace(path, '{"half":')
    expect(await next()).toMatchObject({ type: 'server_file_refused', code: 'ERR_STORE_INVALID' })
    replace(path, storeOf(['carol'], 8))
    await next()
    chmodSync(path, 0o644)
    expect(await next()).toMatchObject({ type: 'server_file_refused', code: 'ERR_STORE_PERMISSIONS' })
    rmSync(path)
    expect(await next()).toMatchObject({ type: 'server_file_refused', code: 'ERR_STORE_MISSING' })
    expect(await isLetIn(scheme, 'carol')).toBe(true)
    expect(rules.inForce.serial).toBe(8)
    replace(path, storeOf(['bob'], 9))
    expect(await next()).toMatchObject({ type: 'server_file_loaded', serial: 9 })
  })

  it('is read again when it is told to, and says if it is older than before', async () => {
    const { path } = makeStore()
    const { rules, next } = await following(path)
    replace(path, storeOf(['alice'], 9))
    await next()
    rules.readAgain()
    expect(await next()).toEqual({
      type: 'server_file_loaded',
      at: expect.any(Date) as Date,
      path,
      serial: 9,
    })
    replace(path, storeOf(['alice'], 3))
    expect(await next()).toMatchObject({ serial: 3, older: true })
  })

  it('has to be there at the start', async () => {
    const { path } = makeStore()
    rmSync(path)
    expect(await rejectionOf(following(path))).toMatchObject({ code: 'ERR_STORE_MISSING' })
  })
})
