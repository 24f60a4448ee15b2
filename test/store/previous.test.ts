import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { dropPrevious, keepPrevious, previousPath } from '../../src/store/previous.js'
import { systemError, watchedFs } from '../support/faulty-fs.js'
import { errorOf, makeStoreFolder } from '../support/store-folder.js'

const makePath = (): string => join(makeStoreFolder(), 'a2a-totp.json')

describe('the store as it was before its last change', () => {
  it('is kept beside it, byte for byte and closed to others, in place of an older one', () => {
    const path = makePath()
    writeFileSync(previousPath(path), 'older', { mode: 0o644 })
    const bytes = Buffer.of(0x7b, 0xff, 0x7d)
    keepPrevious(path, bytes)
    expect(readFileSync(previousPath(path))).toEqual(bytes)
    expect(statSync(previousPath(path)).mode & 0o777).toBe(0o600)
    expect(readdirSync(join(path, '..'))).toEqual(['a2a-totp.json.bak-prev'])
  })

  it('stays what it was where it cannot be written', () => {
    const path = makePath()
    writeFileSync(previousPath(path), 'older')
    const fs = watchedFs((call) => {
      if (call === 'renameSync') throw systemError('ENOSPC')
    })
    expect(errorOf(() => keepPrevious(path, Buffer.from('newer'), fs))).toMatchObject({
      code: 'ERR_STORE_UNWRITABLE',
      message: `cannot write ${previousPath(path)}: the disk is full; free some space and try again`,
    })
    expect(readFileSync(previousPath(path), 'utf8')).toBe('older')
  })

  it('is written to a temporary file that the next holder of the lock of the store clears away', () => {
    const path = makePath()
    let names: string[] = []
    const fs = watchedFs((call) => {
      if (call === 'renameSync') names = readdirSync(join(path, '..'))
    })
    keepPrevious(path, Buffer.from('bytes'), fs)
    expect(names).toEqual([expect.stringMatching(/^\.a2a-totp\.json\.tmp-/)])
  })

  it('is gone once it is dropped, and may have been gone before', () => {
    const path = makePath()
    keepPrevious(path, Buffer.from('bytes'))
    dropPrevious(path)
    expect(existsSync(previousPath(path))).toBe(false)
    expect(() => dropPrevious(path)).not.toThrow()
  })

  it('is not said to be gone while it is there', () => {
    const path = makePath()
    keepPrevious(path, Buffer.from('bytes'))
    const fs = watchedFs((call) => {
      if (call === 'unlinkSync') throw systemError('EROFS')
    })
    expect(errorOf(() => dropPrevious(path, fs))).toMatchObject({
      code: 'ERR_STORE_UNWRITABLE',
      message: `cannot remove ${previousPath(path)}: the file system is read-only; use another folder, or mount it writable`,
    })
    expect(existsSync(previousPath(path))).toBe(true)
  })
})
