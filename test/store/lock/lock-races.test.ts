import * as nodeFs from 'node:fs'
import { existsSync, readdirSync, readFileSync, unlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { acquireLock } from '../../../src/store/lock/lock.js'
import { readStore, updateStore } from '../../../src/store/store.js'
import { systemError, watchedFs } from '../../support/faulty-fs.js'
import { makeStore } from '../../support/store-folder.js'
import { acquire, locksIn, putLock } from '../../support/store-locks.js'

describe('two that take a lock at the same moment', () => {
  it('see each other: who finds the other at the second look steps back', async () => {
    const { path, folder } = makeStore()
    const fs = watchedFs((call) => {
      if (call === 'linkSync') putLock(path, 2, {})
    })
    await expect(acquireLock(path, { deadlineMs: 0, fs })).rejects.toMatchObject({
      code: 'ERR_STORE_LOCKED',
      message: expect.stringContaining(`process ${process.pid} on ${hostname()} is changing`) as string,
    })
    expect(locksIn(folder)).toEqual(['.a2a-totp.json.lock-2'])
  })

  it('know the other only once they have looked at it', async () => {
    const { path, folder } = makeStore()
    const fs = watchedFs((call) => {
      if (call === 'linkSync') putLock(path, 1, {})
    })
    await expect(acquireLock(path, { deadlineMs: 0, fs })).rejects.toMatchObject({
      code: 'ERR_STORE_LOCKED',
      message: `another process is changing ${path}; try again when it is done`,
    })
    expect(locksIn(folder)).toEqual(['.a2a-totp.json.lock-1'])
  })

  it('do not both hold it when one had its file cleared away', async () => {
    const { path, folder } = makeStore()
    let cleared = 0
    const fs = {
      ...nodeFs,
      linkSync(existing: string, file: string) {
        nodeFs.linkSync(existing, file)
        if (cleared++ === 0) unlinkSync(file)
      },
    } as typeof nodeFs
    const lock = await acquire(path, { fs })
    expect(cleared).toBe(2)
    expect(() => lock.assertHeld()).not.toThrow()
    expect(locksIn(folder)).toHaveLength(1)
  })

  it('try again when the number was taken, or the temporary file cleared away', async () => {
    for (const errno of ['EEXIST', 'ENOENT']) {
      const { path, folder } = makeStore()
      let failures = 0
      const fs = watchedFs((call) => {
        if (call === 'linkSync' && failures++ === 0) throw systemError(errno)
      })
      await acquire(path, { fs })
      expect(failures).toBe(2)
      expect(readdirSync(folder)).toHaveLength(2)
    }
  })

  it('are not fooled by a network file system that made the link and lost its answer', async () => {
    const { path } = makeStore()
    const fs = {
      ...nodeFs,
      linkSync(existing: string, file: string) {
        nodeFs.linkSync(existing, file)
        throw systemError('EEXIST')
      },
    } as typeof nodeFs
    await acquire(path, { fs, deadlineMs: 0 })
  })

  it('try again when the number was taken where there are no hard links', async () => {
    const { path, folder } = makeStore()
    let links = 0
    const fs = watchedFs((call) => {
      if (call !== 'linkSync') return
      if (links++ === 0) putLock(path, 1, { startedAt: 'another time' })
      throw systemError('EPERM')
    })
    await acquire(path, { fs })
    expect(links).toBe(2)
    expect(locksIn(folder)).toEqual(['.a2a-totp.json.lock-2'])
  })

  it('keep each other out where there are no hard links', async () => {
    const { path, folder } = makeStore()
    const fs = watchedFs((call) => {
      if (call === 'linkSync') throw systemError('EPERM')
    })
    const lock = await acquire(path, { fs })
    await expect(acquireLock(path, { fs, deadlineMs: 0 })).rejects.toMatchObject({ code: 'ERR_STORE_LOCKED' })
    lock.release()
    const next = await acquire(path, { fs, deadlineMs: 0 })
    next.release()
    expect(readdirSync(folder)).toEqual(['a2a-totp.json'])
  })
})

describe('a lock that cannot be put up or looked at', () => {
  it.each(['EIO', 'ENOSPC', 'EACCES'])(
    'is a store that cannot be written, at once, when link answers %s',
    async (errno) => {
      const { path, folder } = makeStore()
      const cause = systemError(errno)
      const fs = watchedFs((call) => {
        if (call === 'linkSync') throw cause
      })
      await expect(acquireLock(path, { fs })).rejects.toMatchObject({
        code: 'ERR_STORE_UNWRITABLE',
        message: expect.stringMatching(/^cannot lock .*; /) as string,
        cause,
      })
      expect(readdirSync(folder)).toEqual(['a2a-totp.json'])
    },
  )

  it('is given back when nobody can be looked for a second time', async () => {
    const { path, folder } = makeStore()
    let looks = 0
    const fs = watchedFs((call) => {
      if (call === 'readdirSync' && ++looks === 2) throw systemError('EIO')
    })
    await expect(acquireLock(path, { fs })).rejects.toMatchObject({ code: 'ERR_STORE_UNWRITABLE' })
    expect(looks).toBe(2)
    expect(readdirSync(folder)).toEqual(['a2a-totp.json'])
  })

  it('is not taken when that of another cannot be looked at', async () => {
    const { path, folder } = makeStore()
    putLock(path, 1, {})
    const fs = watchedFs((call) => {
      if (call === 'lstatSync') throw systemError('EIO')
    })
    await expect(acquireLock(path, { fs })).rejects.toMatchObject({ code: 'ERR_STORE_UNWRITABLE' })
    expect(locksIn(folder)).toEqual(['.a2a-totp.json.lock-1'])
  })

  it('is taken without regard for a file that vanished while it was looked at', async () => {
    const { path, folder } = makeStore()
    const file = putLock(path, 1, { place: 'elsewhere' })
    let looks = 0
    const fs = watchedFs((call) => {
      if (call === 'lstatSync' && looks++ === 0) unlinkSync(file)
    })
    await acquire(path, { fs, deadlineMs: 0 })
    expect(locksIn(folder)).toEqual(['.a2a-totp.json.lock-1'])
  })

  it('is not held as far as its holder can tell', async () => {
    const { path } = makeStore()
    let broken = false
    const fs = watchedFs((call) => {
      if (broken && call === 'lstatSync') throw systemError('EIO')
    })
    const lock = await acquire(path, { fs })
    expect(() => lock.assertHeld()).not.toThrow()
    broken = true
    expect(() => lock.assertHeld()).toThrow('another process took the lock')
    broken = false
  })
})

describe('a holder that was taken for dead', () => {
  it.each(['gone', 'another holder’s'])(
    'notices when its file is %s, and leaves that alone',
    async (state) => {
      const { path, folder } = makeStore()
      const lock = await acquire(path)
      const file = join(folder, locksIn(folder)[0] ?? '')
      unlinkSync(file)
      if (state !== 'gone') putLock(path, 1, {})
      expect(() => lock.assertHeld()).toThrow('another process took the lock')
      lock.release()
      expect(existsSync(file)).toBe(state !== 'gone')
    },
  )

  it('does not change the store any more', async () => {
    const { path, folder, text } = makeStore()
    const late = updateStore(path, {}, (roster) => {
      for (const name of locksIn(folder)) unlinkSync(join(folder, name))
      return { ...roster, agent: 'late' }
    })
    await expect(late).rejects.toMatchObject({ code: 'ERR_STORE_LOCKED' })
    expect(readFileSync(path, 'utf8')).toBe(text)
    expect((await readStore(path)).agent).toBe('agent')
    expect(readdirSync(folder)).toEqual(['a2a-totp.json'])
  })
})
