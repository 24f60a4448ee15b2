import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ProbeReport } from '../../src/probe/index.js'
import { makeFolder, runBinary, runCli, type CliRun } from '../support/cli.js'
import { credentials, startPlainAgent, type PlainAgent } from '../support/plain-agent.js'

let agent: PlainAgent
beforeAll(async () => {
  agent = await startPlainAgent()
})
afterAll(() => agent.close())

const quick = ['--only', 'auth.none,auth.valid']

const probed = (args: readonly string[], cwd = makeFolder(), env = {}): Promise<CliRun> =>
  runCli(['probe', agent.url, ...args], { cwd, env: { ...credentials, ...env } })

const reportIn = ({ stdout }: CliRun): ProbeReport => JSON.parse(stdout) as ProbeReport

describe('the report of `probe --json`', () => {
  it('is one document that has every key, in its type, and says of itself what it counts', async () => {
    const before = agent.calls.length
    const run = await runBinary(['probe', agent.url, '--json'], { cwd: makeFolder(), env: credentials })
    const report = reportIn(run)
    expect(report).toMatchObject({
      ...{ version: 1, target: agent.url, agent: 'plain', ok: true, reachable: true, narrowed: [] },
      startedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
      durationMs: expect.any(Number) as number,
      requests: agent.calls.length - before,
    })
    expect('diagnosis' in report).toBe(false)
    expect(run).toMatchObject({ exitCode: 0, stderr: '' })
    for (const check of report.checks) {
      expect(['pass', 'fail', 'warn', 'skip']).toContain(check.status)
      for (const key of ['id', 'expected', 'actual', 'detail'] as const)
        expect(typeof check[key]).toBe('string')
      expect(typeof check.durationMs).toBe('number')
      expect([null, 'jsonrpc', 'rest']).toContain(check.binding)
      expect(check.protocolVersion).toBe(check.binding === null ? null : '1.0')
    }
    const count = (status: string): number => report.checks.filter((one) => one.status === status).length
    expect(report.summary).toEqual({
      ...{ passed: count('pass'), failed: count('fail') },
      ...{ warned: count('warn'), skipped: count('skip') },
    })
  })

  it('counts the distinct wrong codes that the agent saw beside the live token', async () => {
    const before = agent.calls.length
    const { guessesSpent } = reportIn(await probed(['--json']))
    const wrong = agent.calls
      .slice(before)
      .filter((call) => call.credentials === 'wrong code')
      .flatMap(({ headers }) => headers['x-totp'] ?? [])
    // Others are refused for their form.
    expect(new Set(wrong.filter((code) => /^\d{6}$/.test(code))).size).toBe(guessesSpent)
    expect(guessesSpent).toBeLessThanOrEqual(4)
  })

  it('has no wrong code sent before right credentials were let in', async () => {
    const before = agent.calls.length
    await probed(['--json'])
    const calls = agent.calls.slice(before)
    const first = calls.findIndex(
      ({ credentials: brought, headers }) =>
        brought === 'wrong code' && /^\d{6}$/.test(String(headers['x-totp'])),
    )
    expect(calls.slice(0, first).some((call) => call.credentials === 'right')).toBe(true)
  })

  it.each([
    [['--only', 'auth.none,auth.valid']],
    [['--skip', 'uniform']],
    [['--binding', 'rest']],
    [['--protocol', '1.0']],
  ])('has %j in `narrowed`, as it was given', async (args) => {
    const { narrowed } = reportIn(await probed([...args, '--json']))
    expect(narrowed).toEqual([args.join(' ')])
  })

  it.each(['pretty', 'markdown'])(
    'as %s says in its first and last line that it was narrowed',
    async (format) => {
      const { stdout } = await probed([...quick, '--format', format])
      const lines = stdout.trimEnd().split('\n')
      for (const line of [lines[0], lines.at(-1)]) expect(line).toContain('--only auth.none,auth.valid')
    },
  )
})

describe('nothing is on standard output, and nothing is sent', () => {
  const cases: readonly [string, readonly string[], number, Record<string, string>?][] = [
    ['an unknown id', ['--only', 'auth.nobody'], 2],
    ['an unknown id to skip', ['--skip', 'auth.nobody'], 2],
    ['an unknown binding', ['--binding', 'soap'], 2],
    ['an unknown format', ['--format', 'xml'], 2],
    ['no requests a second', ['--rate', '0'], 2],
    ['no time for a request', ['--timeout', '0'], 2],
    ['a host to allow that is a URL', ['--allow-host', 'http://other.example/'], 2],
    ['a listening address to allow', ['--allow-host', '0.0.0.0'], 2],
    ['a certificate without its key', ['--cert', 'cert.pem'], 2],
    ['isolation without a second peer', ['--isolation'], 2],
    ['metrics without a watch', ['--metrics', '9464'], 2],
    ['two reports for standard output', ['--format', 'tap', '--format', 'json'], 2],
    ['two reports for one file', ['--format', 'tap=x', '--format', 'json=x'], 2],
    ['a file of authorities that is not there', ['--ca', 'none.pem'], 3],
    ['a file of rows that is not there', ['--ignore', 'none.json'], 3],
    ['a seed that is none', [], 3, { A2A_TOTP_SEED: 'not base32!' }],
    ['no token', [], 2, { A2A_TOTP_TOKEN: '' }],
    ['a name without a store', ['alice'], 3],
  ]

  it.each(cases)('with %s', async (_, args, exitCode, env = {}) => {
    const before = agent.calls.length
    const run = await probed(args, makeFolder(), env)
    expect(run).toMatchObject({ exitCode, stdout: '' })
    expect(run.stderr.trimEnd()).toMatch(/^error: .*\(ERR_[A-Z_]+\)$/)
    expect(agent.calls.length).toBe(before)
  })

  const expires = '2040-01-01T00:00:00Z'
  it.each<[string, unknown]>([
    ['no reason', [{ id: 'auth.none', expires }]],
    ['a blank reason', [{ id: 'auth.none', reason: '  ', expires }]],
    ['no expiry', [{ id: 'auth.none', reason: 'known' }]],
    ['a day for an expiry', [{ id: 'auth.none', reason: 'known', expires: '2040-01-01' }]],
    ['an unknown id', [{ id: 'auth.nobody', reason: 'known', expires }]],
    ['an unknown cell', [{ id: 'auth.none', cell: 'soap/1.0', reason: 'known', expires }]],
    ['an object for a list', {}],
  ])('with rows to ignore that have %s', async (_, rows) => {
    const cwd = makeFolder()
    writeFileSync(join(cwd, 'rows.json'), JSON.stringify(rows))
    const before = agent.calls.length
    expect(await probed(['--ignore', 'rows.json'], cwd)).toMatchObject({ exitCode: 2, stdout: '' })
    expect(agent.calls.length).toBe(before)
  })
})

describe('rows to ignore', () => {
  it.each([
    ['expired', { expires: '2020-01-01T00:00:00Z' }],
    ['unused', { cell: 'grpc/1.0', expires: '2040-01-01T00:00:00Z' }],
  ])('that are %s are a warning', async (_, row) => {
    const cwd = makeFolder()
    writeFileSync(join(cwd, 'rows.json'), JSON.stringify([{ id: 'auth.none', reason: 'known', ...row }]))
    const run = await probed([...quick, '--ignore', 'rows.json', '--json'], cwd)
    expect(run.exitCode).toBe(0)
    expect(reportIn(run).summary).toMatchObject({ failed: 0, warned: 1 })
    expect((await probed([...quick, '--ignore', 'rows.json', '--strict'], cwd)).exitCode).toBe(1)
  })

  it('make a skip of a failure, and the run is as good as without it', async () => {
    const open = await startPlainAgent({
      answer: ({ rpc, path }, usual) =>
        path.startsWith('/rpc') && rpc.method === 'CancelTask' ? { status: 500, body: 'oops' } : usual(),
    })
    try {
      const cwd = makeFolder()
      const row = { id: 'auth.doors', cell: 'jsonrpc/1.0', reason: 'known', expires: '2040-01-01T00:00:00Z' }
      writeFileSync(join(cwd, 'rows.json'), JSON.stringify([row]))
      const args = ['probe', open.url, '--json', '--only', 'auth.doors']
      const plain = await runCli(args, { cwd, env: credentials })
      expect(plain.exitCode).toBe(1)
      const run = await runCli([...args, '--ignore', 'rows.json'], { cwd, env: credentials })
      expect(run.exitCode).toBe(0)
      expect(reportIn(run).checks.find(({ ignored }) => ignored)).toMatchObject({
        ...{ id: 'auth.doors', binding: 'jsonrpc', status: 'skip' },
      })
      expect(reportIn(run).narrowed).toContain('--ignore rows.json')
    } finally {
      await open.close()
    }
  })
})

describe('reports', () => {
  it('are overwritten by a second run, a file of --out only by force, and both are for the owner', async () => {
    const cwd = makeFolder()
    const modeOf = (file: string): number => statSync(join(cwd, file)).mode & 0o777
    const args = [...quick, '--format', 'junit=probe.xml']
    expect((await probed(args, cwd)).exitCode).toBe(0)
    writeFileSync(join(cwd, 'probe.xml'), 'an older run')
    expect((await probed(args, cwd)).exitCode).toBe(0)
    expect(readFileSync(join(cwd, 'probe.xml'), 'utf8')).toContain('<testsuites>')
    expect((await probed([...quick, '--out', 'report'], cwd)).exitCode).toBe(0)
    expect([modeOf('probe.xml'), modeOf('report')]).toEqual([0o600, 0o600])
    expect(await probed([...quick, '--out', 'report'], cwd)).toMatchObject({ exitCode: 1, stdout: '' })
    expect((await probed([...quick, '--out', 'report', '--force'], cwd)).exitCode).toBe(0)
  })

  it('are printed where nothing answers, with exit code 4', async () => {
    const run = await runCli(['probe', 'http://127.0.0.1:9', '--json'], {
      cwd: makeFolder(),
      env: credentials,
    })
    expect(run.exitCode).toBe(4)
    expect(reportIn(run)).toMatchObject({ ok: false, reachable: false, guessesSpent: 0 })
  })
})
