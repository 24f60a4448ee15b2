import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import jsQRModule from 'jsqr'
import { PNG } from 'pngjs'
import { describe, expect, it } from 'vitest'
import { parseKeyUri } from '../../src/core/key-uri.js'
import { makeStore, parseJson, runCli } from '../support/cli.js'

// jsqr is CommonJS whose types describe an ES module.
const jsQR = jsQRModule as unknown as typeof jsQRModule.default

describe('list and show', () => {
  it('tell the ages of the seed and the token in use, where they differ', async () => {
    const cwd = await makeStore()
    const now = new Date('2026-03-01T12:00:00Z')
    const later = (days: number): Date => new Date(now.getTime() + days * 86_400_000)
    await runCli(['add-peer', 'alice'], { cwd, now })
    const ageOfAlice = async (when: Date): Promise<string | undefined> =>
      (await runCli(['list'], { cwd, now: when })).stdout
        .split('\n')
        .find((line) => line.startsWith('alice'))
        ?.split(/ {2,}/)[3]
    expect(await ageOfAlice(later(40))).toBe('40d')
    await runCli(['rotate', 'alice', '--token', '--now'], { cwd, now: later(40) })
    expect(await ageOfAlice(later(42))).toBe('42d/2d')
    // What is staged is not in use.
    await runCli(['rotate', 'alice', '--deliver', 'false'], { cwd, now: later(43) })
    expect(await ageOfAlice(later(43))).toBe('43d/3d')
  })

  it('tell everything about peers but their secrets', async () => {
    const cwd = await makeStore(['alice', 'bob'], ['--agent', 'billing'])
    const list = await runCli(['list', '--json'], { cwd })
    const show = await runCli(['show', 'alice', '--json'], { cwd })
    const client = parseJson(await runCli(['config', 'client', 'alice', '--format', 'json'], { cwd }))
    const { agent, peers } = parseJson(list) as { agent: string; peers: Record<string, unknown>[] }
    expect(agent).toBe('billing')
    expect(peers[0]).toMatchObject({
      name: 'alice',
      algorithm: 'SHA1',
      digits: 6,
      period: 30,
      replay: 'reuse',
      note: null,
    })
    for (const kind of ['seeds', 'tokens']) {
      const [credential] = peers[0]?.[kind] as Record<string, unknown>[]
      expect(Object.keys(credential ?? {})).toEqual(['id', 'createdAt', 'expiresAt'])
      expect(credential?.['expiresAt']).toBeNull()
    }
    expect(parseJson(show)).toEqual({ ...parseJson(list), peers: [peers[0]] })
    for (const run of [
      list,
      show,
      await runCli(['list'], { cwd }),
      await runCli(['show', 'alice'], { cwd }),
    ]) {
      expect(run.exitCode).toBe(0)
      expect(run.stdout).toContain('alice')
      expect(run.stdout).not.toContain(client['seed'])
      expect(run.stdout).not.toContain(client['token'])
    }
  })

  it('lines its columns up', async () => {
    const cwd = await makeStore(['a', 'a-much-longer-name'])
    const [header = '', ...rows] = (await runCli(['list'], { cwd })).stdout.trimEnd().split('\n')
    expect(rows).toHaveLength(2)
    for (const row of rows) expect(row.indexOf('s-')).toBe(header.indexOf('SEED'))
  })

  it('says what to do next when there are no peers', async () => {
    const run = await runCli(['list'], { cwd: await makeStore() })
    expect(run).toMatchObject({ exitCode: 0, stdout: '' })
    expect(run.stderr).toContain('add-peer')
  })

  it('show an unknown peer the way to add it', async () => {
    const run = await runCli(['show', 'carol'], { cwd: await makeStore(['alice']) })
    expect(run).toMatchObject({ exitCode: 1, stdout: '' })
    expect(run.stderr).toBe(
      'error: no peer named "carol"; run `a2a-totp add-peer carol` first (ERR_PEER_UNKNOWN)\n',
    )
  })

  it('does not repeat a token that was given for a name', async () => {
    const cwd = await makeStore(['alice'])
    const { token } = parseJson(await runCli(['config', 'client', 'alice', '--format', 'json'], { cwd }))
    const run = await runCli(['show', String(token)], { cwd })
    expect(run.exitCode).toBe(1)
    expect(run.stderr).not.toContain(token)
  })

  it('keeps terminal codes of a note away from the terminal', async () => {
    const cwd = await makeStore()
    await runCli(['add-peer', 'alice', '--note', 'a\x1b[31mred\nline\u202eup'], { cwd })
    for (const args of [['list'], ['show', 'alice']]) {
      const { stdout } = await runCli(args, { cwd })
      expect(stdout).not.toContain('\x1b')
      expect(stdout).toContain('a [31mred line up')
    }
  })
})

describe('key URIs and QR codes', () => {
  it('print the URI that other tools read', async () => {
    const cwd = await makeStore(['alice'], ['--agent', 'billing', '--digits', '8'])
    const client = parseJson(await runCli(['config', 'client', 'alice', '--format', 'json'], { cwd }))
    const uri = (await runCli(['show', 'alice', '--uri'], { cwd })).stdout.trim()
    const parsed = parseKeyUri(uri)
    expect(parsed).toMatchObject({
      agent: 'billing',
      peer: 'alice',
      profile: { digits: 8, period: 30, algorithm: 'SHA1' },
    })
    expect(parsed.seed.base32).toBe(client['seed'])
  })

  it('write a PNG that decodes to the URI, for its owner alone', async () => {
    const cwd = await makeStore(['alice'], ['--agent', 'billing'])
    const uri = (await runCli(['show', 'alice', '--uri'], { cwd })).stdout.trim()
    const file = join(cwd, 'alice.png')
    expect(await runCli(['show', 'alice', '--qr-file', 'alice.png'], { cwd })).toMatchObject({
      exitCode: 0,
      stdout: '',
    })
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const { data, width, height } = PNG.sync.read(readFileSync(file))
    expect(jsQR(new Uint8ClampedArray(data), width, height)?.data).toBe(uri)
  })

  it('write what show prints to --out as well', async () => {
    const cwd = await makeStore(['alice'])
    const both = ['show', 'alice', '--qr-file', 'alice.svg', '--out']
    expect(await runCli([...both, 'alice.txt'], { cwd })).toMatchObject({ exitCode: 0, stdout: '' })
    expect(readFileSync(join(cwd, 'alice.txt'), 'utf8')).toMatch(/^peer +alice\n/)
    expect((await runCli([...both, 'alice.json', '--json', '--force'], { cwd })).exitCode).toBe(0)
    const { stdout } = await runCli(['show', 'alice', '--json'], { cwd })
    expect(readFileSync(join(cwd, 'alice.json'), 'utf8')).toBe(stdout)
  })

  it('write an SVG, and nothing else than these two', async () => {
    const cwd = await makeStore(['alice'])
    expect((await runCli(['show', 'alice', '--qr-file', 'alice.svg'], { cwd })).exitCode).toBe(0)
    expect(readFileSync(join(cwd, 'alice.svg'), 'utf8')).toMatch(/^<svg .*<\/svg>\n$/s)
    expect((await runCli(['show', 'alice', '--qr-file', 'alice.gif'], { cwd })).exitCode).toBe(2)
    expect(existsSync(join(cwd, 'alice.gif'))).toBe(false)
  })

  it('overwrite a file only with --force', async () => {
    const cwd = await makeStore(['alice'])
    writeFileSync(join(cwd, 'alice.png'), 'precious')
    expect(await runCli(['show', 'alice', '--qr-file', 'alice.png'], { cwd })).toMatchObject({
      exitCode: 1,
      stdout: '',
    })
    expect(readFileSync(join(cwd, 'alice.png'), 'utf8')).toBe('precious')
    expect((await runCli(['show', 'alice', '--qr-file', 'alice.png', '--force'], { cwd })).exitCode).toBe(0)
  })

  it('draw nothing where there is no terminal, and say so', async () => {
    const run = await runCli(['show', 'alice', '--qr'], { cwd: await makeStore(['alice']) })
    expect(run).toMatchObject({ exitCode: 0, stdout: '' })
    expect(run.stderr).toContain('--qr-file')
  })

  it.each([['--qr'], ['--qr-file', 'alice.svg']])(
    'give the facts of show with --json: %s',
    async (...flags) => {
      const cwd = await makeStore(['alice'])
      const plain = parseJson(await runCli(['show', 'alice', '--json'], { cwd }))
      expect(parseJson(await runCli(['show', 'alice', ...flags, '--json'], { cwd }))).toEqual(plain)
    },
  )
})

describe('remove-peer', () => {
  it('needs --yes where nobody can be asked', async () => {
    const cwd = await makeStore(['alice'])
    const before = readFileSync(join(cwd, 'a2a-totp.json'))
    const run = await runCli(['remove-peer', 'alice'], { cwd })
    expect(run).toMatchObject({ exitCode: 2, stdout: '' })
    expect(run.stderr).toContain('--yes')
    expect(readFileSync(join(cwd, 'a2a-totp.json'))).toEqual(before)
  })

  it('removes all names or none, and answers to revoke as well', async () => {
    const cwd = await makeStore(['alice', 'bob', 'carol'])
    const names = async (): Promise<string[]> =>
      (parseJson(await runCli(['list', '--json'], { cwd })) as { peers: { name: string }[] }).peers.map(
        ({ name }) => name,
      )
    expect(await runCli(['revoke', 'alice', 'nobody', '--yes'], { cwd })).toMatchObject({
      exitCode: 1,
      stdout: '',
    })
    expect(await names()).toEqual(['alice', 'bob', 'carol'])
    expect((await runCli(['revoke', 'alice', 'bob', 'bob', '--yes'], { cwd })).exitCode).toBe(0)
    expect(await names()).toEqual(['carol'])
  })
})
