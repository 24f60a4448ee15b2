import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { verifyProof } from '../../src/server/index.js'
import { makeFolder, makeStore, parseJson, runBinary, type CliRun } from '../support/cli.js'
import { codeAt } from '../support/signed-by-hand.js'

/* What contract sections 2, 7 and 11 promise of `signed` at the command line, through the built binary. */

const run = (cwd: string, ...args: string[]): Promise<CliRun> => runBinary(args, { cwd })
const ok = async (cwd: string, ...args: string[]): Promise<string> => {
  const { exitCode, stdout, stderr } = await run(cwd, ...args)
  if (exitCode !== 0) throw new Error(stderr)
  return stdout
}
type Json = Record<string, unknown>
const json = async (cwd: string, ...args: string[]): Promise<Json> =>
  JSON.parse(await ok(cwd, ...args, '--json')) as Json
const policies = async (cwd: string): Promise<Record<string, unknown>> =>
  Object.fromEntries(
    ((await json(cwd, 'list'))['peers'] as Json[]).map((peer) => [
      String(peer['name']),
      `${String(peer['replay'])} ${String(peer['signed'])}`,
    ]),
  )
const storeOf = (cwd: string): Json => JSON.parse(readFileSync(join(cwd, 'a2a-totp.json'), 'utf8')) as Json
/** A store as version 0.1 wrote it. */
async function makeOldStore(...peers: string[]): Promise<string> {
  const cwd = await makeStore(peers)
  const store = storeOf(cwd)
  delete store['signed']
  writeFileSync(join(cwd, 'a2a-totp.json'), JSON.stringify(store, null, 2))
  return cwd
}

describe('init', () => {
  it.each([
    [[], 'reuse observe'],
    [['--replay', 'reuse'], 'reuse observe'],
    [['--replay', 'once'], 'once accept'],
    [['--replay', 'once', '--signed', 'off'], 'once off'],
    [['--replay', 'once', '--signed', 'observe'], 'once observe'],
    [['--signed', 'require'], 'reuse require'],
    [['--signed', 'off'], 'reuse off'],
    [['--strict'], 'once require'],
    [
      ['--strict', '--replay', 'once', '--signed', 'require', '--digits', '8', '--algorithm', 'SHA256'],
      'once require',
    ],
    [['--shared-seed'], 'reuse observe'],
    [['--shared-seed', '--replay', 'once', '--signed', 'require'], 'once require'],
    [['--shared-seed', '--strict'], 'once require'],
  ])('%j gives peers "%s"', async (args, expected) => {
    const cwd = makeFolder()
    await ok(cwd, 'init', ...args)
    await ok(cwd, 'add-peer', 'alice')
    expect(await policies(cwd)).toEqual({ alice: expected })
    if (!args.includes('--strict')) return
    expect((await json(cwd, 'show', 'alice'))['peers']).toMatchObject([{ digits: 8, algorithm: 'SHA256' }])
  })

  it.each([
    '--strict --replay reuse',
    '--strict --signed accept',
    '--strict --signed off',
    '--strict --digits 6',
    '--strict --digits 7',
    '--strict --algorithm SHA1',
    '--strict --algorithm SHA512',
    '--shared-seed --replay once',
    '--shared-seed --replay once --signed accept',
    '--signed always',
    '--signed ',
  ])('refuses %s', async (options) => {
    const cwd = makeFolder()
    const { exitCode, stdout, stderr } = await run(cwd, 'init', ...options.split(' '))
    expect([exitCode, stdout, stderr.trim().split('\n').length]).toEqual([2, '', 1])
    expect(await run(cwd, 'list')).toMatchObject({ exitCode: 3, stdout: '' })
  })
})

describe('a store without signed', () => {
  it('is off, and set --replay once brings accept', async () => {
    const cwd = await makeOldStore('alice', 'bob')
    expect(await policies(cwd)).toEqual({ alice: 'reuse off', bob: 'reuse off' })
    const file = await json(cwd, 'config', 'server')
    expect([file['signed'], file['requires']]).toEqual([undefined, undefined])
    expect(file['peers']).toMatchObject({ alice: { signed: 'off' }, bob: { signed: 'off' } })
    expect(await ok(cwd, 'config', 'client', 'alice')).not.toContain('A2A_TOTP_SIGNED')
    await ok(cwd, 'set', 'alice', '--note', 'x')
    expect(await policies(cwd)).toEqual({ alice: 'reuse off', bob: 'reuse off' })
    expect((await json(cwd, 'set', '--replay', 'once'))['changed']).toMatchObject([
      { field: 'replay', from: 'reuse', to: 'once' },
      { field: 'signed', to: 'accept' },
    ])
    expect(await policies(cwd)).toEqual({ alice: 'once accept', bob: 'once accept' })
  })

  it('the same for one peer, and for one to come', async () => {
    const cwd = await makeOldStore('alice', 'bob')
    await ok(cwd, 'set', 'alice', '--replay', 'once')
    await ok(cwd, 'add-peer', 'carol', '--replay', 'once')
    await ok(cwd, 'add-peer', 'dave', '--signed', 'require')
    await ok(cwd, 'set', 'bob', '--replay', 'once', '--signed', 'off')
    expect(await policies(cwd)).toEqual({
      alice: 'once accept',
      bob: 'once off',
      carol: 'once accept',
      dave: 'reuse require',
    })
  })
})

describe('set, undo and log', () => {
  it('peers without a policy of their own follow the agent, live', async () => {
    const cwd = await makeStore(['alice', 'bob'])
    await ok(cwd, 'set', 'bob', '--signed', 'off')
    for (const policy of ['require', 'accept', 'off', 'observe']) {
      await ok(cwd, 'set', '--signed', policy)
      expect(await policies(cwd)).toEqual({ alice: `reuse ${policy}`, bob: 'reuse off' })
    }
  })

  it('changes what is named, says what, and takes it back', async () => {
    const cwd = await makeStore(['alice'], ['--replay', 'once'])
    const changed = await json(cwd, 'set', 'alice', '--signed', 'require')
    expect(changed['changed']).toMatchObject([{ peer: 'alice', field: 'signed', to: 'require' }])
    expect(await policies(cwd)).toEqual({ alice: 'once require' })
    // It has a policy of its own now.
    await ok(cwd, 'set', 'alice', '--replay', 'once')
    expect(await policies(cwd)).toEqual({ alice: 'once require' })
    expect((await json(cwd, 'set', '--signed', 'require'))['changed']).toMatchObject([
      { field: 'signed', from: 'accept', to: 'require' },
    ])
    expect((await json(cwd, 'undo'))['changed']).toMatchObject([
      { field: 'signed', from: 'require', to: 'accept' },
    ])
    const { entries } = (await json(cwd, 'log')) as { entries: Json[] }
    expect(entries).toMatchObject([
      { command: 'init' },
      { command: 'add-peer' },
      { command: 'set', peers: ['alice'], changed: [{ peer: 'alice', field: 'signed', to: 'require' }] },
      { command: 'set', peers: ['alice'], changed: [{ peer: 'alice', field: 'replay', to: 'once' }] },
      { command: 'set', peers: [], changed: [{ field: 'signed', from: 'accept', to: 'require' }] },
      { command: 'undo', changed: [{ field: 'signed', from: 'require', to: 'accept' }] },
    ])
    expect(await run(cwd, 'set', '--signed', 'sometimes')).toMatchObject({ exitCode: 2, stdout: '' })
    expect(await run(cwd, 'set', 'alcie', '--signed', 'off')).toMatchObject({ exitCode: 1, stdout: '' })
  })

  it('a shared seed under once keeps require', async () => {
    const cwd = makeFolder()
    await ok(cwd, 'init', '--shared-seed', '--strict')
    await ok(cwd, 'add-peer', 'alice')
    for (const args of [
      ['set', '--signed', 'accept'],
      ['set', 'alice', '--signed', 'observe'],
      ['add-peer', 'bob', '--signed', 'accept'],
    ]) {
      expect([args, await run(cwd, ...args)]).toMatchObject([args, { exitCode: 2, stdout: '' }])
    }
    const file = await json(cwd, 'config', 'server')
    expect(file['requires']).toEqual(expect.arrayContaining(['once', 'signed', 'shared-seed']))
  })
})

describe('what is handed out', () => {
  it.each([
    ['off', 'reuse', undefined],
    ['observe', 'reuse', undefined],
    ['accept', 'reuse', ['signed']],
    ['require', 'reuse', ['signed']],
    ['require', 'once', ['once', 'signed']],
  ])('under %s and %s', async (signed, replay, requires) => {
    const cwd = await makeStore(['alice'], ['--agent', 'billing', '--signed', signed, '--replay', replay])
    const file = await json(cwd, 'config', 'server')
    expect((file['requires'] as string[] | undefined)?.sort()).toEqual(requires)
    expect(file['signed']).toBe(signed === 'off' ? undefined : signed)
    expect(file['peers']).toMatchObject({ alice: { replay, signed } })
    const client = await json(cwd, 'config', 'client', 'alice', '--format', 'json')
    expect(client).toMatchObject({ agent: 'billing', signed, replay, window: 1, version: 1 })
    expect(client['agents']).toMatchObject({ billing: { signed, replay, window: 1 } })
    const env = await ok(cwd, 'config', 'client', 'alice')
    expect(/^A2A_TOTP_SIGNED=(.*)$/m.exec(env)?.[1]).toBe(signed === 'off' ? undefined : signed)
    expect(env).toMatch(/^A2A_TOTP_AGENT=billing$/m)
    const maps = await run(cwd, 'config', 'server', '--format', 'maps')
    expect([maps.exitCode, maps.stdout === '']).toEqual(requires ? [3, true] : [0, false])
    const python = await run(cwd, 'config', 'server', '--format', 'python')
    expect([python.exitCode, python.stdout === '']).toEqual([0, false])
    const { capabilities } = (await json(cwd, 'config', 'card')) as { capabilities: { extensions: Json[] } }
    expect(capabilities.extensions).toMatchObject([
      {
        uri: 'urn:a2a-totp:v1',
        required: false,
        params: {
          header: 'X-TOTP',
          algorithm: 'SHA1',
          digits: 6,
          period: 30,
          window: 1,
          signed: { policy: signed, profile: 'a2a-totp/proof/v1' },
        },
      },
    ])
  })

  it('the card tells the policy of the agent, never one of a peer', async () => {
    const cwd = await makeStore(['alice'], ['--signed', 'observe'])
    await ok(cwd, 'set', 'alice', '--signed', 'require')
    expect(await ok(cwd, 'config', 'card')).toMatch(/"policy": ?"observe"/)
    expect(await ok(cwd, 'config', 'card')).not.toContain('"require"')
    const file = await json(cwd, 'config', 'server')
    expect([file['signed'], file['requires']]).toEqual(['observe', ['signed']])
  })

  it('a window that differs is in the environment of the client', async () => {
    const cwd = await makeStore(['alice'], ['--window', '2'])
    expect(await ok(cwd, 'config', 'client', 'alice')).toMatch(/^A2A_TOTP_WINDOW=2$/m)
  })

  it.each(['github', 'kubernetes', 'yaml'])('%s has what a client needs to sign', async (format) => {
    const cwd = await makeStore(['alice'], ['--signed', 'accept', '--agent', 'billing'])
    const fragment = await ok(cwd, 'config', 'client', 'alice', '--format', format)
    expect(fragment).toMatch(/^ *(A2A_TOTP_AGENT|agent): "billing"$/m)
    expect(fragment).toMatch(/^ *(A2A_TOTP_SIGNED|signed): "accept"$/m)
  })

  it('exec hands on the policy', async () => {
    const cwd = await makeStore(['alice'], ['--signed', 'require', '--agent', 'billing'])
    const script = 'console.log(process.env.A2A_TOTP_SIGNED + process.env.A2A_TOTP_AGENT)'
    expect(await ok(cwd, 'exec', 'alice', '--', process.execPath, '-e', script)).toBe('requirebilling\n')
  })
})

describe('code --for', () => {
  const url = 'https://billing.example/a2a/rest/tasks?page=1'
  const linesOf = (stdout: string): [string, string][] =>
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)])

  it('prints lines that verify, and --with lines are covered', async () => {
    const cwd = await makeStore(['alice'], ['--agent', 'billing', '--signed', 'require'])
    const { seed, token } = await json(cwd, 'config', 'client', 'alice', '--format', 'json')
    const at = 1_795_460_417
    writeFileSync(join(cwd, 'body.json'), '{"hello":"world"}\n')
    const stdout = await ok(
      cwd,
      'code',
      'alice',
      '--headers',
      '--for',
      'POST',
      url,
      '--body',
      'body.json',
      '--with',
      'Content-Type: application/json',
      '--with',
      'A2A-Version: 1.0',
      '--at',
      String(at),
    )
    const headers = linesOf(stdout)
    expect(new Map(headers)).toEqual(
      new Map([
        ['Authorization', `Bearer ${String(token)}`],
        ['X-TOTP', codeAt(String(seed), at)],
        ['Content-Digest', expect.stringMatching(/^sha-256=:/)],
        ['Signature-Input', expect.stringContaining(`;created=${at};expires=${at + 60};`)],
        ['Signature', expect.stringMatching(/^a2a-totp=:/)],
        ['Content-Type', 'application/json'],
        ['A2A-Version', '1.0'],
      ]) as unknown,
    )
    const request = {
      method: 'POST',
      target: '/a2a/rest/tasks?page=1',
      headers,
      body: readFileSync(join(cwd, 'body.json')),
    }
    const options = {
      seeds: [String(seed)],
      agent: 'billing',
      header: 'X-TOTP',
      period: 30,
      window: 1,
      now: at,
    }
    expect(verifyProof(request, options)).toMatchObject({ verdict: 'valid' })
    expect(verifyProof({ ...request, body: 'x' }, options)).toMatchObject({ reason: 'proof-digest' })
    expect(verifyProof({ ...request, target: '/' }, options)).toMatchObject({ reason: 'proof-mac' })
    const bare = { ...request, headers: headers.filter(([name]) => !/content-type/i.test(name)) }
    expect(verifyProof(bare, options)).toMatchObject({ reason: 'proof-uncovered' })
    expect(verifyProof(request, { ...options, now: at + 61 })).toMatchObject({ reason: 'proof-stale' })
    expect(verifyProof(request, { ...options, agent: 'x' })).toMatchObject({ reason: 'proof-key' })
  })

  it('takes the body from standard input, and has headers in its JSON', async () => {
    const cwd = await makeStore(['alice'], ['--agent', 'billing'])
    const { seed } = await json(cwd, 'config', 'client', 'alice', '--format', 'json')
    const done = await runBinary(['code', 'alice', '--for', 'POST', url, '--body', '-', '--json'], {
      cwd,
      stdin: '{"a":1}',
    })
    const { headers, code, timeStep } = parseJson(done) as {
      headers: Record<string, string>
      code: string
      timeStep: number
    }
    expect(headers['X-TOTP']).toBe(code)
    const verdict = verifyProof(
      { method: 'POST', target: '/a2a/rest/tasks?page=1', headers: Object.entries(headers), body: '{"a":1}' },
      { seeds: [String(seed)], agent: 'billing', now: timeStep * 30 + 15 },
    )
    expect(verdict).toMatchObject({ verdict: 'valid' })
  })

  it('signs for a peer of the environment, whose window is unknown', async () => {
    const cwd = makeFolder()
    const env = {
      A2A_TOTP_SEED: 'ZLWB7MXUZEY3Q4UFAIATM4A6QKSDN4YX',
      A2A_TOTP_TOKEN: 'a2at_x',
      A2A_TOTP_AGENT: 'billing',
    }
    const args = ['code', '--headers', '--for', 'GET', url, '--at', '1795460417']
    const known = await runBinary(args, { cwd, env: { ...env, A2A_TOTP_WINDOW: '2' } })
    expect(known.stdout).toContain('created=1795460417;expires=1795460507;')
    const unknown = await runBinary(args, { cwd, env })
    expect(unknown.stdout).toContain('created=1795460417;expires=1795460447;')
    const nameless = { A2A_TOTP_SEED: env.A2A_TOTP_SEED, A2A_TOTP_TOKEN: env.A2A_TOTP_TOKEN }
    const refused = await runBinary(args, { cwd, env: nameless })
    expect([refused.exitCode === 0, refused.stdout]).toEqual([false, ''])
  })

  it.each([
    [2, ['--for', 'GET']],
    [2, ['--for', 'GET', 'nowhere']],
    [2, ['--body', '-']],
    [2, ['--with', 'A: b']],
    [2, ['--for', 'GET', url, '--with', 'nothing']],
    [2, ['--for', 'GET', url, '--with', 'Content-Encoding: gzip']],
    [2, ['--for', 'GET', url, '--with', 'Authorization: Bearer x']],
    [2, ['--for', 'GET', url, '--with', 'Signature: a=:AA==:']],
    [2, ['--for', 'G T', url]],
    [3, ['--for', 'POST', url, '--body', 'missing.json']],
  ])('refuses with %i: %j', async (expected, args) => {
    const cwd = await makeStore(['alice'])
    const { exitCode, stdout, stderr } = await run(cwd, 'code', 'alice', ...args)
    expect([exitCode, stdout, stderr.trim().split('\n').length]).toEqual([expected, '', 1])
  })
})
