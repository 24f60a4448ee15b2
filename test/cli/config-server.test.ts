import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { defaultProfile } from '../../src/core/profile.js'
import { Seed } from '../../src/core/seed.js'
import { serverFragments, type ServerFormat } from '../../src/fragments/index.js'
import { TOTPServerAuthScheme } from '../../src/server/index.js'
import { anyCodeProfile, anyName } from '../support/arbitraries.js'
import { makeFolder, makeStore, parseJson, runCli, type CliRun } from '../support/cli.js'

const weakSeed = 'JBSWY3DPEHPK3PXP'

async function importWeak(cwd: string, ...names: string[]): Promise<void> {
  const stdin = ['name,seed', ...names.map((name) => `${name},${weakSeed}`)].join('\n')
  expect((await runCli(['import', '-', '--allow-weak-seed'], { cwd, stdin })).exitCode).toBe(0)
}

/** A store with bob, whose seed is strong, and alice, who was imported with a weak one. */
async function storeWithWeakAlice(): Promise<string> {
  const cwd = await makeStore(['bob'])
  await importWeak(cwd, 'alice')
  return cwd
}

/** Whether the library, with its defaults, takes the text as a server file; the error otherwise. */
function readByLibrary(text: string, options = {}): unknown {
  const path = join(makeFolder(), 'server.json')
  writeFileSync(path, text, { mode: 0o600 })
  try {
    TOTPServerAuthScheme.fromFile(path, options).close()
    return undefined
  } catch (error) {
    return error
  }
}

/** Those that hold peers. The others hold code, or the path of a server file. */
const withPeers = ['json', 'maps', 'yaml', 'kubernetes'] as const
const withoutPeers = (Object.keys(serverFragments) as ServerFormat[]).filter(
  (format) => !withPeers.some((one) => one === format),
)

describe('config server, where the agent would refuse the file', () => {
  it('writes nothing, since a running agent would go on with the revoked token of another peer', async () => {
    const cwd = await makeStore(['bob'])
    const server = ['config', 'server', '--out', 'server.json', '--force']
    expect((await runCli(server, { cwd })).exitCode).toBe(0)
    const before = readFileSync(join(cwd, 'server.json'), 'utf8')
    await importWeak(cwd, 'alice')
    expect((await runCli(['rotate', 'bob', '--token', '--now'], { cwd })).exitCode).toBe(0)

    const run = await runCli(server, { cwd })
    expect(run).toMatchObject({ exitCode: 3, stdout: '' })
    expect(run.stderr).toMatch(/^error: [^\n]+ \(ERR_CONFIG_INVALID\)\n$/)
    expect(run.stderr).toContain('the seed of alice has less than 128 bits')
    expect(run.stderr).toContain('`a2a-totp rotate alice --seed --now`')
    expect(run.stderr).toContain('keeps its old one, where revoked credentials are still valid')
    expect(run.stderr).not.toContain(weakSeed)
    expect(readFileSync(join(cwd, 'server.json'), 'utf8')).toBe(before)

    expect((await runCli(['rotate', 'alice', '--seed', '--now'], { cwd })).exitCode).toBe(0)
    expect((await runCli(server, { cwd })).exitCode).toBe(0)
    const after = readFileSync(join(cwd, 'server.json'), 'utf8')
    expect(readByLibrary(after)).toBeUndefined()
    const hashes = (text: string) => text.match(/sha256:[0-9a-f]{64}/g) ?? []
    expect(hashes(after)).not.toEqual(expect.arrayContaining(hashes(before)))
  })

  it.each(withPeers)('makes no fragment %s and no file', async (format) => {
    const cwd = await storeWithWeakAlice()
    const args = ['config', 'server', '--format', format]
    for (const json of [[], ['--json']]) {
      const run = await runCli([...args, ...json], { cwd })
      expect(run).toMatchObject({ exitCode: 3, stdout: '' })
      expect(run.stderr).toContain('rotate alice --seed --now')
      expect(await runCli([...args, ...json, '--out', 'new'], { cwd })).toMatchObject({ exitCode: 3 })
      expect(existsSync(join(cwd, 'new'))).toBe(false)
    }
  })

  it.each(withoutPeers)('still prints %s, which holds nothing of the peers', async (format) => {
    const cwd = await storeWithWeakAlice()
    const args = ['config', 'server', '--format', format, '--server-file', '/etc/totp.json']
    const others = { traefik: 'traefik-static.yaml', haproxy: 'a2a-totp.lua' }[format as string]
    const stderr = others ? `it needs ${others} beside it: --out FILE writes all, --json prints all\n` : ''
    expect(await runCli(args, { cwd })).toMatchObject({ exitCode: 0, stderr })
  })

  it.each(withPeers)('writes %s with --allow-weak-seed, and says what the agent needs', async (format) => {
    const cwd = await storeWithWeakAlice()
    const run = await runCli(['config', 'server', '--format', format, '--allow-weak-seed'], { cwd })
    expect(run.exitCode).toBe(0)
    expect(run.stdout).toContain(weakSeed)
    expect(run.stderr).toMatch(/^warning: the seed of alice has less than 128 bits: .*allowWeakSeeds: true/m)
    if (format === 'json') {
      expect(readByLibrary(run.stdout)).toMatchObject({ code: 'ERR_SEED_WEAK' })
      expect(readByLibrary(run.stdout, { allowWeakSeeds: true })).toBeUndefined()
    }
  })

  it('has nothing to say with --allow-weak-seed where no seed is weak', async () => {
    const cwd = await makeStore(['bob'])
    expect(await runCli(['config', 'server', '--allow-weak-seed'], { cwd })).toMatchObject({
      exitCode: 0,
      stderr: '',
    })
  })

  it('names every peer that has to be rotated, up to ten', async () => {
    const cwd = await makeStore()
    await importWeak(cwd, 'p1', 'p2')
    const two = await runCli(['config', 'server'], { cwd })
    expect(two.stderr).toContain('the seeds of p1, p2 have less than 128 bits')
    expect(two.stderr).toContain('`a2a-totp rotate p1 p2 --seed --now`')
    await importWeak(cwd, ...Array.from({ length: 10 }, (_, index) => `q${index}`))
    const twelve = await runCli(['config', 'server', '--format', 'maps'], { cwd })
    expect(twelve.stderr).toContain('q7 and 2 more have')
    expect(twelve.stderr).toContain('`a2a-totp rotate NAME... --seed --now`')
  })

  it('refuses maps that name no token, since a server with them could check none', async () => {
    const cwd = await makeStore()
    const run = await runCli(['config', 'server', '--format', 'maps'], { cwd })
    expect(run).toMatchObject({ exitCode: 3, stdout: '' })
    expect(run.stderr).toContain('nothing checks the token')
  })

  it('refuses maps of a peer whose codes are good once, which maps cannot say', async () => {
    const cwd = await makeStore(['bob'])
    await runCli(['add-peer', 'alice', '--replay', 'once'], { cwd })
    const run = await runCli(['config', 'server', '--format', 'maps'], { cwd })
    expect(run).toMatchObject({ exitCode: 3, stdout: '' })
    expect(run.stderr).toContain('replay policy once of alice; use --format json')
    const exported = await runCli(['export', '--reveal', '--format', 'maps', '--out', 'maps.json'], { cwd })
    expect(exported).toMatchObject({ exitCode: 3, stdout: '' })
    expect(exported.stderr).toContain('replay policy once of alice; use --format json')
    expect(existsSync(join(cwd, 'maps.json'))).toBe(false)
  })

  it('says of which peers maps do not know the profile', async () => {
    const cwd = await makeStore(['bob'])
    await runCli(['add-peer', 'alice', '--digits', '8'], { cwd })
    const run = await runCli(['config', 'server', '--format', 'maps'], { cwd })
    expect(run.exitCode).toBe(0)
    expect(run.stderr).toContain('maps cannot represent that "alice" has its own algorithm, digits or period')
    expect(run.stderr).not.toContain('bob')
  })

  it('writes the file of an agent without peers, which the library takes', async () => {
    const run = await runCli(['config', 'server'], { cwd: await makeStore() })
    expect(run).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining('refuse every caller') as string,
    })
    expect(readByLibrary(run.stdout)).toBeUndefined()
  })
})

const now = new Date('2026-06-01T00:00:00Z')
const past = '2026-05-31T23:59:59.999Z'
const future = '2026-06-01T00:00:00.001Z'

/** A credential of a store but for its value. */
const anyLife = fc.record(
  { expiresAt: fc.constantFrom(past, future, '9999-12-31T23:59:59.999Z') },
  { requiredKeys: [] },
)
const strongBytes = fc.uint8Array({ minLength: 16, maxLength: 70 })
const weakBytes = fc.uint8Array({ minLength: 1, maxLength: 15 })
const withIds = <Value extends object>(credentials: Value[]) =>
  credentials.map((one, index) => ({ id: `c-${index}`, createdAt: '2026-01-01T00:00:00Z', ...one }))
const anySeeds = (share: number) =>
  fc.array(
    fc
      .tuple(
        anyLife,
        fc.oneof({ weight: share, arbitrary: strongBytes }, { weight: 1, arbitrary: weakBytes }),
      )
      .map(([life, bytes]) => ({ ...life, seed: Seed.fromBytes(bytes).base32 })),
    { minLength: 1, maxLength: 3 },
  )
const anyReplay = fc.constantFrom('once', 'reuse')

const anyPeer = fc.record({
  profile: anyCodeProfile,
  policy: fc.record({ replay: anyReplay }, { requiredKeys: [] }),
  seeds: anySeeds(8),
  tokenLives: fc.array(anyLife, { minLength: 1, maxLength: 3 }),
})

/** A store as it lies on the disk, whatever may have happened to it. */
const anyStore = fc
  .record({
    agent: anyName,
    profile: anyCodeProfile,
    window: fc.integer({ min: 0, max: 2 }),
    header: fc.constantFrom('X-TOTP', 'x-$`|~#!', 'Code'),
    replay: anyReplay,
    sharedSeeds: fc.option(anySeeds(5), { nil: undefined }),
    peers: fc.dictionary(anyName, anyPeer, { maxKeys: 4 }),
  })
  .map(({ agent, profile, window, header, replay, sharedSeeds, peers }) => ({
    version: 1,
    agent: { name: agent },
    profile: { ...profile, window, header },
    replay,
    ...(sharedSeeds ? { sharedSeeds: withIds(sharedSeeds) } : {}),
    peers: Object.fromEntries(
      Object.entries(peers).map(([name, { profile: own, policy, seeds, tokenLives }]) => [
        name,
        {
          ...own,
          ...policy,
          createdAt: '2026-01-01T00:00:00Z',
          seeds: sharedSeeds ? [] : withIds(seeds),
          tokens: withIds(tokenLives.map((life, index) => ({ ...life, token: `a2at_${name}~${index}` }))),
        },
      ]),
    ),
  }))

type StoreDocument = typeof anyStore extends fc.Arbitrary<infer Document> ? Document : never

const isLive = ({ expiresAt }: { expiresAt?: string }): boolean =>
  expiresAt === undefined || new Date(expiresAt) > now

/** Whether peers share a seed although a code of it is good for one request. */
function sharesOnce({ sharedSeeds, peers, replay }: StoreDocument): boolean {
  const policies = Object.values(peers).map((peer) => peer.replay ?? replay)
  return sharedSeeds !== undefined && (policies.length === 0 ? [replay] : policies).includes('once')
}

/** Why a file is refused, other than for a weak seed. */
const otherReasons =
  /with one seed for all peers|share a seed|has a seed of peer|seeds are the same|the shared seed has expired/

/** Whether peers have a seed together that they may not have together, or one has it twice. */
function sharesBadly(store: StoreDocument): boolean {
  const { sharedSeeds, peers, replay } = store
  const owners = new Map<string, { readonly profile: string; readonly once: boolean }>()
  for (const peer of Object.values(peers)) {
    const owner = {
      profile: `${peer.algorithm} ${peer.digits} ${peer.period}`,
      once: (peer.replay ?? replay) === 'once',
    }
    for (const { seed } of (sharedSeeds ?? peer.seeds).filter(isLive)) {
      const key = seed.replace(/[A=]+$/, '')
      const other = owners.get(key)
      if (other && (other === owner || other.profile !== owner.profile || other.once || owner.once))
        return true
      owners.set(key, owner)
    }
  }
  return sharesOnce(store)
}

/** Whether the library refuses what the store has at the instant, told from the store alone. */
function isRefused(store: StoreDocument): boolean {
  const { sharedSeeds, peers } = store
  const seeds = (sharedSeeds ?? Object.values(peers).flatMap((peer) => peer.seeds)).filter(isLive)
  const weak = seeds.some(({ seed }) => !Seed.fromBase32(seed).strong)
  return weak || (sharedSeeds !== undefined && seeds.length === 0) || sharesBadly(store)
}

describe('config server, of any store', () => {
  it('writes what the library takes, and exits with 3 for everything that it would refuse', async () => {
    const cwd = makeFolder()
    const run = async (...args: string[]): Promise<CliRun> =>
      runCli(['config', 'server', ...args], { cwd, now })
    let accepted = 0
    let refused = 0
    await fc.assert(
      fc.asyncProperty(anyStore, async (store) => {
        writeFileSync(join(cwd, 'a2a-totp.json'), JSON.stringify(store), { mode: 0o600 })
        const [json, yaml, kubernetes] = [
          await run(),
          await run('--format', 'yaml'),
          await run('--format', 'kubernetes'),
        ]
        for (const one of [json, yaml, kubernetes]) expect(one.exitCode).toBe(isRefused(store) ? 3 : 0)
        if (isRefused(store)) {
          refused++
          for (const one of [json, yaml, kubernetes]) expect(one.stdout).toBe('')
          // Not because of something else: with weak seeds allowed, all but the rest is written.
          const weak = await run('--allow-weak-seed')
          if (weak.exitCode === 0) expect(readByLibrary(weak.stdout)).toMatchObject({ code: 'ERR_SEED_WEAK' })
          else expect(weak.stderr).toMatch(otherReasons)
          return
        }
        accepted++
        expect(readByLibrary(json.stdout)).toBeUndefined()
        expect(parse(yaml.stdout)).toEqual(parseJson(json))
        const secret = parse(kubernetes.stdout) as { stringData: Record<string, string> }
        expect(secret.stringData['a2a-totp-server.json']).toBe(json.stdout)
      }),
      { numRuns: 100 },
    )
    expect(Math.min(accepted, refused)).toBeGreaterThan(0)
  })

  it('writes maps that the constructor takes', async () => {
    const cwd = makeFolder()
    let accepted = 0
    await fc.assert(
      fc.asyncProperty(anyStore, async (store) => {
        writeFileSync(join(cwd, 'a2a-totp.json'), JSON.stringify(store), { mode: 0o600 })
        const run = await runCli(['config', 'server', '--format', 'maps'], { cwd, now })
        if (run.exitCode !== 0) {
          expect(run).toMatchObject({ exitCode: 3, stdout: '' })
          return
        }
        accepted++
        const maps = parseJson(run) as Record<string, Record<string, string>> & { shared_seed?: string }
        const { peer_seeds: peerSeeds = {}, token_to_peer: tokenToPeer = {}, shared_seed: sharedSeed } = maps
        const seeds = sharedSeed === undefined ? { peerSeeds } : { sharedSeed }
        const scheme = new TOTPServerAuthScheme({ ...seeds, tokenToPeer, replay: 'reuse' })
        expect(scheme.profile).toEqual(defaultProfile)
      }),
      { numRuns: 150 },
    )
    expect(accepted).toBeGreaterThan(0)
  })
})
