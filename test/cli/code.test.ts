import { describe, expect, it } from 'vitest'
import { makeFolder, makeStore, parseJson, runCli } from '../support/cli.js'

/** RFC 6238 Appendix B: SHA1, the first 6 digits from the right of 94287082 at 59 s. */
const rfcSeed = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
const env = { A2A_TOTP_SEED: rfcSeed, A2A_TOTP_TOKEN: 'a2at_example' }

describe('code', () => {
  it('prints the code of RFC 6238 and a newline', async () => {
    const run = await runCli(['code', '--at', '59'], { cwd: makeFolder(), env })
    expect(run).toMatchObject({ exitCode: 0, stdout: '287082\n' })
  })

  it('takes the profile from the environment too', async () => {
    const sha512 = 'GEZDGNBVGY3TQOJQ'.repeat(6) + 'GEZDGNA'
    const run = await runCli(['code', '--at', '1111111109', '--json'], {
      cwd: makeFolder(),
      env: {
        A2A_TOTP_SEED: sha512,
        A2A_TOTP_ALGORITHM: 'SHA512',
        A2A_TOTP_DIGITS: '8',
        A2A_TOTP_PERIOD: '30',
      },
    })
    expect(parseJson(run)).toEqual({
      peer: null,
      code: '25091201',
      timeStep: 37037036,
      period: 30,
      digits: 8,
      algorithm: 'SHA512',
      expiresIn: 1,
    })
  })

  it('prefers a name to the environment, the environment to the store, and the only peer to nothing', async () => {
    const cwd = await makeStore(['alice'])
    const named = parseJson(await runCli(['code', 'alice', '--json'], { cwd, env }))
    expect(named['peer']).toBe('alice')
    expect(parseJson(await runCli(['code', '--json'], { cwd, env }))['peer']).toBeNull()
    expect(parseJson(await runCli(['code', '--json'], { cwd }))['peer']).toBe('alice')
    await runCli(['add-peer', 'bob'], { cwd })
    expect(await runCli(['code'], { cwd })).toMatchObject({ exitCode: 2, stdout: '' })
    expect(await runCli(['code'], { cwd: makeFolder() })).toMatchObject({ exitCode: 2, stdout: '' })
    expect(await runCli(['code', 'carol'], { cwd })).toMatchObject({ exitCode: 1, stdout: '' })
  })

  it('prints header lines that curl -H @- reads, under the name of the profile', async () => {
    const cwd = makeFolder()
    const header = await runCli(['code', '--header', '--at', '59'], {
      cwd,
      env: { ...env, A2A_TOTP_HEADER: 'X-Code' },
    })
    expect(header.stdout).toBe('X-Code: 287082\n')
    const both = await runCli(['code', '--headers', '--at', '59'], { cwd, env })
    expect(both.stdout.split('\n').sort()).toEqual([
      '',
      'Authorization: Bearer a2at_example',
      'X-TOTP: 287082',
    ])
    const tokenless = await runCli(['code', '--headers'], { cwd, env: { A2A_TOTP_SEED: rfcSeed } })
    expect(tokenless).toMatchObject({ exitCode: 2, stdout: '' })
  })

  it.each([
    ['59', 1],
    ['60', 30],
    ['31.5', 28],
    ['1970-01-01T00:00:30Z', 30],
    ['1970-01-01T01:00:30+01:00', 30],
  ])('says at %s that the code lives %i s more, rounded down', async (at, expiresIn) => {
    const run = await runCli(['code', '--json', '--at', at], { cwd: makeFolder(), env })
    expect(parseJson(run)['expiresIn']).toBe(expiresIn)
  })

  it.each([
    'soon',
    '',
    '-1',
    '1e9',
    '2026-02-30T00:00:00Z',
    '2026-01-01',
    '2026-01-01T00:00:00',
    '1969-12-31T23:59:59Z',
  ])('refuses the time %j', async (at) => {
    const run = await runCli(['code', `--at=${at}`], { cwd: makeFolder(), env })
    expect(run).toMatchObject({ exitCode: 2, stdout: '' })
  })

  it.each([
    [['--header', '--headers']],
    [['--at', '59', '--watch']],
    [['--at', '59', '--min-remaining', '5']],
    [['--min-remaining', '30']],
    [['--min-remaining', '-1']],
    [['alice', 'bob']],
  ])('refuses %j', async (args) => {
    const run = await runCli(['code', ...args], { cwd: makeFolder(), env })
    expect(run).toMatchObject({ exitCode: 2, stdout: '' })
  })

  it('takes a variable that is empty for one that is not set', async () => {
    const cwd = await makeStore(['alice'])
    const empty = { A2A_TOTP_SEED: '', A2A_TOTP_TOKEN: '', A2A_TOTP_DIGITS: '' }
    expect(parseJson(await runCli(['code', '--json'], { cwd, env: empty }))['peer']).toBe('alice')
    expect((await runCli(['code'], { cwd: makeFolder(), env: empty })).exitCode).toBe(2)
    const token = await runCli(['code', '--headers'], {
      cwd: makeFolder(),
      env: { ...env, A2A_TOTP_TOKEN: '' },
    })
    expect(token).toMatchObject({ exitCode: 2, stdout: '' })
    expect(token.stderr).toContain('(ERR_TOKEN_MISSING)')
    const probe = await runCli(['probe', 'http://127.0.0.1:1'], { cwd: makeFolder(), env: empty })
    expect(probe.stderr).toContain('(ERR_SEED_MISSING)')
  })

  it('says what to do in a store without peers, and in one with several', async () => {
    const none = await runCli(['code'], { cwd: await makeStore() })
    expect(none).toMatchObject({ exitCode: 2, stdout: '' })
    expect(none.stderr).toContain('the store has no peers yet; run `a2a-totp add-peer NAME` first')
    const two = await runCli(['code'], { cwd: await makeStore(['alice', 'bob']) })
    expect(two).toMatchObject({ exitCode: 2, stdout: '' })
    expect(two.stderr).toContain('the store has 2 peers; pass NAME')
  })

  it.each([
    ['A2A_TOTP_SEED', 'not base32!'],
    ['A2A_TOTP_DIGITS', '9'],
    ['A2A_TOTP_DIGITS', 'six'],
    ['A2A_TOTP_PERIOD', '0'],
    ['A2A_TOTP_ALGORITHM', 'MD5'],
    ['A2A_TOTP_HEADER', 'Cookie'],
    ['A2A_TOTP_TOKEN', 'no token'],
  ])('says which variable is wrong: %s', async (name, value) => {
    const run = await runCli(['code', '--headers'], { cwd: makeFolder(), env: { ...env, [name]: value } })
    expect(run).toMatchObject({ exitCode: 3, stdout: '' })
    expect(run.stderr).toMatch(new RegExp(`^error: \\$${name}: .*\\(ERR_CONFIG_INVALID\\)\n$`))
    expect(run.stderr).not.toMatch(/not base32!|no token|GEZD/)
  })

  it('does not wait for a code that lives long enough already', async () => {
    const now = new Date(31_000)
    const run = await runCli(['code', '--min-remaining', '29'], { cwd: makeFolder(), env, now })
    expect(run.stdout).toMatch(/^\d{6}\n$/)
  })
})

describe('verify', () => {
  it.each([
    ['287082', '59', 0],
    ['287082', '89', -1],
    ['287082', '29', 1],
  ])('finds %s at %s s with drift %i', async (code, at, drift) => {
    const run = await runCli(['verify', code, '--at', at, '--json'], { cwd: makeFolder(), env })
    expect(run.exitCode).toBe(0)
    expect(parseJson(run)).toEqual({ valid: true, peer: null, timeStep: 1, drift })
  })

  it.each(['287083', '28708', '2870822', 'abcdef', '２８７０８２', '', '+28708'])(
    'answers no to %j, on stdout',
    async (code) => {
      const cwd = makeFolder()
      const run = await runCli(['verify', code, '--at', '59'], { cwd, env })
      expect(run).toMatchObject({ exitCode: 1, stdout: 'invalid\n' })
      const json = await runCli(['verify', code, '--at', '59', '--json'], { cwd, env })
      expect(parseJson(json)).toEqual({ valid: false, peer: null, timeStep: null, drift: null })
    },
  )

  it('reads the code from standard input', async () => {
    const run = await runCli(['verify', '-', '--at', '59'], { cwd: makeFolder(), env, stdin: '287082\n' })
    expect(run).toMatchObject({ exitCode: 0, stdout: 'valid (drift 0)\n' })
  })

  it('agrees with code, and spends nothing', async () => {
    const cwd = await makeStore(['alice'], ['--replay', 'once'])
    const code = (await runCli(['code', 'alice', '--at', '59'], { cwd })).stdout.trim()
    for (const at of ['59', '59', '89', '29']) {
      expect((await runCli(['verify', code, 'alice', '--at', at], { cwd })).exitCode).toBe(0)
    }
    expect((await runCli(['verify', code, 'alice', '--at', '200'], { cwd })).exitCode).toBe(1)
  })
})
