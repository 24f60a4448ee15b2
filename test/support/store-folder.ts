import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { formatStore } from '../../src/store/store-file.js'
import { wellPut } from './failure.js'
import { peerOf, rosterOf } from './roster.js'

/** A folder of its own for a test, gone when the test is over. */
export function makeStoreFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'a2a-totp-store-')))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A store with the peers alice and bob, in a folder of its own. */
export function makeStore(): { readonly folder: string; readonly path: string; readonly text: string } {
  const folder = makeStoreFolder()
  const path = join(folder, 'a2a-totp.json')
  const text = formatStore(rosterOf([peerOf('alice'), peerOf('bob')]))
  writeFileSync(path, text, { mode: 0o600 })
  return { folder, path, text }
}

/** What a call throws; it is a failed test when it throws nothing. */
export function errorOf(call: () => unknown): unknown {
  try {
    call()
  } catch (error) {
    return error instanceof Error ? wellPut(error) : error
  }
  throw new Error('nothing was thrown')
}

/** What a promise rejects with; it is a failed test when it does not. */
export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error instanceof Error ? wellPut(error) : error
  }
  throw new Error('nothing was thrown')
}
