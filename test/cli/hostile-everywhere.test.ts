import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse as parseYaml } from 'yaml'
import { parse as parseEnv } from 'dotenv'
import { scalarText } from '../../src/mesh/file/yaml-text.js'
import { makeFolder, runCli, startBinary, type CliOptions, type CliRun } from '../support/cli.js'
import { expectHarmlessText, hostile, hostileName } from '../support/hostile-text.js'

function expectHarmless({ stdout, stderr }: Pick<CliRun, 'stdout' | 'stderr'>): void {
  expectHarmlessText(stdout)
  expectHarmlessText(stderr)
}

interface StoredPeer {
  seeds: Record<string, unknown>[]
  tokens: Record<string, unknown>[]
  [field: string]: unknown
}
interface Stored {
  agent: Record<string, unknown>
  profile: Record<string, unknown>
  peers: Record<string, StoredPeer>
  [field: string]: unknown
}

/** The peer whose fields are edited. */
function bobOf({ peers }: Stored): StoredPeer {
  const { bob } = peers
  if (!bob) throw new Error('no bob')
  return bob
}

const url = `http://127.0.0.1:1/${hostile}`

/** A mesh file of that store, which leaves out the peer bob. Commands and paths take no control characters. */
const meshFile = `version: 1
agents:
  billing: {store: a2a-totp.json, url: ${scalarText(url)}, allowHosts: [${scalarText(hostile)}], deliver: ${scalarText(`cat; echo '${hostile.replaceAll(/['\p{Cc}]/gu, '')}'`)}}
  absent: {url: ${scalarText(url)}, store: ${scalarText(hostile.replaceAll(/[/\p{Cc}]/gu, ''))}}
peers:
  alice: {calls: [{agent: billing, note: ${scalarText(`${hostile} again`)}}, absent]}
`

/** A store in a hostile folder; its peers have hostile notes, and the agent a hostile URL. */
async function makeStore(edit: (store: Stored) => void = () => undefined): Promise<string> {
  const cwd = join(makeFolder(), hostileName)
  mkdirSync(cwd)
  await runCli(['init', '--agent', 'billing'], { cwd })
  await runCli(['add-peer', 'alice', 'bob', '--note', hostile], { cwd })
  const path = join(cwd, 'a2a-totp.json')
  const store = JSON.parse(readFileSync(path, 'utf8')) as Stored
  store.agent['url'] = url
  edit(store)
  writeFileSync(path, JSON.stringify(store), { mode: 0o600 })
  writeFileSync(join(cwd, 'mesh.yaml'), meshFile)
  return cwd
}

const passphrase = { A2A_TOTP_PASSPHRASE: 'correct horse battery' }
const serverFormats = [
  'json',
  'maps',
  'env',
  'yaml',
  'typescript',
  'python',
  'crewai',
  'kubernetes',
  'compose',
  'systemd',
]
const clientFormats = [
  'env',
  'json',
  'yaml',
  'typescript',
  'python',
  'crewai',
  'kubernetes',
  'github',
  'curl',
  'systemd',
  'go',
]
const uri = (label: string): string => `otpauth://totp/${label}?secret=${'A'.repeat(32)}`

/** Each command, in every format it has, with text from outside wherever it takes some. `demo` and `probe` have tests of their own. */
const lines: readonly (readonly string[])[] = [
  ['init'],
  ['init', '--if-missing'],
  ['init', '--force', '--yes'],
  ['init', '--agent', hostile],
  ['init', '--force', '--yes', '--url', url],
  ['init', '--force', '--yes', '--header', hostile],
  ['init', '--force', '--yes', '--encrypt-to', hostile],
  ['add-peer', 'carol', '--note', hostile],
  ['add-peer', 'carol', '--note', hostile, '--reveal'],
  ['add-peer', hostile],
  ['add-peer', 'alice', '--if-missing'],
  ['add-peer', 'carol', '--seed-file', hostileName],
  ['add-peer', 'carol', '--token-file', '-'],
  ['set', 'alice', '--note', hostile],
  ['set', '--url', url],
  ['set', '--header', 'X-Code'],
  ['set', '--header', 'X-Code', '--yes'],
  ['set', '--header', hostile],
  ['set', hostile, '--note', hostile],
  ['set', 'alice', '--expires', hostile],
  ['set', 'alice', '--signed', hostile],
  ['set', 'alice', '--signed', 'accept'],
  ['add-peer', 'carol', '--signed', hostile],
  ['init', '--signed', hostile],
  ['init', '--strict', '--header', hostile],
  ['rename', 'alice', 'alicia'],
  ['rename', 'alice', hostile],
  ['rename', hostile, 'alice'],
  ['rename', '--agent', hostile],
  ['undo'],
  ['undo', '--dry-run'],
  ['undo', '--yes'],
  ['log'],
  ['log', '--peer', hostile],
  ['log', '--since', hostile],
  ['exec', hostile, '--', 'true'],
  ['exec', 'alice', '--', hostile],
  ['exec', 'alice', hostile],
  ['list'],
  ['show', 'alice'],
  ['show', 'alice', '--uri'],
  ['show', 'alice', '--qr'],
  ['show', 'alice', '--qr-file', `${hostileName}.svg`],
  ['show', hostile],
  ['code', 'alice'],
  ['code', 'alice', '--header'],
  ['code', 'alice', '--headers'],
  ['code', 'alice', '--at', hostile],
  ['code', hostile],
  ['code', 'alice', '--for', 'POST', url],
  ['code', 'alice', '--for', hostile, hostile],
  ['code', 'alice', '--for', 'GET', 'http://127.0.0.1:1/', hostile],
  ['code', '--for', 'GET', 'http://127.0.0.1:1/'],
  ['code', 'alice', '--for', 'GET', 'http://127.0.0.1:1/', '--with', hostile],
  ['code', 'alice', '--for', 'GET', 'http://127.0.0.1:1/', '--with', `A2A-Extensions: ${hostile}`],
  ['code', 'alice', '--for', 'GET', 'http://127.0.0.1:1/', '--with', 'A2A-Extensions: urn:x::y ##vso[z]'],
  ['code', 'alice', '--for', 'GET', 'http://127.0.0.1:1/', '--body', hostileName],
  ['verify', '000000', 'alice'],
  ['verify', hostile, 'alice'],
  ['verify', '-', 'alice'],
  ...serverFormats.map((format) => ['config', 'server', '--format', format]),
  ...serverFormats.map((format) => [
    'config',
    'server',
    '--format',
    format,
    '--server-file',
    `/etc/${hostileName}`,
  ]),
  ['config', 'server', '--format', 'json', '--out', hostileName],
  ['config', 'server', '--format', hostile],
  ['config', 'server', '--check', hostileName],
  ['config', 'client', 'alice', '--format', 'python', '--vendored'],
  ...clientFormats.map((format) => ['config', 'client', 'alice', '--format', format]),
  ['config', 'client', hostile],
  ['config', 'card'],
  ['config', 'card', '--merge', hostileName],
  ['probe', hostile, 'alice'],
  ['probe', url, 'alice'],
  ['probe', 'http://127.0.0.1:1', 'alice', '--ca', hostileName],
  ['probe', 'http://127.0.0.1:1', 'alice', '--format', `json=${hostileName}`],
  ['probe', 'http://127.0.0.1:1', 'alice', '--only', hostile],
  ['probe', '--explain', hostile],
  ['proxy', hostile],
  ['proxy', hostile, hostile],
  ['proxy', url, hostile],
  ...[
    ...[
      '--listen',
      '--local-auth',
      '--sign',
      '--max-wait',
      '--allow-host',
      '--card-security',
      '--admin',
      '--log',
    ],
    ...['--drain', '--config', '--max-queue', '--max-signed-body'],
  ].map((option) => ['proxy', 'http://127.0.0.1:1', 'alice', option, hostile]),
  ['proxy', '--client-file', hostileName],
  ['proxy', '--config', hostileName],
  ...['--ca', '--cert'].map((option) => ['proxy', 'http://127.0.0.1:1', 'alice', option, hostileName]),
  ['proxy', 'http://127.0.0.1:1', 'alice', '--local-auth', 'header', '--local-token-file', hostileName],
  ['proxy', 'http://127.0.0.1:1', 'alice', '--socket', `${hostileName}/socket`],
  ['gate', '--upstream', hostile],
  ['gate', '--upstream', url],
  ['gate', '--upstream', `unix:${hostile}`, '--listen', hostile],
  ...[
    ...['--grpc-upstream', '--public-url', '--redis', '--trust-proxy', '--identity-header', '--card-path'],
    ...['--public-path', '--max-header', '--header-timeout', '--upstream-timeout', '--authz', '--authz-grpc'],
    ...['--admin', '--log', '--drain'],
  ].map((option) => ['gate', option, hostile, '--upstream', 'http://127.0.0.1:1', '--listen', '192.0.2.1:1']),
  ...['--server-file', '--tls-cert', '--assert-key', '--card', '--authz-token-file'].map((option) => [
    ...['gate', '--upstream', 'http://127.0.0.1:1', '--listen', '127.0.0.1:0', option],
    hostileName,
  ]),
  ['rotate', 'alice'],
  ['rotate', 'alice', '--reveal'],
  ['rotate', '--all', '--overlap', hostile],
  ['rotate', 'alice', '--dry-run'],
  ['rotate', 'alice', '--server-out', hostileName],
  [
    'rotate',
    'alice',
    '--server-out',
    'x.json',
    '--deliver',
    `echo '${hostile.replaceAll(/['\n\r\0]/g, '')}'; false`,
  ],
  ['rotate', 'alice', '--server-out', 'x.json', '--deliver', hostile, '--format', hostile],
  ['rotate', 'alice', '--prove', url, '--wait', '0'],
  ['rotate', '--resume', hostile],
  ['rotate', '--abandon'],
  ['set', '--url', url],
  ['set', '--url', hostile],
  ['set', '--header', hostile],
  ['set', '--window', hostile],
  ['set', 'alice', '--note', `${hostile} again`],
  ['set', 'alice', '--expires', hostile],
  ['set', hostile, '--replay', 'once'],
  ['rename', 'alice', 'alicia'],
  ['rename', 'alice', hostile],
  ['rename', hostile, 'alicia'],
  ['rename', '--agent', hostile, '--yes'],
  ['undo', '--yes'],
  ['undo', '--dry-run'],
  ['log'],
  ['log', '--peer', hostile],
  ['log', '--since', hostile],
  ['exec', 'alice', '--', hostile],
  ['exec', hostile, '--', 'true'],
  ['mesh', 'init', hostileName],
  ['mesh', 'init', 'a2a-totp.json'],
  ['mesh', 'init', 'a2a-totp.json', '--force'],
  ['mesh', 'init', 'a2a-totp.json', '--out', hostileName],
  ['mesh', 'init', '--file', hostileName],
  ['mesh', 'plan'],
  ['mesh', 'plan', '--file', hostileName],
  ['mesh', 'apply'],
  ['mesh', 'apply', '--yes', '--prune', '--allow-commands'],
  ['mesh', 'rotate', '--only', hostile],
  ['mesh', 'rotate', '--only', 'alice:billing', '--allow-commands'],
  ['mesh', 'prove'],
  ['mesh', 'prove', '--format', `html=${hostileName}`],
  ...['table', 'json', 'mermaid', 'svg', 'html', hostile].map((format) => [
    'mesh',
    'show',
    '--format',
    format,
  ]),
  ['mesh', 'status'],
  ['mesh', 'config', 'server', 'billing'],
  ['mesh', 'config', 'client', 'alice'],
  ['mesh', 'config', 'client', hostile],
  ['mesh', hostile],
  ['remove-peer', 'bob'],
  ['remove-peer', 'bob', '--yes'],
  ['remove-peer', hostile, '--yes'],
  ['import', '-'],
  ['import', '-', '--partial'],
  ['import', hostileName],
  ['export', '--reveal'],
  ...['json', 'uri', 'uris', 'csv', 'maps'].map((format) => ['export', '--reveal', '--format', format]),
  ['export', '--reveal', '--out', hostileName],
  ['encrypt', '--passphrase'],
  ['encrypt', '--encrypt-to', hostile],
  ['decrypt', '--yes'],
  ['recipients', 'list'],
  ['recipients', 'add', hostile],
  ['recipients', 'remove', hostile],
  ['doctor'],
  ['doctor', '--verbose'],
  ['doctor', '--fix'],
  ['doctor', hostileName],
  ['doctor', '--clock', url],
  ['doctor', '--events', hostileName],
  ['doctor', '--events', '-'],
  ['completion', 'bash'],
  ['completion', hostile],
  ['complete-peers'],
  ['complete', '--before=code'],
  ['help', 'store'],
  ['help', hostile],
  [hostile],
  [`--${hostile}`],
  ['--store', hostileName, 'list'],
]

/** What `import -` and others read. */
const inputs: readonly string[] = [
  hostile,
  uri(encodeURIComponent(hostile)),
  uri(hostile),
  `name,seed,note\n"${hostile.replaceAll('"', '""')}",,x\ncarol,,"${hostile.replaceAll('"', '""')}"\n`,
  `name,${hostile.replaceAll(/[",\n\r]/g, '')}\ncarol,x\n`,
  JSON.stringify({ [hostile]: { seed: hostile } }),
  JSON.stringify([{ name: hostile, note: hostile }]),
  JSON.stringify({ peer: 'carol', note: hostile, secret: hostile }),
  JSON.stringify({ peer_seeds: { [hostile]: 'A'.repeat(32) }, token_to_peer: { [hostile]: hostile } }),
]

/** Formats that are source code of ours, the same for every store. */
const constant = ['python', 'crewai', 'go']

const run = async (args: readonly string[], options: CliOptions): Promise<void> => {
  for (const all of [args, ['--json', ...args]]) expectHarmless(await runCli(all, options))
}

describe('text from outside is raw in no output of any command', () => {
  it.each(lines.map((args) => [args] as const))('%j', async (args) => {
    const env = { ...passphrase, A2A_TOTP_AGENT: hostile, A2A_TOTP_URL: url }
    if (args[0] === 'config' && constant.includes(args.at(args.indexOf('--format') + 1) ?? '')) {
      const plain = makeFolder()
      await runCli(['init', '--agent', 'billing'], { cwd: plain })
      await runCli(['add-peer', 'alice', 'bob'], { cwd: plain })
      expect(await runCli(args, { cwd: await makeStore() })).toEqual(await runCli(args, { cwd: plain }))
      return
    }
    const stdins = args.includes('-') ? inputs : ['']
    for (const stdin of stdins) await run(args, { cwd: await makeStore(), env, stdin })
  })

  it('has a line for every command', async () => {
    const { stdout } = await runCli(['--help'], { cwd: makeFolder() })
    const listed = Array.from(
      stdout.matchAll(/^ {2}([a-z][a-z-]*)(?:\|[a-z-]+)?(?: |$)/gm),
      ([, name = '']) => name,
    )
    expect(listed.length).toBeGreaterThan(15)
    const tried = new Set(lines.map(([name]) => name))
    expect(listed.filter((name) => !tried.has(name) && name !== 'demo')).toEqual([])
  })

  it('nor where the store was edited by hand, in any of its fields', async () => {
    const edits: ((store: Stored) => unknown)[] = [
      (store) => (store['version'] = hostile),
      (store) => (store[hostile] = 1),
      (store) => (store['replay'] = hostile),
      (store) => (store['recipients'] = [hostile]),
      (store) => (store['sharedSeeds'] = hostile),
      (store) => (store.agent['name'] = hostile),
      (store) => (store.agent['url'] = hostile),
      (store) => (store.agent[hostile] = hostile),
      ...['algorithm', 'digits', 'period', 'window', 'header'].map(
        (field) => (store: Stored) => (store.profile[field] = hostile),
      ),
      (store) => (store.peers[hostile] = bobOf(store)),
      ...['note', 'createdAt', 'algorithm', 'replay', hostile].map(
        (field) => (store: Stored) => (bobOf(store)[field] = hostile),
      ),
      ...['id', 'seed', 'createdAt', 'expiresAt', hostile].map(
        (field) => (store: Stored) => (bobOf(store).seeds[0] = { [field]: hostile }),
      ),
      ...['id', 'token', 'createdAt', 'expiresAt', hostile].map((field) => (store: Stored) => {
        const [token] = bobOf(store).tokens
        bobOf(store).tokens = [{ ...token, [field]: hostile }]
      }),
    ]
    for (const edit of edits) {
      const cwd = await makeStore((store) => void edit(store))
      for (const args of [['list'], ['show', 'bob'], ['config', 'server'], ['doctor']])
        await run(args, { cwd })
    }
  })
})

describe('what a store or its record holds', () => {
  it('is raw in no report of a change', async () => {
    const cwd = await makeStore()
    await runCli(['set', 'alice', '--note', 'plain'], { cwd })
    await runCli(['set', '--url', 'http://127.0.0.1:1'], { cwd })
    for (const args of [['log'], ['undo', '--dry-run'], ['undo']]) await run(args, { cwd })
  })
})

describe('what callers send to a sidecar, and what its store holds', () => {
  const sidecars: readonly (readonly string[])[] = [
    ['proxy', 'http://127.0.0.1:1', 'alice'],
    ['gate', '--upstream', 'http://127.0.0.1:1', '--listen', '127.0.0.1:0'],
  ]
  const field = hostile.replaceAll(/[\0\r\n]/g, '')
  const heads = [
    `GET /a::error::x/%1b%0a%E2%80%AE?::error::x HTTP/1.1\r\nHost: HOST\r\n`,
    `POST / HTTP/1.1\r\nHost: HOST\r\nUser-Agent: ${field}\r\nAuthorization: Bearer ${field}\r\nX-TOTP: ${field}\r\n`,
    'POST / HTTP/1.1\r\nHost: HOST\r\nAuthorization: Bearer ::error::x\r\nX-TOTP: ##vso[y]\r\nTotpPeer: ::a\r\n',
    'GET /##[group]g::error::x HTTP/1.1\r\nHost: HOST\r\n',
    'GET http://::error::x/##vso[y] HTTP/1.1\r\nHost: ::error::x\r\n',
  ]

  it.each(sidecars.flatMap((args) => ['text', 'json'].map((log) => [args[0] ?? '', log, args] as const)))(
    'is raw in nothing that it prints: %s --log %s',
    async (_, log, args) => {
      const child = startBinary([...args, '--log', log], { cwd: await makeStore() })
      const run = { stdout: '', stderr: '' }
      child.stderr?.on('data', (chunk: Buffer) => (run.stderr += chunk.toString()))
      const over = once(child, 'close')
      while (!run.stdout.includes('\n')) {
        const ready = child.stdout ? once(child.stdout, 'data') : over
        const [chunk] = (await Promise.race([ready, over])) as unknown[]
        if (!(chunk instanceof Buffer)) throw new Error(run.stderr)
        run.stdout += chunk.toString()
      }
      const { host, hostname, port } = new URL(run.stdout.trim())
      for (const head of heads) {
        const socket = connect(Number(port), hostname)
        socket.on('error', () => undefined).resume()
        socket.end(`${head.replace('HOST', host)}Connection: close\r\nContent-Length: 0\r\n\r\n`)
        await new Promise((done) => socket.once('close', done))
      }
      child.kill('SIGTERM')
      await over
      expect(run.stderr.split('\n').length).toBeGreaterThan(2)
      expectHarmless(run)
    },
  )
})

describe('fragments carry what is hostile escaped, and are read back as they were', () => {
  const fragment = async (...args: string[]): Promise<string> => {
    const { stdout, stderr, exitCode } = await runCli(['config', ...args], { cwd: await makeStore() })
    expect([exitCode, stderr]).toEqual([0, expect.any(String)])
    return stdout
  }
  const decoded = (text: string): string => decodeURIComponent(new URL(text).href).replace(/[\t\n\r]/g, '')
  const sameUrl = (text: unknown): void => expect(decoded(String(text))).toBe(decoded(url))

  it('as JSON and YAML, to the very character', async () => {
    expect(JSON.parse(await fragment('client', 'alice', '--format', 'json'))).toMatchObject({ url })
    expect(parseYaml(await fragment('client', 'alice', '--format', 'yaml'))).toMatchObject({ url })
    const manifest = parseYaml(
      await fragment('server', '--format', 'compose', '--server-file', `/etc/${hostileName}`),
    ) as {
      secrets: Record<string, { file: string }>
    }
    expect(Object.values(manifest.secrets)[0]?.file.replaceAll('$$', '$')).toBe(`/etc/${hostileName}`)
  })

  it('as env, kubernetes, github and curl, to the same URL', async () => {
    sameUrl(parseEnv(await fragment('client', 'alice', '--format', 'env'))['A2A_TOTP_URL'])
    const secret = parseYaml(await fragment('client', 'alice', '--format', 'kubernetes')) as {
      stringData: Record<string, string>
    }
    sameUrl(secret.stringData['A2A_TOTP_URL'])
    const [, shown] =
      /^ *"?A2A_TOTP_URL"?: (".*")$/m.exec(await fragment('client', 'alice', '--format', 'github')) ?? []
    sameUrl(parseYaml(String(shown)))
    const curl = await fragment('client', 'alice', '--format', 'curl')
    expect(
      curl
        .trimEnd()
        .split('\n')
        .filter((line) => !line.startsWith('#')),
    ).toHaveLength(1)
  })
})
