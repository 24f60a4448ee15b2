import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeStore, parseJson, runBinary, type CliRun } from '../support/cli.js'

/* What an operator is promised of rotate, as the built binary keeps it. */

const run = (cwd: string, ...args: string[]): Promise<CliRun> => runBinary(args, { cwd })
const read = (cwd: string, name = 'a2a-totp.json'): string => readFileSync(join(cwd, name), 'utf8')

interface Row {
  name: string
  seedId: string
  tokenId: string
  expiresAt: string | null
}
interface Held {
  seeds: { id: string; expiresAt: string | null }[]
  tokens: { id: string; expiresAt: string | null }[]
}

const rowsOf = (done: CliRun): Row[] => parseJson(done)['peers'] as Row[]

async function heldBy(cwd: string, name = 'alice'): Promise<Held> {
  const { peers } = parseJson(await run(cwd, 'show', name, '--json')) as { peers: [Held] }
  return peers[0]
}

const ids = ({ seeds, tokens }: Held): string[] => [...seeds, ...tokens].map(({ id }) => id)

/** The last line of stderr is the error, in its form. */
function expectError({ stderr }: CliRun, code: string): void {
  expect(stderr).toMatch(new RegExp(`(^|\\n)error: [^\\n]+ \\(${code}\\)\\n$`))
}

describe('rotate', () => {
  it('keeps the old ones for the overlap, --now ends them, --finish drops them', async () => {
    const cwd = await makeStore(['alice', 'bob'])
    const old = await heldBy(cwd)
    const [row] = rowsOf(await run(cwd, 'rotate', 'alice', '--json'))
    expect(Object.keys(row ?? {})).toEqual(expect.arrayContaining(['name', 'seedId', 'tokenId', 'expiresAt']))
    const both = await heldBy(cwd)
    expect(both.seeds.map(({ id }) => id)).toEqual([old.seeds[0]?.id, row?.seedId])
    const hours = (Date.parse(both.seeds[0]?.expiresAt ?? '') - Date.now()) / 3_600_000
    expect(hours).toBeGreaterThan(23.9)
    expect(hours).toBeLessThanOrEqual(24)
    const full = await run(cwd, 'rotate', 'alice')
    expect(full).toMatchObject({ exitCode: 1, stdout: '' })
    expect((await run(cwd, 'rotate', 'alice', '--finish')).exitCode).toBe(0)
    expect(ids(await heldBy(cwd))).toEqual([row?.seedId, row?.tokenId])
    const [now] = rowsOf(await run(cwd, 'rotate', 'alice', '--now', '--json'))
    expect(ids(await heldBy(cwd))).toEqual([now?.seedId, now?.tokenId])
    expect((await heldBy(cwd, 'bob')).seeds).toHaveLength(1)
  })

  it.each([
    [['rotate', 'alice', '--dry-run']],
    [['rotate', '--all', '--dry-run']],
    [['rotate', '--all', '--now', '--dry-run']],
    [['rotate', 'alice', '--dry-run', '--deliver', 'touch ran', '--server-out', 'server.json']],
    [['rotate', '--older-than', '90d', '--dry-run']],
  ])('%j changes nothing and runs nothing', async (args) => {
    const cwd = await makeStore(['alice', 'bob'])
    const before = read(cwd)
    const done = await run(cwd, ...args)
    expect(done.exitCode).toBe(0)
    expect(Array.isArray(parseJson(await run(cwd, ...args, '--json'))['peers'])).toBe(true)
    expect(read(cwd)).toBe(before)
    expect([existsSync(join(cwd, 'ran')), existsSync(join(cwd, 'server.json'))]).toEqual([false, false])
  })

  it('--all --now asks as remove-peer does, --all alone does not', async () => {
    const cwd = await makeStore(['alice', 'bob'])
    const before = read(cwd)
    for (const args of [
      ['rotate', '--all', '--now'],
      ['rotate', '--all', '--now', '--token'],
      ['remove-peer', 'alice'],
    ]) {
      const asked = await run(cwd, ...args)
      expect(asked).toMatchObject({ exitCode: 2, stdout: '' })
      expectError(asked, 'ERR_CONFIRMATION_NEEDED')
    }
    expect(read(cwd)).toBe(before)
    expect(rowsOf(await run(cwd, 'rotate', '--all', '--now', '--yes', '--json'))).toHaveLength(2)
    expect(rowsOf(await run(cwd, 'rotate', '--all', '--json'))).toHaveLength(2)
  })

  it.each([
    ['--digits', '8', { digits: 8 }],
    ['--algorithm', 'SHA512', { algorithm: 'SHA512' }],
    ['--period', '60', { period: 60 }],
  ])("%s %s changes a peer's own, with and without --now", async (option, value, expected) => {
    const cwd = await makeStore(['alice', 'bob'])
    for (const more of [['--now'], []]) {
      expect((await run(cwd, 'rotate', 'alice', option, value, ...more)).exitCode).toBe(0)
      const { peers } = parseJson(await run(cwd, 'list', '--json'))
      expect(peers).toMatchObject([expected, { digits: 6, algorithm: 'SHA1', period: 30 }])
      expect((await heldBy(cwd)).seeds).toHaveLength(1)
    }
  })

  it.each([
    [1, 'ERR_PEER_UNKNOWN', ['nobody']],
    [2, 'ERR_USAGE', []],
    [2, 'ERR_USAGE', ['alice', '--now', '--overlap', '1h']],
    [2, 'ERR_USAGE', ['alice', '--timeout', '0', '--deliver', 'true']],
    [1, 'ERR_NOTHING_PENDING', ['--resume']],
    [1, 'ERR_NOTHING_PENDING', ['alice', '--resume']],
    [1, 'ERR_NOTHING_PENDING', ['--resume', '--deliver', 'true']],
  ] as const)('ends with %i (%s) for %j', async (exitCode, code, args) => {
    const refused = await run(await makeStore(['alice']), 'rotate', ...args)
    expect(refused).toMatchObject({ exitCode, stdout: '' })
    expectError(refused, code)
  })
})

describe('rotate --deliver', () => {
  it('gets the new fragment on standard input, and three variables of ours', async () => {
    const cwd = await makeStore(['alice', 'bob'], ['--agent', 'billing'])
    const command =
      'cat > "$A2A_TOTP_PEER.fragment"; env > "$A2A_TOTP_PEER.env"; echo "$0 $*" > "$A2A_TOTP_PEER.args"'
    const env = { A2A_TOTP_PASSPHRASE: 'secret', A2A_TOTP_SEED: 'secret', MINE: 'kept' }
    const args = [
      'rotate',
      'alice',
      'bob',
      '--deliver',
      command,
      '--server-out',
      'server.json',
      '--format',
      'json',
    ]
    const done = await runBinary([...args, '--json'], { cwd, env })
    expect(done.exitCode).toBe(0)
    for (const { name, seedId, tokenId } of rowsOf(done)) {
      const fragment = JSON.parse(read(cwd, `${name}.fragment`)) as Record<string, string>
      const document = parseJson(await run(cwd, 'config', 'client', name, '--format', 'json'))
      expect(fragment).toEqual(document)
      const seen = read(cwd, `${name}.env`)
      expect(seen.match(/^A2A_TOTP_.*$/gm)?.sort()).toEqual([
        'A2A_TOTP_AGENT=billing',
        'A2A_TOTP_FORMAT=json',
        `A2A_TOTP_PEER=${name}`,
      ])
      expect(seen).toContain('MINE=kept')
      for (const secret of [fragment['seed'], fragment['token']]) {
        expect(seen).not.toContain(secret)
        expect(read(cwd, `${name}.args`)).not.toContain(secret)
        expect(done.stderr).not.toContain(secret)
      }
      const held = await heldBy(cwd, name)
      expect(held.seeds.map(({ id }) => id)).toContain(seedId)
      expect(held.tokens.map(({ id }) => id)).toContain(tokenId)
      expect(held.seeds).toHaveLength(2)
    }
  })

  it('has its output on stderr alone: printable, masked, and nothing that a CI runner obeys', async () => {
    const cwd = await makeStore(['alice'])
    const command = String.raw`cat; cat >&2; printf '::error::x \033[31mred\n##[error]y\n##vso[task]z\n##teamcity[a]\n'`
    const done = await run(cwd, 'rotate', 'alice', '--deliver', command, '--format', 'json')
    expect(done.exitCode).toBe(0)
    const fragment = parseJson(await run(cwd, 'config', 'client', 'alice', '--format', 'json'))
    for (const text of [done.stdout, done.stderr]) {
      expect(text).not.toContain(fragment['seed'])
      expect(text).not.toContain(fragment['token'])
      expect(text).not.toMatch(/::|##\w*\[|(?!\n)\p{C}/u)
    }
    expect(done.stderr).toContain('red')
    expect(done.stdout.trim().split('\n')).toHaveLength(1)
  })

  it('where it fails the old ones stay, and --resume goes on, with the options remembered or repeated', async () => {
    for (const again of [[], ['--deliver', 'test -f ready && cat > alice.env']]) {
      const cwd = await makeStore(['alice'])
      const old = await heldBy(cwd)
      const fragment = (await run(cwd, 'config', 'client', 'alice')).stdout
      const failed = await run(cwd, 'rotate', 'alice', '--deliver', 'test -f ready && cat > alice.env')
      expect(failed.exitCode).toBe(1)
      expectError(failed, 'ERR_DELIVERY_FAILED')
      for (const kind of ['seeds', 'tokens'] as const) {
        expect((await heldBy(cwd))[kind]).toMatchObject([{ id: old[kind][0]?.id, expiresAt: null }, {}])
      }
      // What is handed out is what is in use.
      expect((await run(cwd, 'config', 'client', 'alice')).stdout).toBe(fragment)
      expect((await run(cwd, 'list')).stdout).toMatch(/PENDING/)
      expect((await run(cwd, 'doctor')).stdout).toMatch(/alice/)
      writeFileSync(join(cwd, 'ready'), '')
      const resumed = await run(cwd, 'rotate', '--resume', ...again)
      expect(resumed.exitCode).toBe(0)
      expect(read(cwd, 'alice.env')).toBe((await run(cwd, 'config', 'client', 'alice')).stdout)
      expect(read(cwd, 'alice.env')).not.toBe(fragment)
      expect(await run(cwd, 'rotate', '--resume')).toMatchObject({ exitCode: 1, stdout: '' })
    }
  })

  it('with --now a failed one is exit 1, the old ones have ended and the new ones wait for --resume', async () => {
    const cwd = await makeStore(['alice'])
    const old = await heldBy(cwd)
    const failed = await run(
      cwd,
      'rotate',
      'alice',
      '--now',
      '--deliver',
      'false',
      '--server-out',
      'server.json',
    )
    expect(failed.exitCode).toBe(1)
    const held = await heldBy(cwd)
    expect([held.seeds.length, held.tokens.length]).toEqual([1, 1])
    for (const id of ids(old)) {
      expect(ids(held)).not.toContain(id)
      expect(read(cwd, 'server.json')).not.toContain(id)
    }
    for (const id of ids(held)) expect(read(cwd, 'server.json')).toContain(id)
    const resumed = await run(cwd, 'rotate', 'alice', '--resume', '--deliver', 'cat > alice.env')
    expect(resumed.exitCode).toBe(0)
    expect(ids(await heldBy(cwd))).toEqual(ids(held))
  })

  it('is ended after --timeout, with all that it started', async () => {
    const cwd = await makeStore(['alice'])
    const failed = await run(cwd, 'rotate', 'alice', '--deliver', 'sleep 50 | cat', '--timeout', '1')
    expect(failed.exitCode).toBe(1)
    expectError(failed, 'ERR_DELIVERY_FAILED')
  })

  it('delivers to all that are named, and reports each', async () => {
    const cwd = await makeStore(['alice', 'bob'])
    const failed = await run(cwd, 'rotate', '--all', '--deliver', 'test "$A2A_TOTP_PEER" = bob', '--json')
    expect(failed.exitCode).toBe(1)
    expect(rowsOf(failed).map(({ name }) => name)).toEqual(['alice', 'bob'])
    expect(JSON.parse(failed.stderr.trim().split('\n').at(-1) ?? '')).toMatchObject({
      error: { code: 'ERR_DELIVERY_FAILED' },
    })
    expect((await run(cwd, 'list')).stdout).toMatch(/alice.*staged|alice.*admitted/)
    expect((await run(cwd, 'rotate', '--resume', '--deliver', 'true')).exitCode).toBe(0)
  })
})

describe('undo of a rotation that delivers', () => {
  it.each([
    [['--deliver', 'true'], []],
    [['--deliver', 'false'], []],
    [['--deliver', 'true', '--server-out', 'server.json', '--now'], ['--yes']],
  ])('%j goes back to before the command, all of it', async (options, more) => {
    const cwd = await makeStore(['alice', 'bob'])
    const before = parseJson(await run(cwd, 'list', '--json'))
    await run(cwd, 'rotate', 'alice', ...options)
    if (more.length > 0) expect(await run(cwd, 'undo')).toMatchObject({ exitCode: 2, stdout: '' })
    expect((await run(cwd, 'undo', ...more)).exitCode).toBe(0)
    expect(parseJson(await run(cwd, 'list', '--json'))).toEqual(before)
    expect(await run(cwd, 'undo', ...more)).toMatchObject({ exitCode: 1, stdout: '' })
  })
})

describe('rotate --server-out and --deliver-server', () => {
  it('hands the server file out first with both, and again when the old ones end', async () => {
    const cwd = await makeStore(['alice'])
    const old = await heldBy(cwd)
    const serverCommand = 'cat > "server.$(ls server.* 2>/dev/null | wc -l)"; echo server >> order'
    const done = await run(
      cwd,
      ...[
        'rotate',
        'alice',
        '--deliver',
        'cat >/dev/null; echo peer >> order',
        '--deliver-server',
        serverCommand,
      ],
      ...['--server-out', 'out.json', '--wait', '1'],
    )
    expect(done.exitCode).toBe(0)
    expect(read(cwd, 'order')).toBe('server\npeer\nserver\n')
    interface File {
      serial: number
      peers: { alice: Held }
    }
    const [first, second] = ['server.0', 'server.1'].map((name) => JSON.parse(read(cwd, name)) as File)
    expect(second?.serial).toBeGreaterThan(first?.serial ?? Infinity)
    for (const kind of ['seeds', 'tokens'] as const) {
      expect(first?.peers.alice[kind]).toHaveLength(2)
      expect(first?.peers.alice[kind][0]).not.toHaveProperty('expiresAt')
      expect(second?.peers.alice[kind][0]).toMatchObject({
        id: old[kind][0]?.id,
        expiresAt: expect.stringMatching(/^20/) as string,
      })
    }
    expect(JSON.parse(read(cwd, 'out.json'))).toEqual(second)
    expect(statSync(join(cwd, 'out.json')).mode & 0o777).toBe(0o600)
  })

  it('an agent that does not answer keeps the old ones, and its peer gets nothing', async () => {
    const cwd = await makeStore(['alice'])
    const failed = await run(
      cwd,
      ...['rotate', 'alice', '--prove', 'http://127.0.0.1:1', '--wait', '1', '--deliver', 'touch ran'],
    )
    expect(failed.exitCode).toBe(1)
    expectError(failed, 'ERR_DELIVERY_FAILED')
    expect(existsSync(join(cwd, 'ran'))).toBe(false)
    expect((await heldBy(cwd)).seeds[0]?.expiresAt).toBeNull()
  })
})
