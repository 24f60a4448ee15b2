import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { main } from '../../src/cli/main.js'
import { makeFolder, runCli, type CliRun } from '../support/cli.js'
import { git, hasGit } from '../support/git.js'
import {
  bytesOf,
  cli,
  encryptedStore,
  isPlain,
  nextCommit,
  recipient,
  trackedStore,
  key,
} from '../support/git-store.js'

/** Runs a command line at a terminal, where somebody types an answer to each question. */
async function atTerminal(
  command: string,
  cwd: string,
  answer: string,
): Promise<{ exitCode: number; screen: string }> {
  const stdin = Object.assign(new PassThrough(), { isTTY: true })
  let screen = ''
  const stderr = Object.assign(
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        const asked = screen.includes('[y/N] ')
        screen += chunk.toString()
        if (!asked && screen.includes('[y/N] ')) stdin.write(`${answer}\n`)
        done()
      },
    }),
    { isTTY: true, columns: 0 },
  )
  const stdout = new Writable({ write: (_chunk, _encoding, done) => done() })
  const exitCode = await main(command.split(' '), {
    env: key,
    cwd,
    stdin: () => stdin,
    stdout,
    stderr,
    signal: new AbortController().signal,
  })
  return { exitCode, screen }
}

describe.skipIf(!hasGit)('decrypt of a store that git tracks (skipped without git)', () => {
  it('needs --yes where nobody can be asked, and changes nothing without', async () => {
    const cwd = await trackedStore()
    const before = bytesOf(cwd)
    const run = await cli('decrypt', cwd)
    expect(run).toMatchObject({ exitCode: 2, stdout: '' })
    expect(run.stderr).toContain('git tracks a2a-totp.json')
    expect(run.stderr).toContain('next commit publishes every seed and token')
    expect(run.stderr).toContain('git rm --cached a2a-totp.json')
    expect(run.stderr).toMatch(/--yes.*\(ERR_CONFIRMATION_NEEDED\)\n$/)
    expect(bytesOf(cwd)).toBe(before)
    expect(existsSync(join(cwd, '.gitignore'))).toBe(false)
    expect(await cli('decrypt --json', cwd)).toMatchObject({ exitCode: 2, stdout: '' })
  })

  it('is done with --yes, and says what is to be done; nobody is told that .gitignore helps', async () => {
    const cwd = await trackedStore()
    const run = await cli('decrypt --yes', cwd)
    expect(run.exitCode).toBe(0)
    expect(isPlain(cwd)).toBe(true)
    expect(run.stderr).toMatch(/^warning: git tracks a2a-totp\.json, .*git rm --cached a2a-totp\.json$/m)
    expect(run.stderr).not.toContain('added the store to .gitignore')
    expect((await cli('decrypt --yes --quiet', await trackedStore())).stderr).toBe('')
  })

  it('and what it says to do is enough', async () => {
    const cwd = await trackedStore()
    const [, command = ''] = /run: (.*)$/m.exec((await cli('decrypt --yes', cwd)).stderr) ?? []
    expect(nextCommit(cwd)).toContain('"seeds"')
    execFileSync('sh', ['-c', command], { cwd })
    expect(nextCommit(cwd)).toBe('')
  })

  it('asks at a terminal', async () => {
    const cwd = await trackedStore()
    const before = bytesOf(cwd)
    const no = await atTerminal('decrypt', cwd, '')
    expect(no.exitCode).toBe(1)
    expect(no.screen).toContain('Decrypt it anyway? [y/N] ')
    expect(no.screen).toContain('(ERR_DECLINED)')
    expect(bytesOf(cwd)).toBe(before)
    expect(existsSync(join(cwd, '.gitignore'))).toBe(false)
    expect((await atTerminal('decrypt', cwd, 'y')).exitCode).toBe(0)
    expect(isPlain(cwd)).toBe(true)
  })

  it('asks before a .gitignore that lists the store already, or --no-gitignore', async () => {
    const cwd = await trackedStore()
    expect((await cli('decrypt --no-gitignore', cwd)).exitCode).toBe(2)
    writeFileSync(join(cwd, '.gitignore'), '/a2a-totp.json\n')
    expect((await cli('decrypt', cwd)).exitCode).toBe(2)
  })

  it('knows a store that was added but not committed, and one from which the file was taken', async () => {
    const cwd = await encryptedStore()
    git(cwd, 'add', '--intent-to-add', 'a2a-totp.json')
    expect((await cli('decrypt', cwd)).exitCode).toBe(2)
    git(cwd, 'rm', '-q', '--cached', 'a2a-totp.json')
    const run = await cli('decrypt', cwd)
    expect(run.exitCode).toBe(0)
    expect(run.stderr).toContain('added the store to .gitignore')
    expect(nextCommit(cwd)).toBe('')
  })

  it.each(['with spaces', "it's", 'a*b[c]?', ':(top)x', '-x', 'é'])(
    'knows one in a folder named %j',
    async (name) => {
      const cwd = await trackedStore(`tree/${name}`)
      const refused = await cli('decrypt', cwd)
      expect(refused.exitCode).toBe(2)
      const [, command = ''] = /Run `(.*)` first/.exec(refused.stderr) ?? []
      execFileSync('sh', ['-c', command], { cwd })
      expect((await cli('decrypt', cwd)).exitCode).toBe(0)
    },
  )

  it.each(['a*.json', ':(top)a.json', '-a.json', "a'b.json", 'a b.json'])(
    'knows one named %j',
    async (name) => {
      const cwd = await trackedStore()
      renameSync(join(cwd, 'a2a-totp.json'), join(cwd, name))
      writeFileSync(join(cwd, 'ab.json'), '{}')
      git(cwd, 'add', '-A')
      const run = (command: string): Promise<CliRun> =>
        runCli([`--store=./${name}`, ...command.split(' ')], { cwd, env: key })
      const refused = await run('decrypt')
      expect(refused.exitCode).toBe(2)
      const [, command = ''] = /Run `(.*)` first/.exec(refused.stderr) ?? []
      execFileSync('sh', ['-c', command], { cwd })
      expect(git(cwd, 'ls-files')).toContain('ab.json')
      expect(await run('decrypt')).toMatchObject({ exitCode: 0 })
      expect(nextCommit(cwd, 'ab.json')).toBe('{}')
    },
  )

  it('knows a linked work tree and a submodule', async () => {
    const cwd = await trackedStore()
    const linked = join(makeFolder(), 'linked')
    git(cwd, 'worktree', 'add', '-q', linked)
    chmodSync(join(linked, 'a2a-totp.json'), 0o600)
    expect((await cli('decrypt', linked)).exitCode).toBe(2)
    const outer = makeFolder()
    git(outer, 'init', '-q')
    git(outer, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', cwd, 'sub')
    chmodSync(join(outer, 'sub', 'a2a-totp.json'), 0o600)
    expect(readFileSync(join(outer, 'sub', '.git'), 'utf8')).toContain('gitdir: ')
    expect((await cli('decrypt', join(outer, 'sub'))).exitCode).toBe(2)
  })

  it('is not misled by a folder that is a link, in either direction', async () => {
    const cwd = await trackedStore('tree/deep')
    const link = join(makeFolder(), 'link')
    symlinkSync(cwd, link)
    const there = await cli(`--store ${join(link, 'a2a-totp.json')} decrypt`, dirname(link))
    expect(there.exitCode).toBe(2)
    const [, command = ''] = /Run `(.*)` first/.exec(there.stderr) ?? []
    execFileSync('sh', ['-c', command], { cwd: dirname(link) })
    const after = await cli(`--store ${join(link, 'a2a-totp.json')} decrypt`, dirname(link))
    expect(after.exitCode).toBe(0)
    expect(nextCommit(cwd)).toBe('')

    const outside = join(makeFolder(), 'outside')
    mkdirSync(outside)
    await cli(`init --encrypt-to ${recipient}`, outside)
    const tree = makeFolder()
    git(tree, 'init', '-q')
    symlinkSync(outside, join(tree, 'link'))
    git(tree, 'add', '-A')
    expect((await cli(`--store ${join(tree, 'link', 'a2a-totp.json')} decrypt`, tree)).exitCode).toBe(0)
    expect(existsSync(join(outside, '.gitignore'))).toBe(false)
  })

  it('knows one that is tracked in other letters, where git does not tell them apart', async () => {
    const cwd = await trackedStore()
    git(cwd, 'mv', 'a2a-totp.json', 'A2A-totp.JSON')
    renameSync(join(cwd, 'A2A-totp.JSON'), join(cwd, 'a2a-totp.json'))
    git(cwd, 'config', 'core.ignorecase', 'true')
    const run = await cli('decrypt', cwd)
    expect(run.exitCode).toBe(2)
    expect(run.stderr).toContain('git tracks A2A-totp.JSON')
    git(cwd, 'config', 'core.ignorecase', 'false')
    expect((await cli('decrypt', cwd)).exitCode).toBe(0)
  })

  it('passes over a .git folder that is no repository, as git does', async () => {
    const cwd = await trackedStore('tree')
    const deep = join(cwd, 'deep')
    mkdirSync(join(deep, '.git'), { recursive: true })
    renameSync(join(cwd, 'a2a-totp.json'), join(deep, 'a2a-totp.json'))
    git(cwd, 'add', '-A')
    expect((await cli('decrypt', deep)).exitCode).toBe(2)
  })
})
