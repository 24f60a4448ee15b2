import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, it } from 'vitest'
import {
  binary,
  makeFolder,
  makeStore,
  parseJson,
  runBinary,
  startBinary,
  type CliRun,
} from '../support/cli.js'
import { git, hasGit } from '../support/git.js'
import { openTerminal, until } from '../support/terminal.js'

/* What every command of an operator keeps: short forms, near names, what is said and asked, and what it runs. */

const run = (cwd: string, ...args: string[]): Promise<CliRun> => runBinary(args, { cwd })
const ok = async (cwd: string, ...args: string[]): Promise<string> => {
  const { exitCode, stdout, stderr } = await run(cwd, ...args)
  if (exitCode !== 0) throw new Error(stderr)
  return stdout
}

describe('short forms', () => {
  it('ls, rm, revoke, -q, -v and -h are what they are elsewhere', async () => {
    const cwd = await makeStore(['alice', 'bob', 'carol'])
    const names = async (...args: string[]): Promise<unknown> =>
      (parseJson(await run(cwd, ...args, '--json'))['peers'] as { name: string }[]).map(({ name }) => name)
    expect(await names('ls')).toEqual(await names('list'))
    expect(await run(cwd, 'rm', 'alice')).toMatchObject({ exitCode: 2, stdout: '' })
    await ok(cwd, 'rm', 'alice', '--yes')
    await ok(cwd, 'revoke', 'bob', '--yes')
    expect(await names('ls')).toEqual(['carol'])
    expect(await ok(cwd, '-v')).toBe(await ok(cwd, '--version'))
    expect(await ok(cwd, '-v')).toMatch(/^\d+\.\d+\.\d+\S*\n$/)
    expect(await ok(cwd, '-h')).toBe(await ok(cwd, '--help'))
    expect(await ok(cwd, 'set', '-h')).toBe(await ok(cwd, 'set', '--help'))
    for (const args of [
      ['-q', 'code', 'carol'],
      ['code', 'carol', '-q'],
      ['code', 'carol', '--quiet'],
    ]) {
      expect(await run(cwd, ...args)).toMatchObject({ exitCode: 0, stderr: '' })
    }
  })

  it.each([
    [2, 'list', ['lst']],
    [2, 'rename', ['renam', 'a', 'b']],
    [2, '--replay', ['set', '--reply', 'once']],
    [1, 'alice', ['show', 'alcie']],
    [1, 'alice', ['code', 'alcie']],
    [1, 'alice', ['rm', 'alcie', '--yes']],
    [1, 'alice', ['rotate', 'alcie']],
    [1, 'alice', ['config', 'client', 'alcie']],
    [1, 'alice', ['exec', 'alcie', '--', 'true']],
    [1, 'alice', ['rename', 'alcie', 'x']],
    [1, 'alice', ['verify', '123456', 'alcie']],
    [1, 'alice', ['probe', 'http://127.0.0.1:1', 'alcie']],
    [1, 'alice', ['probe', 'alcie']],
    [2, 'kubernetes', ['config', 'server', '--format', 'kubernets']],
    [2, 'systemd', ['config', 'client', 'alice', '--format', 'systmd']],
  ] as const)('with %i, did you mean %s: %j', async (exitCode, meant, args) => {
    const cwd = await makeStore(['alice', 'bob'])
    const { exitCode: found, stdout, stderr } = await run(cwd, ...args)
    expect([found, stdout]).toEqual([exitCode, ''])
    expect(stderr).toContain(`did you mean ${meant}?`)
    expect(stderr.trim().split('\n')).toHaveLength(1)
  })
})

describe('running twice', () => {
  it('init and add-peer change nothing and exit 1, and 0 with --if-missing', async () => {
    const cwd = await makeStore(['alice'])
    const before = readFileSync(join(cwd, 'a2a-totp.json'))
    for (const args of [['init'], ['add-peer', 'alice'], ['add-peer', 'alice', 'bob']]) {
      expect(await run(cwd, ...args)).toMatchObject({ exitCode: 1, stdout: '' })
    }
    for (const args of [
      ['init', '--if-missing'],
      ['add-peer', 'alice', '--if-missing'],
    ]) {
      const { exitCode, stderr } = await run(cwd, ...args)
      expect([exitCode, stderr]).toEqual([0, expect.stringContaining('already exists')])
    }
    expect(readFileSync(join(cwd, 'a2a-totp.json'))).toEqual(before)
  })

  it('init says that a store is there before it asks for a passphrase', async () => {
    const cwd = await makeStore()
    const twice = await run(cwd, 'init', '--passphrase')
    expect(twice).toMatchObject({ exitCode: 1, stdout: '' })
    expect(twice.stderr).toContain('(ERR_STORE_EXISTS)')
  })

  it('init --if-missing needs no key to say that an encrypted store is there, and tells it from a new one', async () => {
    const cwd = makeFolder()
    const words = ['init', '--passphrase', '--if-missing', '--json']
    const env = { A2A_TOTP_PASSPHRASE: 'correct horse battery staple' }
    const created = await runBinary(words, { cwd, env })
    expect(JSON.parse(created.stdout)).toMatchObject({ agent: 'agent', created: true })
    const there = await runBinary(words, { cwd })
    expect(there.exitCode).toBe(0)
    expect(JSON.parse(there.stdout)).toMatchObject({ agent: null, created: false })
    const open = await runBinary(words, { cwd, env })
    expect(JSON.parse(open.stdout)).toMatchObject({ agent: 'agent', created: false })
  })
})

describe('weak credentials, ends and canaries', () => {
  it('a token under 128 bits needs --allow-weak-token', async () => {
    const cwd = await makeStore()
    const add = (...more: string[]): Promise<CliRun> =>
      runBinary(['add-peer', 'alice', '--token-file', '-', ...more], { cwd, stdin: 'abc\n' })
    const refused = await add()
    expect(refused).toMatchObject({ exitCode: 2, stdout: '' })
    expect(refused.stderr).toMatch(/--allow-weak-token.*\(ERR_TOKEN_WEAK\)\n$/)
    expect((await add('--allow-weak-token')).exitCode).toBe(0)
    expect(await ok(cwd, 'config', 'client', 'alice')).toMatch(/^A2A_TOTP_TOKEN=abc$/m)
    const { exitCode, stdout } = await run(cwd, 'doctor', '--json')
    expect([exitCode, stdout]).toEqual([1, expect.stringContaining('token-weak')])
  })

  it('--expires ends the seed and the token', async () => {
    const cwd = await makeStore()
    const added = await run(cwd, 'add-peer', 'alice', '--expires', '2099-01-01T00:00:00Z', '--json')
    const end = '2099-01-01T00:00:00.000Z'
    expect(parseJson(added)['peers']).toMatchObject([{ name: 'alice', expiresAt: end }])
    const file = parseJson(await run(cwd, 'config', 'server', '--json'))
    expect(file['peers']).toMatchObject({
      alice: { seeds: [{ expiresAt: end }], tokens: [{ expiresAt: end }] },
    })
    expect(await run(cwd, 'add-peer', 'bob', '--expires', '2001-01-01T00:00:00Z')).toMatchObject({
      exitCode: 2,
      stdout: '',
    })
  })

  it('a canary is in list, and in canaries of the server file alone', async () => {
    const cwd = await makeStore(['alice'])
    await ok(cwd, 'add-peer', 'bait', '--canary')
    expect(await ok(cwd, 'list')).toMatch(/bait.*canary/)
    const file = parseJson(await run(cwd, 'config', 'server', '--json'))
    expect(Object.keys(file['peers'] as object)).toEqual(['alice'])
    expect(file['canaries']).toMatchObject([
      { name: 'bait', hash: expect.stringMatching(/^sha256:/) as string },
    ])
  })
})

describe('demo --bindings', () => {
  it.each([
    ['jsonrpc', ['JSONRPC']],
    ['rest,grpc', ['HTTP+JSON', 'GRPC']],
  ])('%s serves those alone, and names them in the card', async (bindings, expected) => {
    const child = startBinary(['demo', '--bindings', bindings, '--json'], { cwd: await makeStore(['alice']) })
    const [line] = (await once(createInterface({ input: child.stdout ?? process.stdin }), 'line')) as [string]
    const { card, interfaces } = JSON.parse(line) as {
      card: string
      interfaces: { protocolBinding: string }[]
    }
    expect(new Set(interfaces.map(({ protocolBinding }) => protocolBinding))).toEqual(new Set(expected))
    const served = (await (await fetch(card)).json()) as {
      supportedInterfaces: { protocolBinding: string }[]
    }
    expect(new Set(served.supportedInterfaces.map(({ protocolBinding }) => protocolBinding))).toEqual(
      new Set(expected),
    )
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([143, null])
  })

  it.each([['soap'], [''], ['jsonrpc,soap']])('refuses "%s"', async (bindings) => {
    expect(await run(await makeStore(['a']), 'demo', '--bindings', bindings)).toMatchObject({
      exitCode: 2,
      stdout: '',
    })
  })
})

describe.skipIf(!hasGit)('in a git work tree', () => {
  it('all that is written with secrets is ignored, and what an operator does later as well', async () => {
    const cwd = makeFolder()
    git(cwd, 'init', '-q')
    await ok(cwd, 'init')
    await ok(cwd, 'add-peer', 'alice')
    await ok(cwd, 'set', 'alice', '--note', 'x')
    await ok(cwd, 'config', 'client', 'alice', '--out', 'alice.env')
    await ok(cwd, 'show', 'alice', '--qr-file', 'alice.png')
    await ok(cwd, 'rotate', 'alice', '--server-out', 'server.json', '--deliver', 'true')
    expect(statSync(join(cwd, 'alice.png')).mode & 0o777).toBe(0o600)
    git(cwd, 'add', '-A')
    expect(git(cwd, 'ls-files')).toBe('.gitignore\n')
  })

  it('doctor --fix says fixed after it looked, and exits 1 while something serious is open', async () => {
    const cwd = makeFolder()
    git(cwd, 'init', '-q')
    await ok(cwd, 'init')
    await ok(cwd, 'add-peer', 'alice')
    chmodSync(join(cwd, 'a2a-totp.json'), 0o644)
    writeFileSync(join(cwd, '.gitignore'), '!*.json\n')
    const findings = async (...more: string[]): Promise<[number, { id: string; fixed?: boolean }[]]> => {
      const done = await run(cwd, 'doctor', '--json', ...more)
      return [done.exitCode, parseJson(done)['findings'] as { id: string; fixed?: boolean }[]]
    }
    expect((await findings())[0]).toBe(1)
    const [exitCode, fixed] = await findings('--fix')
    expect(exitCode).toBe(0)
    expect(fixed.filter((one) => one.fixed).map(({ id }) => id)).toEqual(
      expect.arrayContaining(['store-mode', 'git-not-ignored']),
    )
    expect(statSync(join(cwd, 'a2a-totp.json')).mode & 0o777).toBe(0o600)
    git(cwd, 'add', '-A')
    expect(git(cwd, 'ls-files')).toBe('.gitignore\n')
    // What git tracks is no matter of an ignore file.
    git(cwd, 'add', '-f', 'a2a-totp.json')
    const [still, open] = await findings('--fix')
    expect(still).toBe(1)
    expect(open.filter((one) => one.fixed)).toEqual([])
  })

  it('no program gets a variable of ours', async () => {
    const cwd = makeFolder()
    const bin = join(cwd, 'bin')
    const leaked = join(cwd, 'leaked')
    git(cwd, 'init', '-q')
    const real = spawnSync('sh', ['-c', 'command -v git']).stdout.toString().trim()
    writeFileSync(
      join(cwd, 'git'),
      `#!/bin/sh\nenv | grep '^A2A_TOTP' >> '${leaked}'\nexec '${real}' "$@"\n`,
      {
        mode: 0o755,
      },
    )
    expect(existsSync(bin)).toBe(false)
    const env = {
      PATH: `${cwd}:${process.env['PATH'] ?? ''}`,
      A2A_TOTP_STORE: join(cwd, 'a2a-totp.json'),
      A2A_TOTP_PASSPHRASE: 'secret',
      A2A_TOTP_TOKEN: 'secret',
      A2A_TOTP_SEED: 'secret',
    }
    for (const args of [
      ['init'],
      ['add-peer', 'alice'],
      ['config', 'client', 'alice', '--out', 'alice.env'],
      ['doctor', '--fix'],
      ['undo', '--yes'],
      ['encrypt', '--passphrase'],
    ]) {
      expect((await runBinary(args, { cwd, env })).exitCode).toBe(0)
    }
    expect(existsSync(leaked)).toBe(true)
    expect(readFileSync(leaked, 'utf8')).toBe('')
  })
})

const hasTmux = spawnSync('tmux', ['-V']).status === 0
if (!hasTmux) console.warn('what is asked on a terminal is not tested: tmux is missing')

describe.skipIf(!hasTmux)('on a terminal', () => {
  it.each([
    ['set --window 2', /"window": 2/, /window/],
    ['rename --agent invoices', /invoices/, /agent/],
    ['rotate --all --now', /./, /all 2 peers/],
    ['remove-peer alice', /"bob"/, /alice/],
  ])('%s asks, does nothing for no, and does it for yes', async (line, after, asked) => {
    const cwd = await makeStore(['alice', 'bob'])
    const store = (): string => readFileSync(join(cwd, 'a2a-totp.json'), 'utf8')
    const before = store()
    const terminal = openTerminal(cwd, 160, 24)
    terminal.type(`"${process.execPath}" "${binary}" ${line}; echo "ended with $?"`)
    await until(() => asked.test(terminal.screen()) && terminal.screen().includes('[y/N]'))
    terminal.type('n')
    await until(() => terminal.screen().includes('ended with 1'))
    expect(store()).toBe(before)
    terminal.type(`clear; "${process.execPath}" "${binary}" ${line}; echo "ended with $?"`)
    await until(() => terminal.screen().includes('[y/N]') && !terminal.screen().includes('ended with 1'))
    terminal.type('y')
    await until(() => terminal.screen().includes('ended with 0'))
    expect(store()).not.toBe(before)
    expect(store()).toMatch(after)
  })
})
