import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { TOTPError } from '../../src/core/errors.js'
import { fileSystem, type FileSystem } from '../../src/store/file-system.js'
import { previousPath } from '../../src/store/previous.js'
import { withRemedy } from '../../src/store/repair.js'
import { systemError, watchedFs } from '../support/faulty-fs.js'
import { makeStoreFolder, rejectionOf } from '../support/store-folder.js'

const plain = Buffer.from('{ "version": 1')
const encrypted = Buffer.from('age-encryption.org/v1\n')
const cause = new Error('the cause')
const damaged = new TOTPError('ERR_STORE_INVALID', 'the store is damaged', { cause })

const makePath = (): string => join(makeStoreFolder(), 'a2a-totp.json')

const failureOf = (
  path: string,
  bytes: Uint8Array,
  error: Error,
  fs: FileSystem = fileSystem,
): Promise<unknown> => rejectionOf(withRemedy(path, bytes, () => Promise.reject(error), fs))

describe('a store that is damaged', () => {
  it('may be corrected or restored, and checked', async () => {
    expect(await failureOf(makePath(), plain, damaged)).toMatchObject({
      code: 'ERR_STORE_INVALID',
      message: 'the store is damaged; correct it, or restore it from a backup; `a2a-totp doctor` checks it',
      cause,
    })
  })

  it('can be taken back where the one before its last change is there', async () => {
    const path = makePath()
    writeFileSync(previousPath(path), '{}')
    expect(await failureOf(path, plain, damaged)).toMatchObject({
      message:
        'the store is damaged; run `a2a-totp undo` for the store before its last change, or correct it, ' +
        'or restore it from a backup; `a2a-totp doctor` checks it',
    })
  })

  it('can only be restored where it is encrypted: nobody can correct it', async () => {
    const path = makePath()
    expect(await failureOf(path, encrypted, damaged)).toMatchObject({
      message: 'the store is damaged; restore it from a backup',
      cause,
    })
    writeFileSync(previousPath(path), '{}')
    expect(await failureOf(path, encrypted, damaged)).toMatchObject({
      message:
        'the store is damaged; run `a2a-totp undo` for the store before its last change, or restore it from a backup',
    })
  })

  it('cannot be taken back from a folder, nor from what cannot be looked at', async () => {
    const path = makePath()
    const restore = 'the store is damaged; restore it from a backup'
    mkdirSync(previousPath(path))
    expect(await failureOf(path, encrypted, damaged)).toMatchObject({ message: restore })
    const other = makePath()
    writeFileSync(previousPath(other), '{}')
    const fs = watchedFs((call) => {
      if (call === 'lstatSync') throw systemError('EACCES')
    })
    expect(await failureOf(other, encrypted, damaged, fs)).toMatchObject({ message: restore })
  })
})

describe('a store that is not damaged', () => {
  it('is read', async () => {
    expect(await withRemedy(makePath(), plain, () => Promise.resolve(7))).toBe(7)
  })

  it.each([
    ['a key that is wrong', new TOTPError('ERR_STORE_KEY_WRONG', 'no identity opens the store')],
    ['a mistake of ours', new RangeError('this is a mistake of ours')],
    [
      'an error of others with the same code',
      Object.assign(new Error('this is not ours'), { code: 'ERR_STORE_INVALID' }),
    ],
  ])('needs no repair, but what its error says: %s', async (_, error) => {
    expect(await failureOf(makePath(), plain, error)).toBe(error)
  })
})
