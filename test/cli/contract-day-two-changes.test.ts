import { copyFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeFolder, makeStore, parseJson, runBinary, type CliRun } from '../support/cli.js'

/* What an operator is promised of set, rename, undo, log and exec, as the built binary keeps it. */

type Changed = readonly { peer?: string; field: string; from: unknown; to: unknown }[]

const run = (cwd: string, ...args: string[]): Promise<CliRun> => runBinary(args, { cwd })

async function json(cwd: string, ...args: string[]): Promise<Record<string, unknown>> {
  const { exitCode, stdout, stderr } = await run(cwd, ...args, '--json')
  expect([exitCode, stderr]).toEqual([0, expect.not.stringContaining('error')])
  return parseJson({ stdout })
}

const changedBy = async (cwd: string, ...args: string[]): Promise<Changed> =>
  (await json(cwd, ...args))['changed'] as Changed

/** Refused: nothing on stdout, one line on stderr with the code at its end, JSON with `--json`, and the store as it was. */
async function refused(cwd: string, exitCode: number, code: string, ...args: string[]): Promise<string> {
  const path = join(cwd, 'a2a-totp.json')
  const before = existsSync(path) ? readFileSync(path) : undefined
  const plain = await run(cwd, ...args)
  expect(plain).toMatchObject({ exitCode, stdout: '' })
  expect(plain.stderr).toMatch(new RegExp(`^error: [^\\n]+ \\(${code}\\)\\n$`))
  const document = await run(cwd, '--json', ...args)
  expect(document).toMatchObject({ exitCode, stdout: '' })
  expect(JSON.parse(document.stderr)).toEqual({ error: { code, message: expect.any(String) as string } })
  expect(existsSync(path) ? readFileSync(path) : undefined).toEqual(before)
  return plain.stderr
}

const modeOf = (cwd: string, name: string): number => statSync(join(cwd, name)).mode & 0o777

async function serialOf(cwd: string): Promise<number> {
  return Number((await json(cwd, 'config', 'server'))['serial'])
}

interface Listed {
  name: string
  replay: string
  note: string | null
  digits: number
  algorithm: string
  period: number
  seeds: { id: string; expiresAt: string | null }[]
  tokens: { id: string; expiresAt: string | null }[]
}

async function peersOf(cwd: string): Promise<Record<string, Listed>> {
  const peers = (await json(cwd, 'list'))['peers'] as Listed[]
  return Object.fromEntries(peers.map((peer) => [peer.name, peer]))
}

describe('set, of the agent', () => {
  it.each([
    ['--url', 'https://b.example', 'url', 'https://b.example'],
    ['--window', '2', 'window', 2],
    ['--header', 'X-Code', 'header', 'X-Code'],
    ['--replay', 'once', 'replay', 'once'],
    ['--algorithm', 'SHA512', 'algorithm', 'SHA512'],
    ['--digits', '8', 'digits', 8],
    ['--period', '60', 'period', 60],
  ])('%s %s is what changed, and nothing else', async (option, value, field, to) => {
    const cwd = await makeStore()
    const [changed, ...others] = await changedBy(cwd, 'set', option, value)
    expect([changed, others]).toMatchObject([{ field, to }, []])
    expect(await changedBy(cwd, 'set', option, value)).toEqual([])
    expect(modeOf(cwd, 'a2a-totp.json')).toBe(0o600)
  })

  it('prints nothing on stdout, and says on stderr what has to be handed out again', async () => {
    const cwd = await makeStore(['alice'])
    const { exitCode, stdout, stderr } = await run(cwd, 'set', '--url', 'https://b.example')
    expect([exitCode, stdout]).toEqual([0, ''])
    expect(stderr).toMatch(/alice/)
    expect(await run(cwd, '--quiet', 'set', '--url', 'https://c.example')).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: '',
    })
  })

  it('leaves existing peers the codes they were made with', async () => {
    const cwd = await makeStore(['alice'])
    await json(cwd, 'set', '--digits', '8', '--algorithm', 'SHA256', '--period', '60')
    await json(cwd, 'add-peer', 'bob')
    expect(await peersOf(cwd)).toMatchObject({
      alice: { digits: 6, algorithm: 'SHA1', period: 30 },
      bob: { digits: 8, algorithm: 'SHA256', period: 60 },
    })
  })

  it('lets a peer without a policy of its own follow, live', async () => {
    const cwd = await makeStore(['alice'])
    await json(cwd, 'add-peer', 'bob', '--replay', 'reuse')
    await json(cwd, 'set', '--replay', 'once')
    expect(await peersOf(cwd)).toMatchObject({ alice: { replay: 'once' }, bob: { replay: 'reuse' } })
    const file = await json(cwd, 'config', 'server')
    expect(file).toMatchObject({ peers: { alice: { replay: 'once' }, bob: { replay: 'reuse' } } })
    expect(file['requires']).toEqual(['once'])
  })

  it.each([
    ['--window', '2'],
    ['--header', 'X-Code'],
  ])('%s with peers present needs --yes off a terminal', async (option, value) => {
    const cwd = await makeStore(['alice', 'bob'])
    const told = await refused(cwd, 2, 'ERR_CONFIRMATION_NEEDED', 'set', option, value)
    expect(told).toMatch(/alice.*bob.*--yes/)
    const done = await run(cwd, 'set', option, value, '--yes')
    expect([done.exitCode, done.stdout]).toEqual([0, ''])
    expect(done.stderr).toMatch(/config server/)
  })

  it.each([
    ['nothing'],
    ['a note', '--note', 'x'],
    ['an expiry', '--expires', 'never'],
    ['an unknown policy', '--replay', 'twice'],
    ['a window of 3', '--window', '3'],
    ['5 digits', '--digits', '5'],
    ['a period of 9', '--period', '9'],
    ['a hop-by-hop field', '--header', 'Connection'],
    ['a field of a proof', '--header', 'Signature-Input'],
    ['Content-Length', '--header', 'Content-Length'],
    ['Date', '--header', 'Date'],
    ['TotpPeer', '--header', 'TotpPeer'],
    ['Accept-Signature', '--header', 'Accept-Signature'],
    ['Expect', '--header', 'Expect'],
    ['a URL that is none', '--url', 'ftp://b.example'],
  ])('refuses %s as wrong usage', async (_, ...options) => {
    await refused(await makeStore(['alice']), 2, 'ERR_USAGE', 'set', ...options)
  })
})

describe('set, of peers', () => {
  it('--replay, --note and --expires are of the peers that are named', async () => {
    const cwd = await makeStore(['alice', 'bob', 'carol'])
    const end = '2099-01-01T00:00:00.000Z'
    const changed = await changedBy(
      cwd,
      ...['set', 'alice', 'bob', '--replay', 'once', '--note', 'both', '--expires', '2099-01-01T00:00:00Z'],
    )
    expect(new Set(changed.map(({ peer }) => peer))).toEqual(new Set(['alice', 'bob']))
    const { alice, bob, carol } = await peersOf(cwd)
    for (const peer of [alice, bob]) {
      expect(peer).toMatchObject({
        replay: 'once',
        note: 'both',
        seeds: [{ expiresAt: end }],
        tokens: [{ expiresAt: end }],
      })
    }
    expect(carol).toMatchObject({ replay: 'reuse', note: null, seeds: [{ expiresAt: null }] })
    await json(cwd, 'set', 'alice', '--expires', 'never')
    expect((await peersOf(cwd))['alice']).toMatchObject({
      seeds: [{ expiresAt: null }],
      tokens: [{ expiresAt: null }],
    })
    expect((await peersOf(cwd))['bob']).toMatchObject({ seeds: [{ expiresAt: end }] })
  })

  it.each([
    ['--url', 'https://x.example'],
    ['--window', '1'],
    ['--header', 'X-Code'],
    ['--digits', '8'],
    ['--algorithm', 'SHA256'],
    ['--period', '60'],
  ])('%s is of the agent alone', async (option, value) => {
    await refused(await makeStore(['alice']), 2, 'ERR_USAGE', 'set', 'alice', option, value)
  })

  it('changes all that are named or none', async () => {
    const cwd = await makeStore(['alice'])
    const told = await refused(cwd, 1, 'ERR_PEER_UNKNOWN', 'set', 'alice', 'alcie', '--note', 'x')
    expect(told).toContain('did you mean alice?')
  })

  it('refuses a time that has passed, or is none', async () => {
    const cwd = await makeStore(['alice'])
    await refused(cwd, 2, 'ERR_USAGE', 'set', 'alice', '--expires', '2001-01-01T00:00:00Z')
    await refused(cwd, 2, 'ERR_USAGE', 'set', 'alice', '--expires', 'soon')
  })
})

describe('rename', () => {
  it('keeps what a peer has, and says that its tasks are lost', async () => {
    const cwd = await makeStore(['alice', 'bob'])
    const { alice } = await peersOf(cwd)
    const code = (await run(cwd, 'code', 'alice', '--at', '59')).stdout
    const done = await run(cwd, 'rename', 'alice', 'anna')
    expect([done.exitCode, done.stdout]).toEqual([0, ''])
    expect(done.stderr).toMatch(/tasks.*lost/)
    const { anna, ...others } = await peersOf(cwd)
    expect(anna).toEqual({ ...alice, name: 'anna' })
    expect(Object.keys(others)).toEqual(['bob'])
    expect((await run(cwd, 'code', 'anna', '--at', '59')).stdout).toBe(code)
    expect(await changedBy(cwd, 'rename', 'anna', 'alice')).toMatchObject([{ from: 'anna', to: 'alice' }])
  })

  it.each([
    [1, 'ERR_PEER_EXISTS', ['alice', 'bob']],
    [1, 'ERR_PEER_UNKNOWN', ['nobody', 'x']],
    [2, 'ERR_NAME_INVALID', ['alice', 'not a name']],
    [2, 'ERR_USAGE', ['alice']],
    [2, 'ERR_USAGE', []],
    [2, 'ERR_CONFIRMATION_NEEDED', ['--agent', 'invoices']],
  ] as const)('ends with %i (%s) for %j', async (exitCode, code, args) => {
    await refused(await makeStore(['alice', 'bob']), exitCode, code, 'rename', ...args)
  })

  it('--agent lists whom to tell, and needs no --yes in a store without peers', async () => {
    const cwd = await makeStore(['alice'], ['--agent', 'billing'])
    const done = await run(cwd, 'rename', '--agent', 'invoices', '--yes')
    expect([done.exitCode, done.stdout]).toEqual([0, ''])
    expect(done.stderr).toMatch(/alice/)
    expect((await json(cwd, 'list'))['agent']).toBe('invoices')
    const empty = await makeStore([], ['--agent', 'billing'])
    expect(await changedBy(empty, 'rename', '--agent', 'invoices')).toMatchObject([
      { from: 'billing', to: 'invoices' },
    ])
  })
})

describe('undo', () => {
  it.each([
    ['set', '--url', 'https://b.example'],
    ['set', 'alice', '--note', 'x'],
    ['set', 'alice', '--replay', 'once'],
    ['rename', 'alice', 'anna'],
    ['add-peer', 'carol'],
    ['rotate', 'alice'],
  ])('puts back what %s changed, once', async (...args) => {
    const cwd = await makeStore(['alice', 'bob'])
    const [list, serial] = [await json(cwd, 'list'), await serialOf(cwd)]
    await json(cwd, ...args)
    expect(modeOf(cwd, 'a2a-totp.json.bak-prev')).toBe(0o600)
    const undone = await run(cwd, 'undo')
    expect(undone.exitCode).toBe(0)
    expect(undone.stdout).not.toBe('')
    expect(await json(cwd, 'list')).toEqual(list)
    expect(await serialOf(cwd)).toBeGreaterThan(serial + 1)
    await refused(cwd, 1, 'ERR_NOTHING_TO_UNDO', 'undo')
    await refused(cwd, 1, 'ERR_NOTHING_TO_UNDO', 'undo', '--yes')
  })

  it.each([
    ['remove-peer', 'alice', '--yes'],
    ['rotate', 'alice', '--now'],
    ['rotate', 'alice', '--token', '--now'],
  ])('of %s names what becomes valid again, and needs --yes', async (...args) => {
    const cwd = await makeStore(['alice', 'bob'])
    const { alice } = await peersOf(cwd)
    await json(cwd, ...args)
    const told = await refused(cwd, 2, 'ERR_CONFIRMATION_NEEDED', 'undo')
    expect(told).toContain('alice')
    expect(told).toContain(alice?.tokens[0]?.id)
    expect((await json(cwd, 'undo', '--yes'))['changed']).not.toEqual([])
    expect((await peersOf(cwd))['alice']).toEqual(alice)
  })

  it('has nothing to undo in a new store, and after encrypt, which leaves nothing plain', async () => {
    const cwd = await makeStore()
    await refused(cwd, 1, 'ERR_NOTHING_TO_UNDO', 'undo')
    await json(cwd, 'add-peer', 'alice')
    const env = { A2A_TOTP_PASSPHRASE: 'correct horse battery' }
    const encrypted = await runBinary(['encrypt', '--passphrase'], { cwd, env })
    expect(encrypted.exitCode).toBe(0)
    expect(encrypted.stderr).toMatch(/cannot be undone/)
    expect(existsSync(join(cwd, 'a2a-totp.json.bak-prev'))).toBe(false)
    expect(await runBinary(['undo', '--yes'], { cwd, env })).toMatchObject({ exitCode: 1, stdout: '' })
  })

  it('puts back a store that an editor broke', async () => {
    const cwd = await makeStore(['alice'])
    const path = join(cwd, 'a2a-totp.json')
    copyFileSync(path, join(cwd, 'whole.json'))
    await json(cwd, 'set', '--url', 'https://b.example')
    writeFileSync(path, readFileSync(path, 'utf8').replace(',', ''))
    expect((await run(cwd, 'undo', '--yes')).exitCode).toBe(0)
    expect(await peersOf(cwd)).toHaveProperty('alice')
  })
})

describe('log', () => {
  it('has who changed what and when, and no secret', async () => {
    const cwd = await makeStore(['alice', 'bob'])
    await json(cwd, 'set', 'alice', '--note', 'x')
    await json(cwd, 'rotate', 'bob')
    await json(cwd, 'undo', '--yes')
    const { entries } = (await json(cwd, 'log')) as {
      entries: { at: string; by: string; command: string; peers: string[]; changed: Changed }[]
    }
    expect(entries.map(({ command }) => command)).toEqual(['init', 'add-peer', 'set', 'rotate', 'undo'])
    for (const entry of entries) {
      expect(entry).toMatchObject({ by: expect.any(String) as string, changed: expect.any(Array) as Changed })
      expect(new Date(entry.at).toISOString()).toBe(entry.at)
    }
    expect(entries[2]).toMatchObject({
      peers: ['alice'],
      changed: [{ peer: 'alice', field: 'note', from: null, to: 'x' }],
    })
    const { peers } = parseJson(await run(cwd, 'export', '--reveal')) as {
      peers: { seed: string; token: string }[]
    }
    const shown = (await run(cwd, 'log')).stdout + JSON.stringify(entries)
    for (const { seed, token } of peers) {
      expect(shown).not.toContain(seed)
      expect(shown).not.toContain(token)
    }
    const ofAlice = (await json(cwd, 'log', '--peer', 'alice', '--since', '1h'))['entries'] as unknown[]
    expect(ofAlice).toHaveLength(2)
    expect((await json(cwd, 'log', '--since', '2099-01-01T00:00:00Z'))['entries']).toEqual([])
    await refused(cwd, 2, 'ERR_USAGE', 'log', '--since', 'yesterday')
    expect(modeOf(cwd, 'a2a-totp.json.log')).toBe(0o600)
  })

  it.each([
    ['log'],
    ['undo'],
    ['set', '--url', 'https://x'],
    ['rename', 'a', 'b'],
    ['exec', 'a', '--', 'true'],
  ])('%s needs a store', async (...args) => {
    await refused(makeFolder(), 3, 'ERR_STORE_MISSING', ...args)
  })
})

describe('exec', () => {
  const exec = (cwd: string, ...command: string[]): Promise<CliRun> =>
    run(cwd, 'exec', 'alice', '--', ...command)

  it("has the command's output and exit code, and 127, 126 and 128 + n", async () => {
    const cwd = await makeStore(['alice'])
    expect(await exec(cwd, 'sh', '-c', 'echo out; echo err >&2; exit 7')).toEqual({
      exitCode: 7,
      stdout: 'out\n',
      stderr: 'err\n',
    })
    expect(await exec(cwd, 'no-such-program')).toMatchObject({ exitCode: 127, stdout: '' })
    writeFileSync(join(cwd, 'plain'), 'text', { mode: 0o644 })
    expect(await exec(cwd, './plain')).toMatchObject({ exitCode: 126, stdout: '' })
    expect((await exec(cwd, 'sh', '-c', 'kill -TERM $$')).exitCode).toBe(143)
    expect((await exec(cwd, 'sh', '-c', 'kill -KILL $$')).exitCode).toBe(137)
    await refused(cwd, 1, 'ERR_PEER_UNKNOWN', 'exec', 'bob', '--', 'true')
    await refused(cwd, 2, 'ERR_USAGE', 'exec', 'alice')
    await refused(cwd, 2, 'ERR_USAGE', 'exec')
  })

  it('sets what config client prints, and removes all else that is ours', async () => {
    const cwd = await makeStore(
      ['alice'],
      ['--agent', 'billing', '--window', '2', '--url', 'https://b.example'],
    )
    const env = {
      A2A_TOTP_SERVER_FILE: '/x',
      A2A_TOTP_SEED: 'x',
      A2A_TOTP_PASSPHRASE: 'x',
      A2A_TOTP_WHATEVER: 'x',
      A2A_TOTP_STORE: join(cwd, 'a2a-totp.json'),
    }
    const seen = await runBinary(['exec', 'alice', '--', 'env'], { cwd, env })
    const fragment = (await run(cwd, 'config', 'client', 'alice')).stdout
    const ours = (text: string): string[] =>
      text
        .split('\n')
        .filter((line) => line.startsWith('A2A_TOTP_'))
        .sort()
    expect(ours(seen.stdout)).toEqual(ours(fragment))
    expect(ours(fragment)).toContain('A2A_TOTP_WINDOW=2')
  })
})
