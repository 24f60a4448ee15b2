import { chmodSync, chownSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { distrustFolder, look, untrustedFolder, upwardFrom } from '../../src/store/trusted-folder.js'
import { asOnWindows, asUser } from '../support/pretended-process.js'
import { makeStoreFolder } from '../support/store-folder.js'

const root = process.getuid?.() === 0
const [nobody, somebody] = [65_534, 65_533]

/** A folder that belongs to a user that is not root, which the process then is. */
function makeOwnFolder(): string {
  const folder = makeStoreFolder()
  if (!root) return folder
  chownSync(folder, nobody, nobody)
  asUser(nobody)
  return folder
}

function makeFolderIn(parent: string, mode: number): string {
  const folder = join(parent, 'sub')
  mkdirSync(folder)
  chmodSync(folder, mode)
  return folder
}

it('the folders above a folder are all of them, and the root', () => {
  expect(upwardFrom('/srv/agents/one')).toEqual(['/srv/agents/one', '/srv/agents', '/srv', '/'])
  expect(upwardFrom('/')).toEqual(['/'])
})

it('nothing is found where nothing is, nor below a file', () => {
  const folder = makeStoreFolder()
  expect(look(join(folder, 'none'))).toBeUndefined()
  expect(look(folder)?.isDirectory()).toBe(true)
})

describe('a folder in which others can put nothing', () => {
  it('belongs to the user, below folders of the user and of root', () => {
    const folder = makeOwnFolder()
    expect(untrustedFolder(folder)).toBeUndefined()
    expect(distrustFolder(folder)).toBeUndefined()
  })

  it('may belong to root', () => {
    const folder = root ? makeStoreFolder() : '/'
    asUser(root ? nobody : (process.getuid?.() ?? nobody))
    expect(untrustedFolder(folder)).toBeUndefined()
  })

  it('is any on Windows, where owners and modes say nothing', () => {
    const folder = makeFolderIn(makeStoreFolder(), 0o777)
    asOnWindows()
    expect(untrustedFolder(folder)).toBeUndefined()
  })
})

describe('a folder in which others can put something', () => {
  it('is named where its mode is the reason', () => {
    const folder = makeFolderIn(makeStoreFolder(), 0o770)
    const reason = `others can write to the folder ${folder}`
    expect(untrustedFolder(folder)).toEqual({ folder, reason, writable: true })
    expect(untrustedFolder(makeFolderIn(folder, 0o755))).toEqual({ folder, reason, writable: true })
    expect(distrustFolder(folder)).toBe(reason)
  })

  it('is one that cannot be inspected: it may be anything', () => {
    const folder = join(makeStoreFolder(), 'none')
    expect(untrustedFolder(folder)).toEqual({
      folder,
      reason: `the folder ${folder} cannot be inspected`,
      writable: false,
    })
  })

  it.skipIf(!root)('is one of another user who is not root (skipped unless run by root)', () => {
    const folder = makeStoreFolder()
    chownSync(folder, somebody, somebody)
    const untrusted = {
      folder,
      reason: `the folder ${folder} belongs to another user (uid ${somebody})`,
      writable: false,
    }
    expect(untrustedFolder(folder)).toEqual(untrusted)
    asUser(nobody)
    expect(untrustedFolder(folder)).toEqual(untrusted)
  })
})
