import { copyFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse as parseYaml } from 'yaml'
import { makeStore, parseJson, runBinary, runCli, type CliRun } from '../support/cli.js'

/* What an operator is promised of import and config, as the built binary keeps it. */

const run = (cwd: string, ...args: string[]): Promise<CliRun> => runBinary(args, { cwd })

async function done(cwd: string, ...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await run(cwd, ...args)
  if (exitCode !== 0) throw new Error(stderr)
  return stdout
}

const json = async (cwd: string, ...args: string[]): Promise<Record<string, unknown>> =>
  parseJson({ stdout: await done(cwd, ...args, '--json') })

/** A lost store's server file, in the folder of a new store. */
async function lostStore(init: readonly string[] = []): Promise<{ old: string; cwd: string }> {
  const old = await makeStore(
    ['alice', 'bob'],
    ['--agent', 'billing', '--digits', '8', '--algorithm', 'SHA256', '--window', '2', ...init],
  )
  await done(old, 'rotate', 'bob')
  await done(old, 'config', 'server', '--out', 'server.json')
  const cwd = await makeStore()
  copyFileSync(join(old, 'server.json'), join(cwd, 'server.json'))
  return { old, cwd }
}

interface Listed {
  peers: { name: string; digits: number; tokens: { id: string; hashOnly?: boolean }[] }[]
}

describe('import of a server file', () => {
  it('gives a store without peers its agent, profile, serial and peers', async () => {
    const { old, cwd } = await lostStore()
    const counts = await json(cwd, 'import', 'server.json')
    expect(counts).toMatchObject({ imported: 2 })
    expect(await json(cwd, 'config', 'server')).toEqual(await json(old, 'config', 'server'))
    const { peers } = (await json(cwd, 'list')) as unknown as Listed
    for (const { tokens } of peers) for (const token of tokens) expect(token.hashOnly).toBe(true)
    const { peers: known } = (await json(old, 'list')) as unknown as Listed
    for (const { tokens } of known) for (const token of tokens) expect(token).not.toHaveProperty('hashOnly')
    expect((await run(cwd, 'list')).stdout).toMatch(/hash/)
  })

  it('leaves codes, and refuses with 3 whatever needs the token, naming rotate --token', async () => {
    const { old, cwd } = await lostStore()
    await done(cwd, 'import', 'server.json')
    for (const name of ['alice', 'bob']) {
      expect(await done(cwd, 'code', name, '--at', '59')).toBe(await done(old, 'code', name, '--at', '59'))
    }
    expect(await done(cwd, 'code', 'alice', '--header')).toMatch(/^X-TOTP: \d{8}\n$/)
    const refused = [
      ['code', 'alice', '--headers'],
      ['exec', 'alice', '--', 'true'],
      ['probe', 'https://127.0.0.1:1', 'alice'],
      ['probe', 'alice'],
      ['config', 'server', '--format', 'maps'],
      ...['env', 'json', 'yaml', 'kubernetes', 'curl', 'github', 'typescript', 'systemd', 'go'].map(
        (format) => [...['config', 'client', 'alice', '--format', format]],
      ),
    ]
    for (const args of refused) {
      const { exitCode, stdout, stderr } = await runCli(args, { cwd })
      expect([args, exitCode, stdout]).toEqual([args, 3, ''])
      expect(stderr).toMatch(/rotate (alice|NAME) --token/)
    }
    const { exitCode, stderr } = await run(cwd, '--json', 'config', 'client', 'alice')
    expect([exitCode, JSON.parse(stderr)]).toMatchObject([3, { error: { code: 'ERR_TOKEN_UNKNOWN' } }])
    await done(cwd, 'rotate', 'alice', '--token', '--now')
    expect(await done(cwd, 'config', 'client', 'alice')).toMatch(/^A2A_TOTP_TOKEN=a2at_/m)
  })

  it.each([
    ['another agent', ['--agent', 'other', '--digits', '8', '--algorithm', 'SHA256', '--window', '2']],
    ['another profile', ['--agent', 'billing']],
  ])('refuses %s in a store with peers, without --force', async (_, init) => {
    const { old } = await lostStore()
    const cwd = await makeStore(['zed'], init)
    const [file, before] = [join(old, 'server.json'), readFileSync(join(cwd, 'a2a-totp.json'))]
    const refused = await run(cwd, 'import', file)
    expect(refused).toMatchObject({ exitCode: 3, stdout: '' })
    expect(refused.stderr).toMatch(/--force/)
    expect(readFileSync(join(cwd, 'a2a-totp.json'))).toEqual(before)
    await done(cwd, 'import', file, '--force')
    expect(((await json(cwd, 'list')) as unknown as Listed).peers.map(({ name }) => name).sort()).toEqual([
      'alice',
      'bob',
      'zed',
    ])
  })

  it('is refused where it requires what is not known', async () => {
    const { cwd } = await lostStore()
    const file = JSON.parse(readFileSync(join(cwd, 'server.json'), 'utf8')) as object
    writeFileSync(join(cwd, 'server.json'), JSON.stringify({ ...file, requires: ['tea'] }))
    expect(await run(cwd, 'import', 'server.json')).toMatchObject({ exitCode: 3, stdout: '' })
  })
})

describe('import of client fragments', () => {
  it.each(['env', 'json', 'yaml', 'kubernetes'])('%s gives a peer its token back', async (format) => {
    const { old, cwd } = await lostStore()
    await done(cwd, 'import', 'server.json')
    await done(old, 'config', 'client', 'alice', '--format', format, '--out', 'alice.fragment')
    await done(cwd, 'import', join(old, 'alice.fragment'))
    const client = ['config', 'client', 'alice', '--format', 'json'] as const
    expect(await json(cwd, ...client)).toMatchObject(await json(old, ...client))
  })

  it('works alone, with --name and --rename', async () => {
    const { old } = await lostStore()
    await done(old, 'config', 'client', 'alice', '--format', 'json', '--out', 'alice.json')
    const cwd = await makeStore([], ['--agent', 'billing'])
    await done(cwd, 'import', join(old, 'alice.json'), '--rename', 'alice=anna')
    expect(((await json(cwd, 'list')) as unknown as Listed).peers).toMatchObject([
      { name: 'anna', digits: 8 },
    ])
    expect(await done(cwd, 'code', 'anna', '--at', '59')).toBe(await done(old, 'code', 'alice', '--at', '59'))
  })
})

describe('config', () => {
  it('client --format json has the same at the top and in agents', async () => {
    const { old } = await lostStore(['--url', 'https://b.example', '--replay', 'once'])
    const { agents, peer, agent, version, ...rest } = await json(
      old,
      'config',
      'client',
      'alice',
      '--format',
      'json',
    )
    expect({ peer, agent, version }).toEqual({ peer: 'alice', agent: 'billing', version: 1 })
    expect(agents).toEqual({ billing: rest })
    const { token, seed, ...known } = rest
    expect([typeof token, typeof seed]).toEqual(['string', 'string'])
    expect(known).toEqual({
      ...{ url: 'https://b.example', algorithm: 'SHA256', digits: 8, period: 30, header: 'X-TOTP' },
      ...{ window: 2, replay: 'once', signed: 'accept' },
    })
  })

  it('client --format env has what differs from the default, or is known', async () => {
    const plain = await makeStore(['alice'])
    const names = (text: string): string[] =>
      Array.from(text.matchAll(/^A2A_TOTP_(\w+)=/gm), ([, name = '']) => name)
    expect(names(await done(plain, 'config', 'client', 'alice')).sort()).toEqual([
      'AGENT',
      'SEED',
      'SIGNED',
      'TOKEN',
      'WINDOW',
    ])
    const off = await makeStore(['alice'], ['--signed', 'off'])
    expect(names(await done(off, 'config', 'client', 'alice')).sort()).toEqual([
      'AGENT',
      'SEED',
      'TOKEN',
      'WINDOW',
    ])
    const { old } = await lostStore(['--url', 'https://b.example', '--period', '60', '--header', 'X-Code'])
    expect(names(await done(old, 'config', 'client', 'alice')).sort()).toEqual([
      'AGENT',
      'ALGORITHM',
      'DIGITS',
      'HEADER',
      'PERIOD',
      'SEED',
      'SIGNED',
      'TOKEN',
      'URL',
      'WINDOW',
    ])
  })

  it('server --format json has serial, and requires where the file needs it', async () => {
    const cwd = await makeStore(['alice'])
    const file = await json(cwd, 'config', 'server')
    expect(file).toMatchObject({ version: 1, agent: 'agent', serial: expect.any(Number) as number })
    expect(file).not.toHaveProperty('requires')
    expect(JSON.stringify(file)).not.toContain('a2at_')
    await done(cwd, 'set', 'alice', '--replay', 'once')
    const after = await json(cwd, 'config', 'server')
    // once brings accept, where proofs decided nothing.
    expect(after).toMatchObject({ requires: ['once', 'signed'], serial: Number(file['serial']) + 1 })
    const shared = await makeStore(['alice'], ['--shared-seed'])
    const sharedFile = (await json(shared, 'config', 'server')) as { peers: Record<string, object> }
    expect(sharedFile).toMatchObject({ requires: ['shared-seed'], sharedSeeds: [{}] })
    expect(sharedFile.peers['alice']).not.toHaveProperty('seeds')
    const once = await run(cwd, 'config', 'server', '--format', 'maps')
    expect(once).toMatchObject({ exitCode: 3, stdout: '' })
  })

  it.each(['client alice --format systemd', 'client alice --format go', 'server --format systemd'])(
    '%s is text, and with --json {format, content}',
    async (line) => {
      const cwd = await makeStore(['alice'])
      const content = await done(cwd, 'config', ...line.split(' '))
      const document = await json(cwd, 'config', ...line.split(' '))
      expect(document).toEqual({ format: line.split(' ').at(-1), content })
      expect(content).not.toContain('a2at_')
    },
  )

  it('does not write what the server would refuse', async () => {
    const cwd = await makeStore(['alice'])
    const stdin = 'GEZDGNBV'
    await runBinary(['add-peer', 'weak', '--seed-file', '-', '--allow-weak-seed'], { cwd, stdin })
    for (const more of [[], ['--out', 'server.json'], ['--format', 'kubernetes'], ['--format', 'yaml']]) {
      expect(await run(cwd, 'config', 'server', ...more)).toMatchObject({ exitCode: 3, stdout: '' })
    }
    expect(() => statSync(join(cwd, 'server.json'))).toThrow()
  })

  it.each([
    ['server', 'python'],
    ['server', 'crewai'],
    ['client', 'python'],
    ['client', 'crewai'],
  ])('%s --format %s --vendored is one file that --check knows', async (side, format) => {
    const cwd = await makeStore(['alice'])
    const who = side === 'client' ? ['alice'] : []
    const out = ['--vendored', '--out', 'module.py']
    await done(cwd, 'config', side, ...who, '--format', format, ...out)
    expect(statSync(join(cwd, 'module.py')).mode & 0o777).toBe(0o600)
    expect((await run(cwd, 'config', 'server', '--check', 'module.py')).exitCode).toBe(0)
    writeFileSync(join(cwd, 'module.py'), `${readFileSync(join(cwd, 'module.py'), 'utf8')}\nprint()\n`)
    const changed = await run(cwd, 'config', 'server', '--check', 'module.py')
    expect(changed.exitCode).toBe(1)
    expect(changed.stdout).not.toBe('')
    expect(await run(cwd, 'config', 'server', '--check', 'none.py')).toMatchObject({
      exitCode: 3,
      stdout: '',
    })
  })

  it.each(['show alice --uri', 'config client alice', 'config server', 'export --reveal'])(
    '%s --out is born 0600 and replaces nothing without --force',
    async (line) => {
      const cwd = await makeStore(['alice'])
      const args = [...line.split(' '), '--out', 'out']
      expect(await run(cwd, ...args)).toMatchObject({ exitCode: 0, stdout: '' })
      const content = readFileSync(join(cwd, 'out'), 'utf8')
      expect(statSync(join(cwd, 'out')).mode & 0o777).toBe(0o600)
      expect(await run(cwd, ...args)).toMatchObject({ exitCode: 1, stdout: '' })
      expect(await run(cwd, ...args, '--force')).toMatchObject({ exitCode: 0, stdout: '' })
      expect(readFileSync(join(cwd, 'out'), 'utf8')).toBe(content)
    },
  )
})

describe('import of what is foreign', () => {
  it.each([
    ['{"peers":[{"name":"carol","secret":"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}]}'],
    ['[{"name":"carol","otp":"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}]'],
    ['otpauth://hotp/carol?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&counter=1'],
    ['otpauth://totp/carol?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&encoder=steam'],
    ['otpauth://totp/carol?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&algorithm=MD5'],
    ['otpauth://totp/carol?secret=GEZDGNBV'],
    ['{"peers": [,]}'],
    [''],
  ])('refuses %s, whole, with 3', async (stdin) => {
    const cwd = await makeStore(['alice'])
    const refused = await runBinary(['import', '-'], { cwd, stdin })
    expect(refused).toMatchObject({ exitCode: 3, stdout: '' })
    expect(refused.stderr).not.toContain('GEZDGNBV')
    expect(((await json(cwd, 'list')) as unknown as Listed).peers).toHaveLength(1)
  })

  it.each([
    'GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ',
    'GEZD%20GNBVGY3TQOJQGEZDGNBVGY3TQOJQ',
    'gezdgnbvgy3tqojqgezdgnbvgy3tqojq',
    'GEZD+GNBVGY3TQOJQGEZDGNBVGY3TQOJQ',
  ])('reads base32 in one way: %s', async (secret) => {
    const cwd = await makeStore()
    const imported = await runBinary(['import', '-'], {
      cwd,
      stdin: `otpauth://totp/carol?secret=${secret}\n`,
    })
    expect([imported.exitCode, imported.stderr]).toEqual([0, expect.any(String)])
    expect(await done(cwd, 'code', 'carol', '--at', '59')).toBe('287082\n')
  })

  it('takes an e-mail address as a name with --rename, or --name', async () => {
    const stdin = 'otpauth://totp/bob%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\n'
    for (const more of [
      ['--rename', 'bob@example.com=bob'],
      ['--name', 'bob'],
    ]) {
      const cwd = await makeStore()
      expect((await runBinary(['import', '-', ...more], { cwd, stdin })).exitCode).toBe(0)
      expect(await done(cwd, 'code', 'bob', '--at', '59')).toBe('287082\n')
    }
  })

  it('keeps the good lines with --partial', async () => {
    const cwd = await makeStore()
    mkdirSync(join(cwd, 'x'))
    const stdin =
      'otpauth://totp/good?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\notpauth://hotp/bad?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&counter=1\n'
    expect((await runBinary(['import', '-'], { cwd, stdin })).exitCode).toBe(3)
    const partial = await runBinary(['import', '-', '--partial', '--json'], { cwd, stdin })
    expect(parseJson(partial)).toMatchObject({ imported: 1 })
    expect(await done(cwd, 'code', 'good', '--at', '59')).toBe('287082\n')
  })
})

it('config server --format yaml is the server file', async () => {
  const cwd = await makeStore(['alice'])
  expect(parseYaml(await done(cwd, 'config', 'server', '--format', 'yaml'))).toEqual(
    await json(cwd, 'config', 'server'),
  )
})
