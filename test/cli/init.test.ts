import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeFolder, makeStore, parseJson, runCli } from '../support/cli.js'

const storeIn = (cwd: string): string => join(cwd, 'a2a-totp.json')
const readStoreIn = (cwd: string): Record<string, unknown> =>
  JSON.parse(readFileSync(storeIn(cwd), 'utf8')) as Record<string, unknown>

describe('init', () => {
  it('makes a store that only its owner can read, and prints its path', async () => {
    const cwd = makeFolder()
    const run = await runCli(['init', '--agent', 'billing', '--url', 'https://billing.example'], { cwd })
    expect(run).toMatchObject({ exitCode: 0, stdout: `${storeIn(cwd)}\n` })
    expect(statSync(storeIn(cwd)).mode & 0o777).toBe(0o600)
    expect(readStoreIn(cwd)).toMatchObject({
      version: 1,
      agent: { name: 'billing', url: 'https://billing.example' },
    })
  })

  it('has the documented defaults, and says that codes can be reused', async () => {
    const cwd = makeFolder()
    const run = await runCli(['init'], { cwd })
    expect(readStoreIn(cwd)).toMatchObject({
      agent: { name: 'agent' },
      profile: { algorithm: 'SHA1', digits: 6, period: 30, window: 1, header: 'X-TOTP' },
      replay: 'reuse',
    })
    expect(run.stderr).toContain('reuse')
  })

  it('takes every part of the profile', async () => {
    const cwd = makeFolder()
    const flags = '--algorithm sha512 --digits 8 --period 60 --window 2 --header X-Code --replay once'
    const run = await runCli(['--json', 'init', ...flags.split(' ')], { cwd })
    expect(parseJson(run)).toEqual({ store: storeIn(cwd), agent: 'agent', created: true })
    expect(readStoreIn(cwd)).toMatchObject({
      profile: { algorithm: 'SHA512', digits: 8, period: 60, window: 2, header: 'X-Code' },
      replay: 'once',
    })
  })

  it('changes nothing where a store is, and fails; with --if-missing it succeeds and says so', async () => {
    const cwd = await makeStore(['alice'], ['--agent', 'billing'])
    const before = readFileSync(storeIn(cwd))
    const again = await runCli(['init', '--agent', 'other'], { cwd })
    expect(again).toMatchObject({ exitCode: 1, stdout: '' })
    expect(again.stderr).toMatch(/\(ERR_STORE_EXISTS\)\n$/)
    const missing = await runCli(['init', '--agent', 'other', '--if-missing', '--json'], { cwd })
    expect(missing.exitCode).toBe(0)
    expect(parseJson(missing)).toEqual({ store: storeIn(cwd), agent: 'billing', created: false })
    expect(readFileSync(storeIn(cwd))).toEqual(before)
  })

  it('leaves peers behind only with --force and --yes, and keeps the old store', async () => {
    const cwd = await makeStore(['alice'])
    const before = readFileSync(storeIn(cwd))
    const unasked = await runCli(['init', '--force'], { cwd })
    expect(unasked).toMatchObject({ exitCode: 2, stdout: '' })
    expect(readFileSync(storeIn(cwd))).toEqual(before)
    expect((await runCli(['init', '--force', '--yes'], { cwd })).exitCode).toBe(0)
    const [backup] = readdirSync(cwd).filter((name) => name.startsWith('a2a-totp.json.bak-'))
    expect(readFileSync(join(cwd, backup ?? ''))).toEqual(before)
    expect(statSync(join(cwd, backup ?? '')).mode & 0o777).toBe(0o600)
    expect(readStoreIn(cwd)['peers']).toEqual({})
  })

  it('does not throw a store away that it cannot read', async () => {
    const cwd = makeFolder()
    writeFileSync(storeIn(cwd), '{ not json', { mode: 0o600 })
    expect(await runCli(['init', '--force'], { cwd })).toMatchObject({ exitCode: 2, stdout: '' })
    expect(readFileSync(storeIn(cwd), 'utf8')).toBe('{ not json')
  })

  it('keeps a plaintext store out of git, once, and only inside a work tree', async () => {
    const cwd = makeFolder()
    await runCli(['init'], { cwd })
    expect(existsSync(join(cwd, '.gitignore'))).toBe(false)
    const tree = makeFolder()
    execFileSync('git', ['init', '-q'], { cwd: tree })
    mkdirSync(join(tree, 'deploy'))
    writeFileSync(join(tree, 'deploy', '.gitignore'), 'dist')
    await runCli(['init'], { cwd: join(tree, 'deploy') })
    await runCli(['init', '--force', '--yes'], { cwd: join(tree, 'deploy') })
    const lines = readFileSync(join(tree, 'deploy', '.gitignore'), 'utf8').split('\n')
    expect(lines[0]).toBe('dist')
    expect(lines.filter((line) => /^\/?a2a-totp\.json$/.test(line))).toHaveLength(1)
    const status = execFileSync('git', ['status', '--porcelain', '-uall'], { cwd: tree }).toString()
    expect(status).toBe('?? deploy/.gitignore\n')
  })

  it('makes nothing when the store cannot be kept out of git', async () => {
    const tree = makeFolder()
    execFileSync('git', ['init', '-q'], { cwd: tree })
    symlinkSync('elsewhere', join(tree, '.gitignore'))
    expect(await runCli(['init'], { cwd: tree })).toMatchObject({ exitCode: 3, stdout: '' })
    expect(existsSync(storeIn(tree))).toBe(false)
    expect((await runCli(['init', '--no-gitignore'], { cwd: tree })).exitCode).toBe(0)
  })

  it('makes a store in the working directory, whatever lies above it', async () => {
    const cwd = await makeStore(['alice'])
    const before = readFileSync(storeIn(cwd))
    const below = join(cwd, 'below')
    mkdirSync(below)
    expect(await runCli(['init', '--force'], { cwd: below })).toMatchObject({
      exitCode: 0,
      stdout: `${storeIn(below)}\n`,
    })
    expect(readFileSync(storeIn(cwd))).toEqual(before)
    expect(readdirSync(below).filter((name) => name.includes('.bak-'))).toEqual([])
  })

  it('warns where commands will pass the store over, and asks before it replaces one there', async () => {
    const cwd = makeFolder()
    chmodSync(cwd, 0o777)
    const run = await runCli(['init'], { cwd })
    expect(run.exitCode).toBe(0)
    expect(run.stderr).toContain(`warning: others can write to the folder ${cwd}; commands ignore this store`)
    await runCli(['--store', storeIn(cwd), 'add-peer', 'alice'], { cwd })
    const before = readFileSync(storeIn(cwd))
    expect((await runCli(['init'], { cwd })).exitCode).toBe(1)
    expect(await runCli(['init', '--if-missing'], { cwd })).toMatchObject({ exitCode: 3, stdout: '' })
    expect((await runCli(['init', '--force'], { cwd })).exitCode).toBe(2)
    expect(readFileSync(storeIn(cwd))).toEqual(before)
  })

  it('leaves .gitignore alone with --no-gitignore', async () => {
    const tree = makeFolder()
    execFileSync('git', ['init', '-q'], { cwd: tree })
    await runCli(['init', '--no-gitignore'], { cwd: tree })
    expect(existsSync(join(tree, '.gitignore'))).toBe(false)
  })

  it('gives all peers one seed with --shared-seed, and warns of it', async () => {
    const cwd = makeFolder()
    const run = await runCli(['init', '--shared-seed'], { cwd })
    expect(run.stderr).toContain('warning: one seed for all peers is weaker')
    await runCli(['add-peer', 'alice', 'bob'], { cwd })
    const seeds = await Promise.all(
      ['alice', 'bob'].map(async (name) =>
        parseJson(await runCli(['config', 'client', name, '--format', 'json'], { cwd })),
      ),
    )
    expect(seeds[0]?.['seed']).toBe(seeds[1]?.['seed'])
    expect(seeds[0]?.['token']).not.toBe(seeds[1]?.['token'])
  })

  it.each([
    ['--digits', '9'],
    ['--digits', '6.0'],
    ['--period', '9'],
    ['--period', '121'],
    ['--window', '3'],
    ['--window', '-1'],
    ['--algorithm', 'MD5'],
    ['--header', 'Authorization'],
    ['--header', 'X TOTP'],
    ['--header', 'A2A-Version'],
    ['--header', 'grpc-timeout'],
    ['--header', 'totp-bin'],
    ['--replay', 'twice'],
    ['--agent', '-x'],
    ['--agent', ''],
    ['--url', 'ftp://x'],
    ['--url', 'https://user:pass@x'],
  ])('refuses %s %j as wrong usage, and makes nothing', async (flag, value) => {
    const cwd = makeFolder()
    const run = await runCli(['init', `${flag}=${value}`], { cwd })
    expect(run).toMatchObject({ exitCode: 2, stdout: '' })
    expect(run.stderr).toMatch(/^error: .*\(ERR_[A-Z_]+\)\n$/)
    expect(readdirSync(cwd)).toEqual([])
  })
})
