import type { Request, RequestHandler } from 'express'
import { outcomeOf } from '../server/express.js'
import type { AuthOutcome } from '../server/scheme/totp-server-auth-scheme.js'

export type Log = (line: string) => void

const longestPath = 100

/** One line a call, once it is over: who, or why not; method, path, status, milliseconds. Nothing secret. */
export function callLog(log: Log): RequestHandler {
  return (req, res, next) => {
    const begin = process.hrtime.bigint()
    res.once('close', () => {
      const status = res.writableFinished ? String(res.statusCode) : `${res.statusCode} (cut off)`
      log(`${whoOf(outcomeOf(req))} ${req.method} ${pathOf(req)} ${status} ${sinceMs(begin)} ms`)
    })
    next()
  }
}

/** Whole milliseconds since then. */
export function sinceMs(begin: bigint): bigint {
  return (process.hrtime.bigint() - begin) / 1_000_000n
}

/** Who called, or why it was refused. */
export function whoOf({ caller, refusal }: Partial<AuthOutcome> = {}): string {
  if (caller) return caller.peer
  if (!refusal) return 'anyone'
  const who = `refused ${refusal.peer ? `${refusal.peer} ` : ''}(${refusal.reason})`
  return refusal.compromiseSuspected ? `${who}, its token may be stolen: rotate it;` : who
}

/** Without the query, where a caller may have put anything; short, and printable ASCII only. */
function pathOf({ originalUrl }: Request): string {
  const path = (originalUrl.split('?', 1)[0] ?? '').replace(/[^!-~]/g, '?')
  return path.length > longestPath ? `${path.slice(0, longestPath)}...` : path
}
