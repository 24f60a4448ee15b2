import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { memoryState, TOTPServerAuthScheme } from '../../src/server/index.js'
import { makeStore, parseJson, runBinary, runCli, startBinary, type CliRun } from '../support/cli.js'
import { frameworkAgents, type FrameworkAgent } from '../support/framework-agents.js'

interface Row {
  readonly name: string
  readonly seedId: string
  readonly tokenId: string
  readonly step: string | null
  readonly done: boolean
  readonly problem?: string
}
interface Stored {
  readonly serial?: number
  readonly peers: Record<
    string,
    {
      digits: number
      pending?: { step: string; id: string }
      seeds: { id: string; seed: string; expiresAt?: string; staged?: true }[]
      tokens: { id: string; token: string; expiresAt?: string; staged?: true }[]
    }
  >
}

const read = (cwd: string, name = 'a2a-totp.json'): string => readFileSync(join(cwd, name), 'utf8')
const storeOf = (cwd: string): Stored => JSON.parse(read(cwd)) as Stored
function peerOf(cwd: string, name = 'alice') {
  const peer = storeOf(cwd).peers[name]
  if (!peer) throw new Error(`no ${name}`)
  return peer
}
const rowsOf = (run: CliRun): Row[] => parseJson(run)['peers'] as Row[]
const toFile = 'cat > "$A2A_TOTP_PEER.env.tmp" && mv "$A2A_TOTP_PEER.env.tmp" "$A2A_TOTP_PEER.env"'
const serverOut = ['--server-out', 'server.json']

/** Runs a command with a home folder of its own, where options are remembered. */
const run = (cwd: string, ...args: string[]): Promise<CliRun> =>
  runCli(args, { cwd, env: { HOME: cwd, PATH: process.env['PATH'] ?? '' } })
const remembered = (cwd: string): string[] => {
  const folder = join(cwd, '.local/state/a2a-totp/rotations')
  return existsSync(folder) ? readdirSync(folder) : []
}

/** A real agent that follows `server.json` of a store. */
async function agentOf(cwd: string): Promise<FrameworkAgent & AsyncDisposable> {
  await run(cwd, 'config', 'server', '--out', 'server.json')
  const state = memoryState({ since: new Date(0) })
  const scheme = TOTPServerAuthScheme.fromFile(join(cwd, 'server.json'), { state })
  const make = frameworkAgents['node:http']
  if (!make) throw new Error('no such agent')
  const agent = await make(scheme)
  return {
    ...agent,
    async [Symbol.asyncDispose]() {
      scheme.close()
      await agent.close()
    },
  }
}

describe('a rotation with a delivery', () => {
  it('stages, tells the agent, waits for it, delivers, proves, and ends the old ones', async () => {
    const cwd = await makeStore(['alice', 'bob'])
    await using agent = await agentOf(cwd)
    const before = peerOf(cwd)
    const flags = ['--deliver', toFile, ...serverOut, '--prove', agent.origin]
    const done = await run(cwd, 'rotate', 'alice', 'bob', ...flags)
    expect(done.stderr.replaceAll(/^(wrote).*/gm, '$1').split('\n')).toEqual(
      expect.arrayContaining(['staged: alice, bob', 'wrote', 'delivering to alice', 'probing as alice']),
    )
    expect(done.exitCode).toBe(0)
    expect(done.stdout).toMatch(/^alice {2}seed s-\w+ {2}token t-\w+ {2}done\nbob .*done\n$/)
    const after = peerOf(cwd)
    expect(after.pending).toBeUndefined()
    expect(after.seeds.map(({ id, expiresAt, staged }) => [id, expiresAt !== undefined, staged])).toEqual([
      [before.seeds[0]?.id, true, undefined],
      [expect.stringMatching(/^s-/), false, undefined],
    ])
    const fragment = read(cwd, 'alice.env')
    expect(fragment).toContain(after.seeds[1]?.seed)
    expect(fragment).toContain(after.tokens[1]?.token)
    expect(read(cwd, 'bob.env')).toContain(peerOf(cwd, 'bob').tokens[1]?.token)
    // The agent knows when the old ones end.
    expect(read(cwd, 'server.json')).toContain(after.seeds[0]?.expiresAt)
    expect(remembered(cwd)).toEqual([])
    expect((await run(cwd, 'rotate', '--resume')).stderr).toContain('ERR_NOTHING_PENDING')
  })

  // Without proofs each call takes a time step. The command may wait for 120 s, and then has things to do.
  it('proves under once before the peer needs its time steps', { timeout: 240_000 }, async () => {
    const cwd = await makeStore(['alice'], ['--replay', 'once', '--signed', 'off'])
    await using agent = await agentOf(cwd)
    const flags = ['--deliver', toFile, ...serverOut, '--prove', agent.origin, '--wait', '120']
    const done = await runBinary(['rotate', 'alice', ...flags], { cwd })
    expect(done).toMatchObject({ exitCode: 0 })
    expect(done.stdout).toMatch(/done\n$/)
  })

  it.each(['accept', 'require'])('signs what it proves with under %s', async (signed) => {
    const cwd = await makeStore(['alice'], ['--replay', 'once', '--signed', signed])
    await using agent = await agentOf(cwd)
    const flags = ['--deliver', toFile, ...serverOut, '--prove', agent.origin]
    const done = await runBinary(['rotate', 'alice', ...flags], { cwd })
    expect(done).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/done\n$/) as string })
  })

  it('uses the old credentials until the new ones are delivered', async () => {
    const cwd = await makeStore(['alice'])
    const old = (await run(cwd, 'code', 'alice', '--at', '59')).stdout
    const token = peerOf(cwd).tokens[0]?.token
    expect((await run(cwd, 'rotate', 'alice', '--deliver', 'false', ...serverOut)).exitCode).toBe(1)
    expect((await run(cwd, 'code', 'alice', '--at', '59')).stdout).toBe(old)
    expect((await run(cwd, 'config', 'client', 'alice')).stdout).toContain(token)
    const { peers } = JSON.parse(read(cwd, 'server.json')) as { peers: { alice: { seeds: object[] } } }
    expect(peers.alice.seeds).toHaveLength(2)
    expect(peerOf(cwd).seeds.map(({ expiresAt }) => expiresAt)).toEqual([undefined, undefined])
  })

  it('keeps the old ones where a delivery fails, says so everywhere, and goes on with --resume', async () => {
    const cwd = await makeStore(['alice', 'bob'])
    const flaky = `test "$A2A_TOTP_PEER" = bob -o -e there || exit 3; ${toFile}`
    const failed = await run(cwd, 'rotate', '--all', '--deliver', flaky, ...serverOut, '--json')
    expect(failed.exitCode).toBe(1)
    expect(rowsOf(failed)).toMatchObject([
      { name: 'alice', step: 'admitted', done: false, problem: 'not delivered: it exited with 3' },
      { name: 'bob', step: 'retired', done: true },
    ])
    expect(failed.stderr).toMatch(
      /^\{"error":\{"code":"ERR_DELIVERY_FAILED","message":".*alice.*--resume"\}\}\n$/,
    )
    expect((await run(cwd, 'list')).stdout).toMatch(/PENDING[^]*alice .* admitted, since \d+s/)
    expect((await run(cwd, 'show', 'alice')).stdout).toMatch(
      /rotation {2}pending: admitted[^]*staged: not in use yet/,
    )
    const view = parseJson(await run(cwd, 'list', '--json'))['peers']
    expect(view).toMatchObject([
      { pending: { step: 'admitted', seed: true, token: true } },
      { pending: null },
    ])

    for (const args of [
      ['alice'],
      ['alice', '--finish'],
      ['--all'],
      ['alice', '--deliver', toFile, ...serverOut],
    ]) {
      const refused = await run(cwd, 'rotate', ...args)
      expect(refused).toMatchObject({ exitCode: 1, stdout: '' })
      expect(refused.stderr).toMatch(/--resume.*--abandon.*\(ERR_ROTATION_PENDING\)/)
    }
    writeFileSync(join(cwd, 'there'), '')
    const resumed = await run(cwd, 'rotate', '--resume')
    expect(resumed.exitCode).toBe(0)
    expect(resumed.stderr).toContain('resuming alice: --deliver test "$A2A_TOTP_PEER" = bob')
    expect(read(cwd, 'alice.env')).toContain(peerOf(cwd).tokens.at(-1)?.token)
    expect(peerOf(cwd).pending).toBeUndefined()
    expect(read(cwd, 'a2a-totp.json.log')).toContain('"field":"pending","from":"admitted","to":"delivered"')
  })

  it('does not deliver what the agent does not let in', async () => {
    const cwd = await makeStore(['alice'])
    await using agent = await agentOf(cwd)
    const flags = ['--deliver', toFile, '--prove', agent.origin, '--wait', '0']
    const failed = await run(cwd, 'rotate', 'alice', ...flags, '--json')
    expect(failed.exitCode).toBe(1)
    expect(rowsOf(failed)).toMatchObject([{ step: 'staged', done: false }])
    expect(rowsOf(failed)[0]?.problem).toMatch(/^the agent does not let the new credentials in/)
    expect(existsSync(join(cwd, 'alice.env'))).toBe(false)
    // By hand, as an operator without --server-out does it.
    await run(cwd, 'config', 'server', '--out', 'server.json', '--force')
    expect((await run(cwd, 'rotate', '--resume', '--wait', '30')).exitCode).toBe(0)
    expect(existsSync(join(cwd, 'alice.env'))).toBe(true)
  })

  it('names the end of old ones that do not last until it is finished, and what has ended', async () => {
    const cwd = await makeStore(['bob'])
    const now = new Date()
    const end = new Date(now.getTime() + 2 * 3_600_000).toISOString()
    await runCli(['add-peer', 'alice', '--expires', end], { cwd, now })
    const failed = await runCli(['rotate', 'alice', 'bob', '--deliver', 'false'], { cwd, now })
    expect(failed.exitCode).toBe(1)
    expect(failed.stderr).toContain(`alice until ${end}; a2a-totp set alice --expires TIME changes it\n`)
    expect(failed.stderr).toContain(
      `; the old credentials stay valid until it is, but those of alice until ${end} at most; next: `,
    )
    expect(peerOf(cwd).seeds.map(({ expiresAt }) => expiresAt)).toEqual([end, end])
    const late = await runCli(['rotate', '--resume', '--deliver', 'false'], { cwd, now: new Date(end) })
    expect(late.stderr).toContain(
      '; the old credentials stay valid until it is, but those of alice have ended; ',
    )
  })

  it('with --now ends the old ones at once, whatever the delivery does', async () => {
    const cwd = await makeStore(['alice'])
    const before = peerOf(cwd)
    const failed = await run(cwd, 'rotate', 'alice', '--now', '--deliver', 'false', ...serverOut)
    expect(failed.exitCode).toBe(1)
    expect(failed.stderr).toContain('the old credentials have ended')
    expect(read(cwd)).not.toContain(before.seeds[0]?.seed)
    expect(read(cwd, 'server.json')).not.toContain(before.seeds[0]?.id)
    expect((await run(cwd, 'rotate', 'alice', '--abandon')).stderr).toContain('(ERR_ROTATION_PENDING)')
    expect((await run(cwd, 'rotate', '--resume', '--deliver', toFile)).exitCode).toBe(0)
    expect(peerOf(cwd)).toMatchObject({ seeds: [{}], tokens: [{}] })
    expect(read(cwd, 'alice.env')).toContain(peerOf(cwd).tokens[0]?.token)
  })

  it('is abandoned before it is delivered, and ended by --now after a leak', async () => {
    const cwd = await makeStore(['alice'])
    const before = peerOf(cwd)
    await run(cwd, 'rotate', 'alice', '--deliver', 'false', ...serverOut)
    const abandoned = await run(cwd, 'rotate', '--abandon', ...serverOut)
    expect(abandoned.exitCode).toBe(0)
    expect(peerOf(cwd)).toEqual(before)
    expect(read(cwd, 'server.json')).toContain(before.seeds[0]?.id)
    expect(remembered(cwd)).toEqual([])

    await run(cwd, 'rotate', 'alice', '--deliver', 'false', ...serverOut)
    const staged = peerOf(cwd)
    expect((await run(cwd, 'rotate', 'alice', '--now')).exitCode).toBe(0)
    const after = peerOf(cwd)
    expect(after.pending).toBeUndefined()
    expect([after.seeds.length, after.tokens.length]).toEqual([1, 1])
    for (const { seed } of staged.seeds) expect(read(cwd)).not.toContain(seed)
    expect(remembered(cwd)).toEqual([])
    await run(cwd, 'rotate', 'alice', '--deliver', 'false', ...serverOut)
    expect(remembered(cwd)).toHaveLength(1)
    expect((await run(cwd, 'remove-peer', 'alice', '--yes')).exitCode).toBe(0)
    expect(remembered(cwd)).toEqual([])
  })

  it('is not abandoned where the server file would be refused by its reader', async () => {
    const cwd = await makeStore()
    writeFileSync(join(cwd, 'weak.csv'), 'name,seed\nalice,JBSWY3DPEHPK3PXP\n')
    await run(cwd, 'import', 'weak.csv', '--allow-weak-seed')
    await run(cwd, 'rotate', 'alice', '--deliver', 'false')
    const before = read(cwd)
    const refused = await run(cwd, 'rotate', '--abandon', ...serverOut)
    expect(refused).toMatchObject({ exitCode: 3, stdout: '' })
    expect(read(cwd)).toBe(before)
  })

  it('asks for the options again where they are not remembered, and trusts no others', async () => {
    const cwd = await makeStore(['alice'])
    await run(cwd, 'rotate', 'alice', '--deliver', 'false', ...serverOut)
    const [file = ''] = remembered(cwd)
    const path = join(cwd, '.local/state/a2a-totp/rotations', file)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700)
    chmodSync(path, 0o666)
    const refused = await run(cwd, 'rotate', '--resume')
    expect(refused).toMatchObject({ exitCode: 2, stdout: '' })
    expect(refused.stderr).toMatch(/not remembered.*--deliver, --server-out, --deliver-server, --prove/)
    expect((await run(cwd, 'rotate', '--resume', '--deliver', toFile, ...serverOut)).exitCode).toBe(0)
  })
})

describe('rotate --finish with a delivery to the agent', () => {
  const peersIn = (cwd: string): Record<string, { seeds: unknown[] }> =>
    (JSON.parse(read(cwd, 'server.json')) as { peers: Record<string, { seeds: unknown[] }> }).peers

  it('drops what is superseded, and the agent gets its server file', async () => {
    const cwd = await makeStore(['alice'])
    await run(cwd, 'rotate', 'alice', ...serverOut)
    expect(peersIn(cwd)['alice']?.seeds).toHaveLength(2)
    const command = ['--deliver-server', 'cat > delivered.json']
    const done = await run(cwd, 'rotate', 'alice', '--finish', ...serverOut, ...command)
    expect(done.exitCode).toBe(0)
    expect(done.stderr).toMatch(/^dropped what was superseded\nwrote .*\ndelivering the server file\n$/)
    expect(peersIn(cwd)['alice']?.seeds).toHaveLength(1)
    expect(read(cwd, 'delivered.json')).toBe(read(cwd, 'server.json'))
  })

  it('refuses a file that is not replaced, and drops nothing', async () => {
    const cwd = await makeStore(['alice'])
    await run(cwd, 'rotate', 'alice')
    writeFileSync(join(cwd, 'server.json'), '{"mine":true}')
    const refused = await run(cwd, 'rotate', 'alice', '--finish', ...serverOut)
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' })
    expect(peerOf(cwd).seeds).toHaveLength(2)
  })

  it('says what is left to do where the delivery fails', async () => {
    const cwd = await makeStore(['alice'])
    await run(cwd, 'rotate', 'alice')
    const failed = await run(cwd, 'rotate', 'alice', '--finish', '--deliver-server', 'false')
    expect(failed.exitCode).toBe(1)
    expect(failed.stderr).toMatch(
      /superseded, but the server file was not delivered.*\(ERR_DELIVERY_FAILED\)/,
    )
    expect(peerOf(cwd).seeds).toHaveLength(1)
  })
})

describe('a command that delivers', () => {
  it('has a private umask of its own, which it may change, and what it was given as its command line', async () => {
    const cwd = await makeStore(['alice'])
    const look = `cat > private.env; umask 022; cat private.env > open.env; tr '\\0' ' ' < /proc/$$/cmdline > seen.cmd`
    expect((await run(cwd, 'rotate', 'alice', '--deliver', look)).exitCode).toBe(0)
    const modeOf = (name: string): number => statSync(join(cwd, name)).mode & 0o777
    expect(modeOf('private.env')).toBe(0o600)
    expect(modeOf('open.env')).toBe(0o644)
    if (process.platform === 'linux') expect(read(cwd, 'seen.cmd')).toBe(`/bin/sh -c ${look} `)
  })

  it('has the fragment on standard input, and nothing secret anywhere else', async () => {
    const cwd = await makeStore(['alice'])
    const env = { HOME: cwd, PATH: process.env['PATH'] ?? '', A2A_TOTP_PASSPHRASE: 'hidden', OTHER: 'kept' }
    const look = 'env > seen.env; tr "\\0" " " < /proc/$$/cmdline > seen.cmd; cat > fragment.json'
    const args = ['rotate', 'alice', '--deliver', look, '--format', 'json', ...serverOut]
    expect((await runCli(args, { cwd, env })).exitCode).toBe(0)
    const { seed, token } = JSON.parse(read(cwd, 'fragment.json')) as { seed: string; token: string }
    expect(peerOf(cwd).seeds.at(-1)?.seed).toBe(seed)
    const seen = read(cwd, 'seen.env')
    const own = seen
      .split('\n')
      .filter((line) => line.startsWith('A2A_TOTP_'))
      .sort()
    expect(own).toEqual(
      ['A2A_TOTP_AGENT=default', 'A2A_TOTP_FORMAT=json', 'A2A_TOTP_PEER=alice'].map((line) =>
        line.replace('default', agentOfStore(cwd)),
      ),
    )
    expect(seen).toContain('OTHER=kept')
    expect(seen + read(cwd, 'seen.cmd')).not.toContain(seed)
    expect(seen + read(cwd, 'seen.cmd')).not.toContain(token)
  })

  it('shows what it prints, without a secret in any usual form, and without control of the terminal', async () => {
    const cwd = await makeStore(['alice'])
    const loud =
      'cat > f; cat f >&2; base64 f; base64 -w 0 f; od -An -tx1 f | tr -d " \\n"; printf "\\033[31m::error::x\\n"'
    const { stderr, stdout } = await run(cwd, 'rotate', 'alice', '--deliver', loud, ...serverOut)
    const { seeds, tokens } = peerOf(cwd)
    const secrets = [...seeds.map(({ seed }) => seed), ...tokens.map(({ token }) => token)]
    for (const secret of secrets) {
      expect(stdout + stderr).not.toContain(secret)
      expect(stderr).not.toContain(Buffer.from(secret).toString('hex'))
      for (const start of [0, 1, 2]) {
        const encoded = Buffer.from(secret.slice(start)).toString('base64')
        expect(stderr).not.toContain(encoded.slice(2, 14))
      }
    }
    expect(stderr).toMatch(/^alice: A2A_TOTP_TOKEN=\*\*\*$/m)
    expect(stderr).toMatch(/^alice: A2A_TOTP_SEED=\*\*\*$/m)
    expect(stderr).toMatch(/^alice: .*\[31m: :error: :x$/m)
    // eslint-disable-next-line no-control-regex
    expect(stderr).not.toMatch(/\u001b/)
  })

  it('ends with all that it started when it takes too long', async () => {
    const cwd = await makeStore(['alice'])
    const slow = 'sleep 60 & echo $! > child.pid; trap "" TERM; wait'
    const failed = await run(cwd, 'rotate', 'alice', '--deliver', slow, '--timeout', '1', ...serverOut)
    expect(failed.exitCode).toBe(1)
    expect(failed.stderr).toContain('it took longer than 1 s')
    await expect.poll(() => isRunning(Number(read(cwd, 'child.pid')))).toBe(false)
  })

  it('is not held up by what it leaves in the background', async () => {
    const cwd = await makeStore(['alice'])
    const begun = Date.now()
    const done = await run(
      cwd,
      'rotate',
      'alice',
      '--deliver',
      'sleep 30 & echo $! > child.pid; cat > f',
      ...serverOut,
    )
    expect(done.exitCode).toBe(0)
    expect(Date.now() - begun).toBeLessThan(25_000)
    process.kill(Number(read(cwd, 'child.pid')))
  })

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('ends at %s with its group, and the rotation goes on later', async (signal, exitCode) => {
    const cwd = await makeStore(['alice'])
    const hang = 'sleep 60 & echo $! > child.pid; echo started >&2; wait'
    const child = startBinary(['rotate', 'alice', '--deliver', hang, ...serverOut], { cwd })
    await new Promise<void>((done) => {
      let text = ''
      child.stderr?.on('data', (chunk: Buffer) => {
        text += chunk.toString()
        if (text.includes('alice: started')) done()
      })
    })
    child.kill(signal)
    expect(await new Promise((done) => child.once('exit', done))).toBe(exitCode)
    await expect.poll(() => isRunning(Number(read(cwd, 'child.pid')))).toBe(false)
    expect(peerOf(cwd).pending?.step).toBe('admitted')
    const resumed = await runBinary(['rotate', '--resume', '--deliver', toFile], { cwd })
    expect(resumed.exitCode).toBe(0)
  })

  it('hands the server file to --deliver-server, before and after', async () => {
    const cwd = await makeStore(['alice'])
    const both = ['--deliver-server', 'echo "$A2A_TOTP_FORMAT $A2A_TOTP_PEER" >> order; cat > server.json']
    const done = await run(
      cwd,
      'rotate',
      'alice',
      ...both,
      '--deliver',
      'echo "$A2A_TOTP_PEER" >> order; cat > f',
    )
    expect(done.exitCode).toBe(0)
    expect(read(cwd, 'order')).toBe('json \nalice\njson \n')
    const [old] = peerOf(cwd).seeds
    expect(read(cwd, 'server.json')).toContain(old?.expiresAt)
  })
})

it('names a token that has expired before the rotation was resumed', async () => {
  const cwd = await makeStore(['alice'])
  await using agent = await agentOf(cwd)
  const down = ['--prove', 'http://127.0.0.1:9', '--wait', '0']
  expect((await run(cwd, 'rotate', 'alice', '--seed', ...serverOut, ...down)).exitCode).toBe(1)
  const store = storeOf(cwd)
  for (const token of store.peers['alice']?.tokens ?? [])
    Object.assign(token, { expiresAt: '2020-01-01T00:00:00Z' })
  writeFileSync(join(cwd, 'a2a-totp.json'), JSON.stringify(store), { mode: 0o600 })
  const resumed = await run(cwd, 'rotate', '--resume', '--prove', agent.origin)
  expect(resumed.exitCode).toBe(1)
  expect(resumed.stderr).toMatch(/every token of "alice" has expired/)
})

describe('a rotation that only hands out fragments', () => {
  it('does so, and warns that the agent has to be told', async () => {
    const cwd = await makeStore(['alice', 'bob'])
    const old = peerOf(cwd)
    const done = await run(cwd, 'rotate', 'alice', 'bob', '--deliver', toFile)
    expect(done.exitCode).toBe(0)
    expect(done.stderr).toContain('the agent refuses the new credentials until it has its new server file')
    const { seeds, tokens, pending } = peerOf(cwd)
    expect([seeds.length, tokens.length, pending]).toEqual([2, 2, undefined])
    expect(seeds[0]).toMatchObject({ id: old.seeds[0]?.id, expiresAt: expect.any(String) as string })
    for (const name of ['alice', 'bob']) {
      const { stdout } = await run(cwd, 'config', 'client', name)
      expect(read(cwd, `${name}.env`)).toBe(stdout)
    }
  })
})

it.each([
  [serverOut, 'next: a2a-totp config client NAME --out FILE --force for alice, bob\n'],
  [['--deliver', toFile], 'next: a2a-totp config server --out FILE --force\n'],
  [[...serverOut, '--deliver', toFile], undefined],
])('with %j names what is left to hand out', async (options, next) => {
  const { exitCode, stderr } = await run(await makeStore(['alice', 'bob']), 'rotate', '--all', ...options)
  expect(exitCode).toBe(0)
  if (next === undefined) expect(stderr).not.toContain('next:')
  else expect(stderr.endsWith(next)).toBe(true)
})

describe('what a rotation refuses before it changes anything', () => {
  const exits: readonly (readonly [readonly string[], number, RegExp])[] = [
    [['alice', '--wait', '5'], 2, /--wait needs --deliver/],
    [['alice', '--deliver', 'true', ...serverOut, '--format', 'steam'], 2, /--format must be one of env/],
    [['alice', '--prove', 'http://agent.example'], 2, /ERR_INSECURE_TRANSPORT/],
    [['alice', '--prove', 'ftp://agent.example'], 2, /http or https/],
    [['alice', '--digits', '8', '--overlap', '1h'], 2, /--digits needs --now/],
    [['alice', '--digits', '8', '--deliver', 'true'], 2, /--digits needs --now/],
    [['alice', '--digits', '8', '--now', '--token'], 2, /needs a new seed/],
    [['alice', '--resume', '--now'], 2, /cannot be used together/],
    [['carol', '--deliver', 'true', ...serverOut], 1, /ERR_PEER_UNKNOWN/],
    [['alice', '--server-out', 'other.json'], 1, /is not a server file of/],
    [['alice', '--server-out', 'a2a-totp.json'], 1, /is the store/],
    [['alice', '--server-out', 'missing/server.json'], 3, /ERR_FILE_UNWRITABLE/],
    [['--all', '--now'], 2, /End the credentials of all 2 peers.*--yes.*ERR_CONFIRMATION_NEEDED/],
    [['--resume'], 1, /ERR_NOTHING_PENDING/],
    [['--abandon', 'alice'], 1, /ERR_NOTHING_PENDING/],
  ]
  it.each(exits)('%j ends with %i', async (args, exitCode, message) => {
    const cwd = await makeStore(['alice', 'bob'])
    mkdirSync(join(cwd, 'folder'))
    writeFileSync(join(cwd, 'other.json'), '{"agent":"other","peers":{}}')
    const before = read(cwd)
    const refused = await run(cwd, 'rotate', ...args)
    expect(refused).toMatchObject({ exitCode, stdout: '' })
    expect(refused.stderr).toMatch(message)
    expect(read(cwd)).toBe(before)
    expect(remembered(cwd)).toEqual([])
  })

  it('a seed that all peers share, but not their tokens', async () => {
    const cwd = await makeStore(['alice', 'bob'], ['--shared-seed'])
    const refused = await run(cwd, 'rotate', '--all', '--deliver', toFile, ...serverOut)
    expect(refused).toMatchObject({ exitCode: 2, stdout: '' })
    expect(refused.stderr).toContain('one seed for all peers')
    expect((await run(cwd, 'rotate', '--all', '--token', '--deliver', toFile, ...serverOut)).exitCode).toBe(0)
  })

  it('a server file that the agent would refuse', async () => {
    const cwd = await makeStore(['alice'])
    writeFileSync(join(cwd, 'weak'), 'JBSWY3DPEHPK3PXP\n')
    await run(cwd, 'add-peer', 'weak', '--seed-file', 'weak', '--allow-weak-seed')
    const before = read(cwd)
    const refused = await run(cwd, 'rotate', 'alice', '--deliver', toFile, ...serverOut)
    expect(refused).toMatchObject({ exitCode: 3, stdout: '' })
    expect(read(cwd)).toBe(before)
    expect((await run(cwd, 'rotate', 'alice', '--allow-weak-seed', ...serverOut)).exitCode).toBe(0)
  })
})

describe('rotate', () => {
  it('--dry-run prints what would end, and changes nothing', async () => {
    const cwd = await makeStore(['alice', 'bob'])
    const before = read(cwd)
    const now = new Date('2026-11-24T00:00:00Z')
    const env = { HOME: cwd }
    const [{ seeds, tokens }] = [peerOf(cwd)]
    const plan = await runCli(['rotate', 'alice', '--dry-run', '--json'], { cwd, now, env })
    const at = '2026-11-25T00:00:00.000Z'
    expect(parseJson(plan)).toEqual({
      dryRun: true,
      peers: [
        {
          ...{ name: 'alice', seedId: null, tokenId: null, expiresAt: null, makes: ['seed', 'token'] },
          ends: [
            { id: seeds[0]?.id, at },
            { id: tokens[0]?.id, at },
          ],
        },
      ],
    })
    const all = await run(
      cwd,
      'rotate',
      '--all',
      '--now',
      '--dry-run',
      '--deliver',
      'touch ran',
      ...serverOut,
    )
    expect(all.exitCode).toBe(0)
    expect(all.stdout.split('\n').filter(Boolean)).toHaveLength(2)
    expect((await run(cwd, 'rotate', 'alice', '--dry-run', '--deliver', 'touch ran')).exitCode).toBe(0)
    expect((await run(cwd, 'rotate', 'alice', '--dry-run', '--prove', 'ftp://a.example')).exitCode).toBe(2)
    expect((await run(cwd, 'rotate', 'carol', '--dry-run')).exitCode).toBe(1)
    expect(read(cwd)).toBe(before)
    expect(readdirSync(cwd).filter((name) => /ran|server|\.local|bak/.test(name))).toEqual([
      'a2a-totp.json.bak-prev',
    ])
  })

  it('--all --now does not ask with --yes', async () => {
    const cwd = await makeStore(['alice', 'bob'])
    const before = read(cwd)
    expect((await run(cwd, 'rotate', '--all', '--now', '--yes')).exitCode).toBe(0)
    expect(read(cwd)).not.toBe(before)
  })

  it('--digits changes how the codes of a peer are made, with a new seed', async () => {
    const cwd = await makeStore(['alice', 'bob'])
    expect((await run(cwd, 'rotate', 'alice', '--digits', '8', '--now')).exitCode).toBe(0)
    expect([peerOf(cwd).digits, peerOf(cwd, 'bob').digits]).toEqual([8, 6])
    expect((await run(cwd, 'code', 'alice')).stdout).toMatch(/^\d{8}\n$/)
    expect((await run(cwd, 'config', 'server')).stdout).toMatch(/"digits": 8/)
  })

  it('--digits ends the old seed at once, also where the tokens overlap, and says so', async () => {
    const cwd = await makeStore(['alice'])
    const rotated = await run(cwd, 'rotate', 'alice', '--digits', '8')
    expect(rotated.exitCode).toBe(0)
    expect(rotated.stderr).toMatch(/warning: the old seeds end .*; the old tokens stay valid until 20/)
    const { digits, seeds, tokens } = peerOf(cwd)
    expect([digits, seeds.length, tokens.length]).toEqual([8, 1, 2])
  })
})

const agentOfStore = (cwd: string): string =>
  (JSON.parse(read(cwd)) as { agent: { name: string } }).agent.name

/** A process that has ended may wait for its parent to notice. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
