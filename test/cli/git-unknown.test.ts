import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeFolder } from '../support/cli.js'
import { git, hasGit } from '../support/git.js'
import { bytesOf, cli, encryptedStore, gitFindings, idsOf, isPlain, recipient } from '../support/git-store.js'

/** Ways in which git gives no answer, and what is said then. */
const silent: Readonly<Record<string, (cwd: string) => Record<string, string>>> = {
  'git is not installed': () => ({ PATH: '/nowhere' }),
  'git reports: invalid gitfile format': (cwd) => {
    renameSync(join(cwd, '.git'), join(cwd, 'away'))
    writeFileSync(join(cwd, '.git'), 'nonsense\n')
    return {}
  },
  'is not a repository': (cwd) => {
    renameSync(join(cwd, '.git'), join(cwd, 'away'))
    mkdirSync(join(cwd, '.git'))
    return {}
  },
  'index file': (cwd) => {
    writeFileSync(join(cwd, '.git', 'index'), 'nonsense')
    return {}
  },
  'another folder as its work tree': (cwd) => {
    git(cwd, 'config', 'core.worktree', '/')
    return {}
  },
  '$GIT_DIR names another repository': (cwd) => {
    return { GIT_DIR: makeFolder(), GIT_WORK_TREE: cwd }
  },
  ...(process.getuid?.() === 0
    ? {
        'another user owns it': (cwd: string) => {
          execFileSync('chown', ['-R', '4321', join(cwd, '.git')])
          return {}
        },
      }
    : {}),
}

/** What makes git use a bare repository for a folder, which has nothing to do with a `.git` in that. */
function bareOver(cwd: string): Record<string, string> {
  const bare = makeFolder()
  git(bare, 'init', '-q', '--bare')
  return { GIT_DIR: bare, GIT_WORK_TREE: cwd }
}

describe.skipIf(!hasGit).each(Object.entries(silent))(
  'where git cannot be asked: %s (skipped without git)',
  (reason, silence) => {
    it('decrypt needs --yes, and says why', async () => {
      const cwd = await encryptedStore()
      const before = bytesOf(cwd)
      const more = silence(cwd)
      const run = await cli('decrypt', cwd, more)
      expect(run).toMatchObject({ exitCode: 2, stdout: '' })
      expect(run.stderr).toContain(reason)
      expect(run.stderr).toContain('git cannot tell whether it is tracked')
      expect(bytesOf(cwd)).toBe(before)
      expect(existsSync(join(cwd, '.gitignore'))).toBe(false)
      const sure = await cli('decrypt --yes', cwd, more)
      expect(sure.exitCode).toBe(0)
      expect(sure.stderr).toMatch(/^warning: .*git rm --cached/m)
      expect(sure.stderr).not.toMatch(/^added the store to \.gitignore$/m)
      expect(isPlain(cwd)).toBe(true)
    })

    it('doctor says so, and what to do', async () => {
      const cwd = await encryptedStore()
      const findings = await gitFindings(cwd, 'doctor', silence(cwd))
      expect(idsOf(findings)).toEqual(['git-unknown'])
      expect(findings[0]?.message).toMatch(/cannot be checked/)
      expect(findings[0]?.message).toContain(reason)
      expect(findings[0]?.fix).not.toBe('')
    })

    it('init --force in plain text over an encrypted store needs --yes; a new store needs none', async () => {
      const cwd = await encryptedStore()
      await cli('remove-peer alice --yes', cwd)
      const more = silence(cwd)
      expect((await cli('init --force', cwd, more)).exitCode).toBe(2)
      expect(isPlain(cwd)).toBe(false)
      const made = await cli('--store new.json init', cwd, more)
      expect(made.exitCode).toBe(0)
      expect(made.stderr).toContain(reason)
      expect(made.stderr).not.toMatch(/^added the store to \.gitignore$/m)
    })
  },
)

describe.skipIf(!hasGit)('$GIT_DIR (skipped without git)', () => {
  it('keeps decrypt from trusting the repository in the folder', async () => {
    const cwd = await encryptedStore()
    const run = await cli('decrypt', cwd, bareOver(cwd))
    expect(run).toMatchObject({ exitCode: 2, stdout: '' })
    expect(run.stderr).toContain('$GIT_DIR names another repository')
  })

  it('is asked by doctor, as managers of dotfiles keep one without a .git in the folder', async () => {
    const cwd = makeFolder()
    await cli('init', cwd)
    const env = bareOver(cwd)
    const asked = (command: string) => gitFindings(cwd, command, env)
    expect(idsOf(await asked('doctor'))).toEqual(['git-not-ignored', 'git-not-ignored'])
    expect((await asked('doctor --fix')).every(({ fixed }) => fixed)).toBe(true)
    expect(await asked('doctor')).toEqual([])
    const named = ['--git-dir', env['GIT_DIR'] ?? '', '--work-tree', cwd]
    git(cwd, ...named, 'add', '-f', 'a2a-totp.json')
    expect(idsOf(await asked('doctor'))).toEqual(['git-tracked', 'git-committed'])
    expect(await gitFindings(cwd)).toEqual([])
  })

  it('is no matter where it names the repository that is found, or one of another folder', async () => {
    const cwd = await encryptedStore()
    expect(await gitFindings(cwd, 'doctor', { GIT_DIR: '.git' })).toEqual([])
    expect(await gitFindings(cwd, 'doctor', { GIT_DIR: makeFolder(), GIT_WORK_TREE: makeFolder() })).toEqual(
      [],
    )
  })

  it('is one where no other repository is', async () => {
    const cwd = makeFolder()
    await cli(`init --encrypt-to ${recipient}`, cwd)
    const other = { GIT_DIR: makeFolder() }
    expect((await cli('decrypt', cwd, other)).exitCode).toBe(2)
    expect(idsOf(await gitFindings(cwd, 'doctor', other))).toEqual(['git-unknown'])
    expect((await cli('decrypt', cwd)).exitCode).toBe(0)
  })
})
