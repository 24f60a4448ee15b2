import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { generateIdentity, identityToRecipient } from 'age-encryption'
import { describe, expect, it, onTestFinished } from 'vitest'
import { auditClock } from '../../src/doctor/clock-audit.js'
import { auditRoster, expectedHits } from '../../src/doctor/roster-audit.js'
import { defaultProfile } from '../../src/core/profile.js'
import type { Peer, Roster } from '../../src/core/roster.js'
import { Seed } from '../../src/core/seed.js'
import { makeFolder, makeStore, parseJson, runCli, type CliRun } from '../support/cli.js'
import { lookAt, past, peerOf, rosterOf, seedCredential, tokenCredential } from '../support/roster.js'

interface Finding {
  readonly id: string
  readonly severity: string
  readonly subject: string
  readonly message: string
  readonly fix: string
  readonly fixed?: true
}

const dayMs = 86_400_000
const storeIn = (cwd: string): string => join(cwd, 'a2a-totp.json')
const findingsOf = (run: CliRun): Finding[] => parseJson(run)['findings'] as Finding[]

async function examine(
  cwd: string,
  ...args: string[]
): Promise<{ run: CliRun; serious: string[]; ids: string[] }> {
  const run = await runCli(['doctor', '--json', ...args], { cwd })
  const found = findingsOf(run)
  const serious = found.filter(({ severity }) => severity === 'serious')
  return { run, serious: serious.map(({ id }) => id), ids: found.map(({ id }) => id) }
}

/** A bare Seed whose bytes follow no pattern. */
const strongSeed = Seed.fromBytes(Uint8Array.from({ length: 20 }, (_, index) => (index * 37 + 11) & 0xff))
const strongToken = 'a2at_dQw3pX-8Zk1vYb6Lr0cTn2Hs9eUjMfGo4iAaBqWx7yE'
const healthy = peerOf('alice', {
  seeds: [{ ...seedCredential('s', 1), seed: strongSeed }],
  tokens: [tokenCredential('t', strongToken)],
})
const idsOf = (...args: Parameters<typeof auditRoster>): string[] => auditRoster(...args).map(({ id }) => id)

describe('doctor on a roster', () => {
  it('has nothing but notes for a healthy one', () => {
    expect(idsOf(rosterOf([healthy]), lookAt)).toEqual(['replay-reuse', 'guesses'])
    expect(idsOf(rosterOf([healthy], { replay: 'once' }), lookAt)).toEqual(['guesses'])
  })

  it.each([
    ['seed-weak', Seed.fromBytes(Uint8Array.of(9, 8, 7, 6, 5, 4, 3, 2, 1, 0))],
    ['seed-published', Seed.fromBytes(Buffer.from('12345678901234567890'))],
    ['seed-published', Seed.fromBytes(Buffer.from('12345678901234567890123456789012'))],
    ['seed-published', Seed.fromBytes(Buffer.from(`${'1234567890'.repeat(6)}1234`))],
    ['seed-published', Seed.fromBase32('nbswy3dpo5xxe3de')],
    ['seed-published', Seed.fromBase32('HXDMVJECJJWSRB3HWIZR4IFUGFTMXBOZ')],
    ['seed-published', Seed.fromBase32('JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP')],
    ['seed-published', Seed.fromBytes(new Uint8Array(20))],
    ['seed-published', Seed.fromBytes(Buffer.from('abab'.repeat(5)))],
  ])('finds %s, seriously, and does not show the seed', (id, seed) => {
    const peer = peerOf('alice', { seeds: [{ ...seedCredential('s', 1), seed }] })
    const found = auditRoster(rosterOf([peer]), lookAt)
    expect(found).toContainEqual(
      expect.objectContaining({
        id,
        severity: 'serious',
        subject: 'alice',
        fix: 'a2a-totp rotate alice --seed --now',
      }),
    )
    expect(JSON.stringify(found)).not.toContain(seed.base32)
  })

  it('finds what has expired, is about to, or was never rotated', () => {
    const soon = new Date(lookAt.getTime() + 6 * dayMs)
    const found = (tokens: ReturnType<typeof tokenCredential>[]) =>
      idsOf(rosterOf([{ ...healthy, tokens }]), lookAt)
    expect(found([tokenCredential('t', 'one', past)])).toContain('token-expired')
    expect(found([tokenCredential('t', 'one', soon)])).toContain('token-expiring')
    expect(found([tokenCredential('t', 'one'), tokenCredential('u', 'two')])).toContain('token-overlap')
    const years = new Date(lookAt.getTime() + 200 * dayMs)
    expect(idsOf(rosterOf([healthy]), years)).toEqual(expect.arrayContaining(['seed-old', 'token-old']))
  })

  it('says that a shared seed is weaker', () => {
    const roster = rosterOf([peerOf('alice', { seeds: [] })], { sharedSeeds: healthy.seeds })
    expect(auditRoster(roster, lookAt)[0]).toMatchObject({ id: 'shared-seed', severity: 'warning' })
  })

  it('counts the guesses that a thief can expect to hit', () => {
    const roster = rosterOf([healthy])
    expect(expectedHits(roster, healthy, lookAt)).toBeCloseTo(1.5e-4, 10)
    expect(expectedHits(roster, { ...healthy, digits: 8 }, lookAt)).toBeCloseTo(1.5e-4, 10)
    const overlap = { ...healthy, seeds: [...healthy.seeds, seedCredential('b', 2)] }
    expect(expectedHits(roster, overlap, lookAt)).toBeCloseTo(3e-4, 10)
    for (const window of [0, 1, 2]) {
      const other = rosterOf([healthy], { profile: { ...defaultProfile, window } })
      expect(expectedHits(other, healthy, lookAt)).toBeCloseTo(1.5e-4, 10)
    }
  })

  it('counts none at a peer whose requests all need a proof, which no guess has', () => {
    expect(idsOf(rosterOf([healthy], { signed: 'require' }), lookAt)).toEqual([])
    const overlap = peerOf('bob', {
      seeds: [seedCredential('s', 1), seedCredential('s2', 2)],
      signed: 'require',
    })
    const [alone, ...others] = auditRoster(rosterOf([healthy, overlap]), lookAt).filter(
      ({ id }) => id === 'guesses',
    )
    expect(others).toEqual([])
    expect(alone?.joint?.message).toContain('can expect 1.5e-4 accepted guesses a day')
  })

  it('advises nothing that the limits on guesses outweigh, and names what does help', () => {
    const found = (peer: Peer, given: Partial<Roster> = {}): string[] =>
      auditRoster(rosterOf([peer], given), lookAt)
        .filter(({ id }) => id === 'guesses')
        .map(({ message, fix }) => `${message}; ${fix}`)
    const [alone = ''] = found(healthy)
    expect(alone).toContain('can expect 1.5e-4 accepted guesses a day, one in 18 years')
    expect(alone).toContain('whatever the digits and the window; set a lower throttle.risk')
    expect(alone).not.toMatch(/more digits|smaller window|--digits|--window/)

    const seeds = [...healthy.seeds, seedCredential('b', 2)]
    const [overlap = ''] = found({ ...healthy, seeds })
    expect(overlap).toContain('can expect 3.0e-4 accepted guesses a day, one in 9 years')
    expect(overlap).toContain('a2a-totp rotate alice --seed --finish')
    expect(found({ ...healthy, seeds: [] }, { sharedSeeds: seeds })[0]).toContain(
      'rotate --all --seed --finish',
    )
    expect(found({ ...healthy, seeds: [seedCredential('a', 1, past)] })).toEqual([])
  })

  it('advises policy once only to a peer that can have it, by a command that keeps the peer', () => {
    const reuse = (given: Partial<Roster>, peer = healthy): string =>
      auditRoster(rosterOf([peer], given), lookAt).find(({ id }) => id === 'replay-reuse')?.fix ?? ''
    const shared = reuse({ sharedSeeds: healthy.seeds }, { ...healthy, seeds: [] })
    expect(shared).toContain('create a store without --shared-seed')
    expect(shared).not.toContain('--replay once')
    expect(reuse({})).toBe('a2a-totp set alice --replay once')
  })

  it.each([
    'abc',
    'changeme',
    'a2at_token-of-alice',
    '0123456789abcdef0123456789abcde',
    'abcd1234'.repeat(8),
  ])('finds a token that may be guessed: %s', (value) => {
    const found = auditRoster(rosterOf([{ ...healthy, tokens: [tokenCredential('t', value)] }]), lookAt)
    expect(found[0]).toMatchObject({
      id: 'token-weak',
      severity: 'serious',
      subject: 'alice',
      fix: 'a2a-totp rotate alice --token --now',
    })
    expect(JSON.stringify(found)).not.toContain(value)
  })

  it.each([
    'your-token',
    'changeme',
    'test',
    'mF_9.B5f-4.1JqM',
    'secret',
    'a2at_example',
    'YOUR_BEARER_TOKEN_HERE',
    'xxxxxxxx',
  ])('finds a token of an example or a standard: %s', (value) => {
    expect(idsOf(rosterOf([{ ...healthy, tokens: [tokenCredential('t', value)] }]), lookAt)).toContain(
      'token-published',
    )
  })

  it('has nothing against tokens of other issuers with enough bits', () => {
    for (const value of [
      strongToken,
      'd41d8cd98f00b204e9800998ecf8427e',
      'f81d4fae-7dec-11d0-a765-00a0c91e6bf6',
      'ghp_16C7e42F292c6912E7710c838347Ae178B4a',
    ]) {
      const ids = idsOf(rosterOf([{ ...healthy, tokens: [tokenCredential('t', value)] }]), lookAt)
      expect(ids.filter((id) => id.startsWith('token-'))).toEqual([])
    }
  })
})

describe('doctor on files', () => {
  it('is content with a new store in a folder of its own', async () => {
    const { run, serious } = await examine(await makeStore(['alice']))
    expect(serious.filter((id) => id !== 'folder-open')).toEqual([])
    expect(findingsOf(run).every(({ fix }) => fix.length > 0)).toBe(true)
  })

  it('reports and fixes a mode that lets others read', async () => {
    const cwd = await makeStore(['alice'])
    chmodSync(storeIn(cwd), 0o644)
    const { run, serious } = await examine(cwd)
    expect(run.exitCode).toBe(1)
    expect(parseJson(run)['ok']).toBe(false)
    expect(serious).toContain('store-mode')
    expect(statSync(storeIn(cwd)).mode & 0o777).toBe(0o644)
    const mended = findingsOf(await runCli(['doctor', '--json', '--fix'], { cwd }))
    expect(mended.find(({ id }) => id === 'store-mode')).toMatchObject({ fixed: true })
    expect(statSync(storeIn(cwd)).mode & 0o777).toBe(0o600)
    expect((await examine(cwd)).serious).not.toContain('store-mode')
  })

  it('finds a folder that others can write to', async () => {
    const cwd = await makeStore(['alice'])
    chmodSync(cwd, 0o777)
    const { run, serious } = await examine(cwd, storeIn(cwd))
    expect(serious).toContain('folder-open')
    expect(run.exitCode).toBe(1)
  })

  it('finds what a crash left, and backups in plain text; clears the former', async () => {
    const cwd = await makeStore(['alice'])
    const left = join(cwd, '.a2a-totp.json.tmp-0123456789abcdef')
    writeFileSync(left, 'half')
    await runCli(['init', '--force', '--yes'], { cwd })
    writeFileSync(left, 'half')
    expect((await examine(cwd)).ids).toEqual(expect.arrayContaining(['leftovers', 'backup-plaintext']))
    await runCli(['doctor', '--fix'], { cwd })
    expect(existsSync(left)).toBe(false)
  })

  it('finds what was left of a result that was never finished, and leaves it to a person', async () => {
    const cwd = await makeStore(['alice'])
    const left = join(cwd, '.alice.env.tmp-0123456789abcdef')
    writeFileSync(left, 'A2A_TOTP_SEED=')
    const { run } = await examine(cwd)
    expect(findingsOf(run).find(({ id }) => id === 'leftovers')).toMatchObject({
      subject: left,
      fix: `rm ${left}`,
    })
    await runCli(['doctor', '--fix'], { cwd })
    expect(existsSync(left)).toBe(true)
  })

  it('finds one seed and one token at two agents, when both stores are given', async () => {
    const [one, two] = [await makeStore(['alice']), await makeStore(['bob'])]
    const client = parseJson(await runCli(['config', 'client', 'alice', '--format', 'json'], { cwd: one }))
    writeFileSync(join(two, 'seed'), String(client['seed']))
    writeFileSync(join(two, 'token'), String(client['token']))
    const added = await runCli(
      ['add-peer', 'carol', '--seed-file', join(two, 'seed'), '--token-file', join(two, 'token')],
      { cwd: two },
    )
    expect(added.exitCode).toBe(0)
    expect((await examine(two)).serious).not.toContain('seed-repeated')
    const { run, serious } = await examine(two, storeIn(one), storeIn(two), storeIn(two))
    expect(serious.filter((id) => id.endsWith('-repeated'))).toEqual(['seed-repeated', 'token-repeated'])
    const found = findingsOf(run).find(({ id }) => id === 'seed-repeated')
    expect(found?.subject).toBe(`alice in ${storeIn(one)}, carol in ${storeIn(two)}`)
    expect(run.stdout).not.toContain(client['seed'])
    expect(run.stdout).not.toContain(client['token'])
  })

  it('does not examine what is no store', async () => {
    expect(await runCli(['doctor'], { cwd: makeFolder() })).toMatchObject({ exitCode: 3, stdout: '' })
  })

  it('examines an encrypted store as well', async () => {
    const cwd = await makeStore(['alice'])
    const identity = await generateIdentity()
    await runCli(['encrypt', '--encrypt-to', await identityToRecipient(identity)], { cwd })
    chmodSync(storeIn(cwd), 0o644)
    const run = await runCli(['doctor', '--json'], { cwd, env: { A2A_TOTP_IDENTITY: identity } })
    const ids = findingsOf(run).map(({ id }) => id)
    for (const id of ['store-mode', 'unencrypted']) expect(ids).not.toContain(id)
    expect(ids).toContain('guesses')
  })
})

describe('doctor in a git work tree', () => {
  function git(cwd: string, ...args: string[]): void {
    const identity = ['-c', 'user.name=t', '-c', 'user.email=t@example.com', '-c', 'commit.gpgsign=false']
    execFileSync('git', [...identity, ...args], { cwd, stdio: 'ignore' })
  }

  async function storeInTree(): Promise<string> {
    const tree = makeFolder()
    git(tree, 'init', '-q')
    const cwd = join(tree, 'deploy')
    mkdirSync(cwd)
    await runCli(['init', '--no-gitignore'], { cwd })
    return cwd
  }

  it('finds a plaintext store that is not ignored, and mends that', async () => {
    const cwd = await storeInTree()
    expect((await examine(cwd)).serious).toContain('git-not-ignored')
    await runCli(['doctor', '--fix'], { cwd })
    expect(readFileSync(join(cwd, '.gitignore'), 'utf8')).toContain('/a2a-totp.json')
    const { ids } = await examine(cwd)
    expect(ids).not.toContain('git-not-ignored')
    expect(ids).not.toContain('git-committed')
  })

  it('finds one that was added or ever committed, even where it is gone or encrypted now', async () => {
    const cwd = await storeInTree()
    git(cwd, 'add', '-f', 'a2a-totp.json')
    expect((await examine(cwd)).serious).toContain('git-committed')
    git(cwd, 'commit', '-q', '-m', 'oops')
    git(cwd, 'rm', '-q', '--cached', 'a2a-totp.json')
    git(cwd, 'commit', '-q', '-m', 'gone')
    expect((await examine(cwd)).serious).toContain('git-committed')
  })

  it('has nothing against an encrypted one that is committed', async () => {
    const cwd = await storeInTree()
    const identity = await generateIdentity()
    await runCli(['encrypt', '--encrypt-to', await identityToRecipient(identity)], { cwd })
    git(cwd, 'add', 'a2a-totp.json')
    git(cwd, 'commit', '-q', '-m', 'fine')
    const run = await runCli(['doctor', '--json'], { cwd, env: { A2A_TOTP_IDENTITY: identity } })
    expect(
      findingsOf(run)
        .map(({ id }) => id)
        .filter((id) => id.startsWith('git-')),
    ).toEqual([])
  })
})

describe('doctor --clock', () => {
  const serverAt = (offSeconds: number): Promise<string> =>
    serverWith((now) => ({ Date: new Date(now + offSeconds * 1000).toUTCString() }))

  async function serverWith(fieldsAt: (now: number) => Record<string, string>): Promise<string> {
    const server = createServer((_, response) => {
      response.sendDate = false
      response.writeHead(200, fieldsAt(Date.now())).end()
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    onTestFinished(() => void server.close())
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  }

  it.each([
    [0, undefined],
    [20, 'warning'],
    [-20, 'warning'],
    [300, 'serious'],
    [-300, 'serious'],
  ])('with a server %i s ahead of us finds %s', async (offSeconds, severity) => {
    const cwd = await makeStore(['alice'])
    const run = await runCli(['doctor', '--json', '--clock', await serverAt(offSeconds)], { cwd })
    const found = findingsOf(run).find(({ id }) => id === 'clock')
    expect(found?.severity).toBe(severity)
    if (found) expect(found.message).toContain(offSeconds > 0 ? 'behind' : 'ahead')
  })

  it('reports what the measurement leaves open, and no difference that it could explain', async () => {
    const profile = { ...defaultProfile, window: 1 }
    let asked = 0
    /** A clock that is off, and an exchange that takes this long by it. */
    const off = (seconds: number, tripSeconds: number) => () =>
      new Date(Date.now() + (seconds + (asked++ > 0 ? tripSeconds : 0)) * 1000)
    const clock = async (seconds: number, tripSeconds: number, fields = {}) => {
      asked = 0
      const url = await serverWith((now) => ({ Date: new Date(now).toUTCString(), ...fields }))
      return auditClock(url, profile, off(seconds, tripSeconds))
    }
    const [behind] = await clock(-60, 0)
    expect(behind?.message).toMatch(/clock is (59|60) s \(± 1 s\) behind; agents refuse its codes$/)
    const [slow] = await clock(-60, 20)
    expect(slow?.message).toMatch(/clock is (49|50|51) s \(± 1[01] s\) behind; agents refuse its codes$/)
    expect(await clock(-60, 50)).toMatchObject([{ severity: 'warning' }])
    expect(await clock(-10, 16)).toEqual([])
    expect(await clock(-4, 2, { Age: '0' })).toEqual([])
  })

  /** Wed, 21 Oct 2026 07:28:00 GMT as Wed Oct 21 07:28:00 2026. */
  const asctime = (text: string): string =>
    text.replace(
      /^(\w+), (\d+) (\w+) (\d+) ([\d:]+) GMT$/,
      (_, name: string, day: string, month: string, ...rest: string[]) =>
        [name, month, day.replace(/^0/, ' '), rest[1] ?? '', rest[0] ?? ''].join(' '),
    )

  it.each<[string, (now: number) => Record<string, string>]>([
    ['from a cache', (now) => ({ Date: new Date(now - 3_600_000).toUTCString(), Age: '3600' })],
    [
      'in the form of asctime, which names no time zone',
      (now) => ({ Date: asctime(new Date(now).toUTCString()) }),
    ],
  ])('finds nothing in a Date of now %s', async (_, fieldsAt) => {
    const zone = process.env['TZ']
    process.env['TZ'] = 'Asia/Kolkata'
    onTestFinished(() => {
      if (zone === undefined) delete process.env['TZ']
      else process.env['TZ'] = zone
    })
    const cwd = await makeStore(['alice'])
    const run = await runCli(['doctor', '--json', '--clock', await serverWith(fieldsAt)], { cwd })
    expect(findingsOf(run).filter(({ id }) => id === 'clock')).toEqual([])
  })

  it('says when nothing answers, and takes no other address', async () => {
    const cwd = await makeStore(['alice'])
    expect(await runCli(['doctor', '--clock', 'http://127.0.0.1:1/'], { cwd })).toMatchObject({
      exitCode: 4,
      stdout: '',
    })
    expect(await runCli(['doctor', '--clock', 'ftp://x'], { cwd })).toMatchObject({ exitCode: 2, stdout: '' })
  })
})
