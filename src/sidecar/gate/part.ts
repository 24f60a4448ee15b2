import type { ListenerInfo } from '../sidecar.js'

/** One of a gate's listeners, or several that belong together. */
export interface Part {
  readonly listeners: readonly ListenerInfo[]
  /** Accepts nothing new, and returns once every answer has left, or after that many milliseconds. */
  drain(ms: number): Promise<void>
  close(): Promise<void>
  /** Each reads one of its files anew. @throws {TOTPError} if it cannot be used; the last good one stays */
  readonly reloads: readonly (() => void)[]
}
