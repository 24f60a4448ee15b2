import { existsSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeFolder, runCli } from '../support/cli.js'
import { git, hasGit, pathOfStubbornGit } from '../support/git.js'
import { cli, encryptedStore, isPlain, nextCommit, recipient, trackedStore } from '../support/git-store.js'

describe.skipIf(!hasGit)('init in plain text where git would publish it (skipped without git)', () => {
  it.each([
    ['over a tracked store', 'init --force', false],
    ['where git tracks a file that is gone', 'init', true],
    ['the same with --if-missing', 'init --if-missing', true],
  ])('%s needs --yes, and changes nothing without', async (_, command, gone) => {
    const cwd = await encryptedStore()
    await cli('remove-peer alice --yes', cwd)
    git(cwd, 'add', 'a2a-totp.json')
    if (gone) renameSync(join(cwd, 'a2a-totp.json'), join(cwd, 'gone'))
    const refused = await cli(command, cwd)
    expect(refused).toMatchObject({ exitCode: 2, stdout: '' })
    expect(refused.stderr).toContain('git rm --cached a2a-totp.json')
    expect(existsSync(join(cwd, 'a2a-totp.json'))).toBe(!gone)
    expect(existsSync(join(cwd, '.gitignore'))).toBe(false)
    const sure = await cli(`${command} --yes`, cwd)
    expect(sure.exitCode).toBe(0)
    expect(sure.stderr).toMatch(/^warning: git tracks a2a-totp\.json/m)
    expect(sure.stderr).not.toContain('added the store to .gitignore')
    expect(isPlain(cwd)).toBe(true)
  })

  it('is nothing to ask about where the new one is encrypted, or the old one is left alone', async () => {
    const cwd = await trackedStore()
    expect((await cli('init --if-missing', cwd)).exitCode).toBe(0)
    expect((await cli('init', cwd)).exitCode).toBe(1)
    await cli('remove-peer alice --yes', cwd)
    expect((await cli(`init --force --encrypt-to ${recipient}`, cwd)).exitCode).toBe(0)
    expect(existsSync(join(cwd, '.gitignore'))).toBe(false)
  })

  it('has its rule behind those that include the store again', async () => {
    const cwd = makeFolder()
    git(cwd, 'init', '-q')
    writeFileSync(join(cwd, '.gitignore'), '/a2a-totp.json\n!*.json\n')
    expect((await cli('init', cwd)).stderr).toContain('added the store to .gitignore')
    expect(nextCommit(cwd)).toBe('')
  })

  it('says when git takes the store all the same', async () => {
    const cwd = makeFolder()
    git(cwd, 'init', '-q')
    const args = ['--store', 'a\nb.json', 'init']
    const env = { PATH: pathOfStubbornGit() }
    const refused = await runCli(args, { cwd, env })
    expect(refused).toMatchObject({ exitCode: 2, stdout: '' })
    expect(refused.stderr).toContain('git does not ignore a b.json')
    const agreed = await runCli([...args, '--yes'], { cwd, env })
    expect(agreed.stderr).not.toContain('added the store to .gitignore')
  })

  it('ignores a store whose name has a line break', async () => {
    const cwd = makeFolder()
    git(cwd, 'init', '-q')
    const { exitCode, stderr } = await runCli(['--store', 'a\nb.json', 'init'], { cwd })
    expect(exitCode).toBe(0)
    expect(stderr).toContain('added the store to .gitignore')
    git(cwd, 'add', '-A')
    expect(git(cwd, 'ls-files')).toBe('.gitignore\n')
  })
})
