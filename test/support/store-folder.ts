import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import * as nodeFs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { FileSystem } from '../../src/store/file-system.js'
import { formatStore } from '../../src/store/store-file.js'
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
    return error
  }
  throw new Error('nothing was thrown')
}

/** An error as node:fs throws it. */
export function systemError(errno: string): Error {
  return Object.assign(new Error(`${errno}: injected`), { code: errno })
}

export type Call = keyof FileSystem

/** The real file system, with something done before each call: its name, and how many calls there were before. */
export function watchedFs(before: (call: Call, index: number) => void): FileSystem {
  let index = 0
  return new Proxy(nodeFs, {
    get(target, property: Call) {
      const call = target[property] as (...args: readonly unknown[]) => unknown
      return (...args: readonly unknown[]) => {
        before(property, index++)
        return call(...args)
      }
    },
  })
}
