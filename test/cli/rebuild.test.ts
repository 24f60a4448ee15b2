import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeFolder, makeStore, parseJson, runCli, type CliRun } from '../support/cli.js'

const now = new Date('2026-03-01T12:00:00Z')
const later = (hours: number): Date => new Date(now.getTime() + hours * 3_600_000)
const formats = { alice: 'env', bob: 'json', carol: 'yaml', dave: 'kubernetes', erin: 'env' } as const
const names = Object.keys(formats) as (keyof typeof formats)[]

async function run(cwd: string, ...args: string[]): Promise<CliRun> {
  return runCli(args, { cwd, now })
}

async function done(cwd: string, ...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await run(cwd, ...args)
  expect(exitCode, `${args.join(' ')}: ${stderr}`).toBe(0)
  return stdout
}

/** What a store says to its agent, but for what grows with each change. */
async function serverFile(cwd: string): Promise<Record<string, unknown>> {
  const file = JSON.parse(await done(cwd, 'config', 'server')) as Record<string, unknown>
  return { ...file, serial: 0 }
}

/** Codes at several instants, and tokens. */
async function secretsOf(cwd: string): Promise<Record<string, unknown>> {
  const all: Record<string, unknown> = {}
  for (const name of names) {
    const codes: string[] = []
    for (const at of ['59', '1111111109', '2026-03-01T12:00:00Z', '1999-12-31T23:59:59Z'])
      codes.push(await done(cwd, 'code', name, '--at', at))
    all[name] = [codes, await done(cwd, 'code', name, '--headers', '--at', '59')]
  }
  return all
}

/** A store like those of agents that run for a while, its server file and five client fragments. */
async function original(shared: boolean): Promise<{ cwd: string; files: Record<string, string> }> {
  const cwd = makeFolder()
  const init = [
    'init',
    '--agent',
    'billing',
    '--url',
    'https://billing.example/a2a',
    '--window',
    '2',
    '--header',
    'X-Code',
  ]
  await done(cwd, ...init, '--algorithm', 'SHA256', '--digits', '8', ...(shared ? ['--shared-seed'] : []))
  await done(cwd, 'add-peer', 'alice')
  const own = shared ? [] : ['--algorithm', 'SHA512', '--digits', '7', '--period', '60', '--replay', 'once']
  await done(cwd, 'add-peer', 'bob', ...own, '--note', 'nightly')
  await done(cwd, 'add-peer', 'carol', '--expires', '90d')
  await done(cwd, 'add-peer', 'dave', 'erin')
  await done(cwd, 'add-peer', 'trap', '--canary')
  await done(cwd, 'rotate', 'dave', '--overlap', '24h', ...(shared ? ['--token'] : []))
  const files: Record<string, string> = { server: await done(cwd, 'config', 'server') }
  for (const name of names) files[name] = await done(cwd, 'config', 'client', name, '--format', formats[name])
  return { cwd, files }
}

async function importAll(files: Record<string, string>, order: readonly string[]): Promise<string> {
  const cwd = makeFolder()
  await done(cwd, 'init')
  for (const name of order) {
    writeFileSync(join(cwd, 'given'), files[name] ?? '')
    await done(cwd, 'import', 'given')
  }
  rmSync(join(cwd, 'given'))
  return cwd
}

const orders = [
  ['server', ...names],
  [...names, 'server'],
  ['dave', 'alice', 'server', 'erin', 'carol', 'bob'],
  ['erin', 'server', 'bob', 'dave', 'carol', 'alice'],
]

describe('a lost store', () => {
  it.each([
    ['seeds of their own', false],
    ['a shared seed', true],
  ])('with %s is built again from the server file and five fragments, in any order', async (_, shared) => {
    const { cwd, files } = await original(shared)
    const [server, secrets] = [await serverFile(cwd), await secretsOf(cwd)]
    for (const order of orders) {
      const rebuilt = await importAll(files, order)
      expect(await serverFile(rebuilt), order.join()).toEqual(server)
      expect(await secretsOf(rebuilt), order.join()).toEqual(secrets)
      const { agent, url, profile } = parseJson(await run(rebuilt, 'list', '--json'))
      expect({ agent, url, profile }).toMatchObject({
        agent: 'billing',
        url: 'https://billing.example/a2a',
        profile: { window: 2, header: 'X-Code' },
      })
    }
  })

  it('knows tokens by their hash until a fragment tells them', async () => {
    const { files } = await original(false)
    const cwd = makeFolder()
    await done(cwd, 'init')
    writeFileSync(join(cwd, 'billing.json'), files['server'] ?? '')
    const first = await run(cwd, 'import', 'billing.json', '--json')
    expect(parseJson(first)).toMatchObject({
      imported: 6,
      skipped: 0,
      peers: names,
      canaries: ['trap'],
    })
    const { peers } = parseJson(await run(cwd, 'list', '--json')) as { peers: { tokens: object[] }[] }
    expect(peers.every(({ tokens }) => tokens.every((token) => 'hashOnly' in token))).toBe(true)
    expect(await done(cwd, 'list')).toMatch(/alice .*\(hash only\)/)
    const serial = (JSON.parse(files['server'] ?? '') as { serial?: number }).serial ?? 0
    const stored = JSON.parse(readFileSync(join(cwd, 'a2a-totp.json'), 'utf8')) as { serial: number }
    expect(stored.serial).toBeGreaterThanOrEqual(serial)
    for (const args of [
      ['code', 'alice', '--headers'],
      ['config', 'client', 'alice'],
      ['config', 'client', 'alice', '--format', 'json'],
      ['probe', 'http://127.0.0.1:1', 'alice', '--insecure-http'],
    ]) {
      const { exitCode, stdout, stderr } = await run(cwd, ...args)
      expect({ exitCode, stdout }, args.join(' ')).toEqual({ exitCode: 3, stdout: '' })
      expect(stderr).toContain('a2a-totp rotate alice --token')
      expect(stderr).toContain('(ERR_TOKEN_UNKNOWN)')
    }
    expect((await run(cwd, 'code', 'alice')).exitCode).toBe(0)
    const shared = await importAll((await original(true)).files, ['server'])
    const maps = await run(shared, 'config', 'server', '--format', 'maps')
    expect(maps).toMatchObject({ exitCode: 3, stdout: '' })
    expect(maps.stderr).toContain('a2a-totp rotate alice --token` for a new one (ERR_TOKEN_UNKNOWN)')
    const exported = await run(cwd, 'export', '--reveal')
    expect(exported.exitCode).toBe(0)
    expect(exported.stderr).toContain('omitted the tokens of')
    writeFileSync(join(cwd, 'alice.env'), files['alice'] ?? '')
    const second = await run(cwd, 'import', 'alice.env', '--json')
    expect(parseJson(second)).toMatchObject({ imported: 0, completed: 1, completedPeers: ['alice'] })
    expect(await done(cwd, 'config', 'client', 'alice')).toBe(files['alice'])
    const again = await run(cwd, 'import', 'alice.env')
    expect(again).toMatchObject({ exitCode: 1, stdout: '' })
    expect(again.stderr).toContain('(ERR_PEER_EXISTS)')
    expect((await run(cwd, 'import', 'billing.json')).stderr).toContain('(ERR_PEER_EXISTS)')
    await done(cwd, 'rotate', 'bob', '--token', '--now')
    await done(cwd, 'config', 'client', 'bob')
  })

  it('is whole or nothing where a peer has another seed or token, unless --partial', async () => {
    const { files } = await original(false)
    const other = await original(false)
    const cwd = makeFolder()
    await done(cwd, 'init', '--agent', 'billing')
    writeFileSync(join(cwd, 'alice'), other.files['alice'] ?? '')
    await done(cwd, 'import', 'alice')
    writeFileSync(join(cwd, 'server'), files['server'] ?? '')
    const before = readFileSync(join(cwd, 'a2a-totp.json'))
    const refused = await run(cwd, 'import', 'server')
    expect(refused).toMatchObject({ exitCode: 3, stdout: '' })
    expect(readFileSync(join(cwd, 'a2a-totp.json'))).toEqual(before)
    const forced = await run(cwd, 'import', 'server', '--force')
    expect(forced).toMatchObject({ exitCode: 3, stdout: '' })
    expect(forced.stderr).toContain('peers.alice: "alice" has another seed in the store')
    expect(readFileSync(join(cwd, 'a2a-totp.json'))).toEqual(before)
    expect(await done(cwd, 'import', 'server', '--force', '--partial')).toBe('imported 5, skipped 1\n')
    writeFileSync(join(cwd, 'bob'), other.files['bob'] ?? '')
    const stale = await run(cwd, 'import', 'bob')
    expect(stale).toMatchObject({ exitCode: 3, stdout: '' })
    expect(stale.stderr).toContain('"bob" has another token in the store; this one is older or newer')
  })

  it('takes no server file of another agent or profile into a store with peers, without --force', async () => {
    const { files } = await original(false)
    const cwd = await makeStore(['zoe'], ['--agent', 'shipping'])
    writeFileSync(join(cwd, 'server'), files['server'] ?? '')
    const refused = await run(cwd, 'import', 'server')
    expect(refused.exitCode).toBe(3)
    expect(refused.stderr).toContain('the file is of the agent "billing", and the store of "shipping"')
    const same = await makeStore(['zoe'], ['--agent', 'billing'])
    writeFileSync(join(same, 'server'), files['server'] ?? '')
    expect((await run(same, 'import', 'server')).stderr).toContain(
      'differ in algorithm, digits, window, header',
    )
    await done(cwd, 'import', 'server', '--force')
    const { agent, peers } = parseJson(await run(cwd, 'list', '--json')) as { agent: string; peers: object[] }
    expect([agent, peers.length]).toEqual(['shipping', 7])
  })

  it('is recorded, and kept as it was beside it', async () => {
    const { files } = await original(false)
    const cwd = makeFolder()
    await done(cwd, 'init')
    const before = readFileSync(join(cwd, 'a2a-totp.json'))
    writeFileSync(join(cwd, 'server'), files['server'] ?? '')
    const { stderr } = await run(cwd, 'import', 'server')
    expect(stderr).toContain('took the name and profile of agent billing from the file')
    expect(stderr).toContain('only the hash is known of the token of alice, bob, carol, dave, erin')
    expect(readFileSync(join(cwd, 'a2a-totp.json.bak-prev'))).toEqual(before)
    const lines = readFileSync(join(cwd, 'a2a-totp.json.log'), 'utf8').trim().split('\n')
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({
      command: 'import',
      peers: expect.arrayContaining([...names, 'trap']) as string[],
      changed: expect.arrayContaining([{ field: 'agent', from: 'agent', to: 'billing' }]) as object[],
    })
  })
})

describe('the forms in which fragments arrive', () => {
  it('variables with quotes, export, CR LF, comments, of systemd, compose and kubectl', async () => {
    const { files } = await original(false)
    const env = files['alice'] ?? ''
    const variables = [...env.matchAll(/^(A2A_TOTP_\w+)=(.*)$/gm)].map(
      ([, name = '', value = '']) => [name, value] as const,
    )
    const map = variables.map(([name, value]) => `      ${name}: '${value}'\n`).join('')
    const encoded = variables
      .map(([name, value]) => `  ${name}: ${Buffer.from(value).toString('base64')}\n`)
      .join('')
    const forms: Record<string, string> = {
      quoted: variables.map(([name, value]) => `export ${name}="${value}" # ours`).join('\r\n'),
      single: variables.map(([name, value]) => `${name} = '${value}'`).join('\n'),
      systemd: `[Service]\n${variables.map(([name, value]) => `Environment="${name}=${value}"`).join('\n')}\n`,
      compose: `services:\n  peer:\n    environment:\n${map}`,
      list: `services:\n  peer:\n    environment:\n${variables.map(([name, value]) => `      - ${name}=${value}\n`).join('')}`,
      deployment: `spec:\n  env:\n${variables.map(([name, value]) => `    - name: ${name}\n      value: "${value}"\n`).join('')}`,
      secret: `apiVersion: v1\nkind: Secret\nmetadata: { name: a2a-totp-billing-alice }\ndata:\n${encoded}`,
    }
    forms['json'] = JSON.stringify({ format: 'env', content: env })
    for (const [form, text] of Object.entries(forms)) {
      const cwd = await importAll(files, ['server'])
      writeFileSync(join(cwd, 'given'), text)
      expect(await done(cwd, 'import', 'given'), form).toBe('imported 0, completed 1, skipped 0\n')
      expect(await done(cwd, 'config', 'client', 'alice'), form).toBe(env)
    }
  })

  it.each(['yaml', 'kubernetes'])('a server file as %s, also as kubectl prints it', async (format) => {
    const { cwd } = await original(false)
    const server = await serverFile(cwd)
    const text = await done(cwd, 'config', 'server', '--format', format)
    const rebuilt = await importAll({ text }, ['text'])
    expect(await serverFile(rebuilt)).toEqual(server)
    const data = Buffer.from(JSON.stringify({ ...server, serial: 3 })).toString('base64')
    const list = { kind: 'List', items: [{ kind: 'Secret', data: { 'a2a-totp-server.json': data } }] }
    expect(await serverFile(await importAll({ list: JSON.stringify(list) }, ['list']))).toEqual(server)
  })

  const code = 'a fragment that is code'
  const names = 'and does not contain it'
  it.each([
    ['client alice --format typescript', `this is TypeScript, ${code}`],
    ['client alice --format python', `this is Python, ${code}`],
    ['client alice --format python --vendored', `this is Python, ${code}`],
    ['client alice --format crewai', `this is Python, ${code}`],
    ['client alice --format crewai --vendored', `this is Python, ${code}`],
    ['client alice --format go', `this is Go, ${code}`],
    ['client alice --format curl', `this is a curl command, ${code}`],
    ['client alice --format systemd', `this is a systemd unit that names a file ${names}`],
    ['client alice --format github', 'this is a workflow that names secrets and does not contain them'],
    ['server --format typescript', `this is TypeScript, ${code}`],
    ['server --format python', `this is Python, ${code}`],
    ['server --format python --vendored', `this is Python, ${code}`],
    ['server --format crewai', `this is Python, ${code}`],
    ['server --format crewai --vendored', `this is Python, ${code}`],
    ['server --format compose', `this fragment names the server file ${names}`],
  ])('what config %s prints is refused by its name, and changes nothing', async (args, kind) => {
    const { cwd } = await original(false)
    const stdin = await done(cwd, 'config', ...args.split(' '))
    const other = await makeStore(['alice'])
    const before = readFileSync(join(other, 'a2a-totp.json'), 'utf8')
    const { exitCode, stdout, stderr } = await runCli(['import', '-'], { cwd: other, stdin })
    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' })
    expect(stderr).toContain(`error: ${kind}; import the env or the json fragment of the peer`)
    expect(readFileSync(join(other, 'a2a-totp.json'), 'utf8')).toBe(before)
  })

  it('a client file takes the credentials of this agent, and no others', async () => {
    const { cwd: billing } = await original(false)
    const { agents } = parseJson(await run(billing, 'config', 'client', 'bob', '--format', 'json'))
    const client = (agents as Record<string, Record<string, unknown>>)['billing'] ?? {}
    const seed = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
    const stdin = JSON.stringify({
      version: 1,
      peer: 'bob',
      agents: {
        billing: client,
        shipping: { ...client, seed, token: 'a2at_0123abcdQWERTYzxcv9876lkjhGFDSpoiu' },
      },
    })
    for (const [agent, expected] of [
      ['billing', client['seed']],
      ['shipping', seed],
    ] as const) {
      const cwd = await makeStore([], ['--agent', agent])
      expect((await runCli(['import', '-'], { cwd, stdin })).exitCode).toBe(0)
      expect(parseJson(await run(cwd, 'config', 'client', 'bob', '--format', 'json'))['seed']).toBe(expected)
    }
    const refused = await runCli(['import', '-'], { cwd: await makeStore([], ['--agent', 'other']), stdin })
    expect(refused.exitCode).toBe(3)
    expect(refused.stderr).toContain(
      'none of its agents ("billing", "shipping") is the agent of this store, "other"',
    )
  })
})

describe('import --rename and --name', () => {
  const uri = (label: string): string =>
    `otpauth://totp/${encodeURIComponent(label)}?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ`

  it('gives labels that are no names a name, and peers of any file another', async () => {
    const cwd = await makeStore()
    const stdin = `${uri('alice@example.com')}\n${uri('bob')}\n${uri('c = d')}\n`
    const args = [
      'import',
      '-',
      '--rename',
      'alice@example.com=alice',
      '--rename',
      'bob=robert',
      '--rename',
      'c = d=carol',
    ]
    const { exitCode, stderr } = await runCli(args, { cwd, stdin })
    expect(exitCode, stderr).toBe(0)
    const { peers } = parseJson(await run(cwd, 'list', '--json')) as { peers: { name: string }[] }
    expect(peers.map(({ name }) => name)).toEqual(['alice', 'robert', 'carol'])
  })

  it('finds a label as apps show it, with the issuer, and an entry that has the issuer alone', async () => {
    const cwd = await makeStore()
    const stdin = `${uri('Acme:alice@example.com')}\n${uri('Acme:bob')}\n${uri('Depot:')}\n`
    const renames = ['Acme:alice@example.com=alice', 'Acme:bob=robert', 'Depot=depot']
    const args = ['import', '-', ...renames.flatMap((one) => ['--rename', one])]
    const { exitCode, stderr } = await runCli(args, { cwd, stdin })
    expect(exitCode, stderr).toBe(0)
    const { peers } = parseJson(await run(cwd, 'list', '--json')) as { peers: { name: string }[] }
    expect(peers.map(({ name }) => name)).toEqual(['alice', 'robert', 'depot'])
  })

  it('advises only what helps for an entry without a label', async () => {
    const of = async (...labels: string[]): Promise<string> =>
      (await runCli(['import', '-'], { cwd: await makeStore(), stdin: labels.map(uri).join('\n') })).stderr
    expect(await of('Acme:', 'bob')).toContain('pass --rename ISSUER=NEW, or --name NAME for a single entry')
    expect(await of('', 'bob')).toContain(
      'pass --name NAME if it is the only entry, else import it by itself',
    )
  })

  it('says what a new store takes from a fragment', async () => {
    const { files } = await original(false)
    const cwd = makeFolder()
    await done(cwd, 'init')
    const { stderr } = await runCli(['import', '-'], { cwd, stdin: files['alice'] ?? '' })
    expect(stderr).toContain(
      'took the name billing, the URL https://billing.example/a2a, the header X-Code, the window 2 of the agent from the file',
    )
    expect((await runCli(['import', '-'], { cwd, stdin: files['bob'] ?? '' })).stderr).not.toContain('took')
  })

  it('says which option helps', async () => {
    const { exitCode, stderr } = await runCli(['import', '-'], {
      cwd: await makeStore(),
      stdin: uri('alice@example.com'),
    })
    expect(exitCode).toBe(3)
    expect(stderr).toContain('pass --rename OLD=NEW, or --name NAME for a single entry')
  })

  it('--name names a single entry, such as a fragment without a name', async () => {
    const { cwd: billing } = await original(false)
    const env = await done(billing, 'config', 'client', 'alice')
    const stdin = env.replace(/^#.*\n/gm, '')
    const cwd = await makeStore()
    expect((await runCli(['import', '-'], { cwd, stdin })).stderr).toContain('pass --name NAME')
    expect((await runCli(['import', '-', '--name', 'alice'], { cwd, stdin })).exitCode).toBe(0)
    expect(parseJson(await run(cwd, 'show', 'alice', '--json'))['peers']).toHaveLength(1)
  })

  it('renames peers of a server file', async () => {
    const { files } = await original(false)
    const cwd = await makeStore()
    writeFileSync(join(cwd, 'server'), files['server'] ?? '')
    await done(cwd, 'import', 'server', '--rename', 'bob=robert')
    await done(cwd, 'show', 'robert')
    expect((await run(cwd, 'show', 'bob')).exitCode).toBe(1)
  })

  it.each([
    [['--rename', 'nobody=alice'], 'the file has no peer with that name'],
    [['--rename', 'bob'], '--rename must be OLD=NEW'],
    [['--rename', 'bob=not a name'], '--rename must be OLD=NEW'],
    [['--name', 'x', '--rename', 'bob=y'], '--rename and --name cannot be used together'],
    [['--name', 'x'], '--name is for one peer'],
    [['--name', 'not a name'], '--name must be'],
  ])('%j is refused', async (args, words) => {
    const stdin = `${uri('bob')}\n${uri('carol')}\n`
    const { exitCode, stdout, stderr } = await runCli(['import', '-', ...args], {
      cwd: await makeStore(),
      stdin,
    })
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toContain(words)
  })
})

it('the hour of an overlap survives', async () => {
  const { files } = await original(false)
  const cwd = await importAll(files, ['server'])
  const at = (date: Date): Promise<CliRun> => runCli(['config', 'server'], { cwd, now: date })
  const seedsOf = async (date: Date): Promise<number> =>
    (JSON.parse((await at(date)).stdout) as { peers: Record<string, { seeds: object[] }> }).peers['dave']
      ?.seeds.length ?? 0
  expect([await seedsOf(later(23)), await seedsOf(later(25))]).toEqual([2, 1])
})
