import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { exitCodeOf } from '../../src/cli/errors.js'
import { proofReasons } from '../../src/core/proof/profile.js'
import { makeStore, runCli, startBinary } from '../support/cli.js'
import { followSteps, stepsOf } from '../support/console-session.js'
import { freePort } from '../support/free-ports.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const page = readFileSync(join(root, 'docs/troubleshooting.md'), 'utf8')
const inlineCode = Array.from(page.matchAll(/`([^`\n]+)`/g), ([, text = '']) => text)

async function startDemo(cwd: string): Promise<number> {
  const port = await freePort()
  const { stdout } = startBinary(['demo', '--port', String(port)], { cwd })
  if (!stdout) throw new Error('the demo has no standard output')
  await once(createInterface({ input: stdout }), 'line')
  return port
}

describe('docs/troubleshooting.md', () => {
  it('shows commands that print what it says they print, at a real agent', async () => {
    const cwd = await makeStore(['alice', 'bob'], ['--agent', 'billing'])
    // What the peer has.
    await runCli(['config', 'client', 'alice', '--out', 'alice.env'], { cwd })
    // The suite needs nothing but Node and npm; where curl is missing, its two lines are left out.
    const hasCurl = spawnSync('curl', ['--version']).status === 0
    const steps = stepsOf(page).filter(({ command }) => hasCurl || !command.includes('curl'))
    expect(steps.length).toBeGreaterThan(10)
    await followSteps(steps, cwd, await startDemo(cwd))
  }, 60_000)

  it('shows what doctor says of a clock that is off', async () => {
    const cwd = await makeStore(['alice'])
    const port = await startDemo(cwd)
    const behind = new Date(Date.now() - 95_000)
    const { stdout } = await runCli(['doctor', '--clock', `http://127.0.0.1:${port}`], { cwd, now: behind })
    const [shown = ''] = /^serious .*$/m.exec(page) ?? []
    // The agent's clock goes on meanwhile.
    const seen = stdout.replace(`127.0.0.1:${port}`, 'billing.example').replace(/ 9\d s /, ' 95 s ')
    expect(seen).toContain(shown)
  })

  it('shows the answers of the guard', () => {
    const { answers } = JSON.parse(readFileSync(join(root, 'test/vectors/wire.json'), 'utf8')) as {
      answers: { http: { body: string; headers: string[][] } }[]
    }
    const shown = Array.from(page.matchAll(/```http\n(.*?)```/gs), ([, block = '']) => block)
    expect(shown).toHaveLength(3)
    for (const block of shown) {
      const [head = '', body = ''] = block.trimEnd().split('\n\n')
      const same = answers.filter(({ http }) => http.body === body)
      const challenges = Array.from(head.matchAll(/^WWW-Authenticate: (.*)$/gm), ([, value]) => value)
      expect(
        same.map(({ http }) =>
          http.headers.flatMap(([name, value]) => (name === 'www-authenticate' ? value : [])),
        ),
      ).toContainEqual(challenges)
    }
  })

  it('has every reason of a refusal, and no other', () => {
    const source = readFileSync(join(root, 'src/server/scheme/refusal.ts'), 'utf8')
    const [, union = ''] = /export type RefusalReason =(.*?)\n\n/s.exec(source) ?? []
    const others = Array.from(union.matchAll(/'([a-z-]+)'/g), ([, reason]) => reason)
    expect(others.length).toBeGreaterThan(10)
    const reasons = [...others, ...proofReasons]
    const rows = Array.from(page.matchAll(/^\| ((?:`[a-z]+-[a-z]+`(?:, )?)+) +\|/gm), ([, cell = '']) => cell)
    const named = rows.flatMap((cell) => cell.replaceAll('`', '').split(', '))
    expect(named.sort()).toEqual(reasons.sort())
  })

  it('has every warning of a client about proofs', () => {
    const source = readFileSync(join(root, 'src/client/scheme/client-warnings.ts'), 'utf8')
    const codes = Array.from(source.matchAll(/'(A2A_TOTP_PROOF_\w+)'/g), ([, code = '']) => code)
    expect(codes.length).toBeGreaterThan(1)
    expect(codes.filter((code) => !inlineCode.includes(code))).toEqual([])
  })

  it('names error codes and checks that exist', () => {
    const checks = readdirSync(join(root, 'docs/probe')).map((name) => name.replace('.md', ''))
    const unknown = inlineCode.filter(
      (text) =>
        (/^ERR_[A-Z_]+$/.test(text) && !Object.hasOwn(exitCodeOf, text)) ||
        (/^(auth|card|signed)\.[a-z-]+$/.test(text) && !checks.includes(text)),
    )
    expect(unknown).toEqual([])
  })

  it('names commands and options that exist', async () => {
    const cwd = await makeStore()
    const cited = [...inlineCode, ...stepsOf(page).map(({ command }) => command)].flatMap((text) =>
      Array.from(text.matchAll(/a2a-totp (?:--quiet )?([a-z-]+)( (?:server|client|card|list))?([^|;)]*)/g)),
    )
    expect(cited.length).toBeGreaterThan(10)
    for (const [line, command = '', part = '', rest = ''] of cited) {
      const { stdout: help, exitCode } = await runCli(
        [command, ...part.trim().split(' ').filter(Boolean), '--help'],
        { cwd },
      )
      expect(exitCode, line).toBe(0)
      for (const [option] of rest.matchAll(/--[a-z-]+/g)) expect(help, line).toContain(option)
    }
  })
})
