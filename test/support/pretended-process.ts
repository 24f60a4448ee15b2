import { onTestFinished, vi } from 'vitest'

/** Until the test is over, the process has this effective user id, and may do what it might before. */
export function asUser(uid: number): void {
  const spy = vi.spyOn(process as Required<typeof process>, 'geteuid').mockReturnValue(uid)
  onTestFinished(() => spy.mockRestore())
}

/** Until the test is over, the process takes its system for Windows: no user ids, and modes that say nothing. */
export function asOnWindows(): void {
  pretend('platform', 'win32')
  pretend('geteuid', undefined)
}

function pretend(name: 'platform' | 'geteuid', value: unknown): void {
  const before = Object.getOwnPropertyDescriptor(process, name) ?? {}
  Object.defineProperty(process, name, { ...before, value })
  onTestFinished(() => void Object.defineProperty(process, name, before))
}
