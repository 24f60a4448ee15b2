import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { exitCodeOf, exitCodes } from '../../src/cli/errors.js'
import { binary, makeStore, runCli } from '../support/cli.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const pageOf = (name: string): string => readFileSync(join(root, 'docs', name), 'utf8')

/** Types all that a page says to type, in order. */
async function follow(page: string, cwd: string): Promise<void> {
  const lines = Array.from(page.matchAll(/```console\n(.*?)```/gs), ([, block = '']) => block)
    .flatMap((block) => block.split('\n'))
    .flatMap((line) => /^\$ (.*)$/.exec(line)?.[1] ?? [])
  expect(lines.length).toBeGreaterThan(3)
  const bin = join(cwd, '.bin')
  mkdirSync(bin)
  symlinkSync(binary, join(bin, 'a2a-totp'))
  const env = { PATH: `${bin}:${process.env['PATH'] ?? ''}`, HOME: cwd }
  await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', lines.join('\n')], { cwd, env })
}

describe('docs/operating.md', () => {
  it('says what to type, and ends with new credentials alone', async () => {
    const cwd = await makeStore(['alice', 'bob'], ['--agent', 'billing'])
    const before = await idsIn(cwd)
    // What needs a live agent is followed, with its output, by test/docs/operating.test.ts.
    await follow(pageOf('operating.md').replace(/\n## When something happens\n.*?(?=\n## )/s, ''), cwd)
    const after = await idsIn(cwd)
    expect(after).toHaveLength(before.length)
    expect(after.filter((id) => before.includes(id))).toEqual([])
  })

  it('has every id that doctor gives, and no other', () => {
    const folder = join(root, 'src/doctor')
    const sources = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'))
    const given = Array.from(sources.join('\n').matchAll(/\bid: (?:'|`)([a-z${}-]+)/g), ([, id = '']) => id)
    const ids = given.flatMap((id) =>
      id.startsWith('${kind}') ? ['seed', 'token'].map((kind) => id.replace('${kind}', kind)) : [id],
    )
    const rows = Array.from(pageOf('operating.md').matchAll(/^\| (`[a-z-]+`(?:, `[a-z-]+`)*) +\|/gm))
    const named = rows.flatMap(([, cell = '']) => cell.replaceAll('`', '').split(', '))
    expect(named.sort()).toEqual([...new Set(ids)].sort())
  })
})

describe('docs/probing.md', () => {
  it('has every option of probe, and every key of its report', async () => {
    const cwd = await makeStore(['alice'])
    const { stdout: help } = await runCli(['probe', '--help'], { cwd })
    const options = Array.from(help.matchAll(/^ {2}(--[a-z-]+)/gm), ([, option]) => option)
    expect(options.length).toBeGreaterThan(15)
    // Port 1 of this machine: nobody listens there.
    const { stdout } = await runCli(['probe', 'http://127.0.0.1:1', 'alice', '--json'], { cwd })
    const report = JSON.parse(stdout) as { summary: object; checks: object[] }
    const keys = [report, report.summary, report.checks[0] ?? {}].flatMap((part) => Object.keys(part))
    expect(keys).toContain('guessesSpent')
    const page = pageOf('probing.md')
    const missing = [...options, ...keys].filter((word) => !new RegExp(`\`${word}(\\[\\])?[\` ]`).test(page))
    expect(missing).toEqual([])
  })
})

describe('docs/scripting.md', () => {
  const page = pageOf('scripting.md').replaceAll('\n  ', ' ')

  it('has every error code with its exit code', () => {
    const listed = Array.from(page.matchAll(/^- \*\*(\d+)\*\* .*$/gm)).flatMap(([line, exitCode]) =>
      Array.from(line.matchAll(/ERR_[A-Z_]+/g), ([name]) => [name, Number(exitCode)] as const),
    )
    expect(Object.fromEntries(listed)).toEqual({ ...exitCodeOf, ERR_INTERNAL: exitCodes.bug })
  })

  it.each([
    ['init', ['--store', 'other.json', 'init']],
    ['add-peer', ['add-peer', 'carol', '--reveal']],
    ['rotate', ['rotate', 'alice']],
    ['set', ['set', 'alice', '--note', 'hello']],
    ['rename', ['rename', 'alice', 'alicia']],
    ['undo', ['undo']],
    ['log', ['log']],
    ['list', ['list']],
    ['show', ['show', 'alice']],
    ['code', ['code', 'alice', '--headers']],
    ['verify', ['verify', '000000', 'alice']],
    ['config', ['config', 'client', 'alice']],
    ['export', ['export', '--reveal', '--format', 'uris']],
    ['import', ['import', 'peers.csv', '--partial']],
    ['mesh init', ['mesh', 'init', 'a2a-totp.json']],
    ['remove-peer', ['remove-peer', 'bob', '--yes']],
    ['doctor', ['doctor']],
    ['set', ['set', 'alice', '--note', 'x', '--expires', '90d']],
    ['rename', ['rename', 'alice', 'alicia']],
    ['undo', ['undo', '--dry-run']],
    ['log', ['log']],
  ])('has every key of %s', async (command, args) => {
    const cwd = await makeStore(['alice', 'bob'])
    writeFileSync(join(cwd, 'peers.csv'), 'name\nalice\ndora\n')
    const { stdout } = await runCli([...args, '--json'], { cwd })
    const keys = keysOf(JSON.parse(stdout))
    const row = page
      .split('\n')
      .find((line) => line.startsWith('- `') && line.split(': ')[0]?.includes(`\`${command}\``))
    expect(keys.filter((key) => !new RegExp(`\`${key}(\\[\\])?\``).test(row ?? ''))).toEqual([])
    expect(keys.length).toBeGreaterThan(1)
  })
})

/** All keys of a document; those of a profile and of headers have no row. */
function keysOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(keysOf)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, part]) => [
    key,
    ...(key === 'profile' || key === 'headers' ? [] : keysOf(part)),
  ])
}

/** The ids of all seeds and tokens. */
async function idsIn(cwd: string): Promise<string[]> {
  const { stdout } = await runCli(['list', '--json'], { cwd })
  const { peers } = JSON.parse(stdout) as { peers: Record<'seeds' | 'tokens', { id: string }[]>[] }
  return peers.flatMap(({ seeds, tokens }) => [...seeds, ...tokens].map(({ id }) => id))
}
