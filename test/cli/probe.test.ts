import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { defaultProfile } from '../../src/core/profile.js'
import { startTestAgent, type TestAgent } from '../support/broken-agent.js'
import { makeFolder, parseJson, runCli, type CliRun } from '../support/cli.js'
import { alice, bob } from '../support/probing.js'

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
    ['an unknown format', ['--format', 'html']],
    ['a file without a name', ['--format', 'junit=']],
  ])('refuses %s before anything is sent', async (_, args) => {
    const before = agent.requests.length
    const { exitCode, stdout, stderr } = await run(args)
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toContain('ERR_USAGE')
    expect(agent.requests.length).toBe(before)
  })

  it('leaves a file that is there alone, and probes nothing, unless --force', async () => {
    const cwd = makeFolder()
    writeFileSync(join(cwd, 'a.xml'), 'mine')
    const before = agent.requests.length
    const refused = await run(['--format', 'junit=a.xml'], cwd)
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' })
    expect(refused.stderr).toContain('ERR_FILE_EXISTS')
    expect(agent.requests.length).toBe(before)
    expect(readFileSync(join(cwd, 'a.xml'), 'utf8')).toBe('mine')
    expect((await run(['--format', 'junit=a.xml', '--force'], cwd)).exitCode).toBe(0)
    expect(readFileSync(join(cwd, 'a.xml'), 'utf8')).toContain('<testsuites>')
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
