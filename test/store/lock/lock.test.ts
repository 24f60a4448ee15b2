import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
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
import { watchedFs } from '../../support/faulty-fs.js'
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
