import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeFolder, makeStore, runCli, type CliRun } from '../support/cli.js'
import { git, hasGit, pathOfStubbornGit } from '../support/git.js'

/** A store outside of the work tree that results are written to. */
async function makeWorkTree(): Promise<{ store: string; tree: string }> {
  const store = join(await makeStore(['alice'], ['--agent', 'billing']), 'a2a-totp.json')
  const tree = makeFolder()
  git(tree, 'init', '-q')
  return { store, tree }
}

const secretResults: readonly (readonly [args: string, file: string])[] = [
  ['config client alice --out FILE', 'alice.env'],
  ['config client alice --format json --json --out FILE', 'alice.json'],
  ['config client alice --format kubernetes --out FILE', 'alice.yaml'],
  ['config server --out FILE', 'server.json'],
  ['config server --format maps --out FILE', 'maps.json'],
  ['export --reveal --out FILE', 'peers.json'],
  ['show alice --uri --out FILE', 'alice.uri'],
  ['show alice --qr-file FILE', 'alice.svg'],
  ['show alice --qr-file FILE', 'we[i]rd* name .png'],
]

const others: readonly (readonly [args: string, file: string])[] = [
  ['config client alice --format python --out FILE', 'client.py'],
  ['config client alice --format curl --out FILE', 'call.sh'],
  ['config server --format env --out FILE', 'agent.env'],
  ['config card --out FILE', 'card.json'],
  ['show alice --out FILE', 'alice.txt'],
]

const run = (store: string, tree: string, args: string, file: string): Promise<CliRun> =>
  runCli(['--store', store, ...args.split(' ').map((arg) => (arg === 'FILE' ? file : arg))], { cwd: tree })

/** What the next commit of everything would contain, as git tells. */
const nextCommit = (tree: string): string[] => {
  git(tree, 'add', '-A')
  return git(tree, 'diff', '--cached', '--name-only').split('\n').filter(Boolean)
}

describe.skipIf(!hasGit)('a result in a git work tree (skipped without git)', () => {
  it.each(secretResults)('that is secret is ignored: %s (%s)', async (args, file) => {
    const { store, tree } = await makeWorkTree()
    const { exitCode, stderr } = await run(store, tree, args, file)
    expect(exitCode).toBe(0)
    if (!args.includes('--json')) expect(stderr).toContain(`added ${file} to .gitignore\n`)
    expect(stderr).not.toContain('git does not ignore')
    expect(statSync(join(tree, file)).mode & 0o777).toBe(0o600)
    expect(nextCommit(tree)).toEqual(['.gitignore'])
    // Already there: nothing is added twice, and nothing said.
    const again = await run(store, tree, `${args} --force`, file)
    expect(again).toMatchObject({ exitCode: 0 })
    expect(again.stderr).not.toContain('.gitignore')
  })

  it.each(others)('that is not secret is left to git: %s', async (args, file) => {
    const { store, tree } = await makeWorkTree()
    expect((await run(store, tree, args, file)).exitCode).toBe(0)
    expect(nextCommit(tree)).toEqual([file])
  })

  it('has its rule in its own folder, behind those that include it again', async () => {
    const { store, tree } = await makeWorkTree()
    mkdirSync(join(tree, 'deploy'))
    writeFileSync(join(tree, '.gitignore'), '!*.env\n')
    writeFileSync(join(tree, 'deploy/.gitignore'), '/alice.env\n!*.env')
    const { stderr } = await run(store, tree, 'config client alice --out FILE', 'deploy/alice.env')
    expect(stderr).toContain('added alice.env to .gitignore')
    expect(readFileSync(join(tree, 'deploy/.gitignore'), 'utf8')).toBe(
      '/alice.env\n!*.env\n/alice.env\n/.alice.env.tmp-*\n',
    )
    expect(nextCommit(tree)).toEqual(['.gitignore', 'deploy/.gitignore'])
  })

  it('that git tracks is a warning, with the command that ends it', async () => {
    const { store, tree } = await makeWorkTree()
    writeFileSync(join(tree, 'alice.env'), '')
    git(tree, 'add', 'alice.env')
    git(tree, 'commit', '-qm', 'x')
    const { exitCode, stderr } = await run(store, tree, 'config client alice --force --out FILE', 'alice.env')
    expect(exitCode).toBe(0)
    expect(stderr).toMatch(/^warning: git tracks alice\.env.*; run: git rm --cached alice\.env$/m)
    expect(stderr).not.toContain('added')
    git(tree, 'rm', '-q', '--cached', 'alice.env')
    expect(nextCommit(tree)).toEqual(['.gitignore', 'alice.env'])
    expect(git(tree, 'ls-files')).toBe('.gitignore\n')
  })

  it('whose name no rule can have is ignored by a rule that matches it', async () => {
    const { store, tree } = await makeWorkTree()
    // A rule has one line.
    const { exitCode, stderr } = await run(store, tree, 'config client alice --out FILE', 'a\nb.env')
    expect(exitCode).toBe(0)
    expect(stderr).toContain('added a b.env to .gitignore')
    expect(stderr).not.toContain('warning')
    expect(nextCommit(tree)).toEqual(['.gitignore'])
  })

  it('that git takes all the same is a warning', async () => {
    const { store, tree } = await makeWorkTree()
    const args = ['--store', store, 'config', 'client', 'alice', '--out', 'a\nb.env']
    const { exitCode, stderr } = await runCli(args, { cwd: tree, env: { PATH: pathOfStubbornGit() } })
    expect(exitCode).toBe(0)
    expect(stderr).toContain('warning: git does not ignore a b.env, despite .gitignore')
    expect(stderr).not.toContain('added')
  })

  it('is written, with a warning, where .gitignore cannot be', async () => {
    const { store, tree } = await makeWorkTree()
    mkdirSync(join(tree, '.gitignore'))
    const { exitCode, stderr } = await run(store, tree, 'config client alice --out FILE', 'alice.env')
    expect(exitCode).toBe(0)
    expect(stderr).toMatch(/^warning: cannot add alice\.env to .*\.gitignore/m)
    expect(stderr).toContain('warning: git does not ignore alice.env')
  })

  it('is a warning where git cannot tell', async () => {
    const { store, tree } = await makeWorkTree()
    writeFileSync(join(tree, '.git/config'), '[core\n')
    const { exitCode, stderr } = await run(store, tree, 'config client alice --out FILE', 'alice.env')
    expect(exitCode).toBe(0)
    expect(stderr).toMatch(/^warning: alice\.env is secret and in a git work tree, and git cannot tell/m)
  })

  it('is left to its owner with --no-gitignore, and where it is bait', async () => {
    const { store, tree } = await makeWorkTree()
    await run(store, tree, 'config client alice --no-gitignore --out FILE', 'alice.env')
    await run(store, tree, 'add-peer backup --canary', '')
    const bait = await run(store, tree, 'config client backup --out FILE', 'backup.env')
    expect(bait).toMatchObject({ exitCode: 0 })
    expect(existsSync(join(tree, '.gitignore'))).toBe(false)
  })
})

it('says that a result was written only once it is there', async () => {
  const cwd = await makeStore(['alice'])
  const { stderr } = await runCli(['config', 'client', 'alice', '--out', 'alice.env'], { cwd })
  expect(stderr).toBe('wrote alice.env\n')
  const refused = await runCli(['config', 'client', 'alice', '--out', 'alice.env'], { cwd })
  expect(refused).toMatchObject({ exitCode: 1, stdout: '' })
  expect(refused.stderr).not.toContain('wrote')
})
