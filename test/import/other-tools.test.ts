import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { Seed } from '../../src/core/seed.js'
import { makeStore, parseJson, runCli, type CliRun } from '../support/cli.js'

/** A seed of this test alone, from its name. */
const seedOf = (name: string): string =>
  Seed.fromBytes(createHash('sha256').update(`other tools: ${name}`).digest().subarray(0, 20)).base32
const [one, two, three] = ['one', 'two', 'three'].map(seedOf) as [string, string, string]

async function give(content: unknown, ...args: string[]): Promise<{ cwd: string; run: CliRun }> {
  const cwd = await makeStore()
  const stdin = typeof content === 'string' ? content : JSON.stringify(content)
  const run = await runCli(['import', '-', '--json', ...args], { cwd, stdin })
  for (const seed of [one, two, three]) expect(run.stdout + run.stderr).not.toContain(seed)
  return { cwd, run }
}

async function seedsIn(cwd: string): Promise<Record<string, unknown>> {
  const { peers } = parseJson(await runCli(['export', '--reveal'], { cwd })) as {
    peers: Record<string, unknown>[]
  }
  return Object.fromEntries<unknown>(
    peers.map(({ name, seed, algorithm, digits, period }) => [
      String(name),
      [seed, algorithm, digits, period].join(' '),
    ]),
  )
}

const aegis = {
  version: 1,
  header: { slots: null, params: null },
  db: {
    version: 3,
    entries: [
      {
        ...{ type: 'totp', uuid: '0b2c4f7e-4c0f-4d8c-9a3e-6d1f1c2b3a4d', name: 'alice', issuer: 'Billing' },
        ...{ note: '', favorite: false, icon: null, groups: [] },
        info: { secret: one, algo: 'SHA256', digits: 8, period: 60 },
      },
      { type: 'totp', name: '', issuer: 'carol', info: { secret: two, algo: 'SHA1', digits: 6, period: 30 } },
    ],
    groups: [],
    icons_optimized: true,
  },
}

const twoFas = {
  services: [
    {
      name: 'Billing',
      secret: one,
      updatedAt: 1_780_000_000_000,
      otp: {
        ...{ link: `otpauth://totp/Billing:alice?secret=${one}`, label: 'Billing:alice', account: 'alice' },
        ...{
          issuer: 'Billing',
          digits: 8,
          period: 60,
          algorithm: 'SHA256',
          tokenType: 'TOTP',
          source: 'Link',
        },
      },
      order: { position: 0 },
      icon: { selected: 'Label', label: { text: 'BI', backgroundColor: 'Orange' } },
    },
    {
      name: 'carol',
      secret: two,
      otp: { account: '', algorithm: null, tokenType: 'TOTP', source: 'Manual' },
    },
  ],
  groups: [],
  schemaVersion: 4,
  appVersionCode: 5_000_020,
}

const loginOf = (name: string, totp: string | null): object => ({
  ...{ id: 'a4f5b0c6-96b0-4f4b-9d0e-b1c500a8a6f1', organizationId: null, folderId: null, type: 1, name },
  login: { fido2Credentials: [], uris: [], username: 'u', password: 'correct horse', totp },
})

const uri = (name: string, seed: string, more = ''): string => `otpauth://totp/${name}?secret=${seed}${more}`
const profile = '&algorithm=SHA256&digits=8&period=60'

const bitwarden = {
  encrypted: false,
  folders: [],
  items: [
    loginOf('alice', uri('x:y%40example.org', one, profile)),
    { type: 2, name: 'a note', notes: 'my key is in the safe', secureNote: { type: 0 } },
    loginOf('no second factor', null),
    loginOf('carol', two.replace(/(.{4})(?=.)/g, '$1 ').toLowerCase()),
  ],
}

const andOtp = [
  {
    ...{ secret: one, issuer: 'Billing', label: 'alice', digits: 8, type: 'TOTP', algorithm: 'SHA256' },
    ...{ thumbnail: 'Default', last_used: 1_780_000_000_000, used_frequency: 3, period: 60, tags: [] },
  },
  {
    secret: two,
    issuer: 'carol',
    label: '',
    digits: 6,
    type: 'TOTP',
    algorithm: 'SHA1',
    thumbnail: 'Default',
    period: 30,
  },
]

const signed = (seed: string): number[] => [...new Int8Array(Seed.fromBase32(seed).bytes)]

const freeOtp = {
  tokenOrder: ['Billing:alice', 'carol'],
  tokens: [
    {
      algo: 'SHA256',
      counter: 0,
      digits: 8,
      issuerExt: 'Billing',
      label: 'alice',
      period: 60,
      secret: signed(one),
      type: 'TOTP',
    },
    {
      algo: 'SHA1',
      counter: 0,
      digits: 6,
      issuerExt: '',
      label: 'carol',
      period: 30,
      secret: signed(two),
      type: 'TOTP',
    },
  ],
}

const keePassXc = [
  '"Group","Title","Username","Password","URL","Notes","TOTP","Icon","Last Modified","Created"',
  `"Root","alice","u","p","","of ""the"" agent","${uri('alice:u', one, profile)}","0","2026-01-01T00:00:00Z","2026-01-01T00:00:00Z"`,
  '"Root","no second factor","u","p","","","","0","2026-01-01T00:00:00Z","2026-01-01T00:00:00Z"',
  `"Root","carol","u","p","","","${uri('carol:u', two, '&issuer=carol')}","0","2026-01-01T00:00:00Z","2026-01-01T00:00:00Z"`,
].join('\n')

const bitwardenCsv = [
  'folder,favorite,type,name,notes,fields,reprompt,login_uri,login_username,login_password,login_totp',
  `,,login,alice,,,0,,u,p,"${uri('alice', one, profile)}"`,
  ',,note,a note,text,,0,,,,',
  `,,login,carol,,,0,,u,p,${two}`,
].join('\n')

const ente = [
  `${uri('Billing:alice', one, `${profile}&issuer=Billing`)}&codeDisplay=%7B%22pinned%22%3Afalse%7D`,
  uri('carol', two),
].join('\n')

const exports = {
  ...{ Aegis: aegis, '2FAS': twoFas, Bitwarden: bitwarden, andOTP: andOtp, FreeOTP: freeOtp },
  ...{ KeePassXC: keePassXc, 'Bitwarden as CSV': bitwardenCsv, 'Ente Auth': ente },
}

describe('import of the export of another tool', () => {
  it.each(Object.entries(exports))(
    'takes the accounts of %s, each with its profile',
    async (_tool, content) => {
      const { cwd, run } = await give(content)
      expect(run.stderr).not.toContain('error')
      expect(parseJson(run)).toMatchObject({
        imported: 2,
        skipped: 0,
        made: [
          { peer: 'alice', seed: false, token: true },
          { peer: 'carol', seed: false, token: true },
        ],
      })
      expect(await seedsIn(cwd)).toEqual({ alice: `${one} SHA256 8 60`, carol: `${two} SHA1 6 30` })
    },
  )

  it.each([
    [
      'Aegis',
      'db.entries[1]',
      'HOTP',
      (more: object) => ({ ...aegis, db: { entries: [aegis.db.entries[0], more] } }),
      { type: 'hotp', name: 'h', info: { secret: three, algo: 'SHA1', digits: 6, counter: 5 } },
    ],
    [
      'Aegis',
      'db.entries[1]',
      'Steam',
      (more: object) => ({ ...aegis, db: { entries: [aegis.db.entries[0], more] } }),
      { type: 'steam', name: 's', info: { secret: three, algo: 'SHA1', digits: 5, period: 30 } },
    ],
    [
      'Aegis',
      'db.entries[1]',
      'mOTP',
      (more: object) => ({ ...aegis, db: { entries: [aegis.db.entries[0], more] } }),
      {
        type: 'motp',
        name: 'm',
        info: { secret: 'e3152afee62599c8', algo: 'MD5', digits: 6, period: 10, pin: '1234' },
      },
    ],
    [
      'Aegis',
      'db.entries[1]',
      'Yandex',
      (more: object) => ({ ...aegis, db: { entries: [aegis.db.entries[0], more] } }),
      {
        type: 'yandex',
        name: 'y',
        info: { secret: three, algo: 'SHA256', digits: 8, period: 30, pin: '1234' },
      },
    ],
    [
      'Aegis',
      'db.entries[1]',
      'MD5',
      (more: object) => ({ ...aegis, db: { entries: [aegis.db.entries[0], more] } }),
      { type: 'totp', name: 'd', info: { secret: three, algo: 'MD5', digits: 6, period: 30 } },
    ],
    [
      'Aegis',
      'db.entries[1]',
      'digits must be one of 6, 7, 8',
      (more: object) => ({ ...aegis, db: { entries: [aegis.db.entries[0], more] } }),
      { type: 'totp', name: 'd', info: { secret: three, algo: 'SHA1', digits: 5, period: 30 } },
    ],
    [
      '2FAS',
      'services[1]',
      'HOTP',
      (more: object) => ({ ...twoFas, services: [twoFas.services[0], more] }),
      { name: 'h', secret: three, otp: { counter: 1, tokenType: 'HOTP' } },
    ],
    [
      '2FAS',
      'services[1]',
      'Steam',
      (more: object) => ({ ...twoFas, services: [twoFas.services[0], more] }),
      { name: 's', secret: three, otp: { tokenType: 'STEAM', digits: 5 } },
    ],
    [
      'Bitwarden',
      'items[1]',
      'Steam',
      (more: object) => ({ ...bitwarden, items: [bitwarden.items[0], more] }),
      loginOf('s', `steam://${three}`),
    ],
    [
      'andOTP',
      '[1]',
      'HOTP',
      (more: object) => [andOtp[0], more],
      {
        secret: three,
        label: 'h',
        type: 'HOTP',
        algorithm: 'SHA1',
        thumbnail: 'Default',
        counter: 3,
        digits: 6,
      },
    ],
    [
      'FreeOTP',
      'tokens[1]',
      'HOTP',
      (more: object) => ({ ...freeOtp, tokens: [freeOtp.tokens[0], more] }),
      { ...freeOtp.tokens[1], type: 'HOTP', counter: 9 },
    ],
    [
      'KeePassXC',
      'line 3',
      'Steam',
      (more: object) => [...keePassXc.split('\n').slice(0, 2), Object.values(more)[0]].join('\n'),
      { line: `"Root","s","u","p","","","${uri('s:u', three, '&encoder=steam')}","0","",""` },
    ],
    [
      'Ente Auth',
      'line 2',
      'Steam',
      (more: object) => [ente.split('\n')[0], Object.values(more)[0]].join('\n'),
      { line: `otpauth://steam/s?secret=${three}` },
    ],
    [
      'Aegis',
      'db.entries[1]',
      'not base32',
      (more: object) => ({ ...aegis, db: { entries: [aegis.db.entries[0], more] } }),
      { type: 'totp', name: 'd', info: { secret: `${three}!`, algo: 'SHA1', digits: 6, period: 30 } },
    ],
  ])(
    'of %s refuses at %s what is not TOTP by name (%s), and takes the rest with --partial',
    async (_tool, where, kind, build, more) => {
      const { run } = await give(build(more))
      expect(run).toMatchObject({ exitCode: 3, stdout: '' })
      const { error } = JSON.parse(run.stderr) as { error: { message: string } }
      expect(error.message).toContain(`${where}: `)
      expect(error.message).toContain(kind)
      const partial = await give(build(more), '--partial')
      expect(parseJson(partial.run)).toMatchObject({
        imported: 1,
        skipped: 1,
        peers: ['alice'],
        problems: [{ where }],
      })
      expect(await seedsIn(partial.cwd)).toEqual({ alice: `${one} SHA256 8 60` })
    },
  )

  it('names its label where that cannot be a peer', async () => {
    const { run } = await give([{ ...aegis.db.entries[0], name: 'alice@example.org' }])
    expect(run.stderr).toContain('[0]: peer name is not allowed: \\"alice@example.org\\"')
  })

  it.each([
    ['a JPEG image', Buffer.from('ffd8ffe000104a464946', 'hex')],
    ['a GIF image', Buffer.from('GIF89a\x01')],
    ['a WebP image', Buffer.from('RIFF\x10\0\0\0WEBPVP8 ', 'latin1')],
    ['a HEIC image', Buffer.from('\0\0\0\x18ftypheic\0\0\0\0', 'latin1')],
    ['an AVIF image', Buffer.from('\0\0\0\x18ftypavif\0\0\0\0', 'latin1')],
    ['an SVG image', Buffer.from('<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg">')],
    ['a PDF document', Buffer.from('%PDF-1.7\n')],
    ['encrypted with age', Buffer.from('age-encryption.org/v1\n-> X25519 abc\n')],
    ['encrypted with OpenPGP', Buffer.from('-----BEGIN PGP MESSAGE-----\n')],
    ['a KeePass database', Buffer.from('03d9a29a67fb4bb5', 'hex')],
  ])('refuses %s by name', async (name, content) => {
    const run = await runCli(['import', '-'], { cwd: await makeStore(), stdin: Readable.from([content]) })
    expect(run).toMatchObject({ exitCode: 3, stdout: '' })
    expect(run.stderr).toContain(`this file is ${name}; `)
  })
})
