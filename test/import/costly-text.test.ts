import { execFileSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { hasAssignment, peerInComments, variablesIn } from '../../src/import/own/env-lines.js'
import { readOwnFragments } from '../../src/import/own/index.js'
import { makeStore, runCli, startBinary } from '../support/cli.js'

const reading = { at: new Date(0), signal: new AbortController().signal }
const many = 200_000

/** Far more than any of these takes, and far less than the minutes that trying again from each character takes. */
const soon = { timeout: 15_000 }

/** Waits a moment, interrupts a command, and returns its exit code; -1 where it had not yet begun to listen. */
async function interrupted(child: ChildProcess, afterMs: number): Promise<number> {
  const ended = once(child, 'close') as Promise<[number | null]>
  await new Promise((done) => setTimeout(done, afterMs))
  child.kill('SIGTERM')
  return (await ended)[0] ?? -1
}

describe('a text that is made to be costly', () => {
  const texts: Record<string, string> = {
    'lines without content': `${'\n'.repeat(many)}x`,
    'a word of a command, again and again': `zz\n${'curl '.repeat(many)}`,
    'the start of a comment, again and again': `A2A_TOTP_SEED=x\n# ${'What "x '.repeat(many)}`,
    'spaces in a value': `A2A_TOTP_SEED=x${' '.repeat(many)}x`,
    'spaces before a value': `A2A_TOTP_SEED=${' '.repeat(many)}\u2028x`,
    'quotes in a value': `A2A_TOTP_SEED=x${"'".repeat(many)}x`,
  }

  it.each(Object.keys(texts))('is read at once: %s', soon, async (what) => {
    const text = texts[what] ?? ''
    await readOwnFragments(text, reading).catch(() => undefined)
    hasAssignment(text)
    variablesIn(text)
    peerInComments(text)
  })

  const documents: Record<string, unknown> = {
    'a list of variables': {
      environment: Array.from({ length: 300_000 }, () => ({ name: 'x', value: 'y' })),
    },
    'a client file': {
      peer: 'x',
      agents: Object.fromEntries(
        Array.from({ length: 150_000 }, (_, index) => [`a${index}`, { token: 'x', seed: 'y' }]),
      ),
    },
  }

  it.each(Object.keys(documents))('is no bug however long it is: %s', { timeout: 60_000 }, async (what) => {
    const cwd = await makeStore()
    writeFileSync(join(cwd, 'long.json'), JSON.stringify(documents[what]))
    expect(await runCli(['import', 'long.json'], { cwd })).toMatchObject({ exitCode: 3, stdout: '' })
  })

  it('ends with a signal while YAML is parsed', { timeout: 30_000 }, async () => {
    const cwd = await makeStore()
    const keys = Array.from({ length: 300_000 }, (_, index) => `a${index}: b\n`)
    writeFileSync(join(cwd, 'many.yaml'), `kind: Secret\ntoken: x\n${keys.join('')}`)
    const code = await interrupted(startBinary(['import', 'many.yaml'], { cwd }), 2000)
    expect([143, -1]).toContain(code)
  })
})

describe('a pipe in place of a file', () => {
  it.skipIf(process.platform === 'win32')('ends with a signal while nobody writes to it', async () => {
    const cwd = await makeStore()
    execFileSync('mkfifo', [join(cwd, 'pipe')])
    const code = await interrupted(startBinary(['import', 'pipe'], { cwd }), 1500)
    expect([143, -1]).toContain(code)
  })

  it.skipIf(process.platform === 'win32')('is read to its end', async () => {
    const cwd = await makeStore()
    execFileSync('mkfifo', [join(cwd, 'pipe')])
    const uri = 'otpauth://totp/billing:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=billing'
    const ended = once(startBinary(['import', 'pipe'], { cwd }), 'close')
    execFileSync('sh', ['-c', 'printf "%s" "$1" > pipe', 'sh', uri], { cwd })
    expect((await ended)[0]).toBe(0)
    expect((await runCli(['list', '--json'], { cwd })).stdout).toContain('alice')
  })
})
