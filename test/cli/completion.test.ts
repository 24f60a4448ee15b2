import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { binary, makeFolder, makeStore, runCli } from '../support/cli.js'

const has = (program: string): boolean => spawnSync(program, ['-c', 'true']).status === 0

async function scriptFor(shell: string): Promise<string> {
  const run = await runCli(['completion', shell], { cwd: makeFolder() })
  expect(run).toMatchObject({ exitCode: 0, stderr: '' })
  return run.stdout
}

/** What bash offers for a command line, whose last word is being typed. */
async function offered(cwd: string, line: string): Promise<string[]> {
  const bin = join(cwd, 'bin')
  mkdirSync(bin, { recursive: true })
  writeFileSync(join(bin, 'a2a-totp'), `#!/bin/sh\nexec '${process.execPath}' '${binary}' "$@"\n`)
  chmodSync(join(bin, 'a2a-totp'), 0o755)
  const words = line.split(' ')
  const script = `${await scriptFor('bash')}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')})
COMP_CWORD=${words.length - 1}
_a2a_totp
printf '%s\\n' "\${COMPREPLY[@]}"`
  const env = { PATH: `${bin}:${process.env['PATH'] ?? ''}`, HOME: cwd }
  return execFileSync('bash', ['--norc', '-c', script], { cwd, env }).toString().split('\n').filter(Boolean)
}

describe('completion', () => {
  it.skipIf(!has('bash'))('offers commands, options and peers in bash (skipped without bash)', async () => {
    const cwd = await makeStore(['alice', 'alan', 'bob'])
    expect(await offered(cwd, 'a2a-totp ro')).toEqual(['rotate'])
    expect(await offered(cwd, 'a2a-totp --quiet config cl')).toEqual(['client'])
    expect(await offered(cwd, 'a2a-totp rotate --over')).toEqual(['--overlap'])
    expect(await offered(cwd, 'a2a-totp code al')).toEqual(['alice', 'alan'])
    expect(await offered(cwd, 'a2a-totp add-peer al')).toEqual([])
    expect(await offered(cwd, 'a2a-totp complete')).toEqual([])
    const elsewhere = makeFolder()
    const store = join(cwd, 'a2a-totp.json')
    expect(await offered(elsewhere, `a2a-totp --store ${store} show b`)).toEqual(['bob'])
    expect(await offered(elsewhere, 'a2a-totp show b')).toEqual([])
  })

  it.skipIf(!has('zsh'))('is a script that zsh can read (skipped without zsh)', async () => {
    expect(spawnSync('zsh', ['-n'], { input: await scriptFor('zsh') }).status).toBe(0)
  })

  it.skipIf(!has('fish'))('is a script that fish can read (skipped without fish)', async () => {
    expect(spawnSync('fish', ['--no-execute'], { input: await scriptFor('fish') }).status).toBe(0)
  })

  it('knows every command in every shell', async () => {
    const { stdout } = await runCli(['--help'], { cwd: makeFolder() })
    const commands = Array.from(stdout.matchAll(/^ {2}([a-z][a-z-]+)/gm), ([, name = '']) => name)
    expect(commands).toContain('rotate')
    expect(commands).not.toContain('complete-peers')
    for (const shell of ['bash', 'zsh', 'fish']) {
      const script = await scriptFor(shell)
      for (const command of commands) expect(script, shell).toMatch(new RegExp(`\\b${command}\\b`))
    }
  })

  it('knows three shells', async () => {
    expect(await runCli(['completion', 'powershell'], { cwd: makeFolder() })).toMatchObject({
      exitCode: 2,
      stdout: '',
    })
  })
})

describe('help', () => {
  it('is that of the command, or a longer text on a topic', async () => {
    const cwd = makeFolder()
    const help = async (...words: string[]): Promise<string> => {
      const run = await runCli(['help', ...words], { cwd })
      expect(run.exitCode, words.join(' ')).toBe(0)
      return run.stdout
    }
    expect(await help('rotate')).toContain('Usage: a2a-totp rotate')
    expect(await help('recipients', 'add')).toContain('Usage: a2a-totp recipients add')
    expect(await help()).toContain('Usage: a2a-totp')
    const topics =
      /one of ([a-z, -]+)/
        .exec((await help('help')).replace(/\s+/g, ' '))?.[1]
        ?.trim()
        .split(', ') ?? []
    expect(topics.length).toBeGreaterThan(4)
    for (const topic of topics) expect((await help(topic)).length).toBeGreaterThan(300)
  })

  it('says so when there is none', async () => {
    expect(await runCli(['help', 'nothing'], { cwd: makeFolder() })).toMatchObject({
      exitCode: 2,
      stdout: '',
    })
  })
})
