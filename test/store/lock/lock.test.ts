import { execFileSync } from 'node:child_process'
import * as nodeFs from 'node:fs'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { acquireLock } from '../../../src/store/lock/lock.js'
import type { Holder } from '../../../src/store/lock/lock-file.js'
import {
  systemProcessTable,
  type Liveness,
  type ProcessTable,
} from '../../../src/store/lock/process-identity.js'
import { readStore, updateStore } from '../../../src/store/store.js'
import { systemError, watchedFs } from '../../support/faulty-fs.js'
import { makeStore } from '../../support/store-folder.js'
import { acquire, here, locksIn, putLock } from '../../support/store-locks.js'

/** A clock on which each look takes two seconds, so that waiting for long takes no time. */
function fastClock(): { monotonicMs: () => number; now: () => number } {
  let ms = 0
  return { monotonicMs: () => (ms += 2000), now: () => ms }
}

/** The processes of this system, but one has this liveness. */
function withProcess(pid: number, liveness: Liveness): ProcessTable {
  const real = systemProcessTable()
  return {
    self: () => real.self(),
    livenessOf: (asked) => (asked.pid === pid ? liveness : real.livenessOf(asked)),
  }
}

describe('a lock', () => {
  it('is held by one at a time', async () => {
    const { path, folder } = makeStore()
    let holders = 0
    let most = 0
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        const lock = await acquireLock(path)
        most = Math.max(most, ++holders)
        await new Promise((done) => setImmediate(done))
        holders--
        lock.release()
      }),
    )
    expect(most).toBe(1)
    expect(readdirSync(folder)).toEqual(['a2a-totp.json'])
  })

  it('is a file of mode 0600 that names its holder, and is gone once released, twice or not', async () => {
    const { path, folder } = makeStore()
    const lock = await acquire(path)
    const [name = ''] = locksIn(folder)
    expect(JSON.parse(readFileSync(join(folder, name), 'utf8'))).toMatchObject({ ...here, host: hostname() })
    expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600)
    lock.release()
    const other = await acquire(path)
    lock.release()
    expect(() => other.assertHeld()).not.toThrow()
    expect(locksIn(folder)).toHaveLength(1)
  })

  it('names its holder to those who waited too long', async () => {
    const { path } = makeStore()
    await acquire(path)
    await expect(acquireLock(path, { deadlineMs: 30 })).rejects.toMatchObject({
      code: 'ERR_STORE_LOCKED',
      message: `process ${process.pid} on ${hostname()} is changing ${path}; try again when it is done`,
    })
  })

  it('leaves the folder alone while it is waited for', async () => {
    const { path } = makeStore()
    await acquire(path)
    const calls = new Set<string>()
    const fs = watchedFs((call) => calls.add(call))
    await expect(acquireLock(path, { deadlineMs: 30, fs })).rejects.toMatchObject({
      code: 'ERR_STORE_LOCKED',
    })
    const reading = ['closeSync', 'fstatSync', 'lstatSync', 'openSync', 'readFileSync', 'readdirSync']
    expect([...calls].sort()).toEqual(reading)
  })

  it('is waited for until the deadline, and no longer, in milliseconds that never jump', async () => {
    vi.useFakeTimers({ toFake: ['hrtime'] })
    onTestFinished(() => void vi.useRealTimers())
    const { path } = makeStore()
    await acquire(path)
    let looks = 0
    const fs = watchedFs((call) => {
      if (call !== 'readdirSync') return
      if (++looks > 10) throw new Error('waited for too long')
      vi.advanceTimersByTime(400)
    })
    await expect(acquireLock(path, { deadlineMs: 1600, fs })).rejects.toMatchObject({
      code: 'ERR_STORE_LOCKED',
    })
    expect(looks).toBe(4)
  })

  it('is another for another store in the same folder', async () => {
    const { path, folder } = makeStore()
    await acquire(path)
    await acquire(join(folder, 'other.json'), { deadlineMs: 0 })
    expect(locksIn(folder)).toHaveLength(2)
  })

  it('is touched every second while it is held', async () => {
    const { path, folder } = makeStore()
    vi.useFakeTimers({
      toFake: ['setInterval', 'clearInterval', 'Date'],
      now: new Date('2031-01-01T00:00:00Z'),
    })
    onTestFinished(() => void vi.useRealTimers())
    const lock = await acquire(path)
    const file = join(folder, locksIn(folder)[0] ?? '')
    vi.advanceTimersByTime(1000)
    expect(statSync(file).mtime).toEqual(new Date('2031-01-01T00:00:01Z'))
    vi.advanceTimersByTime(1000)
    expect(statSync(file).mtime).toEqual(new Date('2031-01-01T00:00:02Z'))
    lock.release()
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('a lock whose holder died here', () => {
  it.each([1, 7, 999_999_999])(
    'is taken over at once, and its file, number %i, cleared away',
    async (number) => {
      const { path, folder } = makeStore()
      const file = putLock(path, number, { startedAt: 'another time' })
      await acquire(path, { deadlineMs: 0 })
      expect(locksIn(folder)).toEqual(
        ['.a2a-totp.json.lock-1']
          .filter(() => number !== 1)
          .concat(number === 1 ? ['.a2a-totp.json.lock-2'] : []),
      )
      expect(existsSync(file)).toBe(false)
    },
  )

  it('is taken over with the temporary files that dead processes left, and nothing else', async () => {
    const { path, folder } = makeStore()
    const others = ['.other.json.tmp-0123456789abcdef', 'a.a2a-totp.json.tmp-', 'a2a-totp.json']
    for (const name of [...others, '.a2a-totp.json.tmp-0123456789abcdef'])
      writeFileSync(join(folder, name), '')
    const lock = await acquire(path)
    lock.release()
    expect(readdirSync(folder).sort()).toEqual(others.sort())
  })

  it('does not make one believe that a living holder beside it is dead', async () => {
    const { path } = makeStore()
    putLock(path, 1, { startedAt: 'another time' })
    putLock(path, 2, {})
    await expect(acquireLock(path, { deadlineMs: 30 })).rejects.toMatchObject({ code: 'ERR_STORE_LOCKED' })
  })
})

describe('a lock whose holder cannot be looked up', () => {
  const elsewhere: readonly (readonly [string, Partial<Holder> | string])[] = [
    ['runs on another host', { place: 'host boot pid:[1]', pid: 99, startedAt: '5', host: 'elsewhere' }],
    ['did not know its own place', { place: undefined }],
    ['is hidden', { pid: 4242 }],
    ['wrote nothing yet', ''],
    ['wrote half', '{"place":"x","pi'],
    ['is a stranger', '"hello"'],
    ['wrote too much', JSON.stringify({ ...here, host: 'x'.repeat(5000), nonce: 'n' })],
    ['has no pid', { pid: 0 }],
  ]
  const processes = withProcess(4242, 'unknown')

  it.each(elsewhere)(
    'is taken over when nothing was heard for ten seconds of our clock: one that %s',
    async (_, holder) => {
      const { path, folder } = makeStore()
      putLock(path, 1, holder)
      const { monotonicMs, now } = fastClock()
      await acquire(path, { monotonicMs, processes })
      expect(now()).toBeGreaterThan(10_000)
      expect(locksIn(folder)).toEqual(['.a2a-totp.json.lock-2'])
    },
  )

  it.each(elsewhere)('is left to a holder that keeps touching it: one that %s', async (_, holder) => {
    const { path } = makeStore()
    const file = putLock(path, 1, holder)
    const { monotonicMs, now } = fastClock()
    let seconds = 1_000_000
    const fs = watchedFs((call) => {
      if (call === 'readdirSync' && existsSync(file)) utimesSync(file, seconds, seconds++)
    })
    await expect(acquireLock(path, { monotonicMs, processes, fs })).rejects.toMatchObject({
      code: 'ERR_STORE_LOCKED',
    })
    expect(now()).toBeGreaterThanOrEqual(30_000)
    expect(existsSync(file)).toBe(true)
  })

  it('says where that holder is', async () => {
    const { path } = makeStore()
    putLock(path, 1, { place: 'elsewhere', pid: 99, host: 'host-b' })
    await expect(acquireLock(path, { deadlineMs: 0 })).rejects.toMatchObject({
      message: expect.stringContaining('process 99 on host-b') as string,
    })
  })

  it('may be no file at all, and keeps nobody out for longer than ten seconds', async () => {
    const { path, folder } = makeStore()
    const lockPath = (number: number): string => join(folder, `.a2a-totp.json.lock-${number}`)
    mkdirSync(lockPath(1))
    symlinkSync('/dev/zero', lockPath(2))
    execFileSync('mkfifo', [lockPath(3)])
    const { monotonicMs, now } = fastClock()
    await acquire(path, { monotonicMs })
    expect(now()).toBeGreaterThan(10_000)
    // A folder cannot be unlinked; it does no harm.
    expect(locksIn(folder)).toEqual(['.a2a-totp.json.lock-1', '.a2a-totp.json.lock-4'])
  })

  it('counts as one from elsewhere when we do not know our own place', async () => {
    const { path } = makeStore()
    putLock(path, 1, { startedAt: 'another time' })
    putLock(path, 2, { startedAt: 'another time', place: undefined })
    const processes: ProcessTable = { self: () => ({ ...here, place: undefined }), livenessOf: () => 'dead' }
    await expect(acquireLock(path, { deadlineMs: 0, processes })).rejects.toMatchObject({
      code: 'ERR_STORE_LOCKED',
    })
  })
})

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
