import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { defaultProfile } from '../../src/core/profile.js'
import { startTestAgent, type TestAgent } from '../support/broken-agent.js'
import { makeFolder, parseJson, runCli, type CliRun } from '../support/cli.js'
import { alice, bob } from '../support/probing.js'

/** Polls, for what no event tells. */
const waitFor = async (isSo: () => boolean): Promise<void> => {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5))
}

let agent: TestAgent
beforeAll(async () => {
  const peers = [alice, bob]
  agent = await startTestAgent({ peers, profile: defaultProfile, now: () => new Date(), grpc: true })
})
afterAll(() => agent.close())

const env = { A2A_TOTP_TOKEN: alice.token, A2A_TOTP_SEED: alice.seed.base32 }
const quick = ['--only', 'auth.none,auth.bearer-only']

const run = (args: readonly string[], cwd = makeFolder()): Promise<CliRun> =>
  runCli(['probe', agent.url, ...quick, ...args], { cwd, env })

describe('probe', () => {
  it('writes several reports at once: files for the owner alone, one on standard output', async () => {
    const cwd = makeFolder()
    const { exitCode, stdout } = await run(
      ['--format', 'github', '--format', 'junit=a.xml', '--format', 'markdown=a=b.md'],
      cwd,
    )
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^::notice title=a2a-totp probe::PASS/)
    expect(readFileSync(join(cwd, 'a.xml'), 'utf8')).toContain('<testcase name="auth.none"')
    expect(readFileSync(join(cwd, 'a=b.md'), 'utf8')).toContain('| auth.none |')
    expect(statSync(join(cwd, 'a.xml')).mode & 0o777).toBe(0o600)
  })

  it('shows the report for people beside files, and JSON in three ways alike', async () => {
    const cwd = makeFolder()
    expect((await run(['--format', 'junit=a.xml'], cwd)).stdout).toContain('PASS')
    const keys = Object.keys(parseJson(await run(['--json'])))
    expect(Object.keys(parseJson(await run(['--format', 'json'])))).toEqual(keys)
    await run(['--json', '--out', 'report.json'], cwd)
    const written = { stdout: readFileSync(join(cwd, 'report.json'), 'utf8') }
    expect(Object.keys(parseJson(written))).toEqual(keys)
  })

  it("takes a peer's token and seed from variables that are named, and the rest from the store", async () => {
    const cwd = makeFolder()
    await runCli(['init', '--agent', 'billing'], { cwd })
    await runCli(['add-peer', 'stranger'], { cwd })
    const variables = { MY_TOKEN: alice.token, MY_SEED: alice.seed.base32 }
    const probed = (...args: string[]): Promise<CliRun> =>
      runCli(['probe', agent.url, 'stranger', '--only', 'auth.valid', '--json', ...args], {
        cwd,
        env: variables,
      })
    expect((await probed()).exitCode).toBe(1)
    const named = await probed('--token-env', 'MY_TOKEN', '--seed-env', 'MY_SEED')
    expect(named.exitCode).toBe(0)
    expect(parseJson(named)).toMatchObject({ agent: 'billing' })
    expect(await probed('--token-env', 'NOBODY')).toMatchObject({ exitCode: 3, stdout: '' })
  })

  it('leaves a peer whose seeds have expired alone, unless it is the one that is asked for', async () => {
    const cwd = makeFolder()
    await runCli(['init', '--agent', 'billing'], { cwd })
    await runCli(['add-peer', 'gone', 'here'], { cwd })
    const path = join(cwd, 'a2a-totp.json')
    const store = JSON.parse(readFileSync(path, 'utf8')) as { peers: { gone: { seeds: object[] } } }
    Object.assign(store.peers.gone.seeds[0] ?? {}, { expiresAt: '2020-01-01T00:00:00Z' })
    writeFileSync(path, JSON.stringify(store))
    // The agent knows neither of them.
    const card = ['--only', 'card.fetch']
    const probed = await runCli(['probe', agent.url, 'here', ...card], { cwd })
    expect(probed).toMatchObject({ exitCode: 0, stderr: '' })
    const asked = await runCli(['probe', agent.url, 'here', '--other-peer', 'gone', ...card], { cwd })
    expect(asked).toMatchObject({ exitCode: 1, stdout: '' })
    expect(asked.stderr).toContain('ERR_CREDENTIAL_EXPIRED')
  })

  it('needs a second peer to ask as with --isolation, before anything is sent', async () => {
    const cwd = makeFolder()
    await runCli(['init', '--agent', 'billing'], { cwd })
    await runCli(['add-peer', 'only'], { cwd })
    const before = agent.requests.length
    const isolated = async (...args: string[]): Promise<CliRun> =>
      runCli(['probe', agent.url, 'only', '--isolation', ...args], { cwd })
    for (const refused of [await isolated(), await isolated('--other-peer', 'only')]) {
      expect(refused).toMatchObject({ exitCode: 2, stdout: '' })
      expect(refused.stderr).toContain('a second peer')
    }
    expect(agent.requests.length).toBe(before)
    await runCli(['add-peer', 'second'], { cwd })
    expect((await isolated('--json')).exitCode).toBe(1)
    expect(agent.requests.length).toBeGreaterThan(before)
  })

  it('narrows to gRPC', async () => {
    const { checks } = parseJson(await run(['--json', '--binding', 'grpc'])) as {
      checks: { binding: string }[]
    }
    expect(new Set(checks.map(({ binding }) => binding))).toEqual(new Set(['grpc']))
  })

  it.each([
    ['two on standard output', ['--format', 'json', '--format', 'junit']],
    ['another than JSON with --json', ['--json', '--format', 'junit']],
    ['two in one file', ['--format', 'json=a', '--format', 'junit=a']],
    ['an unknown format', ['--format', 'pdf']],
    ['a file of another repository for SARIF', ['--format', 'sarif', '--sarif-location', '/etc/hosts']],
    ['a file without a name', ['--format', 'junit=']],
  ])('refuses %s before anything is sent', async (_, args) => {
    const before = agent.requests.length
    const { exitCode, stdout, stderr } = await run(args)
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toContain('ERR_USAGE')
    expect(agent.requests.length).toBe(before)
  })

  it('replaces reports, and keeps their mode; a result that is there only with --force', async () => {
    const cwd = makeFolder()
    const path = join(cwd, 'a.xml')
    writeFileSync(path, 'old')
    chmodSync(path, 0o640)
    expect((await run(['--format', 'junit=a.xml'], cwd)).exitCode).toBe(0)
    expect(readFileSync(path, 'utf8')).toContain('<testsuites>')
    expect(statSync(path).mode & 0o777).toBe(0o640)
    const before = agent.requests.length
    const refused = await run(['--out', 'a.xml'], cwd)
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' })
    expect(refused.stderr).toContain('ERR_FILE_EXISTS')
    expect(agent.requests.length).toBe(before)
    expect((await run(['--out', 'a.xml', '--force'], cwd)).exitCode).toBe(0)
    expect(readFileSync(path, 'utf8')).toContain('PASS')
    expect(readdirSync(cwd)).toEqual(['a.xml'])
  })

  it.each([
    ['a folder that is not there', (cwd: string) => join(cwd, 'no', 'a.xml')],
    ['a folder', (cwd: string) => cwd],
    [
      'a link',
      (cwd: string) => {
        writeFileSync(join(cwd, 'precious'), 'mine')
        symlinkSync(join(cwd, 'precious'), join(cwd, 'a.xml'))
        return join(cwd, 'a.xml')
      },
    ],
    ['a device', () => '/dev/null'],
  ])('sends nothing where a report would go to %s', async (_, make) => {
    const cwd = makeFolder()
    const before = agent.requests.length
    const refused = await run(['--format', `junit=${make(cwd)}`], cwd)
    expect(refused).toMatchObject({ exitCode: 3, stdout: '' })
    expect(refused.stderr).toContain('ERR_FILE_UNWRITABLE')
    expect(agent.requests.length).toBe(before)
    if (existsSync(join(cwd, 'precious'))) expect(readFileSync(join(cwd, 'precious'), 'utf8')).toBe('mine')
  })

  it('loses no report: one that cannot be written any more goes to stderr, the others to their files', async () => {
    const cwd = makeFolder()
    mkdirSync(join(cwd, 'gone'))
    const before = agent.requests.length
    const started = run(['--format', 'junit=gone/a.xml', '--format', 'tap=a.tap'], cwd)
    await waitFor(() => agent.requests.length > before)
    rmSync(join(cwd, 'gone'), { recursive: true })
    const { exitCode, stdout, stderr } = await started
    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' })
    expect(stderr).toMatch(/^PASS {2}\d+ passed/m)
    expect(stderr).toContain('cannot write')
    expect(readFileSync(join(cwd, 'a.tap'), 'utf8')).toMatch(/^TAP version 14\n/)
  })

  it('names the store in SARIF, relative to the top of its repository, or another file of it', async () => {
    const top = makeFolder()
    const cwd = join(top, 'deploy')
    mkdirSync(join(top, '.git'))
    mkdirSync(cwd)
    await runCli(['init', '--agent', 'billing'], { cwd })
    const uriOf = async (...args: string[]): Promise<string | undefined> => {
      const probed = await runCli(['probe', 'http://127.0.0.1:1', '--format', 'sarif', ...args], { cwd, env })
      return /"uri": "([^"]*)"/.exec(probed.stdout)?.[1]
    }
    expect(await uriOf()).toBe('deploy/a2a-totp.json')
    expect(await uriOf('--sarif-location', 'agent card.json')).toBe('deploy/agent%20card.json')
    expect(await uriOf('--sarif-location', '../README.md')).toBe('README.md')
    expect(await uriOf('--store', join(makeFolder(), 'elsewhere.json'))).toBe('a2a-totp.json')
  })

  it('writes its reports about an agent that cannot be reached, too', async () => {
    const cwd = makeFolder()
    const { exitCode } = await runCli(['probe', 'http://127.0.0.1:1', '--format', 'junit=a.xml'], {
      cwd,
      env,
    })
    expect(exitCode).toBe(4)
    expect(existsSync(join(cwd, 'a.xml'))).toBe(true)
  })

  it('prints nothing when a report cannot be written', async () => {
    const run = await runCli(['probe', 'http://127.0.0.1:1', '--format', 'junit=no/folder/a.xml'], {
      cwd: makeFolder(),
      env,
    })
    expect(run).toMatchObject({ exitCode: 3, stdout: '' })
  })

  it('explains a check without an agent, for people and as JSON', async () => {
    const cwd = makeFolder()
    const page = await runCli(['probe', '--explain', 'auth.after-valid'], { cwd })
    expect(page).toMatchObject({ exitCode: 0, stderr: '' })
    expect(page.stdout).toContain('## How to fix it')
    const json = parseJson(await runCli(['probe', '--explain', 'leak', '--json'], { cwd }))
    expect(json).toMatchObject({ id: 'leak', proves: 'no answer contains a secret' })
    expect(await runCli(['probe', '--explain', 'magic'], { cwd })).toMatchObject({ exitCode: 2, stdout: '' })
  })
})
