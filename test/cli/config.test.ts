import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { hashToken } from '../../src/core/token.js'
import { makeFolder, makeStore, parseJson, runCli } from '../support/cli.js'

describe('config', () => {
  it('gives the agent hashes of tokens, and the peer the token', async () => {
    const cwd = await makeStore(['alice'], ['--agent', 'billing'])
    const client = parseJson(await runCli(['config', 'client', 'alice', '--format', 'json'], { cwd }))
    const server = await runCli(['config', 'server'], { cwd })
    expect(Object.keys(client)).toEqual(
      expect.arrayContaining([
        'peer',
        'agent',
        'url',
        'token',
        'seed',
        'algorithm',
        'digits',
        'period',
        'header',
      ]),
    )
    expect(parseJson(server)).toMatchObject({
      version: 1,
      agent: 'billing',
      profile: { algorithm: 'SHA1', digits: 6, period: 30, window: 1, header: 'X-TOTP' },
      peers: {
        alice: {
          replay: 'reuse',
          seeds: [{ seed: client['seed'] }],
          tokens: [{ hash: hashToken(String(client['token'])) }],
        },
      },
    })
    expect(server.stdout).not.toContain(client['token'])
  })

  it('wraps a text fragment in JSON when asked', async () => {
    const cwd = await makeStore(['alice'])
    const text = await runCli(['config', 'client', 'alice'], { cwd })
    const json = await runCli(['config', 'client', 'alice', '--json'], { cwd })
    expect(parseJson(json)).toEqual({ format: 'env', content: text.stdout })
  })

  it('warns that maps cannot hold an overlap', async () => {
    const run = await runCli(['config', 'server', '--format', 'maps'], { cwd: await makeStore(['alice']) })
    expect(Object.keys(parseJson(run))).toEqual(['peer_seeds', 'token_to_peer'])
    expect(run.stderr).toContain('overlap')
  })

  it('names the server file in an env fragment, and nothing secret', async () => {
    const run = await runCli(['config', 'server', '--format', 'env', '--server-file', '/etc/totp.json'], {
      cwd: await makeStore(['alice']),
    })
    expect(run.stdout.split('\n').filter((line) => line && !line.startsWith('#'))).toEqual([
      'A2A_TOTP_SERVER_FILE=/etc/totp.json',
    ])
  })

  it('writes files that only their owner can read, and overwrites none unasked', async () => {
    const cwd = await makeStore(['alice'])
    const args = ['config', 'client', 'alice', '--out', 'alice.env']
    const { stdout } = await runCli(['config', 'client', 'alice'], { cwd })
    expect(await runCli(args, { cwd })).toMatchObject({ exitCode: 0, stdout: '' })
    expect(statSync(join(cwd, 'alice.env')).mode & 0o777).toBe(0o600)
    expect(readFileSync(join(cwd, 'alice.env'), 'utf8')).toBe(stdout)
    expect(await runCli(args, { cwd })).toMatchObject({ exitCode: 1, stdout: '' })
    expect((await runCli([...args, '--force'], { cwd })).exitCode).toBe(0)
    const nowhere = await runCli(['config', 'server', '--out', 'no/such/folder'], { cwd })
    expect(nowhere).toMatchObject({ exitCode: 3, stdout: '' })
  })

  it.each([
    [['config']],
    [['config', 'server', '--format', 'toml']],
    [['config', 'client']],
    [['config', 'card', '--protocol', '2']],
  ])('refuses %j as wrong usage', async (args) => {
    expect(await runCli(args, { cwd: await makeStore() })).toMatchObject({ exitCode: 2, stdout: '' })
  })

  it('never writes over the store, whatever it is called', async () => {
    const cwd = await makeStore(['alice'])
    const before = readFileSync(join(cwd, 'a2a-totp.json'))
    mkdirSync(join(cwd, 'deep'))
    symlinkSync(cwd, join(cwd, 'deep', 'link'))
    linkSync(join(cwd, 'a2a-totp.json'), join(cwd, 'code.svg'))
    for (const args of [
      ['config', 'server', '--out', 'a2a-totp.json'],
      ['config', 'client', 'alice', '--out', './deep/link/a2a-totp.json'],
      ['config', 'card', '--out', join(cwd, 'a2a-totp.json')],
      ['export', '--reveal', '--out', 'a2a-totp.json'],
      ['show', 'alice', '--out', 'a2a-totp.json'],
      ['show', 'alice', '--qr-file', 'code.svg'],
      ['probe', 'http://127.0.0.1:1', 'alice', '--out', 'a2a-totp.json'],
      ['probe', 'http://127.0.0.1:1', 'alice', '--format', 'junit=a2a-totp.json'],
    ]) {
      const run = await runCli([...args, '--force'], { cwd })
      expect(run, args.join(' ')).toMatchObject({ exitCode: 1, stdout: '' })
      expect(run.stderr).toContain('is the store; name another file (ERR_FILE_EXISTS)')
    }
    expect(readFileSync(join(cwd, 'a2a-totp.json'))).toEqual(before)
  })

  it('takes - for standard output, and no file without a name', async () => {
    const cwd = await makeStore(['alice'])
    const { stdout } = await runCli(['config', 'client', 'alice'], { cwd })
    expect((await runCli(['config', 'client', 'alice', '--out', '-'], { cwd })).stdout).toBe(stdout)
    expect(existsSync(join(cwd, '-'))).toBe(false)
    const run = await runCli(['config', 'client', 'alice', '--out='], { cwd })
    expect(run).toMatchObject({ exitCode: 2, stdout: '' })
    expect(run.stderr).toContain('(ERR_USAGE)')
  })

  it('knows no fragment for an unknown peer', async () => {
    expect(await runCli(['config', 'client', 'bob'], { cwd: await makeStore() })).toMatchObject({
      exitCode: 1,
      stdout: '',
    })
  })
})

describe('config card', () => {
  const merged = async (card: unknown, ...args: string[]) =>
    runCli(['config', 'card', '--merge', '-', ...args], { cwd: makeFolder(), stdin: JSON.stringify(card) })

  it('demands bearer AND the header, bearer first, in the shape of the protocol', async () => {
    const cwd = makeFolder()
    expect(parseJson(await runCli(['config', 'card', '--protocol', '1.0'], { cwd }))).toMatchObject({
      securitySchemes: {
        bearer: { httpAuthSecurityScheme: { scheme: 'Bearer' } },
        totp: { apiKeySecurityScheme: { location: 'header', name: 'X-TOTP' } },
      },
      securityRequirements: [{ schemes: { bearer: { list: [] }, totp: { list: [] } } }],
    })
    expect(parseJson(await runCli(['config', 'card', '--protocol', '0.3'], { cwd }))).toMatchObject({
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        totp: { type: 'apiKey', in: 'header', name: 'X-TOTP' },
      },
      security: [{ bearer: [], totp: [] }],
    })
    const both = parseJson(await runCli(['config', 'card', '--protocol', 'both'], { cwd }))
    expect(both).toMatchObject({
      securitySchemes: { bearer: { type: 'http', httpAuthSecurityScheme: { scheme: 'Bearer' } } },
      security: [{ bearer: [], totp: [] }],
    })
    expect(both).not.toHaveProperty('securityRequirements')
  })

  it('takes no defaults for those of a store that was named and is not there, or is not trusted', async () => {
    const cwd = await makeStore([], ['--header', 'X-Code'])
    const missing = await runCli(['--store', 'typo.json', 'config', 'card'], { cwd })
    expect(missing).toMatchObject({ exitCode: 3, stdout: '' })
    expect(missing.stderr).toContain('(ERR_STORE_MISSING)')
    const fromVariable = await runCli(['config', 'card'], { cwd, env: { A2A_TOTP_STORE: 'typo.json' } })
    expect(fromVariable).toMatchObject({ exitCode: 3, stdout: '' })
    chmodSync(cwd, 0o777)
    const open = await runCli(['config', 'card'], { cwd })
    expect(open).toMatchObject({ exitCode: 3, stdout: '' })
    expect(open.stderr).toContain('(ERR_STORE_PERMISSIONS)')
  })

  it('refuses a card that is nested as deep as no card is', async () => {
    const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
    const run = await runCli(['config', 'card', '--merge', '-'], {
      cwd: makeFolder(),
      stdin: `{"signatures":[{}],"x":${deep}}`,
    })
    expect(run).toMatchObject({ exitCode: 3, stdout: '' })
    expect(run.stderr).toContain('nested too deep')
  })

  it("uses the store's header", async () => {
    const run = await runCli(['config', 'card', '--protocol', '0.3'], {
      cwd: await makeStore([], ['--header', 'X-Code']),
    })
    expect(run.stdout).toContain('"X-Code"')
  })

  it('adds the code to every alternative that has bearer, and keeps the rest of the card', async () => {
    const card = {
      name: 'n',
      url: 'http://h',
      securitySchemes: { b: { type: 'http', scheme: 'Bearer' } },
      security: [{ b: ['scope'] }],
      skills: [{ id: 's', security: [{ b: [] }] }],
    }
    const run = await merged(card)
    expect(parseJson(run)).toMatchObject({
      name: 'n',
      security: [{ b: ['scope'], totp: [] }],
      skills: [{ id: 's', security: [{ b: [], totp: [] }] }],
    })
    expect(parseJson(await merged(parseJson(run)))).toEqual(parseJson(run))
  })

  it('refuses a card with a way round, unless told to replace it', async () => {
    const card = {
      url: 'http://h',
      securitySchemes: {
        b: { type: 'http', scheme: 'bearer' },
        key: { type: 'apiKey', in: 'header', name: 'X-Key' },
      },
      security: [{ key: [] }, { b: [] }, {}],
    }
    const run = await merged(card)
    expect(run).toMatchObject({ exitCode: 3, stdout: '' })
    expect(run.stderr).toMatch(/--replace.*\(ERR_CARD_INVALID\)/)
    expect(parseJson(await merged(card, '--replace'))).toMatchObject({ security: [{ b: [], totp: [] }] })
  })

  it('drops the signatures of a card that it changes, says so on stderr, and keeps those of one that it does not', async () => {
    const signatures = [{ protected: 'e30', signature: 'c2lnbmF0dXJl' }]
    for (const options of [[], ['--json']]) {
      const run = await merged({ name: 'n', url: 'http://h', signatures }, ...options)
      expect(run.exitCode).toBe(0)
      expect(parseJson(run)).not.toHaveProperty('signatures')
      expect(run.stderr).toMatch(/^warning: .*signatures.*signCard.*\n$/)
      const again = await merged({ ...parseJson(run), signatures }, ...options)
      expect(again).toMatchObject({ exitCode: 0, stderr: '' })
      expect(parseJson(again)).toMatchObject({ signatures })
    }
    const quiet = await merged({ name: 'n', url: 'http://h', signatures }, '--quiet')
    expect(quiet).toMatchObject({ exitCode: 0, stderr: '' })
    expect(parseJson(quiet)).not.toHaveProperty('signatures')
  })

  it.each(['', '[]', '"card"', '{', 'null'])('refuses %j as a card', async (text) => {
    const run = await runCli(['config', 'card', '--merge', '-'], { cwd: makeFolder(), stdin: text })
    expect(run).toMatchObject({ exitCode: 3, stdout: '' })
  })

  it('has nothing to replace without a card', async () => {
    const run = await runCli(['config', 'card', '--replace'], { cwd: makeFolder() })
    expect(run).toMatchObject({ exitCode: 2, stdout: '' })
    expect(run.stderr).toContain('--merge')
  })

  it('says when the card is not there', async () => {
    const cwd = makeFolder()
    expect(await runCli(['config', 'card', '--merge', 'card.json'], { cwd })).toMatchObject({
      exitCode: 3,
      stdout: '',
    })
    writeFileSync(join(cwd, 'card.json'), '{"url":"http://h"}')
    expect((await runCli(['config', 'card', '--merge', 'card.json'], { cwd })).exitCode).toBe(0)
  })
})
