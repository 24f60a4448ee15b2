import { randomBytes, randomInt } from 'node:crypto'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { TOTPError } from '../../core/errors.js'
import { fileSystem, removeQuietly, type FileSystem } from '../file-system.js'
import { translateErrors } from '../system-error.js'
import { HeldLock, type Lock } from './held-lock.js'
import { HolderJudge } from './holder-judge.js'
import { createLockFile, listSidecars, type Holder } from './lock-file.js'
import { systemProcessTable, type ProcessTable } from './process-identity.js'

// The lock of a store: one process at a time changes it. This file is the door of the room; nothing outside imports
// the others.
//
// A lock is a file `.NAME.lock-N` beside the store that names its holder (lock-file.ts). A process creates a file of
// its own first, and looks for other living holders second. Of two processes that do so at once, at least one sees the
// other and steps back. So nothing depends on the numbers, and the files of dead holders, which only a new holder
// removes, cannot be mistaken for those of living ones.
//
// A holder in the same place (host, boot and pid namespace) is looked up by its pid and start time
// (process-identity.ts), so its death is noticed at once. Any other holder counts as dead when its file has not changed
// for `silenceMs` of our own clock (holder-judge.ts); a holder touches its file every second (held-lock.ts).

export type { Lock }

export interface LockOptions {
  /** How long to wait for a living holder. */
  readonly deadlineMs?: number
  /** How long a holder that cannot be looked up, such as one on another host, may show no sign of life. */
  readonly silenceMs?: number
  /** Milliseconds on a clock that never jumps. */
  readonly monotonicMs?: () => number
  readonly processes?: ProcessTable
  readonly fs?: FileSystem
}

/**
 * Takes a store's lock, and waits while another process holds it. There is one holder at a time among all processes
 * that see the same folder. A new holder removes the lock files and temporary files that dead processes left.
 *
 * @throws {TOTPError} `ERR_STORE_LOCKED` after `deadlineMs`, with the holder's pid and host;
 *   `ERR_STORE_UNWRITABLE` when no file can be created in the folder.
 */
export async function acquireLock(storePath: string, options: LockOptions = {}): Promise<Lock> {
  const { deadlineMs = 30_000, monotonicMs = uptimeMs, fs = fileSystem } = options
  const { processes = systemProcessTable(), silenceMs = 10_000 } = options
  const self = { ...processes.self(), host: hostname(), nonce: randomBytes(16).toString('hex') }
  const judge = new HolderJudge(self, processes, silenceMs, monotonicMs)
  const contender = { storePath, self, judge, fs }
  const deadline = monotonicMs() + deadlineMs
  for (;;) {
    const result = translateErrors('ERR_STORE_UNWRITABLE', `cannot lock ${storePath}`, () =>
      tryToAcquire(contender),
    )
    if ('lock' in result) return result.lock
    if (monotonicMs() >= deadline) throw stillLocked(storePath, result.holder)
    await sleep(randomInt(5, 31))
  }
}

/** A process that wants the lock, and what it works with. */
interface Contender {
  readonly storePath: string
  readonly self: Holder
  readonly judge: HolderJudge
  readonly fs: FileSystem
}

/** The lock, or who holds it as far as that is known. */
type Result = { readonly lock: Lock } | { readonly holder: Holder | undefined }

function tryToAcquire(contender: Contender): Result {
  const { storePath, self, judge, fs } = contender
  const before = listSidecars(storePath, fs).locks
  const living = judge.firstLiving(before)
  if (living) return { holder: living.holder }

  const number = lowestFree(new Set(before.map((file) => file.number)))
  const mine = createLockFile(storePath, number, self, fs)
  if (mine === undefined) return { holder: undefined }
  const lock = new HeldLock(storePath, number, mine, self.nonce, fs)
  try {
    return settle(lock, contender)
  } catch (error) {
    lock.release()
    throw error
  }
}

function lowestFree(taken: ReadonlySet<number>): number {
  let number = 1
  while (taken.has(number)) number++
  return number
}

/** Looks again once our file is in place: if another holder is alive, this one gives up; otherwise leftovers are removed. */
function settle(lock: HeldLock, { storePath, self, judge, fs }: Contender): Result {
  const { locks, temporaries } = listSidecars(storePath, fs)
  const others = locks.filter((file) => file.holder?.nonce !== self.nonce)
  const living = judge.firstLiving(others)
  // Ours is gone when a process that was taken for dead freed its number, and another one removed our file.
  if (living || others.length === locks.length) {
    lock.release()
    return { holder: living?.holder }
  }
  for (const path of [...others.map((file) => file.path), ...temporaries]) removeQuietly(path, fs)
  lock.keepAlive()
  return { lock }
}

function stillLocked(storePath: string, holder: Holder | undefined): TOTPError {
  const who = holder ? `process ${holder.pid} on ${holder.host}` : 'another process'
  return new TOTPError('ERR_STORE_LOCKED', `${who} is changing ${storePath}; try again when it is done`)
}

/** By `hrtime`: loading `performance` takes longer than the lock does. */
function uptimeMs(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1000 + nanoseconds / 1e6
}
