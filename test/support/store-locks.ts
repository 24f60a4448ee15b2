import { readdirSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Holder } from '../../src/store/lock/lock-file.js'
import { acquireLock, type Lock, type LockOptions } from '../../src/store/lock/lock.js'
import { systemProcessTable } from '../../src/store/lock/process-identity.js'

/** This process, as its locks name it. */
export const here = systemProcessTable().self()

/** A pid beyond what any Linux gives out (PID_MAX_LIMIT is 2^22). */
export const noPid = 4_194_305

/** Puts a lock file beside a store; what is not said of its holder is as in a lock of this process. */
export function putLock(
  path: string,
  number: number,
  holder: Partial<Record<keyof Holder, unknown>> | string,
): string {
  const file = join(path, '..', `.a2a-totp.json.lock-${number}`)
  const whole = { ...here, host: hostname(), nonce: `nonce-${number}` }
  writeFileSync(file, typeof holder === 'string' ? holder : JSON.stringify({ ...whole, ...holder }))
  return file
}

/** Takes a lock, which is released when the test is over. */
export async function acquire(path: string, options: LockOptions = {}): Promise<Lock> {
  const lock = await acquireLock(path, options)
  onTestFinished(() => lock.release())
  return lock
}

export const locksIn = (folder: string): string[] =>
  readdirSync(folder).filter((name) => name.includes('.lock-'))
