import { getEventListeners, once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { describe, expect, it, onTestFinished } from 'vitest'
import { unlessInterrupted } from '../../src/cli/interruption.js'
import { makeStore, runCli, startBinary } from '../support/cli.js'

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

  it.each([
    // Left to itself, it would wait for longer than a test may last.
    ['probe --timeout 300', 'SIGINT', 130],
    ['doctor --clock', 'SIGTERM', 143],
  ] as const)('ends the whole process while %s waits for an answer', async (command, signal, exitCode) => {
    const cwd = await makeStore(['alice'])
    const silent = createServer()
    const asked = once(silent, 'connection')
    silent.listen(0, '127.0.0.1')
    await once(silent, 'listening')
    onTestFinished(() => void silent.close())
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`
    const child = startBinary([...command.split(' '), url], {
      cwd,
      env: { A2A_TOTP_SEED: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', A2A_TOTP_TOKEN: 'a2at_example' },
    })
    let stdout = ''
    child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
    const [socket] = (await asked) as [Socket]
    child.kill(signal)
    expect(await once(child, 'exit')).toEqual([exitCode, null])
    expect(stdout).toBe('')
    socket.destroy()
  })
})

describe('unlessInterrupted', () => {
  const { signal } = new AbortController()

  it('holds nothing on to the signal once the work is over', async () => {
    await unlessInterrupted(Promise.resolve('done'), signal)
    await expect(unlessInterrupted(Promise.reject(new Error('no')), signal)).rejects.toThrow('no')
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('throws at once where the interruption came before, whatever becomes of the work', async () => {
    const work = Promise.reject(new Error('too late'))
    await expect(unlessInterrupted(work, AbortSignal.abort())).rejects.toThrow('interrupted')
  })
})
