import {
  appendFileSync,
  existsSync,
  readFileSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  chmodSync,
} from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { describe, expect, it } from 'vitest'
import { binary, makeStore, parseJson, runBinary, runCli, type CliRun } from '../support/cli.js'

const now = new Date('2026-11-24T00:00:00Z')
const run = (cwd: string, ...args: string[]): Promise<CliRun> => runCli(args, { cwd, now })
const pathIn = (cwd: string): string => join(cwd, 'a2a-totp.json')
const previousIn = (cwd: string): string => `${pathIn(cwd)}.bak-prev`

interface Stored {
  serial?: number
  [key: string]: unknown
}
/** What a store holds, without the count of its changes. */
function contentOf(cwd: string): Stored {
  return { ...(JSON.parse(readFileSync(pathIn(cwd), 'utf8')) as Stored), serial: 0 }
}
const serialOf = (cwd: string): number =>
  (JSON.parse(readFileSync(pathIn(cwd), 'utf8')) as Stored).serial ?? 0

describe('undo', () => {
  it('puts the store back as it was, once, and says what it undid', async () => {
    const cwd = await makeStore(['alice'])
    const before = contentOf(cwd)
    await run(cwd, 'set', 'alice', '--note', 'hello')
    const serial = serialOf(cwd)
    const undone = await run(cwd, 'undo')
    expect([undone.exitCode, undone.stdout]).toEqual([0, 'alice: note: hello -> none\n'])
    expect(contentOf(cwd)).toEqual(before)
    expect(serialOf(cwd)).toBe(serial + 1)
    expect(existsSync(previousIn(cwd))).toBe(false)
    const again = await run(cwd, 'undo')
    expect([again.exitCode, again.stdout]).toEqual([1, ''])
    expect(again.stderr).toContain('(ERR_NOTHING_TO_UNDO)')
    const { entries } = parseJson(await run(cwd, 'log', '--limit', '1', '--json'))
    expect(entries).toMatchObject([
      {
        command: 'undo',
        peers: ['alice'],
        changed: [{ peer: 'alice', field: 'note', from: 'hello', to: null }],
      },
    ])
  })

  it('has nothing to undo in a new store', async () => {
    expect((await run(await makeStore(), 'undo')).exitCode).toBe(1)
  })

  it('shows with --dry-run what it would do, and does nothing', async () => {
    const cwd = await makeStore(['alice'])
    await run(cwd, 'remove-peer', 'alice', '--yes')
    const [store, previous] = [readFileSync(pathIn(cwd)), readFileSync(previousIn(cwd))]
    const { exitCode, stdout } = await run(cwd, 'undo', '--dry-run', '--json')
    expect([exitCode, JSON.parse(stdout)]).toMatchObject([
      0,
      {
        dryRun: true,
        validAgain: [
          { peer: 'alice', kind: 'seed' },
          { peer: 'alice', kind: 'token' },
        ],
      },
    ])
    expect([readFileSync(pathIn(cwd)), readFileSync(previousIn(cwd))]).toEqual([store, previous])
  })

  it('warns of peers that lose access', async () => {
    const cwd = await makeStore(['alice'])
    const undone = await run(cwd, 'undo')
    expect(undone.exitCode).toBe(0)
    expect(undone.stderr).toMatch(/warning: no longer valid .*: alice s-\w+ t-\w+/)
  })

  it.each([
    [['remove-peer', 'alice', '--yes']],
    [['rotate', 'alice', '--now']],
    [['rotate', 'alice', '--token', '--now']],
    [['rotate', 'bob', '--finish']],
    [['set', 'alice', '--expires', '1h']],
    [['init', '--force', '--yes']],
  ])('after %j names what becomes valid again and asks, or needs --yes', async (args) => {
    const cwd = await makeStore(['alice', 'bob'])
    await run(cwd, 'rotate', 'bob')
    const before = contentOf(cwd)
    expect((await run(cwd, ...args)).exitCode).toBe(0)
    const changed = readFileSync(pathIn(cwd))
    const refused = await run(cwd, 'undo')
    expect([refused.exitCode, refused.stdout]).toEqual([2, ''])
    expect(refused.stderr).toMatch(/valid again: .*t-\w+.*--yes to continue \(ERR_CONFIRMATION_NEEDED\)/)
    expect(readFileSync(pathIn(cwd))).toEqual(changed)
    expect((await run(cwd, 'undo', '--yes')).exitCode).toBe(0)
    expect(contentOf(cwd)).toEqual(before)
  })

  it.each([
    [['rotate', 'alice']],
    [['add-peer', 'carol']],
    [['add-peer', 'bait', '--canary']],
    [['remove-peer', 'trap', '--yes']],
    [['rename', 'alice', 'alicia']],
    [['set', 'alice', '--expires', 'never']],
  ])('after %j asks nothing: nothing becomes valid again', async (args) => {
    const cwd = await makeStore(['alice'])
    await run(cwd, 'set', 'alice', '--expires', '1h')
    await run(cwd, 'add-peer', 'trap', '--canary')
    const before = contentOf(cwd)
    expect((await run(cwd, ...args)).exitCode).toBe(0)
    expect((await run(cwd, 'undo')).exitCode).toBe(0)
    expect(contentOf(cwd)).toEqual(before)
  })

  it('restores codes, tokens and policies after any sequence of commands', async () => {
    const command = fc.oneof(
      fc.constantFrom('alice', 'bob', 'carol').map((name) => ['add-peer', name]),
      fc.constantFrom('alice', 'bob').map((name) => ['rotate', name, '--now']),
      fc.constantFrom('alice', 'bob').map((name) => ['rotate', name, '--token']),
      fc.constantFrom('alice', 'bob').map((name) => ['remove-peer', name, '--yes']),
      fc.constantFrom('once', 'inherit', 'reuse').map((policy) => ['set', 'alice', '--replay', policy]),
      fc.constantFrom('1h', 'never').map((time) => ['set', 'bob', '--expires', time]),
      fc.constantFrom('X-A', 'X-B').map((header) => ['set', '--header', header, '--yes']),
      fc.constantFrom('dora', 'bob').map((name) => ['rename', 'alice', name]),
      fc.constant(['add-peer', 'bait', '--canary']),
      fc.constant(['undo', '--yes']),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 1, maxLength: 6 }), async (commands) => {
        const cwd = await makeStore(['alice', 'bob'])
        for (const args of commands) {
          const [before, bytes] = [contentOf(cwd), readFileSync(pathIn(cwd))]
          const { exitCode } = await run(cwd, ...args)
          if (args[0] === 'undo' || readFileSync(pathIn(cwd)).equals(bytes)) continue
          expect(exitCode).toBe(0)
          const serial = serialOf(cwd)
          expect((await run(cwd, 'undo', '--yes')).exitCode).toBe(0)
          expect([contentOf(cwd), serialOf(cwd)]).toEqual([before, serial + 1])
          await run(cwd, ...args)
        }
      }),
      { numRuns: 12 },
    )
  }, 60_000)
})

describe('undo of a store that was encrypted', () => {
  async function encrypted(): Promise<{
    cwd: string
    key: { A2A_TOTP_IDENTITY: string }
    recipient: string
  }> {
    const cwd = await makeStore(['alice'])
    const identity = await generateX25519Identity()
    const recipient = await identityToRecipient(identity)
    const key = { A2A_TOTP_IDENTITY: identity }
    await runCli(['encrypt', '--encrypt-to', recipient], { cwd, env: key })
    return { cwd, key, recipient }
  }

  it('has nothing to undo after encrypt and recipients remove', async () => {
    const { cwd, key } = await encrypted()
    expect(existsSync(previousIn(cwd))).toBe(false)
    expect((await runCli(['undo', '--yes'], { cwd, env: key })).exitCode).toBe(1)
    const other = await identityToRecipient(await generateX25519Identity())
    await runCli(['recipients', 'add', other], { cwd, env: key })
    expect((await runCli(['recipients', 'remove', other], { cwd, env: key })).exitCode).toBe(0)
    expect((await runCli(['undo', '--yes'], { cwd, env: key })).exitCode).toBe(1)
  })

  it('has nothing to undo after encrypt for further recipients either, which says so', async () => {
    const { cwd, key, recipient } = await encrypted()
    await runCli(['add-peer', 'dave'], { cwd, env: key })
    expect(existsSync(previousIn(cwd))).toBe(true)
    const other = await identityToRecipient(await generateX25519Identity())
    const { stderr } = await runCli(['encrypt', '--encrypt-to', recipient, other], { cwd, env: key })
    expect(stderr).toContain('the store as it was is not kept, so this cannot be undone')
    expect(existsSync(previousIn(cwd))).toBe(false)
    expect((await runCli(['undo', '--yes'], { cwd, env: key })).exitCode).toBe(1)
  })

  it('takes a recipient away again, and says which', async () => {
    const { cwd, key, recipient } = await encrypted()
    const other = await identityToRecipient(await generateX25519Identity())
    await runCli(['recipients', 'add', other], { cwd, env: key })
    const undone = await runCli(['undo', '--json'], { cwd, env: key })
    expect(parseJson(undone)['changed']).toEqual([{ field: 'recipient', from: other, to: null }])
    const { recipients } = parseJson(await runCli(['recipients', 'list', '--json'], { cwd, env: key }))
    expect(recipients).toEqual([recipient])
  })

  it('encrypts again after decrypt, and needs the key for that', async () => {
    const { cwd, key, recipient } = await encrypted()
    await runCli(['decrypt', '--yes'], { cwd, env: key })
    const keyless = await runCli(['undo'], { cwd })
    expect([keyless.exitCode, keyless.stderr]).toEqual([3, expect.stringContaining('ERR_STORE_KEY_MISSING')])
    const undone = await runCli(['undo', '--json'], { cwd, env: key })
    expect(parseJson(undone)['changed']).toEqual([
      { field: 'encryption', from: 'none', to: 'recipients' },
      { field: 'recipient', from: null, to: recipient },
    ])
    expect(readFileSync(pathIn(cwd), 'latin1')).toMatch(/^age-encryption\.org/)
    expect((await runCli(['code', 'alice'], { cwd, env: key })).exitCode).toBe(0)
  })

  it('never puts plain text in place of it', async () => {
    const { cwd, key } = await encrypted()
    const plain = await makeStore(['alice'])
    writeFileSync(previousIn(cwd), readFileSync(pathIn(plain)), { mode: 0o600 })
    const before = readFileSync(pathIn(cwd))
    const refused = await runCli(['undo', '--yes'], { cwd, env: key })
    expect([refused.exitCode, refused.stderr]).toEqual([3, expect.stringContaining('can be read by others')])
    writeFileSync(pathIn(cwd), before.subarray(0, -5))
    expect((await runCli(['undo', '--yes'], { cwd, env: key })).exitCode).toBe(3)
  })
})

describe('undo of a store that an editor damaged', () => {
  it('asks, says what it restores, and restores it', async () => {
    const cwd = await makeStore(['alice'], ['--agent', 'billing'])
    const before = contentOf(cwd)
    await run(cwd, 'add-peer', 'bob')
    const serial = serialOf(cwd)
    const broken = readFileSync(pathIn(cwd), 'utf8').replace('"peers": {', '"peers": ')
    writeFileSync(pathIn(cwd), broken)
    expect((await run(cwd, 'list')).exitCode).toBe(3)
    const refused = await run(cwd, 'undo')
    expect(refused.exitCode).toBe(2)
    expect(refused.stderr).toMatch(/What would change cannot be told.*"billing", 1 peer \(alice\)/)
    const { exitCode, stdout } = await run(cwd, 'undo', '--yes', '--json')
    expect([exitCode, parseJson({ stdout })['changed']]).toEqual([0, []])
    expect(contentOf(cwd)).toEqual(before)
    expect(serialOf(cwd)).toBe(serial + 1)
  })
})

describe('what was kept is refused as a store is, and nothing is changed', () => {
  const cases: readonly (readonly [string, (cwd: string) => void, string])[] = [
    ['damaged', (cwd) => appendFileSync(previousIn(cwd), '}'), 'the previous store cannot be put back'],
    ['open to others', (cwd) => chmodSync(previousIn(cwd), 0o644), 'is accessible to other users'],
    [
      'a link',
      (cwd) => {
        const kept = readFileSync(previousIn(cwd))
        unlinkSync(previousIn(cwd))
        writeFileSync(join(cwd, 'elsewhere'), kept, { mode: 0o600 })
        symlinkSync(join(cwd, 'elsewhere'), previousIn(cwd))
      },
      'is a symbolic link',
    ],
  ]
  it.each(cases)('if it is %s', async (_, spoil, message) => {
    const cwd = await makeStore(['alice'])
    await run(cwd, 'set', 'alice', '--note', 'x')
    spoil(cwd)
    const before = readFileSync(pathIn(cwd))
    const refused = await run(cwd, 'undo', '--yes')
    expect([refused.exitCode, refused.stdout]).toEqual([3, ''])
    expect(refused.stderr).toContain(message)
    expect(readFileSync(pathIn(cwd))).toEqual(before)
  })
})

it('undoes once when several processes want to at once', async () => {
  const cwd = await makeStore(['alice'])
  await run(cwd, 'set', 'alice', '--note', 'x')
  const runs = await Promise.all(Array.from({ length: 5 }, () => runBinary(['undo'], { cwd })))
  expect(runs.map(({ exitCode }) => exitCode).sort()).toEqual([0, 1, 1, 1, 1])
})

describe('undo of a rotation with a delivery', () => {
  const rotation = ['rotate', 'alice', '--token', '--now', '--deliver', 'cat > alice.env']
  const options = (cwd: string) => ({ cwd, env: { HOME: cwd, PATH: process.env['PATH'] ?? '' } })

  it('puts back the store from before the rotation, not from before its last step', async () => {
    const cwd = await makeStore(['alice'])
    const before = contentOf(cwd)
    expect((await runCli(rotation, options(cwd))).exitCode).toBe(0)
    const refused = await run(cwd, 'undo')
    expect([refused.exitCode, refused.stdout]).toEqual([2, ''])
    expect(refused.stderr).toMatch(/makes valid again: alice t-[0-9a-f]{10}\..*\(ERR_CONFIRMATION_NEEDED\)/)
    expect((await run(cwd, 'undo', '--yes')).exitCode).toBe(0)
    expect(contentOf(cwd)).toEqual(before)
  })

  it('does not take back what another command changed meanwhile', async () => {
    const cwd = await makeStore(['alice'])
    const meanwhile = `${process.execPath} ${binary} set alice --note meanwhile && cat > alice.env`
    const run1 = await runCli([...rotation.slice(0, -1), meanwhile], options(cwd))
    expect([run1.exitCode, run1.stderr]).toEqual([0, expect.stringContaining('delivering')])
    await run(cwd, 'undo', '--yes')
    const { peers } = JSON.parse(readFileSync(pathIn(cwd), 'utf8')) as { peers: { alice: { note: string } } }
    expect(peers.alice.note).toBe('meanwhile')
  })
})
