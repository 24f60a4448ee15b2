import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeFolder, parseJson, runBinary, runCli } from '../support/cli.js'
import { git, hasGit } from '../support/git.js'
import {
  bytesOf,
  cli,
  gitFindings,
  idsOf,
  nextCommit,
  recipient,
  trackedStore,
  key,
  type Finding,
} from '../support/git-store.js'

describe.skipIf(!hasGit)('doctor on a store that git tracks (skipped without git)', () => {
  it('finds one in plain text, though .gitignore lists it and no commit has it in plain text', async () => {
    const cwd = await trackedStore()
    await cli('decrypt --yes', cwd)
    expect(readFileSync(join(cwd, '.gitignore'), 'utf8')).toContain('/a2a-totp.json\n')
    const run = await cli('doctor --fix', cwd)
    expect(run.exitCode).toBe(1)
    const findings = await gitFindings(cwd)
    expect(findings.map(({ id, severity, fix }) => ({ id, severity, fix }))).toEqual([
      { id: 'git-tracked', severity: 'serious', fix: 'git rm --cached a2a-totp.json' },
    ])
    execFileSync('sh', ['-c', findings[0]?.fix ?? 'false'], { cwd })
    expect(await gitFindings(cwd)).toEqual([])
  })

  it('says from where to run what it advises', async () => {
    const cwd = await trackedStore('tree/deep')
    await cli('decrypt --yes', cwd)
    const elsewhere = makeFolder()
    const [finding] = await gitFindings(elsewhere, `doctor ${join(cwd, 'a2a-totp.json')}`)
    execFileSync('sh', ['-c', finding?.fix ?? 'false'], { cwd: elsewhere })
    expect(await gitFindings(cwd)).toEqual([])
  })

  it('advises to take out of the index only what is in it', async () => {
    const cwd = makeFolder()
    git(cwd, 'init', '-q')
    await cli('init', cwd)
    git(cwd, 'add', '-f', 'a2a-totp.json')
    git(cwd, 'commit', '-q', '-m', 'oops')
    const both = await gitFindings(cwd)
    expect(idsOf(both)).toEqual(['git-tracked', 'git-committed'])
    expect(both[1]?.fix).toBe('a2a-totp rotate --all --now && git rm --cached a2a-totp.json')
    git(cwd, 'rm', '-q', '--cached', 'a2a-totp.json')
    const [committed] = await gitFindings(cwd)
    expect(committed).toMatchObject({ id: 'git-committed', fix: 'a2a-totp rotate --all --now' })
    await cli(`encrypt --encrypt-to ${recipient}`, cwd)
    git(cwd, 'add', '-f', 'a2a-totp.json')
    expect(idsOf(await gitFindings(cwd))).toEqual(['git-committed'])
  })

  it('is serious about a commit with a token of which the store has the hash alone', async () => {
    const cwd = makeFolder()
    git(cwd, 'init', '-q')
    await cli('init', cwd)
    await cli('add-peer alice', cwd)
    await cli('config server --out server.json', cwd)
    git(cwd, 'add', '-f', 'a2a-totp.json')
    git(cwd, 'commit', '-q', '-m', 'oops')
    git(cwd, 'rm', '-q', '--cached', 'a2a-totp.json')
    await cli('init --force --yes', cwd)
    await cli('import server.json', cwd)
    await cli('rotate alice --seed --now', cwd)
    const committed = { id: 'git-committed', severity: 'serious', fix: 'a2a-totp rotate --all --now' }
    expect(await gitFindings(cwd)).toMatchObject([committed])
    await cli('rotate alice --token --now', cwd)
    expect(await gitFindings(cwd)).toMatchObject([{ id: 'git-committed', severity: 'note' }])
  })

  it('does not say of a token that is too short to be searched for that it is not in a commit', async () => {
    const cwd = makeFolder()
    git(cwd, 'init', '-q')
    await cli('init', cwd)
    writeFileSync(join(cwd, 'token'), 'q7Hx2')
    await cli('add-peer alice --token-file token --allow-weak-token', cwd)
    git(cwd, 'add', '-f', 'a2a-totp.json')
    git(cwd, 'commit', '-q', '-m', 'oops')
    git(cwd, 'rm', '-q', '--cached', 'a2a-totp.json')
    await cli('rotate alice --seed --now', cwd)
    expect(await gitFindings(cwd)).toMatchObject([{ id: 'git-committed', severity: 'serious' }])
    await cli('rotate alice --token --now', cwd)
    expect(await gitFindings(cwd)).toMatchObject([{ id: 'git-committed', severity: 'note' }])
  })

  it('reports as fixed only what is gone', async () => {
    const cwd = makeFolder()
    git(cwd, 'init', '-q')
    await cli('init --no-gitignore', cwd)
    writeFileSync(join(cwd, '.gitignore'), '/a2a-totp.json\n!*.json\n')
    const [finding] = await gitFindings(cwd, 'doctor --fix')
    expect(finding).toMatchObject({ id: 'git-not-ignored', fixed: true })
    expect(nextCommit(cwd)).toBe('')
  })

  it('reports all the same where it cannot fix it', async () => {
    const cwd = makeFolder()
    git(cwd, 'init', '-q')
    symlinkSync('elsewhere', join(cwd, '.gitignore'))
    await cli('init --no-gitignore', cwd)
    const run = await cli('doctor --fix --json', cwd)
    expect(run.exitCode).toBe(1)
    expect(run.stderr).toMatch(/^warning: cannot add the store to .*\.gitignore/)
    const [finding] = (parseJson(run)['findings'] as Finding[]).filter(({ id }) => id === 'git-not-ignored')
    expect(finding).not.toHaveProperty('fixed')
  })

  it('finds a version in plain text on a branch that was merged and removed', async () => {
    const cwd = await trackedStore()
    const encrypted = bytesOf(cwd)
    git(cwd, 'checkout', '-q', '-b', 'side')
    writeFileSync(join(cwd, 'a2a-totp.json'), '{ "plain": true }')
    git(cwd, 'commit', '-q', '-a', '-m', 'in')
    writeFileSync(join(cwd, 'a2a-totp.json'), encrypted, 'latin1')
    git(cwd, 'commit', '-q', '-a', '-m', 'out')
    git(cwd, 'checkout', '-q', '-')
    git(cwd, 'merge', '-q', '--no-ff', '-m', 'merge', 'side')
    git(cwd, 'branch', '-q', '-D', 'side')
    expect(idsOf(await gitFindings(cwd))).toEqual(['git-committed'])
  })

  it('says that a shallow clone does not show everything', async () => {
    const cwd = await trackedStore()
    git(cwd, 'commit', '-q', '--allow-empty', '-m', 'two')
    const clone = join(makeFolder(), 'clone')
    git(dirname(clone), 'clone', '-q', '--depth=1', `file://${cwd}`, clone)
    chmodSync(join(clone, 'a2a-totp.json'), 0o600)
    const findings = await gitFindings(clone)
    expect(idsOf(findings)).toEqual(['git-unknown'])
    expect(findings[0]).toMatchObject({ fix: expect.stringContaining('git fetch --unshallow') as string })
  })

  it.each(['doctor', 'decrypt --yes', 'init --force --yes'])(
    'is over at once when %s is interrupted while git is at work, and changes nothing',
    async (command) => {
      const cwd = await trackedStore()
      const before = bytesOf(cwd)
      const bin = makeFolder()
      const started = join(bin, 'started')
      writeFileSync(join(bin, 'git'), `#!/bin/sh\n: > '${started}'\nexec /bin/sleep 100\n`, { mode: 0o755 })
      const interruption = new AbortController()
      const options = { cwd, env: { ...key, PATH: bin }, signal: interruption.signal }
      const running = runCli(command.split(' '), options)
      await expect.poll(() => existsSync(started)).toBe(true)
      interruption.abort('SIGTERM')
      expect(await running).toEqual({ exitCode: 143, stdout: '', stderr: '' })
      expect(bytesOf(cwd)).toBe(before)
      expect(existsSync(join(cwd, '.gitignore'))).toBe(false)
    },
  )

  it('prints no control character of a folder', async () => {
    const cwd = await trackedStore('tree/\u001b[31m\u009b::error::')
    const run = await runBinary(['decrypt', '--yes'], { cwd, env: key })
    expect(run.exitCode).toBe(0)
    const outside = makeFolder()
    for (const flag of [[], ['--json']]) {
      const told = await runBinary(['doctor', ...flag, join(cwd, 'a2a-totp.json')], {
        cwd: outside,
        env: key,
      })
      expect(told.stdout).toContain('error')
      // eslint-disable-next-line no-control-regex
      expect(told.stdout + told.stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]|::error/)
    }
  })
})
