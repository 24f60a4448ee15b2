import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { makeFolder, makeStore, parseJson, runCli, type CliRun } from '../support/cli.js'

const base32 = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
const second = 'MFRGGZDFMZTWQ2LKNNWG23TPOBYXE43U'
const keyUri = `otpauth://totp/alice?secret=${base32}`

const give = async (cwd: string, content: unknown, ...args: string[]): Promise<CliRun> =>
  runCli(['import', '-', ...args], {
    cwd,
    stdin: typeof content === 'string' ? content : JSON.stringify(content),
  })

/** Imports into a store of its own, and expects that nothing comes of it: not a peer, not a new credential. */
async function refused(content: unknown): Promise<string> {
  const cwd = await makeStore(['present'])
  const before = readFileSync(join(cwd, 'a2a-totp.json'), 'utf8')
  const run = await give(cwd, content)
  expect(run).toMatchObject({ exitCode: 3, stdout: '' })
  expect(run.stderr).toMatch(/^error: [^\n]+ \(ERR_IMPORT_INVALID\)\n$/)
  for (const secret of [base32, second, base32.toLowerCase()]) expect(run.stderr).not.toContain(secret)
  expect(readFileSync(join(cwd, 'a2a-totp.json'), 'utf8')).toBe(before)
  return run.stderr
}

describe('import, where the input seems to hold a credential that it does not understand', () => {
  it.each([
    ['secret', { secret: base32 }],
    ['otp', { otp: keyUri }],
    ['totp', { totp: base32 }],
    ['otpauth', { otpauth: keyUri }],
    ['Seed', { Seed: base32 }],
    ['SEED', { SEED: base32 }],
    [' seed', { ' seed': base32 }],
    ['ｓｅｅｄ', { ｓｅｅｄ: base32 }],
    ['seeds', { seeds: [base32] }],
    ['seeds', { seeds: [{ id: 's-1', seed: base32 }] }],
    ['tokens', { tokens: ['a2at_x'] }],
    ['shared_secret', { shared_secret: base32 }],
    ['sharedSecret', { sharedSecret: base32 }],
    ['shared_seed', { shared_seed: base32 }],
    ['secretKey', { secretKey: base32 }],
    ['key', { key: base32 }],
    ['privatekey', { privatekey: 'x' }],
    ['base32', { base32: 'x' }],
    ['counter', { counter: 0 }],
    ['password', { password: 'hunter2' }],
    ['Token', { Token: 'x' }],
    ['apiToken', { apiToken: 'x' }],
    ['access_token', { access_token: 'x' }],
    ['bearer', { bearer: 'x' }],
    ['authorization', { authorization: 'Bearer x' }],
    ['auth', { auth: 'x' }],
    ['hash', { hash: 'x' }],
    ['credentials', { credentials: {} }],
    ['2fa', { '2fa': true }],
    ['code', { code: '123456' }],
    ['authenticatorKey', { authenticatorKey: base32 }],
    ['client_secret', { client_secret: 'x' }],
    ['apiKey', { apiKey: 'x' }],
    ['TOTP-Seed', { 'TOTP-Seed': base32 }],
    ['mfa.key', { 'mfa.key': base32 }],
    ['"profile"."otp"', { profile: { otp: [{ value: base32 }] } }],
    ['"a"."0"."0"."shared_secret"', { a: [[{ shared_secret: 'x' }]] }],
    ['"login"."uris"."0"."otp', { login2: 0, login: { uris: [{ otp: base32 }] } }, 'Bitwarden'],
    ['"meta"."inner"."secret"', { meta: { inner: { secret: base32 } } }],
    ['"meta"."1"."Seed"', { meta: [{}, { Seed: null }] }],
  ])('refuses the key %s', async (key, more, tool?: string) => {
    const message = await refused({ name: 'alice', ...more })
    if (tool) expect(message).toContain(tool)
    else
      expect(message).toContain(`${key.startsWith('"') ? key : JSON.stringify(key)} looks like a credential`)
    expect(await refused([{ name: 'bob' }, { name: 'alice', ...more }])).toContain('error: [1]: ')
    expect(await refused({ peers: [{ peer: 'alice', ...more }] })).toContain('error: peers[0]: ')
    // Also where nothing would be made: what it is for may matter more than what is understood.
    await refused({ name: 'alice', seed: second, token: 'tok', ...more })
  })

  it.each([
    ['base32', base32],
    ['base32 in small letters', base32.toLowerCase()],
    ['base32 in groups', base32.replace(/(.{4})(?=.)/g, '$1 ')],
    ['hex', Buffer.alloc(20, 0xab).toString('hex')],
    [
      'base64',
      Buffer.from('\x00\x10\x83\x10\x51\x87\x20\x92\x8b\x30\xd3\x8f\x41\x14\x93\x51', 'latin1').toString(
        'base64',
      ),
    ],
    ['a key URI', keyUri],
    ['a key URI in a text', `scan ${keyUri} please`],
    ['one of our tokens', 'a2at_x'],
    ['the hash of a token', 'sha256:0'],
    ['a header', 'Bearer x'],
    ['bytes', Array.from({ length: 20 }, (_, index) => index - 10)],
  ])('refuses a value that looks like %s, under any key', async (_what, value) => {
    expect(await refused({ name: 'alice', x: value })).toContain('the value of "x" looks like')
    await refused([{ name: 'alice', a: [{ b: value }] }])
    if (typeof value !== 'string') return
    await refused({ name: 'alice', note: value })
    await refused({ name: 'alice', agent: `${value} ` })
  })

  it.each([
    ['seed null', { seed: null }],
    ['seed empty', { seed: '' }],
    ['seed blank', { seed: '  ' }],
    ['seed of the wrong type', { seed: 0 }],
    ['seed of digits', { seed: 2345672345672345 }],
    ['seed a list', { seed: [base32] }],
    ['seed an object', { seed: { value: base32 } }],
    ['seed false', { seed: false }],
    ['token null', { token: null }],
    ['token empty', { token: '' }],
    ['token a number', { token: 0 }],
    ['token an object', { token: { id: 't-1' } }],
  ])('refuses %s rather than make one', async (_what, more) => {
    expect(await refused({ name: 'alice', ...more })).toMatch(
      /"(seed|token)" is empty or not a string; remove/,
    )
  })

  it('refuses a key URI beside no seed, or beside another one', async () => {
    expect(await refused({ name: 'alice', uri: keyUri })).toContain('have different seeds')
    expect(await refused({ name: 'alice', seed: second, uri: keyUri })).toContain('have different seeds')
    expect(await refused({ name: 'alice', url: keyUri })).toContain('the value of "url"')
  })

  it('refuses a seed or a token where a name belongs', async () => {
    expect(await refused(`name\n${base32}`)).toContain('line 2: the name looks like')
    expect(await refused([{ name: 'a2at_abc' }])).toContain('[0]: the name looks like')
    const cwd = await makeStore()
    expect((await give(cwd, `name,seed,token\n${base32},${second},tok`)).exitCode).toBe(0)
  })

  it.each([
    [['list', '--json']],
    [['show', 'alice', '--json']],
    [['add-peer', 'carol', '--json']],
    [['rotate', 'alice', '--json']],
  ])('refuses the output of %j, which names credentials without holding them', async (args) => {
    const from = await makeStore(['alice', 'bob'])
    expect(await refused((await runCli(args, { cwd: from })).stdout)).toContain('export --reveal')
  })

  it('refuses the output of code --json and a store, and takes a server file and a fragment as they are', async () => {
    const from = await makeStore(['alice'])
    const outputOf = async (...args: string[]): Promise<string> => (await runCli(args, { cwd: from })).stdout
    expect(await refused(await outputOf('code', 'alice', '--json'))).toContain('"code" looks like')
    await refused(await outputOf('code', 'alice', '--headers', '--json'))
    for (const args of [
      ['config', 'server'],
      ['config', 'client', 'alice', '--json'],
    ])
      expect((await give(await makeStore(), await outputOf(...args))).stdout).toBe('imported 1, skipped 0\n')
    await refused(readFileSync(join(from, 'a2a-totp.json'), 'utf8'))
  })

  it('refuses credentials beside the list of peers, and beside the maps', async () => {
    expect(await refused({ peers: [{ name: 'alice' }], seeds: { alice: base32 } })).toContain('"seeds"')
    expect(await refused({ peers: [{ name: 'alice' }], meta: { x: base32 } })).toContain('"meta"."x"')
    const maps = { peer_seeds: { alice: base32 }, token_to_peer: { tok: 'alice' } }
    expect(await refused({ ...maps, shared_seed: second })).toContain('"shared_seed"')
    expect(await refused({ ...maps, peer_seeds: { alice: null } })).toContain('"seed" is empty')
    expect(await refused({ ...maps, token_to_peer: { tok: 'alice', t2: 'bob' } })).toContain('no seed')
  })

  it('makes a token for a peer of the maps that has none there, and says so', async () => {
    const cwd = await makeStore()
    const maps = { peer_seeds: { alice: base32, bob: second }, token_to_peer: { tok: 'alice' } }
    const run = await runCli(['import', '-', '--json'], {
      cwd,
      stdin: JSON.stringify(maps),
    })
    expect(parseJson(run)).toMatchObject({ imported: 2, made: [{ peer: 'bob', seed: false, token: true }] })
  })

  it.each([
    ['Aegis', { version: 1, header: { slots: null }, db: { entries: [] } }],
    ['Aegis', { version: 1, header: { slots: [{}], params: {} }, db: 'c29tZSBieXRlcw==' }],
    ['2FAS', { services: [], servicesEncrypted: 'eA==:eQ==:eg==', schemaVersion: 4 }],
    ['Bitwarden', { encrypted: false, folders: [], items: [] }],
    ['Bitwarden', { encrypted: true, passwordProtected: true, salt: 'x', kdfType: 0, data: 'x' }],
    ['Bitwarden', { name: 'alice', type: 1, login: { username: 'u', password: 'p', totp: null } }],
    ['Bitwarden', { name: 'alice', seed: second, login: { totp: base32 } }],
    ['FreeOTP', { tokenOrder: [], tokens: [] }],
    ['Ente Auth', { version: 1, kdfParams: {}, encryptedData: 'x', encryptionNonce: 'x' }],
    ['Bitwarden', `folder,name,login_totp\n,alice,`],
    ['KeePassXC', `"Group","Title","Username","Password","TOTP"\n"g","alice","u","p",""`],
    ['HOTP', { name: 'alice', type: 'hotp', info: { secret: base32, counter: 0 } }],
    ['Steam', { name: 'alice', encoder: 'steam' }],
    ['HOTP', { name: 'alice', meta: { tokenType: 'HOTP' } }],
    ['MD5', { name: 'alice', algo: 'MD5' }],
  ])('names what it cannot read: %s', async (tool, content) => {
    expect(await refused(content)).toContain(tool)
  })

  it.each([
    ['an unknown column', `name,seed,secret\nalice,,${base32}`, 'unknown column "secret"'],
    ['an unknown column among others', `name,team,totp\nalice,x,${base32}`, 'unknown column "totp"'],
    ['a column in quotes', `"name","Secret Key"\nalice,${base32}`, 'unknown column "secret key"'],
    ['a column twice', `name,seed,Seed\nalice,,${base32}`, 'duplicate column'],
    ['semicolons', `name;seed\nalice;${base32}`, 'unrecognised input'],
    ['semicolons below a name', `name\nalice;${base32}`, 'peer name is not allowed'],
    ['tabs', `name\tseed\nalice\t${base32}`, 'unrecognised input'],
    ['no line of names', `alice,${base32}`, 'unrecognised input'],
    ['a field too many', `name\nalice,${base32}`, 'more or fewer fields'],
    ['a cell of blanks in quotes', `name,seed\nalice,"  "`, '"seed" is empty'],
    ['a key URI as a note', `name,note\nalice,${keyUri}`, 'the value of "note"'],
    ['a secret column that looks like one', `name,${base32}\nalice,x`, 'not shown'],
  ])('refuses CSV with %s', async (_what, text, expected) => {
    expect(await refused(text)).toContain(expected)
  })

  it('refuses what is nested too deeply to look at, without running out of stack', async () => {
    const deep = `${'['.repeat(50_000)}"x"${']'.repeat(50_000)}`
    expect(await refused(`{"name":"alice","x":${deep}}`)).toContain('nested too deeply')
  })

  it('does not print a key that looks like a secret, nor what a terminal obeys', async () => {
    const message = await refused({ name: 'alice', [base32]: { '\u001b[2Ksecret': 1 } })
    expect(message).not.toContain('\u001b')
    expect(message).toContain('(not shown: it looks like a secret)')
  })

  it('keeps the good entries with --partial', async () => {
    const cwd = await makeStore()
    const entries = [{ name: 'alice', seed: base32 }, { name: 'bob', secret: second }, { name: 'carol' }]
    const run = await give(cwd, entries, '--partial', '--json')
    expect(parseJson(run)).toMatchObject({
      imported: 2,
      skipped: 1,
      peers: ['alice', 'carol'],
      made: [
        { peer: 'alice', seed: false, token: true },
        { peer: 'carol', seed: true, token: true },
      ],
      problems: [{ where: '[1]', code: 'ERR_IMPORT_INVALID' }],
    })
    expect(run.stderr).toContain('warning: [1]: "secret" looks like a credential')
  })
})

describe('import, where a credential is missing', () => {
  it('makes it, and says for whom', async () => {
    const cwd = await makeStore()
    const rows = [
      `a,${base32},tok`,
      `b,${second},`,
      'c,,tok2',
      'd,,',
      ...Array.from({ length: 11 }, (_, i) => `e${i},,`),
    ]
    const run = await give(cwd, ['name,seed,token', ...rows].join('\n'))
    expect(run.stdout).toBe('imported 15, skipped 0\n')
    expect(run.stderr.split('\n')).toEqual([
      'created a new seed and a new token for d, e0, e1, e2, e3, e4, e5, e6, e7, e8 and 2 more',
      'created a new seed for c',
      'created a new token for b',
      'warning: the tokens of a, c may be guessed: less than 128 bits, judged by length and characters; run a2a-totp rotate NAME --token',
      '',
    ])
  })

  it('makes no seed where the store has one for all, and says so', async () => {
    const cwd = await makeStore([], ['--shared-seed'])
    expect(parseJson(await give(cwd, 'name\nalice', '--json'))['made']).toEqual([
      { peer: 'alice', seed: false, token: true },
    ])
  })

  it('has made nothing where nothing was missing', async () => {
    const from = await makeStore(['alice', 'bob'])
    await runCli(['add-peer', 'carol', '--note', base32], { cwd: from })
    for (const args of [
      ['export', '--reveal'],
      ['export', '--reveal', '--format', 'csv'],
      ['export', '--reveal', '--format', 'maps'],
      ['config', 'client', 'alice', '--format', 'json'],
      ['config', 'server', '--format', 'maps'],
    ]) {
      const { stdout } = await runCli(args, { cwd: from })
      const run = await give(await makeStore(), stdout, '--json')
      expect(parseJson(run), args.join(' ')).toMatchObject({ made: [], problems: [] })
    }
  })

  it('takes what add-peer --reveal prints, and the profile of its key URI', async () => {
    const from = await makeStore()
    const added = await runCli(['add-peer', 'alice', '--digits', '8', '--reveal', '--json'], { cwd: from })
    const cwd = await makeStore()
    expect(parseJson(await give(cwd, added.stdout, '--json'))).toMatchObject({ imported: 1, made: [] })
    const client = ['config', 'client', 'alice', '--format', 'json']
    expect(parseJson(await runCli(client, { cwd }))).toEqual(parseJson(await runCli(client, { cwd: from })))
  })

  it('passes over keys that have nothing to do with credentials', async () => {
    const entry = {
      name: 'alice',
      team: 'payments',
      author: 'bob',
      keywords: ['a', 'b'],
      hashtags: [],
      ports: [80, 443],
      contact: { mail: 'alice@example.com', since: '2026-01-01T00:00:00.000Z', active: true, boss: null },
      description: 'calls the agent for billing and reminders',
      id: 'f47ac10b-58cc-4372-a567-0e02b2c3d479',
      url: 'https://billing.example/a2a',
    }
    const run = await give(await makeStore(), [entry], '--json')
    expect(parseJson(run)['made']).toEqual([{ peer: 'alice', seed: true, token: true }])
  })
})

const harmlessKey = fc.constantFrom('team', 'owner', 'tags', 'meta', 'contact', 'x1', 'info')
const harmlessValue = fc.oneof(
  fc.integer({ min: 300 }),
  fc.boolean(),
  fc.constantFrom(null, '', 'blue', 'a b'),
)

/** Puts something into harmless objects and lists, so that it stands at any depth. */
const nested = (inner: fc.Arbitrary<object>): fc.Arbitrary<object> =>
  fc
    .tuple(inner, fc.array(fc.tuple(harmlessKey, fc.boolean(), harmlessValue), { maxLength: 6 }))
    .map(([core, shells]) =>
      shells.reduce<object>(
        (object, [key, isList, value]) => ({ first: value, [key]: isList ? [value, object] : object }),
        core,
      ),
    )

const stems = [
  'secret',
  'seed',
  'otp',
  'totp',
  'token',
  'password',
  'bearer',
  'credential',
  'otpauth',
  'hotp',
  'base32',
]
/** A key that says what it holds, in somebody's spelling. */
const credentialKey = fc
  .tuple(
    fc.constantFrom(...stems),
    fc.constantFrom('', 'my', 'user_', 'x-', 'Shared '),
    fc.constantFrom('', 's', '_1', 'Value', ' '),
  )
  .chain(([stem, before, after]) => {
    const key = before + stem + after
    const title = before + stem.charAt(0).toUpperCase() + stem.slice(1) + after
    return fc.constantFrom(key, key.toUpperCase(), title)
  })
  // Those two are understood.
  .filter((key) => key !== 'seed' && key !== 'token')

const seedText = fc.uint8Array({ minLength: 10, maxLength: 64 }).map((bytes) =>
  Array.from(bytes, (byte) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.charAt(byte % 32))
    .join('')
    .padEnd(16, 'A'),
)
const anyCredential = fc.oneof(
  seedText,
  seedText.map((text) => text.toLowerCase()),
  seedText.map((text) => `otpauth://totp/x?secret=${text}`),
  fc.uint8Array({ minLength: 16, maxLength: 64 }).map((bytes) => Buffer.from(bytes).toString('hex')),
)
const asDocument = (entry: object): fc.Arbitrary<object> =>
  fc.constantFrom<object>(entry, [entry], { peers: [entry] })

describe('import of any JSON', () => {
  const check = async (documents: fc.Arbitrary<object>): Promise<void> => {
    const cwd = makeFolder()
    await runCli(['init'], { cwd })
    const before = readFileSync(join(cwd, 'a2a-totp.json'), 'utf8')
    await fc.assert(
      fc.asyncProperty(documents, async (document) => {
        const run = await give(cwd, document)
        expect(run).toMatchObject({ exitCode: 3, stdout: '' })
        expect(readFileSync(join(cwd, 'a2a-totp.json'), 'utf8')).toBe(before)
        const partial = await give(cwd, document, '--partial', '--json')
        expect(parseJson(partial)).toMatchObject({ imported: 0, made: [] })
        writeFileSync(join(cwd, 'a2a-totp.json'), before)
      }),
      { numRuns: 150 },
    )
  }

  it('makes nothing where one key, at any depth, says that it holds a credential', async () => {
    const held = fc.oneof(anyCredential, harmlessValue, fc.constant({}), fc.constant([]))
    const inner = fc.tuple(credentialKey, held).map(([key, value]) => ({ [key]: value }))
    await check(nested(inner).chain((object) => asDocument({ name: 'alice', ...object })))
  })

  it('makes nothing where one value, at any depth, looks like a credential', async () => {
    const inner = fc.tuple(harmlessKey, anyCredential).map(([key, value]) => ({ [key]: value }))
    await check(nested(inner).chain((object) => asDocument({ name: 'alice', ...object })))
  })

  it('makes what is missing where nothing of the kind is there', async () => {
    const cwd = await makeStore()
    const before = readFileSync(join(cwd, 'a2a-totp.json'), 'utf8')
    const documents = nested(fc.constant({})).chain((object) => asDocument({ name: 'alice', ...object }))
    await fc.assert(
      fc.asyncProperty(documents, async (document) => {
        const run = await give(cwd, document, '--json')
        expect(parseJson(run)['made']).toEqual([{ peer: 'alice', seed: true, token: true }])
        writeFileSync(join(cwd, 'a2a-totp.json'), before)
      }),
      { numRuns: 50 },
    )
  })
})
