import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeFolder } from './cli.js'

/** A request of `wire.json`. */
export interface Vector {
  readonly at: string
  readonly headers: readonly (readonly string[])[]
  readonly source?: string
  readonly times?: number
  /** Of signed runs; else `POST`, `/` and none. */
  readonly method?: string
  readonly target?: string
  readonly body?: string
  readonly verdict?: object
}

/** Requests that are sent one after the other. */
export interface Run {
  readonly file: string
  readonly since: string
  readonly requests: readonly Vector[]
}

/** What signed runs say of a request, and what let its caller in. */
export interface Verdict {
  readonly peer?: string
  readonly proof?: string
  readonly status?: number
  readonly reason?: string
  readonly retryAfter?: number
}

/** Writes a server file. Returns its path. */
export function serverFileOf(document: unknown): string {
  const path = join(makeFolder(), 'server.json')
  writeFileSync(path, JSON.stringify(document), { mode: 0o600 })
  return path
}
