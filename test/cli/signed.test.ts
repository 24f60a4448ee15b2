import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeFolder, makeStore, parseJson, runBinary, runCli, type CliRun } from '../support/cli.js'

const run = (cwd: string, ...args: string[]): Promise<CliRun> => runCli(args, { cwd })
const storeIn = (cwd: string): string => readFileSync(join(cwd, 'a2a-totp.json'), 'utf8')

/** The policies of the agent and of each peer, as `list --json` has them. */
async function policies(cwd: string): Promise<Record<string, string>> {
  const { replay, signed, peers } = parseJson(await run(cwd, 'list', '--json')) as {
    replay: string
    signed: string
    peers: { name: string; replay: string; signed: string }[]
  }
  const own = peers.map((peer) => [peer.name, `${peer.replay} ${peer.signed}`])
  return Object.fromEntries([['agent', `${replay} ${signed}`], ...own]) as Record<string, string>
}

describe('init', () => {
  it.each([
    [[], 'reuse observe', 'signed policy observe: '],
    [['--replay', 'once'], 'once accept', 'signed policy accept: '],
    [['--replay', 'reuse', '--signed', 'off'], 'reuse off', undefined],
    [['--signed', 'require'], 'reuse require', undefined],
    [['--replay', 'once', '--signed', 'observe'], 'once observe', undefined],
  ])('%j gives %s, and says what was not chosen', async (options, chosen, words) => {
    const cwd = makeFolder()
    const { stderr } = await run(cwd, 'init', ...options)
    expect(await policies(cwd)).toEqual({ agent: chosen })
    if (words === undefined) expect(stderr).not.toContain('signed policy')
    else expect(stderr).toContain(words)
  })

  it.each([
    [['--signed', 'off'], 'replay policy reuse: a code is valid for any number of requests'],
    [
      ['--signed', 'accept'],
      'replay policy reuse: a code without a proof is valid for any number of requests',
    ],
    [
      ['--signed', 'require'],
      'replay policy reuse: each request needs a proof, so a code alone is valid for none',
    ],
    [['--replay', 'reuse', '--signed', 'accept'], 'warning: replay reuse beside signed accept: an attacker'],
    [
      ['--replay', 'once', '--signed', 'observe'],
      'warning: replay once beside signed observe: one request per',
    ],
    [['--strict'], undefined],
    [['--replay', 'once', '--signed', 'accept'], undefined],
    [['--replay', 'reuse', '--signed', 'require'], undefined],
  ])('%j says what the two policies mean together', async (options, words) => {
    const { stderr } = await run(makeFolder(), 'init', ...options)
    if (words === undefined) expect(stderr).toBe('next: a2a-totp add-peer NAME\n')
    else expect(stderr).toContain(words)
  })

  it('--strict is four options', async () => {
    const cwd = makeFolder()
    expect((await runBinary(['init', '--strict'], { cwd })).exitCode).toBe(0)
    expect(parseJson(await run(cwd, 'list', '--json'))).toMatchObject({
      replay: 'once',
      signed: 'require',
      profile: { digits: 8, algorithm: 'SHA256', period: 30 },
    })
    const same = ['--replay', 'once', '--signed', 'require', '--digits', '8', '--algorithm', 'sha256']
    expect((await run(makeFolder(), 'init', '--strict', ...same, '--shared-seed')).exitCode).toBe(0)
  })

  it.each([
    ['--replay', 'reuse'],
    ['--signed', 'accept'],
    ['--digits', '6'],
    ['--algorithm', 'SHA1'],
  ])('--strict refuses %s %s, which contradicts it', async (option, value) => {
    const cwd = makeFolder()
    const refused = await runBinary(['init', '--strict', option, value], { cwd })
    expect(refused).toMatchObject({ exitCode: 2, stdout: '' })
    expect(refused.stderr).toMatch(/^error: --strict and .* contradict each other: .*\(ERR_USAGE\)\n$/)
    expect(() => storeIn(cwd)).toThrow()
  })

  it('--shared-seed --replay once needs --signed require', async () => {
    for (const more of [[], ['--signed', 'accept'], ['--signed', 'observe']]) {
      const refused = await run(makeFolder(), 'init', '--shared-seed', '--replay', 'once', ...more)
      expect(refused).toMatchObject({ exitCode: 2, stdout: '' })
      expect(refused.stderr).toContain('add --signed require (ERR_USAGE)')
    }
    const cwd = await makeStore(['alice'], ['--shared-seed', '--replay', 'once', '--signed', 'require'])
    const file = parseJson(await run(cwd, 'config', 'server'))
    expect(file).toMatchObject({ requires: ['once', 'signed', 'shared-seed'], signed: 'require' })
  })

  it('refuses a policy that there is not', async () => {
    const refused = await run(makeFolder(), 'init', '--signed', 'allow')
    expect(refused).toMatchObject({ exitCode: 2, stdout: '' })
    expect(refused.stderr).toContain('--signed must be one of off, observe, accept, require')
  })
})

describe('set', () => {
  it('changes the policy of the agent, of peers, and lets them follow again', async () => {
    const cwd = await makeStore(['alice', 'bob'])
    const changed = parseJson(await run(cwd, 'set', 'alice', '--signed', 'require', '--json'))
    expect(changed).toEqual({
      changed: [{ peer: 'alice', field: 'signed', from: null, to: 'require' }],
      handOut: { server: true, card: false, peers: ['alice'] },
    })
    const agent = parseJson(await run(cwd, 'set', '--signed', 'accept', '--json'))
    expect(agent).toEqual({
      changed: [{ field: 'signed', from: 'observe', to: 'accept' }],
      handOut: { server: true, card: true, peers: ['bob'] },
    })
    expect(await policies(cwd)).toMatchObject({ alice: 'reuse require', bob: 'reuse accept' })
    await run(cwd, 'set', 'alice', '--signed', 'inherit')
    expect(await policies(cwd)).toMatchObject({ alice: 'reuse accept' })
    await run(cwd, 'undo', '--yes')
    expect(await policies(cwd)).toMatchObject({ alice: 'reuse require' })
    expect((await run(cwd, 'log')).stdout).toContain('set  signed observe -> accept')
    expect((await run(cwd, 'log', '--peer', 'alice')).stdout).toContain('alice signed require -> none')
  })

  it('warns of a step back that leaves one request per period, and of accept without once, once each', async () => {
    const cwd = await makeStore(['alice', 'bob'])
    const warned = async (...args: string[]): Promise<string[]> =>
      (await run(cwd, 'set', ...args)).stderr.split('\n').filter((line) => line.startsWith('warning: '))
    expect(await warned('--replay', 'once', '--signed', 'require')).toEqual([])
    expect(await warned('alice', '--signed', 'observe')).toEqual([
      expect.stringMatching(
        /^warning: alice: replay once beside signed observe: one request per period, signed or not; /,
      ),
    ])
    expect(await warned('alice', '--signed', 'off')).toEqual([])
    expect(await warned('--replay', 'reuse', '--signed', 'accept')).toEqual([
      expect.stringMatching(/^warning: bob: replay reuse beside signed accept: /),
    ])
    expect(await warned('--replay', 'once')).toEqual([
      expect.stringMatching(/^warning: alice: replay once beside signed off: /),
    ])
  })

  it('warns of the policies of an agent without peers', async () => {
    const cwd = await makeStore([], ['--replay', 'once'])
    const { stderr } = await run(cwd, 'set', '--signed', 'observe')
    expect(stderr).toContain('warning: replay once beside signed observe: ')
  })

  it('--replay once brings accept where there is no policy and proofs decide nothing, and says so', async () => {
    const cwd = await makeStore(['alice', 'bob', 'carol'])
    await run(cwd, 'set', 'bob', '--signed', 'observe')
    const { stderr } = await run(cwd, 'set', 'alice', 'bob', '--replay', 'once')
    expect(stderr).toContain('changed alice: signed: none -> accept\n')
    await run(cwd, 'set', 'carol', '--replay', 'once', '--signed', 'off')
    expect(await policies(cwd)).toEqual({
      agent: 'reuse observe',
      alice: 'once accept',
      bob: 'once observe',
      carol: 'once off',
    })
  })

  it('--replay once of an agent brings accept in a store of before, which has no policy', async () => {
    const cwd = await makeStore(['alice'])
    const before = storeIn(cwd).replace('  "signed": "observe",\n', '')
    writeFileSync(join(cwd, 'a2a-totp.json'), before)
    expect(await policies(cwd)).toEqual({ agent: 'reuse off', alice: 'reuse off' })
    expect((await run(cwd, 'set', '--signed', 'off')).stderr).toContain('nothing was changed')
    expect(storeIn(cwd)).toBe(before)
    const changed = parseJson(await run(cwd, 'set', '--replay', 'once', '--json'))
    expect(changed['changed']).toEqual([
      { field: 'replay', from: 'reuse', to: 'once' },
      { field: 'signed', from: 'off', to: 'accept' },
    ])
  })

  it('refuses inherit for the agent, a policy of a canary, and once beside a shared seed', async () => {
    const cwd = await makeStore(['alice'], ['--shared-seed'])
    await run(cwd, 'add-peer', 'bait', '--canary')
    for (const args of [
      ['set', '--signed', 'inherit'],
      ['set', 'bait', '--signed', 'require'],
      ['set', 'alice', '--replay', 'once'],
      ['set', 'alice', '--replay', 'once', '--signed', 'accept'],
      ['add-peer', 'bob', '--replay', 'once'],
      ['add-peer', 'bait-2', '--canary', '--signed', 'accept'],
    ])
      expect(await run(cwd, ...args)).toMatchObject({ exitCode: 2, stdout: '' })
    expect((await run(cwd, 'set', 'alice', '--replay', 'once', '--signed', 'require')).exitCode).toBe(0)
    expect((await run(cwd, 'config', 'server')).exitCode).toBe(0)
  })
})

describe('add-peer', () => {
  it('takes a policy, follows the agent without one, and brings accept beside once', async () => {
    const cwd = await makeStore(['alice'])
    await run(cwd, 'add-peer', 'bob', '--signed', 'require')
    const { stderr } = await run(cwd, 'add-peer', 'carol', '--replay', 'once')
    expect(stderr).toContain('--replay once brings --signed accept')
    await run(cwd, 'add-peer', 'dave', '--replay', 'once', '--signed', 'off')
    expect(await policies(cwd)).toEqual({
      agent: 'reuse observe',
      alice: 'reuse observe',
      bob: 'reuse require',
      carol: 'once accept',
      dave: 'once off',
    })
    await run(cwd, 'set', '--signed', 'require')
    await run(cwd, 'add-peer', 'erin', '--replay', 'once')
    expect(storeIn(cwd)).toMatch(/"erin": \{[^\n]*"replay":"once","createdAt"/)
  })
})

describe('the policy for proofs', () => {
  it('is shown by list and show', async () => {
    const cwd = await makeStore(['alice'], ['--strict'])
    expect((await run(cwd, 'list')).stdout).toMatch(/ REPLAY {2}SIGNED +NOTE\n.* once {4}require\s/)
    expect((await run(cwd, 'show', 'alice')).stdout).toMatch(/^signed {3}require$/m)
    await run(cwd, 'add-peer', 'bait', '--canary')
    const { peers } = parseJson(await run(cwd, 'show', 'bait', '--json')) as { peers: object[] }
    expect(peers).toMatchObject([{ signed: null }])
  })

  it('comes back from an export, as JSON and as CSV, and from fragments', async () => {
    const cwd = await makeStore(['alice', 'bob'])
    await run(cwd, 'set', 'alice', '--signed', 'require')
    for (const format of ['json', 'csv']) {
      const { stdout } = await run(cwd, 'export', '--reveal', '--format', format)
      const other = await makeStore()
      expect((await runCli(['import', '-'], { cwd: other, stdin: stdout })).exitCode).toBe(0)
      expect(await policies(other)).toMatchObject({ alice: 'reuse require', bob: 'reuse observe' })
    }
    for (const format of ['env', 'json', 'yaml', 'kubernetes']) {
      const { stdout } = await run(cwd, 'config', 'client', 'alice', '--format', format)
      const other = await makeStore()
      const args = ['import', '-', '--name', 'alice']
      expect((await runCli(args, { cwd: other, stdin: stdout })).exitCode).toBe(0)
      expect(await policies(other)).toMatchObject({ alice: 'reuse require' })
    }
    const bad = 'name,signed\nalice,maybe\n'
    const refused = await runCli(['import', '-'], { cwd: await makeStore(), stdin: bad })
    expect(refused).toMatchObject({ exitCode: 3, stdout: '' })
    expect(refused.stderr).toContain('signed must be one of off, observe, accept, require')
    const variables = (await run(cwd, 'config', 'client', 'alice')).stdout.replace('=require', '=maybe')
    const wrong = await runCli(['import', '-', '--name', 'alice'], {
      cwd: await makeStore(),
      stdin: variables,
    })
    expect(wrong.stderr).toContain('$A2A_TOTP_SIGNED must be one of off, observe, accept, require')
  })

  it.each(['json', 'yaml', 'kubernetes'])('comes back from a server file as %s', async (format) => {
    const cwd = await makeStore(['alice', 'bob'], ['--signed', 'accept'])
    await run(cwd, 'set', 'alice', '--signed', 'require')
    const { stdout } = await run(cwd, 'config', 'server', '--format', format)
    const other = await makeStore()
    expect((await runCli(['import', '-'], { cwd: other, stdin: stdout })).exitCode).toBe(0)
    expect(await policies(other)).toEqual(await policies(cwd))
    // A peer without one of its own follows the agent, as before.
    await run(other, 'set', '--signed', 'observe')
    expect(await policies(other)).toMatchObject({ alice: 'reuse require', bob: 'reuse observe' })
  })

  it('is off in a server file of before, and refused where it is none', async () => {
    const cwd = await makeStore(['alice'])
    const file = parseJson(await run(cwd, 'config', 'server'))
    const { signed, peers, ...rest } = file as { signed: string; peers: { alice: { signed?: string } } }
    expect([signed, peers.alice.signed]).toEqual(['observe', 'observe'])
    delete peers.alice.signed
    const other = await makeStore()
    expect(
      (await runCli(['import', '-'], { cwd: other, stdin: JSON.stringify({ ...rest, peers }) })).exitCode,
    ).toBe(0)
    expect(await policies(other)).toEqual({ agent: 'reuse off', alice: 'reuse off' })
    peers.alice.signed = 'maybe'
    const stdin = JSON.stringify({ ...rest, peers })
    const refused = await runCli(['import', '-'], { cwd: await makeStore(), stdin })
    expect(refused.stderr).toContain('peers."alice".signed must be one of off, observe, accept, require')
  })

  it('is completed by a shell', async () => {
    const cwd = await makeStore(['alice'])
    for (const command of ['init', 'add-peer', 'set']) {
      const { stdout } = await run(cwd, 'complete', `--before=${command}`, '--before=--signed')
      expect(stdout.split('\n')).toEqual(expect.arrayContaining(['off', 'observe', 'accept', 'require']))
    }
    expect((await run(cwd, 'complete', '--before=doctor', '--before=--events')).stdout).toBe(':files\n')
    expect((await run(cwd, 'help', 'proofs')).stdout).toContain('a2a-totp doctor --events')
  })

  it('that formats cannot say is exit 3, and what would be right', async () => {
    const cwd = await makeStore(['alice'], ['--strict'])
    const maps = await runBinary(['config', 'server', '--format', 'maps'], { cwd })
    expect(maps).toMatchObject({ exitCode: 3, stdout: '' })
    const go = await runBinary(['config', 'client', 'alice', '--format', 'go'], { cwd })
    expect(go).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Signature-Input') as string })
    for (const format of ['python', 'crewai']) {
      for (const side of [['server'], ['client', 'alice']]) {
        expect((await runBinary(['config', ...side, '--format', format], { cwd })).exitCode).toBe(0)
      }
    }
    expect(
      (await runBinary(['exec', 'alice', '--', 'sh', '-c', 'echo $A2A_TOTP_SIGNED'], { cwd })).stdout,
    ).toBe('require\n')
  })
})
