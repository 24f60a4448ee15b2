import { execFile } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { clientFragments, serverFragments } from '../../src/fragments/index.js'
import { vendoredVersion } from '../../src/fragments/vendored.js'
import { TOTPServerAuthScheme } from '../../src/server/index.js'
import { binary, makeStore, runCli, startBinary } from '../support/cli.js'
import { firstLineOf } from '../support/python.js'

const docs = fileURLToPath(new URL('../../docs/', import.meta.url))
const pages = readdirSync(`${docs}fragments`).filter((name) => name.endsWith('.md'))

/** What a page says to type, in order. */
const commandsOf = (page: string): string[] =>
  Array.from(readFileSync(docs + page, 'utf8').matchAll(/```console\n(.*?)```/gs), ([, block = '']) => block)
    .flatMap((block) => block.split('\n'))
    .flatMap((line) => /^ *\$ (.*)$/.exec(line)?.[1] ?? [])

/** Programs that need a cluster, a daemon or an account: they write down how they were called, and with what. */
const absent = ['kubectl', 'docker', 'systemctl', 'gh']

interface Call {
  readonly program: string
  readonly args: string
  readonly input: string
}

interface Run {
  readonly cwd: string
  readonly stdout: string
  /** How {@link absent} programs were called. */
  readonly calls: readonly Call[]
}

/** Types all that a page says to type, into one shell, with paths under /etc taken to a folder of the test's. */
async function follow(page: string, cwd: string, edit = (line: string): string => line): Promise<Run> {
  const bin = join(cwd, '.bin')
  mkdirSync(bin)
  symlinkSync(binary, join(bin, 'a2a-totp'))
  for (const program of absent) {
    const script = `#!/bin/sh\ncase "$*" in *--body*|*compose*|*rollout*|daemon-reload|restart*) ;; *) input=$(cat) ;; esac
printf '%s\\0%s\\0%s\\0' ${program} "$*" "$input" >>${join(cwd, '.calls')}\n`
    writeFileSync(join(bin, program), script)
    chmodSync(join(bin, program), 0o755)
  }
  writeFileSync(join(cwd, '.calls'), '')
  for (const folder of ['etc/billing', 'etc/systemd/system'])
    mkdirSync(join(cwd, folder), { recursive: true })
  const script = commandsOf(page).map((line) => edit(line).replaceAll('/etc/', `${cwd}/etc/`))
  expect(script.length).toBeGreaterThan(0)
  const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script.join('\n')], {
    cwd,
    env: { PATH: `${bin}:${process.env['PATH'] ?? ''}`, HOME: cwd },
    timeout: 110_000,
  })
  const fields = readFileSync(join(cwd, '.calls'), 'utf8').split('\0')
  const calls = Array.from({ length: Math.floor(fields.length / 3) }, (_, index) => {
    const [program = '', args = '', input = ''] = fields.slice(index * 3)
    return { program, args, input }
  })
  return { cwd, stdout, calls }
}

const billing = (): Promise<string> => makeStore(['alice', 'bob'], ['--agent', 'billing'])
const secretsOf = async (cwd: string, name: string): Promise<{ token: string; seed: string }> =>
  JSON.parse((await runCli(['config', 'client', name, '--format', 'json'], { cwd })).stdout) as {
    token: string
    seed: string
  }

describe('the pages on fragments', () => {
  it('are one for each system, and the table has every format', () => {
    const index = readFileSync(`${docs}fragments/README.md`, 'utf8')
    const rows = index.split('\n').filter((line) => line.startsWith('| '))
    const inColumn = (column: number): string[] =>
      rows.flatMap((row) => /`(\w+)`/.exec(row.split('|')[column] ?? '')?.[1] ?? []).sort()
    expect(inColumn(2)).toEqual(Object.keys(serverFragments).sort())
    expect(inColumn(3)).toEqual(Object.keys(clientFragments).sort())
    const linked = Array.from(index.matchAll(/\]\((\w+\.md)\)/g), ([, page]) => page)
    expect([...linked, 'README.md'].sort()).toEqual(pages.sort())
    const boldIn = (column: number): string[] =>
      rows.flatMap((row) => /\*\*`(\w+)`\*\*/.exec(row.split('|')[column] ?? '')?.[1] ?? []).sort()
    const secretOf = (fragments: Readonly<Record<string, { readonly secret: unknown }>>): string[] =>
      Object.keys(fragments)
        .filter((format) => fragments[format]?.secret === true)
        .sort()
    expect(boldIn(2)).toEqual(secretOf(serverFragments))
    expect(boldIn(3)).toEqual(secretOf(clientFragments))
  })

  it.each(['json', 'yaml', 'typescript', 'python', 'crewai', 'env'])(
    '%s: says what to type',
    async (page) => {
      const { cwd, stdout } = await follow(`fragments/${page}.md`, await billing())
      const written = commandsOf(`fragments/${page}.md`).flatMap(
        (line) => /--out (\S+)/.exec(line)?.[1] ?? [],
      )
      expect(written.length).toBeGreaterThan(1)
      for (const file of written) {
        const { mode, size } = statSync(file.startsWith('/') ? cwd + file : join(cwd, file))
        expect([mode & 0o777, size > 0]).toEqual([0o600, true])
      }
      if (page === 'python') {
        for (const module of written.filter((name) => name.startsWith('a2a_totp_')))
          expect(vendoredVersion(readFileSync(join(cwd, module), 'utf8'))).toMatchObject({ intact: true })
        expect(stdout).toContain('a2a_totp_server.py: matches a2a-totp')
      }
      if (page === 'env') expect(stdout).toMatch(/^\d{6}$/m)
      if (page === 'json') expect(stdout).toMatch(/^1$/m)
    },
  )

  it('kubernetes: pipes Secrets on, before and after a rotation', async () => {
    const { cwd, calls } = await follow('fragments/kubernetes.md', await billing())
    expect(calls.map(({ args }) => args)).toEqual([
      'apply --server-side -f -',
      'apply --server-side -f -',
      'apply --server-side -f -',
      'apply --server-side -f -',
      'rollout restart deployment alice',
    ])
    const secrets = calls
      .slice(0, 4)
      .map(({ input }) => parse(input) as { stringData: Record<string, string> })
    const { seed } = await secretsOf(cwd, 'alice')
    expect(secrets[1]?.stringData['A2A_TOTP_SEED']).not.toBe(seed)
    expect(secrets[3]?.stringData['A2A_TOTP_SEED']).toBe(seed)
    const files = [secrets[0], secrets[2]].map((secret) => secret?.stringData['a2a-totp-server.json'] ?? '')
    expect(files.map((file) => file.includes(seed))).toEqual([false, true])
  })

  it('compose: writes the file and the override that names it', async () => {
    const { cwd, calls } = await follow('fragments/compose.md', await billing())
    expect(calls.map(({ args }) => args)).toEqual([
      'compose -f compose.yaml -f a2a-totp.compose.yaml up -d',
      'compose -f compose.yaml -f a2a-totp.compose.yaml up -d --force-recreate agent',
    ])
    const override = parse(readFileSync(join(cwd, 'a2a-totp.compose.yaml'), 'utf8')) as {
      secrets: Record<string, { file: string }>
    }
    const [{ file } = { file: '' }] = Object.values(override.secrets)
    TOTPServerAuthScheme.fromFile(join(cwd, file)).close()
  })

  it('systemd: writes the file and the drop-in that loads it', async () => {
    const { cwd, calls } = await follow('fragments/systemd.md', await billing())
    expect(calls.map(({ args }) => args)).toEqual([
      'daemon-reload',
      'restart billing',
      'daemon-reload',
      'restart alice',
    ])
    const dropIn = readFileSync(join(cwd, 'etc/systemd/system/billing.service.d/a2a-totp.conf'), 'utf8')
    const path = /^LoadCredential=a2a-totp-server\.json:(.*)$/m.exec(dropIn)?.[1] ?? ''
    TOTPServerAuthScheme.fromFile(path).close()
    const ofPeer = readFileSync(join(cwd, 'etc/systemd/system/alice.service.d/a2a-totp.conf'), 'utf8')
    const file = /^EnvironmentFile=(.*)$/m.exec(ofPeer)?.[1] ?? ''
    expect(readFileSync(cwd + file, 'utf8')).toContain('A2A_TOTP_SEED=')
  })

  it('github: stores both secrets from standard input and nothing else', async () => {
    const { cwd, calls } = await follow('fragments/github.md', await billing())
    const { token, seed } = await secretsOf(cwd, 'ci-probe')
    expect(calls.map(({ args, input }) => [args, input])).toEqual([
      ['secret set A2A_TOTP_TOKEN', token],
      ['secret set A2A_TOTP_SEED', seed],
      ['variable set A2A_TOTP_URL --body https://billing.example', ''],
    ])
    const workflow = readFileSync(join(cwd, '.github/workflows/a2a-totp.yml'), 'utf8')
    const inComment = Array.from(
      workflow.matchAll(/^# {3}(.*gh (?:secret|variable).*)$/gm),
      ([, line]) => line,
    )
    const typed = commandsOf('fragments/github.md').filter((line) => line.includes('gh '))
    expect(
      inComment.map((line = '') => line.replace("'https://THE-AGENT'", 'https://billing.example')),
    ).toEqual(typed)
  })

  it('curl: calls a live agent, and is let in', async () => {
    const cwd = await billing()
    const card = await firstLineOf(startBinary(['--quiet', 'demo'], { cwd }))
    const { origin } = new URL(card)
    // A task that does not exist: curl fails, as it has to on a 404, and shows what the agent said.
    const { stdout } = await follow('fragments/curl.md', cwd, (line) =>
      line.replace('http://127.0.0.1:4100', origin).replace(/sh call\.sh$/, '$& || [ $? = 22 ]'),
    )
    expect(stdout.match(/task not found/gi)).toHaveLength(2)
  })
})

it('the page for those who come from the design by hand says what to type', async () => {
  const cwd = await makeStore([], ['--agent', 'billing'])
  const maps = { peer_seeds: { charlie: 'JBSWY3DPEHPK3PXP' }, token_to_peer: { 'charlie-token': 'charlie' } }
  writeFileSync(join(cwd, 'maps.json'), JSON.stringify(maps), { mode: 0o600 })
  writeFileSync(join(cwd, 'dora.seed'), 'KRSXG5CTMVRXEZLU\n', { mode: 0o600 })
  writeFileSync(join(cwd, 'dora.token'), 'dora-token\n', { mode: 0o600 })
  await runCli(['config', 'server', '--out', 'server.json'], { cwd })
  await follow('MIGRATING.md', cwd)
  const file = join(cwd, 'server.json')
  expect(() => TOTPServerAuthScheme.fromFile(file)).toThrow(/128/)
  TOTPServerAuthScheme.fromFile(file, { allowWeakSeeds: true }).close()
  const { peers } = JSON.parse(readFileSync(file, 'utf8')) as {
    peers: Record<string, { seeds: { seed: string; expiresAt?: string }[]; tokens: { hash: string }[] }>
  }
  expect(peers['charlie']?.seeds.map(({ expiresAt }) => expiresAt !== undefined)).toEqual([true, false])
  expect(peers['charlie']?.tokens).toHaveLength(2)
  expect(readFileSync(join(cwd, 'charlie.env'), 'utf8')).toContain(peers['charlie']?.seeds[1]?.seed)
})
