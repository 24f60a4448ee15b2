import { describe, expect, it } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import { makeStore, runCli } from '../support/cli.js'

const storeOf = async (): Promise<string> => {
  const cwd = await makeStore(['alice', 'bob'])
  await runCli(['add-peer', 'backup-sync', '--canary'], { cwd })
  return cwd
}

describe('did you mean', () => {
  it.each([
    ['remove-peer alcie --yes', 1, 'no peer named "alcie"; did you mean alice? (ERR_PEER_UNKNOWN)'],
    ['code alcie', 1, 'no peer named "alcie"; did you mean alice? (ERR_PEER_UNKNOWN)'],
    ['config client Alice', 1, 'no peer named "Alice"; did you mean alice? (ERR_PEER_UNKNOWN)'],
    ['verify 123456 bbo', 1, 'no peer named "bbo"; did you mean bob? (ERR_PEER_UNKNOWN)'],
    ['rotate alcie bbo', 1, 'no peers named "alcie", "bbo"; did you mean alice, bob? (ERR_PEER_UNKNOWN)'],
    ['rm zed alcie --yes', 1, 'no peers named "zed", "alcie"; did you mean alice? (ERR_PEER_UNKNOWN)'],
    ['rm zed yvonne --yes', 1, 'no peers named "zed", "yvonne"; run `a2a-totp add-peer NAME` first'],
    ['rm backup-snyc --yes', 1, 'no peer named "backup-snyc"; did you mean backup-sync?'],
    ['show zed', 1, 'no peer named "zed"; run `a2a-totp add-peer zed` first'],
    ['rotat alice', 2, 'unknown command "rotat" (did you mean rotate?); see a2a-totp --help'],
    ['config sever', 2, 'unknown command "sever" (did you mean server?); see a2a-totp config --help'],
    ['mesh aply', 2, 'unknown command "aply" (did you mean apply?); see a2a-totp mesh --help'],
    ['mesh init --forec', 2, 'unknown option "--forec" (did you mean --force?); see a2a-totp mesh init'],
    ['rotate alice --overlpa 3h', 2, 'unknown option "--overlpa" (did you mean --overlap?); see'],
    ['rotate alice --quite', 2, 'unknown option "--quite" (did you mean --quiet?); see'],
    ['list --json=yes', 2, "option '--json' takes no value; see a2a-totp list --help"],
    ['config client alice --format k8s', 2, 'did you mean kubernetes?'],
    ['config client alice --format ts', 2, 'did you mean typescript?'],
    ['config client alice --format .env', 2, 'did you mean env?'],
    ['config server --format py', 2, 'did you mean python?'],
    ['config server --format docker-compose', 2, 'did you mean compose?'],
    ['config server --format jsno', 2, 'did you mean json?'],
    ['probe --format gha', 2, 'alone or with =FILE after it; did you mean github?'],
    ['probe --format md=report.md', 2, 'did you mean markdown?'],
    ['probe --binding http+json', 2, 'did you mean rest?'],
    ['demo --bindings rest,json-rpc', 2, 'each once; did you mean jsonrpc?'],
    ['rotate alice --server-out x --format k8s', 2, 'did you mean kubernetes?'],
    ['add-peer carol --algorithm SHA-256', 2, 'did you mean SHA256?'],
    ['add-peer carol --replay onec', 2, 'did you mean once?'],
    ['help encrytion', 2, 'no such command or topic (did you mean encryption?); `a2a-totp help help` lists'],
    ['help rotat', 2, '(did you mean rotate?)'],
    ['completion pwsh', 2, 'did you mean powershell?'],
  ])('is asked for `%s`', async (line, exitCode, message) => {
    const run = await runCli(line.split(' '), { cwd: await storeOf() })
    expect(run).toMatchObject({ exitCode, stdout: '' })
    expect(run.stderr).toContain(message)
    expect(run.stderr).toMatch(/^[^\n]+\n$/)
  })

  it('is not asked where nothing is near, and shows nothing that may be a secret', async () => {
    const cwd = await storeOf()
    for (const args of [
      ['config', 'client', 'alice', '--format', 'a2at_secret'],
      ['show', 'a2at_secret'],
      ['a2at_secret'],
      ['rotate', '--GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ=x'],
      ['help', 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'],
    ]) {
      const { stderr } = await runCli(args, { cwd })
      expect(stderr).not.toContain('did you mean')
      expect(stderr).not.toMatch(/a2at_secret|GEZD/)
    }
  })
})

describe('short forms', () => {
  it('do what the long ones do', async () => {
    const cwd = await storeOf()
    const [list, ls] = await Promise.all([runCli(['list'], { cwd }), runCli(['ls'], { cwd })])
    expect(ls).toEqual(list)
    for (const flag of ['-v', '--version']) {
      expect(await runCli([flag], { cwd })).toMatchObject({ exitCode: 0, stdout: `${packageJson.version}\n` })
    }
    const help = await runCli(['--help'], { cwd })
    expect(await runCli(['-h'], { cwd })).toEqual(help)
    expect((await runCli(['-q', 'code', 'alice'], { cwd })).stderr).toBe('')
    expect((await runCli(['code', 'alice', '-q'], { cwd })).stderr).toBe('')
    for (const form of ['list|ls', 'remove-peer|revoke|rm', '-q, --quiet', '-v, --version', '-h, --help'])
      expect(help.stdout).toContain(form)
    expect(await runCli(['rm', 'alice', '--yes', '-q'], { cwd })).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: '',
    })
    expect((await runCli(['ls', '--json'], { cwd })).stdout).not.toContain('alice')
  })

  it('are recorded as the commands that they are', async () => {
    const cwd = await storeOf()
    await runCli(['rm', 'bob', '--yes'], { cwd })
    const { readFileSync } = await import('node:fs')
    expect(readFileSync(`${cwd}/a2a-totp.json.log`, 'utf8')).toContain('"command":"remove-peer"')
  })
})
