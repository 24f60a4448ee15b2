import { randomBytes, randomInt } from 'node:crypto'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { TOTPError } from '../../core/errors.js'
import { linkFile, temporaryPrefix } from '../atomic-write.js'
import {
  closeQuietly,
  fileSystem,
  openNew,
  privateMode,
  removeQuietly,
  type FileSystem,
} from '../file-system.js'
import { errnoOf, explain } from '../system-error.js'
import { HeldLock, type Lock } from './held-lock.js'
import { HolderJudge } from './holder-judge.js'
import { formatHolder, listSidecars, lockPath, type Holder } from './lock-file.js'
import { systemProcessTable, type ProcessTable } from './process-identity.js'

export interface LockOptions {
  /** How long to wait for a living holder. */
  readonly deadlineMs?: number
  /** How long a holder that cannot be looked up, one on another host say, may show no sign of life. */
  readonly silenceMs?: number
  /** Milliseconds on a clock that never jumps. */
  readonly monotonicMs?: () => number
  readonly processes?: ProcessTable
  readonly fs?: FileSystem
}

/**
 * Takes a store's lock, waiting for whoever holds it. Only one holder at a time, between any processes that see
 * the same folder.
 *
 * A lock is a file `.NAME.lock-N` beside the store. To take it is to put up one's own file first and to look
 * for living others second: of two at once, at least one sees the other and steps back. So it does not rest on
 * numbers, and files of the dead, which only a holder removes, cannot be mistaken for those of the living.
 *
 * A holder in the same place (host, boot, pid namespace) is looked up by pid and start time; the death of one
 * is noticed at once. Any other is taken for dead when its file, which a holder touches every second, has not
 * changed for `silenceMs` of our own clock.
 *
 * @throws {TOTPError} `ERR_STORE_LOCKED` after `deadlineMs`, with the holder's pid and host;
 *   `ERR_STORE_UNWRITABLE` when no file can be made in the folder.
 */
export async function acquireLock(storePath: string, options: LockOptions = {}): Promise<Lock> {
  const { deadlineMs = 30_000, monotonicMs = uptimeMs, fs = fileSystem } = options
  const { processes = systemProcessTable(), silenceMs = 10_000 } = options
  const self = { ...processes.self(), host: hostname(), nonce: randomBytes(16).toString('hex') }
  const judge = new HolderJudge(self, processes, silenceMs, monotonicMs)
  const deadline = monotonicMs() + deadlineMs
  for (;;) {
    const outcome = tryToAcquire(storePath, self, judge, fs)
    if ('lock' in outcome) return outcome.lock
    if (monotonicMs() >= deadline) throw stillLocked(storePath, outcome.holder)
    await sleep(randomInt(5, 31))
  }
}

type Outcome = { readonly lock: Lock } | { readonly holder: Holder | undefined }

function tryToAcquire(storePath: string, self: Holder, judge: HolderJudge, fs: FileSystem): Outcome {
  try {
    const before = listSidecars(storePath, temporaryPrefix(storePath), fs).locks
    const living = judge.firstLiving(before)
    if (living) return { holder: living.holder }

    const number = lowestFree(new Set(before.map((file) => file.number)))
    const mine = putUp(storePath, number, self, fs)
    if (mine === undefined) return { holder: undefined }
    const lock = new HeldLock(storePath, number, mine, self.nonce, fs)
    try {
      return settle(storePath, lock, self, judge, fs)
    } catch (error) {
      lock.release()
      throw error
    }
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    throw new TOTPError('ERR_STORE_UNWRITABLE', `cannot lock ${storePath}: ${explain(error)}`, {
      cause: error,
    })
  }
}

function lowestFree(taken: ReadonlySet<number>): number {
  let number = 1
  while (taken.has(number)) number++
  return number
}

/** The second look: with my file up, whoever else is alive makes me step back; else what the dead left goes. */
function settle(
  storePath: string,
  lock: HeldLock,
  self: Holder,
  judge: HolderJudge,
  fs: FileSystem,
): Outcome {
  const { locks, temporaries } = listSidecars(storePath, temporaryPrefix(storePath), fs)
  const others = locks.filter((file) => file.holder?.nonce !== self.nonce)
  const living = judge.firstLiving(others)
  // Mine is gone when a process that came back from the dead freed its number, which another then cleared away.
  if (living || others.length === locks.length) {
    lock.release()
    return { holder: living?.holder }
  }
  for (const path of [...others.map((file) => file.path), ...temporaries]) removeQuietly(path, fs)
  lock.keepAlive()
  return { lock }
}

/**
 * Puts up a lock file, complete from its first moment where the file system has hard links.
 *
 * @returns its descriptor, or undefined when another was faster
 */
function putUp(storePath: string, number: number, self: Holder, fs: FileSystem): number | undefined {
  const path = lockPath(storePath, number)
  const temporary = join(dirname(storePath), temporaryPrefix(storePath) + self.nonce)
  const file = writeHolder(temporary, self, fs)
  try {
    if (linkFile(temporary, path, fs)) return file
  } catch (error) {
    // A network file system may have made the link and lost its own answer.
    if (errnoOf(error) === 'EEXIST' && fs.fstatSync(file).nlink === 2) return file
    closeQuietly(file, fs)
    // ENOENT: a new holder took our temporary file for a leftover.
    if (['EEXIST', 'ENOENT'].includes(errnoOf(error) ?? '')) return undefined
    throw error
  } finally {
    removeQuietly(temporary, fs)
  }
  closeQuietly(file, fs)
  return writeHolderUnlessThere(path, self, fs)
}

/** Without hard links a lock file can be seen half-written: it then counts as one that cannot be looked up. */
function writeHolderUnlessThere(path: string, self: Holder, fs: FileSystem): number | undefined {
  try {
    return writeHolder(path, self, fs)
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return undefined
    throw error
  }
}

function writeHolder(path: string, self: Holder, fs: FileSystem): number {
  const file = fs.openSync(path, openNew, privateMode)
  try {
    fs.fchmodSync(file, privateMode)
    fs.writeFileSync(file, formatHolder(self))
    return file
  } catch (error) {
    closeQuietly(file, fs)
    removeQuietly(path, fs)
    throw error
  }
}

function stillLocked(storePath: string, holder: Holder | undefined): TOTPError {
  const who = holder ? `process ${holder.pid} on ${holder.host}` : 'another process'
  return new TOTPError('ERR_STORE_LOCKED', `${who} is changing ${storePath}; try again when it is done`)
}

/** By `hrtime`, because to look at `performance` loads a module that takes longer than the lock does. */
function uptimeMs(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1000 + nanoseconds / 1e6
}
