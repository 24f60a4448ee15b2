import { chmodSync, linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeFolder, makeStore, parseJson, runCli } from '../support/cli.js'

const storeIn = (cwd: string): string => join(cwd, 'a2a-totp.json')

/** Every command that reads the store, changing it or not. */
const storeCommands = [
  ['add-peer', 'carol'],
  ['list'],
  ['show', 'alice'],
  ['code', 'alice'],
  ['verify', '123456', 'alice'],
  ['config', 'server'],
  ['config', 'client', 'alice'],
  ['remove-peer', 'alice', '--yes'],
  ['demo'],
  ['probe', 'http://127.0.0.1:1', 'alice'],
]

describe('the command line', () => {
  it.each([
    [[]],
    [['frobnicate']],
    [['list', '--frobnicate']],
    [['list', 'too', 'many']],
    [['code', '--at']],
    [['config', 'nothing']],
    [['--store']],
    [['--store', '', 'list']],
    [['list', '--store=']],
    [['probe']],
    [['probe', 'not a url']],
    [['probe', 'ftp://h']],
    [['probe', 'http://u:p@127.0.0.1:1']],
    [['probe', 'http://127.0.0.1:1', '--timeout', '0']],
    [['probe', 'http://127.0.0.1:1']],
    [['demo', '--port', '65536']],
  ])('answers %j with exit code 2 and an empty stdout', async (args) => {
    const run = await runCli(args, { cwd: await makeStore(['alice']) })
    expect(run).toMatchObject({ exitCode: 2, stdout: '' })
    expect(run.stderr).not.toBe('')
  })

  it('takes global options before and after the command', async () => {
    const cwd = await makeStore(['alice'])
    const before = await runCli(['--json', 'list'], { cwd })
    const after = await runCli(['list', '--json'], { cwd })
    expect(parseJson(before)).toEqual(parseJson(after))
  })

  it.each([['--help'], ['help'], ['code', '--help'], ['help', 'code'], ['--version']])(
    'answers %s on stdout with exit code 0',
    async (...args) => {
      const run = await runCli(args, { cwd: makeFolder() })
      expect(run).toMatchObject({ exitCode: 0, stderr: '' })
      expect(run.stdout).not.toBe('')
    },
  )

  it.each([
    'init',
    'add-peer',
    'list',
    'show',
    'code',
    'verify',
    'config',
    'config server',
    'config client',
    'config card',
    'probe',
    'rotate',
    'remove-peer',
    'revoke',
    'import',
    'export',
    'encrypt',
    'decrypt',
    'recipients',
    'recipients list',
    'recipients add',
    'recipients remove',
    'doctor',
    'demo',
    'completion',
    'help',
  ])('shows examples in the help of %s, and help prints the same', async (command) => {
    const cwd = makeFolder()
    const { stdout } = await runCli([...command.split(' '), '--help'], { cwd })
    expect(stdout).toMatch(/Examples:\n {2}\$ /)
    expect((await runCli(['help', ...command.split(' ')], { cwd })).stdout).toBe(stdout)
  })

  it('gives an error as one line, or as one JSON document on stderr', async () => {
    const cwd = await makeStore()
    const text = await runCli(['show', 'bob'], { cwd })
    expect(text.stderr).toMatch(/^error: [^\n]+ \(ERR_PEER_UNKNOWN\)\n$/)
    for (const args of [
      ['show', 'bob', '--json'],
      ['show', '--json'],
      ['nonsense', '--json'],
      ['show', 'bob', '--nonsense', '--json'],
      ['show', 'bob', '--json=yes'],
      ['--json'],
      ['config', '--json'],
      ['recipients', '--json'],
    ]) {
      const run = await runCli(args, { cwd })
      expect(run.stdout).toBe('')
      expect(run.stderr).toMatch(/^\{"error":\{"code":"ERR_[A-Z_]+","message":"[^\n]+"\}\}\n$/)
    }
  })

  it('suggests on one line, and does not repeat the value of an unknown option', async () => {
    const run = await runCli(['code', '--seed=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', '--token', 'a2at_secret'], {
      cwd: makeFolder(),
    })
    expect(run.stderr).toMatch(/^error: [^\n]+\(ERR_USAGE\)\n$/)
    expect(run.stderr).not.toMatch(/GEZD|a2at_/)
  })

  it.each([
    ['', 'no command given; see a2a-totp --help'],
    ['config', 'no command given; see a2a-totp config --help'],
    ['add-peer', "missing required argument 'names'; see a2a-totp add-peer --help"],
    ['recipients add', "missing required argument 'recipients'; see a2a-totp recipients add --help"],
    ['lst', 'unknown command "lst" (did you mean list?); see a2a-totp --help'],
  ])('says whose help to read: %j', async (line, message) => {
    const run = await runCli(line.split(' ').filter(Boolean), { cwd: makeFolder() })
    expect(run).toMatchObject({ exitCode: 2, stdout: '' })
    expect(run.stderr.trimEnd().split('\n').at(-1)).toBe(`error: ${message} (ERR_USAGE)`)
  })

  it.each([
    ['GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'],
    ['--GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'],
    ['config', 'a2at_secret'],
  ])('does not repeat what looks like a secret where a command or an option belongs: %s', async (...args) => {
    const run = await runCli(args, { cwd: makeFolder() })
    expect(run.exitCode).toBe(2)
    expect(run.stderr).not.toMatch(/GEZD|a2at_/)
  })

  it('says nothing on stderr with --quiet', async () => {
    const cwd = makeFolder()
    for (const args of [['init'], ['add-peer', 'alice'], ['code', 'alice'], ['config', 'client', 'alice']]) {
      expect((await runCli(['--quiet', ...args], { cwd })).stderr).toBe('')
    }
  })
})

describe('the store', () => {
  it('is found upward from the working directory, by the environment, and by --store', async () => {
    const [one, two] = [await makeStore([], ['--agent', 'one']), await makeStore([], ['--agent', 'two'])]
    const below = join(one, 'deep', 'down')
    mkdirSync(below, { recursive: true })
    const agent = async (args: string[], env: Record<string, string>): Promise<unknown> =>
      parseJson(await runCli([...args, 'list', '--json'], { cwd: below, env }))['agent']
    expect(await agent([], {})).toBe('one')
    expect(await agent([], { A2A_TOTP_STORE: storeIn(two) })).toBe('two')
    expect(await agent(['--store', storeIn(one)], { A2A_TOTP_STORE: storeIn(two) })).toBe('one')
    expect(await agent(['--store', '../../a2a-totp.json'], {})).toBe('one')
  })

  it.each(['.', 'below'])(
    'is passed over in a folder that others can write to, with a remark, seen from %s',
    async (place) => {
      const cwd = await makeStore(['alice'])
      const below = join(cwd, place)
      mkdirSync(below, { recursive: true })
      chmodSync(cwd, 0o777)
      const before = readFileSync(storeIn(cwd))
      for (const args of [['list'], ['code', 'alice'], ['add-peer', 'bob'], ['encrypt', '--passphrase']]) {
        const run = await runCli(args, { cwd: below, env: { A2A_TOTP_PASSPHRASE: 'x' } })
        expect(run).toMatchObject({ exitCode: 3, stdout: '' })
        expect(run.stderr).toContain('passed over')
        expect(run.stderr).toMatch(/others can write to the folder .*--store .*\(ERR_STORE_PERMISSIONS\)\n$/)
      }
      expect(readFileSync(storeIn(cwd))).toEqual(before)
      expect((await runCli(['code'], { cwd: below })).exitCode).toBe(2)
      expect((await runCli(['--store', storeIn(cwd), 'list'], { cwd: below })).exitCode).toBe(0)
      expect((await runCli(['doctor'], { cwd: below })).stdout).toContain(
        `serious  folder-open  ${cwd}: others can write`,
      )
    },
  )

  it('that is passed over gives way to one above it that is trusted', async () => {
    const cwd = await makeStore([], ['--agent', 'upper'])
    const below = join(cwd, 'below')
    mkdirSync(below)
    await runCli(['init', '--agent', 'lower'], { cwd: below })
    chmodSync(below, 0o777)
    const run = await runCli(['list', '--json'], { cwd: below })
    expect(parseJson(run)['agent']).toBe('upper')
    expect(run.stderr).toMatch(/^passed over .*\n$/)
  })

  it.each(storeCommands.map((args) => [args]))('that is missing stops %j with exit code 3', async (args) => {
    const run = await runCli(['--store', 'missing.json', ...args], { cwd: makeFolder() })
    expect(run).toMatchObject({ exitCode: 3, stdout: '' })
    expect(run.stderr).toContain('(ERR_STORE_MISSING)')
  })

  it.each(storeCommands.map((args) => [args]))(
    'that others can read stops %j, unless they are let',
    async (args) => {
      const cwd = await makeStore(['alice'])
      chmodSync(storeIn(cwd), 0o640)
      const before = readFileSync(storeIn(cwd))
      const run = await runCli(args, { cwd })
      expect(run).toMatchObject({ exitCode: 3, stdout: '' })
      expect(run.stderr).toMatch(/chmod .*\(ERR_STORE_PERMISSIONS\)/s)
      expect(readFileSync(storeIn(cwd))).toEqual(before)
      if (args[0] === 'demo' || args[0] === 'probe') return
      const let_ = await runCli(['--allow-insecure-permissions', ...args], { cwd })
      expect([0, 1]).toContain(let_.exitCode)
    },
  )

  it('is never followed through a link', async () => {
    const cwd = await makeStore(['alice'])
    const other = makeFolder()
    symlinkSync(storeIn(cwd), storeIn(other))
    for (const flags of [[], ['--allow-insecure-permissions']]) {
      const run = await runCli(['--store', storeIn(other), ...flags, 'list'], { cwd: other })
      expect(run).toMatchObject({ exitCode: 3, stdout: '' })
    }
    linkSync(storeIn(cwd), join(other, 'hard.json'))
    expect((await runCli(['--store', 'hard.json', 'list'], { cwd: other })).exitCode).toBe(0)
  })

  it.each([
    ['', 'ERR_STORE_INVALID'],
    ['{', 'ERR_STORE_INVALID'],
    ['[]', 'ERR_STORE_INVALID'],
    ['{"version":2}', 'ERR_STORE_VERSION'],
    ['{"version":"1"}', 'ERR_STORE_INVALID'],
  ])('that holds %j is refused and left alone', async (text, code) => {
    const cwd = makeFolder()
    writeFileSync(storeIn(cwd), text, { mode: 0o600 })
    for (const args of [['list'], ['add-peer', 'alice']]) {
      const run = await runCli(args, { cwd })
      expect(run).toMatchObject({ exitCode: 3, stdout: '' })
      expect(run.stderr).toContain(`(${code})`)
    }
    expect(readFileSync(storeIn(cwd), 'utf8')).toBe(text)
  })

  it('with a bad field is refused with the path of the field and never its value', async () => {
    const cwd = await makeStore(['alice'])
    const text = readFileSync(storeIn(cwd), 'utf8')
    const store = JSON.parse(text) as {
      peers: { alice: { seeds: { seed: string }[]; tokens: { token: string }[] } }
    }
    const [seed] = store.peers.alice.seeds
    if (!seed) throw new Error('no seed')
    seed.seed = `${seed.seed}!`
    writeFileSync(storeIn(cwd), JSON.stringify(store))
    const run = await runCli(['list'], { cwd })
    expect(run).toMatchObject({ exitCode: 3, stdout: '' })
    expect(run.stderr).toContain('peers.alice.seeds[0].seed')
    expect(run.stderr).not.toContain(seed.seed.slice(0, 8))
  })
})
