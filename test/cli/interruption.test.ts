import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { makeStore, runCli } from '../support/cli.js'

/** Two seconds into a time step, so that a code with 29 s left is far away. */
const now = new Date(1_800_000_002_000)

/** Command lines that wait: for somebody to type, or for the clock. */
const waiting = [
  ['verify', '-', 'alice'],
  ['add-peer', 'bob', '--seed-file', '-'],
  ['add-peer', 'bob', '--token-file', '-'],
  ['import', '-'],
  ['config', 'card', '--merge', '-'],
  ['code', 'alice', '--min-remaining', '29'],
  ['code', 'alice', '--watch'],
]

describe('an interruption', () => {
  it.each(
    waiting.flatMap((args) => [
      { args, signal: 'SIGINT', exitCode: 130 },
      { args, signal: 'SIGTERM', exitCode: 143 },
    ]),
  )('by $signal ends $args at once with $exitCode, and changes nothing', async (given) => {
    const cwd = await makeStore(['alice'])
    const before = readFileSync(join(cwd, 'a2a-totp.json'))
    const interruption = new AbortController()
    const endless = new Readable({ read: () => undefined })
    setTimeout(() => interruption.abort(given.signal), 50)
    const run = await runCli(given.args, { cwd, now, stdin: endless, signal: interruption.signal })
    expect(run.exitCode).toBe(given.exitCode)
    expect(run.stderr).not.toContain('error')
    if (!given.args.includes('--watch')) expect(run.stdout).toBe('')
    expect(readFileSync(join(cwd, 'a2a-totp.json'))).toEqual(before)
  })
})
