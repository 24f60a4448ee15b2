import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { describe, expect, it } from 'vitest'
import { Seed } from '../../src/core/seed.js'
import { makeStore, parseJson, runCli, type CliRun } from '../support/cli.js'

const base32 = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
const second = 'MFRGGZDFMZTWQ2LKNNWG23TPOBYXE43U'

async function give(content: string | Uint8Array, ...args: string[]): Promise<{ cwd: string; run: CliRun }> {
  const cwd = await makeStore(['present'])
  writeFileSync(join(cwd, 'file'), content)
  return { cwd, run: await runCli(['import', 'file', '--json', ...args], { cwd }) }
}

async function client(cwd: string, name: string): Promise<Record<string, unknown>> {
  return parseJson(await runCli(['config', 'client', name, '--format', 'json'], { cwd }))
}

const uriOf = (name: string, seed: string, more = ''): string =>
  `otpauth://totp/${name}?secret=${seed}${more}`

/** Google Authenticator's export, written with the numbers of its protobuf. */
function migration(
  ...accounts: { seed: Uint8Array; name: string; algorithm?: number; digits?: number; type?: number }[]
): string {
  const writer = new BinaryWriter()
  for (const { seed, name, algorithm = 1, digits = 1, type = 2 } of accounts) {
    writer
      .tag(1, WireType.LengthDelimited)
      .fork()
      .tag(1, WireType.LengthDelimited)
      .bytes(seed)
      .tag(2, WireType.LengthDelimited)
      .string(name)
      .tag(3, WireType.LengthDelimited)
      .string('issuer')
    writer
      .tag(4, WireType.Varint)
      .int32(algorithm)
      .tag(5, WireType.Varint)
      .int32(digits)
      .tag(6, WireType.Varint)
      .int32(type)
      .join()
  }
  writer.tag(2, WireType.Varint).int32(1).tag(3, WireType.Varint).int32(1)
  const data = Buffer.from(writer.finish()).toString('base64')
  return `otpauth-migration://offline?data=${encodeURIComponent(data)}`
}

describe('import', () => {
  it('takes key URIs, one per line, and makes a token for each', async () => {
    const { cwd, run } = await give(
      `# mine\n${uriOf('alice', base32)}\r\n\n${uriOf('mesh:bob', second, '&digits=8&period=60&algorithm=SHA512')}\n`,
    )
    expect(run.exitCode).toBe(0)
    expect(parseJson(run)).toEqual({
      imported: 2,
      skipped: 0,
      peers: ['alice', 'bob'],
      made: [
        { peer: 'alice', seed: false, token: true },
        { peer: 'bob', seed: false, token: true },
      ],
      problems: [],
    })
    expect(await client(cwd, 'alice')).toMatchObject({
      seed: base32,
      digits: 6,
      token: expect.any(String) as string,
    })
    expect(await client(cwd, 'bob')).toMatchObject({
      seed: second,
      digits: 8,
      period: 60,
      algorithm: 'SHA512',
    })
  })

  it('reads them from standard input, and says how many', async () => {
    const cwd = await makeStore()
    const run = await runCli(['import', '-'], { cwd, stdin: uriOf('alice', base32) })
    expect(run).toMatchObject({ exitCode: 0, stdout: 'imported 1, skipped 0\n' })
  })

  it('takes a picture of a QR code, as show writes it', async () => {
    const from = await makeStore(['alice'])
    await runCli(['show', 'alice', '--qr-file', 'alice.png'], { cwd: from })
    const { cwd, run } = await give(readFileSync(join(from, 'alice.png')))
    expect(run.exitCode).toBe(0)
    expect((await client(cwd, 'alice'))['seed']).toBe((await client(from, 'alice'))['seed'])
  })

  it('takes the accounts of an authenticator’s export', async () => {
    const seed = (text: string): Uint8Array => Seed.fromBase32(text).bytes
    const { cwd, run } = await give(
      migration(
        { seed: seed(base32), name: 'mesh:alice' },
        { seed: seed(second), name: 'bob', algorithm: 2, digits: 2 },
      ),
    )
    expect(run.exitCode).toBe(0)
    expect(await client(cwd, 'alice')).toMatchObject({
      seed: base32,
      algorithm: 'SHA1',
      digits: 6,
      period: 30,
    })
    expect(await client(cwd, 'bob')).toMatchObject({ seed: second, algorithm: 'SHA256', digits: 8 })
    const hotp = await give(migration({ seed: seed(base32), name: 'alice', type: 1 }))
    expect(hotp.run.stderr).toContain('line 1, account 1')
    expect(hotp.run.exitCode).toBe(3)
  })

  it('takes CSV, its columns in any order and mostly empty', async () => {
    const { cwd, run } = await give(
      `\ufeffNote,Name,Seed,Token,Digits,Replay\r\n"a ""quoted"", note",alice,${base32},tok-en,8,once\r\n,bob,,,,\r\n`,
    )
    expect(run.exitCode).toBe(0)
    const { peers } = parseJson(await runCli(['show', 'alice', '--json'], { cwd })) as { peers: unknown[] }
    expect(peers[0]).toMatchObject({ note: 'a "quoted", note', digits: 8, replay: 'once' })
    expect(await client(cwd, 'alice')).toMatchObject({ seed: base32, token: 'tok-en' })
    expect(await client(cwd, 'bob')).toMatchObject({ digits: 6 })
  })

  it('takes the maps of servers that were configured by hand', async () => {
    const maps = {
      peer_seeds: { alice: base32, constructor: second },
      token_to_peer: { one: 'alice', two: 'constructor' },
    }
    const { cwd, run } = await give(JSON.stringify(maps))
    expect(run.exitCode).toBe(0)
    expect(await client(cwd, 'alice')).toMatchObject({ seed: base32, token: 'one' })
    expect(await client(cwd, 'constructor')).toMatchObject({ seed: second, token: 'two' })
  })

  it('takes what config client gives', async () => {
    const from = await makeStore(['alice'])
    const document = await client(from, 'alice')
    const { cwd, run } = await give(JSON.stringify(document))
    expect(run.exitCode).toBe(0)
    expect(await client(cwd, 'alice')).toEqual(document)
  })

  it.each([
    ['a short seed', [uriOf('alice', base32), uriOf('bob', 'JBSWY3DP')], 'line 2: seed has 40 bits'],
    ['a seed that is none', [uriOf('alice', base32), uriOf('bob', '0189')], 'line 2: seed is not base32'],
    [
      'a name twice',
      [uriOf('alice', base32), uriOf('alice', second)],
      'line 2: the name "alice" is used twice',
    ],
    ['HOTP', ['otpauth://hotp/alice?counter=0&secret=' + base32], 'line 1: '],
    ['a name that is none', ['name', 'alice', 'b@b'], 'line 3: peer name is not allowed'],
    ['too many fields', ['name,note', 'alice,x', 'bob,x,y'], 'line 3: this line has more'],
    ['a token twice', ['name,token', 'alice,one', 'bob,one'], 'line 3: another peer has the same token'],
    ['a bad number', ['name,digits', 'alice,9'], 'line 2: digits must be'],
  ])('imports nothing for the sake of %s, and names the line', async (_what, lines, expected) => {
    const { cwd, run } = await give(lines.join('\n'))
    expect(run).toMatchObject({ exitCode: 3, stdout: '' })
    const { error } = JSON.parse(run.stderr) as { error: { code: string; message: string } }
    expect(error.code).toBe('ERR_IMPORT_INVALID')
    expect(error.message).toContain(expected)
    const { peers } = parseJson(await runCli(['list', '--json'], { cwd })) as { peers: { name: string }[] }
    expect(peers.map(({ name }) => name)).toEqual(['present'])
    const partial = await runCli(['import', 'file', '--partial', '--json'], { cwd })
    expect(partial.exitCode).toBe(0)
    expect(partial.stderr).toContain(`warning: ${expected}`)
    expect(parseJson(partial)['skipped']).toBe(1)
  })

  it('answers no, as add-peer does, where nothing is wrong but that peers are there already', async () => {
    const lines = [uriOf('present', base32), uriOf('alice', second)]
    const { cwd, run } = await give(lines.join('\n'))
    expect(run).toMatchObject({ exitCode: 1, stdout: '' })
    expect(run.stderr).toContain('ERR_PEER_EXISTS')
    expect(run.stderr).toContain('line 1: a peer \\"present\\" already exists')
    const partial = await runCli(['import', 'file', '--partial', '--json'], { cwd })
    expect(parseJson(partial)).toMatchObject({ imported: 1, skipped: 1, peers: ['alice'] })
    const bad = await give([...lines, uriOf('bob', '0189')].join('\n'))
    expect(bad.run).toMatchObject({ exitCode: 3, stdout: '' })
  })

  it('takes a weak seed when told to', async () => {
    const { run } = await give(uriOf('alice', 'JBSWY3DPEHPK3PXP'), '--allow-weak-seed')
    expect(run.exitCode).toBe(0)
  })

  it.each([
    ['nothing', ''],
    ['nothing but remarks', '# peers\n\n'],
    ['JSON that is none', '{ "peer'],
    ['JSON of something else', '{"a":1}'],
    ['a shared seed', JSON.stringify({ shared_seed: base32, token_to_peer: {} })],
    ['CSV without column names', `alice,${base32}`],
    ['an unknown column', `name,password\nalice,${base32}`],
    ['bytes', Buffer.of(0xff, 0xfe, 0x00)],
    ['half a PNG', Buffer.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0)],
    ['a cut migration', 'otpauth-migration://offline?data=CiEK'],
    ['an empty migration', 'otpauth-migration://offline'],
  ])('refuses %s without quoting it', async (_what, content) => {
    const { run } = await give(content)
    expect(run).toMatchObject({ exitCode: 3, stdout: '' })
    expect(run.stderr).toContain('ERR_IMPORT_INVALID')
    expect(run.stderr).not.toContain(base32)
  })

  it('adds 10,000 peers in one write', async () => {
    const lines = Array.from({ length: 10_000 }, (_, index) => `peer-${index}`)
    const { cwd, run } = await give(['name', ...lines].join('\n'))
    expect(parseJson(run)['imported']).toBe(10_000)
    const store = JSON.parse(readFileSync(join(cwd, 'a2a-totp.json'), 'utf8')) as { peers: object }
    expect(Object.keys(store.peers)).toHaveLength(10_001)
  })
})

describe('export', () => {
  it('tells nothing without --reveal', async () => {
    expect(await runCli(['export'], { cwd: await makeStore(['alice']) })).toMatchObject({
      exitCode: 2,
      stdout: '',
    })
  })

  it.each(['json', 'csv', 'maps'])('as %s is what import takes', async (format) => {
    const from = await makeStore(['alice', 'bob'])
    await runCli(['add-peer', 'carol', '--note', 'a "note", with\nlines', '--digits', '8'], { cwd: from })
    const { stdout } = await runCli(['export', '--reveal', '--format', format], { cwd: from })
    const { cwd, run } = await give(stdout)
    expect(run.exitCode).toBe(0)
    for (const name of ['alice', 'bob', 'carol']) {
      const [was, is] = [await client(from, name), await client(cwd, name)]
      expect([is['seed'], is['token']]).toEqual([was['seed'], was['token']])
      if (format !== 'maps') expect(is).toEqual(was)
    }
  })

  it('as URIs keeps the seeds', async () => {
    const from = await makeStore(['alice'])
    const { stdout } = await runCli(['export', '--reveal', '--format', 'uris'], { cwd: from })
    const { cwd } = await give(stdout)
    expect((await client(cwd, 'alice'))['seed']).toBe((await client(from, 'alice'))['seed'])
  })

  it('goes to a file of its owner alone', async () => {
    const cwd = await makeStore(['alice'])
    expect(await runCli(['export', '--reveal', '--out', 'all.json'], { cwd })).toMatchObject({
      exitCode: 0,
      stdout: '',
    })
    expect(statSync(join(cwd, 'all.json')).mode & 0o777).toBe(0o600)
  })
})
