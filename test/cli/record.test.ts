import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeFolder, makeStore, parseJson, runCli } from '../support/cli.js'

const logIn = (cwd: string): string => join(cwd, 'a2a-totp.json.log')
const linesIn = (cwd: string): Record<string, unknown>[] =>
  readFileSync(logIn(cwd), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

describe('the record of changes', () => {
  it('says who changed which peers with which command, and when', async () => {
    const cwd = makeFolder()
    const now = new Date('2026-11-24T00:00:00Z')
    for (const args of [
      ['init'],
      ['add-peer', 'alice', 'bob'],
      ['rotate', 'alice'],
      ['list'],
      ['rotate', 'bob', '--finish'],
      ['remove-peer', 'bob', '--yes'],
    ])
      await runCli(args, { cwd, now })
    expect(linesIn(cwd).map(({ command, peers }) => [command, peers])).toEqual([
      ['init', []],
      ['add-peer', ['alice', 'bob']],
      ['rotate', ['alice']],
      ['remove-peer', ['bob']],
    ])
    expect(linesIn(cwd)[0]).toMatchObject({ at: '2026-11-24T00:00:00.000Z', by: userInfo().username })
    expect(statSync(logIn(cwd)).mode & 0o777).toBe(0o600)
  })

  it('holds no secret, and has nothing to say of what failed', async () => {
    const cwd = await makeStore(['alice'])
    await runCli(['rotate', 'alice'], { cwd })
    const lines = linesIn(cwd).length
    expect((await runCli(['rotate', 'alice'], { cwd })).exitCode).toBe(1)
    expect((await runCli(['add-peer', 'alice'], { cwd })).exitCode).toBe(1)
    expect(linesIn(cwd)).toHaveLength(lines)
    const { seed, token } = parseJson(
      await runCli(['config', 'client', 'alice', '--format', 'json'], { cwd }),
    )
    expect(readFileSync(logIn(cwd), 'utf8')).not.toContain(seed)
    expect(readFileSync(logIn(cwd), 'utf8')).not.toContain(token)
  })

  it('follows no link, and a change that cannot be recorded is made all the same', async () => {
    const cwd = makeFolder()
    const precious = join(cwd, 'precious')
    writeFileSync(precious, 'as it was')
    symlinkSync(precious, logIn(cwd))
    const run = await runCli(['init'], { cwd })
    expect(run.exitCode).toBe(0)
    expect(run.stderr).toContain('warning: the change was made but not recorded')
    expect(readFileSync(precious, 'utf8')).toBe('as it was')
    const other = makeFolder()
    mkdirSync(logIn(other))
    expect((await runCli(['init'], { cwd: other })).exitCode).toBe(0)
  })
})
