import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { defaultProfile } from '../../src/core/profile.js'
import { Seed } from '../../src/core/seed.js'
import { generateCode } from '../../src/core/totp.js'
import { TOTPServerAuthScheme } from '../../src/server/index.js'
import { makeStore, parseJson, runCli, type CliRun } from '../support/cli.js'
import { requestWith } from '../support/guarded.js'
import { rotationStorm } from '../support/rotation-storm.js'

interface View {
  readonly name: string
  readonly seeds: readonly { id: string; expiresAt: string | null }[]
  readonly tokens: readonly { id: string; expiresAt: string | null }[]
}
interface Row {
  readonly name: string
  readonly seedId: string
  readonly tokenId: string
}

const hourMs = 3_600_000
const later = (hours: number): Date => new Date(Date.now() + hours * hourMs)
const rowsOf = (run: CliRun): Row[] => parseJson(run)['peers'] as Row[]

async function viewOf(cwd: string, name = 'alice'): Promise<View> {
  const { peers } = parseJson(await runCli(['list', '--json'], { cwd })) as unknown as { peers: View[] }
  const peer = peers.find((one) => one.name === name)
  if (!peer) throw new Error(`no ${name}`)
  return peer
}

describe('rotate', () => {
  it('gives a new seed and token, and keeps the old ones for 24 hours', async () => {
    const cwd = await makeStore(['alice', 'bob'])
    const before = await viewOf(cwd)
    const now = new Date('2026-11-24T00:00:00Z')
    const run = await runCli(['rotate', 'alice', '--json'], { cwd, now })
    expect(run.exitCode).toBe(0)
    const after = await viewOf(cwd)
    expect(rowsOf(run)).toEqual([
      { name: 'alice', seedId: after.seeds[1]?.id, tokenId: after.tokens[1]?.id, expiresAt: null },
    ])
    const [old, oldToken] = [before.seeds[0]?.id, before.tokens[0]?.id]
    const endOf = (id: string | undefined) => ({ peer: 'alice', id, at: '2026-11-25T00:00:00.000Z' })
    expect(parseJson(run)['ends']).toEqual([endOf(old), endOf(oldToken)])
    expect(after.seeds.map(({ id, expiresAt }) => [id, expiresAt])).toEqual([
      [before.seeds[0]?.id, '2026-11-25T00:00:00.000Z'],
      [expect.stringMatching(/^s-/), null],
    ])
    expect(after.tokens.map(({ expiresAt }) => expiresAt)).toEqual(['2026-11-25T00:00:00.000Z', null])
    expect((await viewOf(cwd, 'bob')).seeds).toHaveLength(1)
  })

  it('keeps the end of a peer, and says when old and new ones end', async () => {
    const cwd = await makeStore(['bob'])
    const now = new Date('2026-11-24T00:00:00Z')
    const end = '2026-11-24T02:00:00.000Z'
    await runCli(['add-peer', 'contractor', '--expires', end], { cwd, now })
    await runCli(['add-peer', 'bait', '--canary', '--expires', end], { cwd, now })
    const planned = await runCli(['rotate', 'contractor', '--dry-run'], { cwd, now })
    expect(planned.stdout).toBe(`contractor  new seed and token until ${end}\n`)
    const run = await runCli(['rotate', 'contractor'], { cwd, now })
    expect(run.stderr).toContain(`the old ones stay valid until ${end}\n`)
    expect(run.stderr).toContain(
      `contractor until ${end}; a2a-totp set contractor --expires TIME changes it\n`,
    )
    const { seeds, tokens } = await viewOf(cwd, 'contractor')
    expect([...seeds, ...tokens].map(({ expiresAt }) => expiresAt)).toEqual(Array(4).fill(end))
    const all = await runCli(['rotate', 'bob', 'contractor', 'bait', '--token'], { cwd, now })
    expect(all.stderr).toContain(
      `the old ones stay valid until 2026-11-25T00:00:00.000Z, but those of contractor until ${end}, those of bait until ${end}\n`,
    )
    expect(all.stderr).toContain(
      `: contractor until ${end}, bait until ${end}; a2a-totp set NAME --expires TIME changes it\n`,
    )
    const json = await runCli(['rotate', 'contractor', '--now', '--json'], { cwd, now })
    expect(rowsOf(json)).toMatchObject([{ expiresAt: end }])
  })

  it('says when the seed and the token of a peer end at different times, or have ended', async () => {
    const cwd = await makeStore()
    const now = new Date('2026-11-24T00:00:00Z')
    const end = new Date('2026-11-24T02:00:00Z')
    await runCli(['add-peer', 'alice', '--expires', end.toISOString()], { cwd, now })
    const late = await runCli(['rotate', 'alice', '--token'], { cwd, now: end })
    expect(late.stderr).toContain('the old ones have expired\n')
    expect(late.stderr).not.toContain('keep the end')
    await runCli(['undo', '--yes'], { cwd, now })
    await runCli(['set', 'alice', '--expires', 'never'], { cwd, now })
    const seed = await runCli(['rotate', 'alice', '--seed', '--overlap', '1h'], { cwd, now })
    expect(seed.stderr).toContain('the old ones stay valid until 2026-11-24T01:00:00.000Z\n')
  })

  it('tells nothing secret unless asked to', async () => {
    const cwd = await makeStore(['alice'])
    const quiet = await runCli(['rotate', 'alice'], { cwd })
    const client = parseJson(await runCli(['config', 'client', 'alice', '--format', 'json'], { cwd }))
    expect(quiet.stdout).toMatch(/^alice {2}seed s-[0-9a-f]{10} {2}token t-[0-9a-f]{10}\n$/)
    for (const secret of [client['seed'], client['token']]) {
      expect(quiet.stdout + quiet.stderr).not.toContain(secret)
    }
    const loud = await runCli(['rotate', 'alice', '--now', '--reveal', '--json'], { cwd })
    const handed = parseJson(await runCli(['config', 'client', 'alice', '--format', 'json'], { cwd }))
    expect(rowsOf(loud)[0]).toMatchObject({ seed: handed['seed'], token: handed['token'] })
    expect(handed['seed']).not.toBe(client['seed'])
  })

  it('hands out the new ones, and lets the agent take both until the old ones end', async () => {
    const cwd = await makeStore(['alice'])
    const old = (await runCli(['code', 'alice', '--at', '59'], { cwd })).stdout
    await runCli(['rotate', 'alice', '--overlap', '1h'], { cwd })
    expect((await runCli(['code', 'alice', '--at', '59'], { cwd })).stdout).not.toBe(old)
    expect((await runCli(['verify', old.trim(), 'alice', '--at', '59'], { cwd })).exitCode).toBe(0)
    const seedsAt = async (now: Date): Promise<number> => {
      const file = parseJson(await runCli(['config', 'server'], { cwd, now })) as unknown as {
        peers: { alice: { seeds: unknown[]; tokens: unknown[] } }
      }
      expect(file.peers.alice.tokens).toHaveLength(file.peers.alice.seeds.length)
      return file.peers.alice.seeds.length
    }
    expect(await seedsAt(later(0.9))).toBe(2)
    expect(await seedsAt(later(1.1))).toBe(1)
  })

  it('says in list what is in overlap, and for how long', async () => {
    const cwd = await makeStore(['alice'])
    await runCli(['rotate', 'alice', '--seed', '--overlap', '7d'], { cwd })
    const [, row = ''] = (await runCli(['list'], { cwd })).stdout.split('\n')
    expect(row).toMatch(/^alice {2}s-[0-9a-f]{10} \+1 for 6d {2}t-[0-9a-f]{10} {2}/)
  })

  it('refuses a third live seed and changes nothing, until --finish or with --now', async () => {
    const cwd = await makeStore(['alice'])
    await runCli(['rotate', 'alice'], { cwd })
    const before = readFileSync(join(cwd, 'a2a-totp.json'))
    const third = await runCli(['rotate', '--all'], { cwd })
    expect(third).toMatchObject({ exitCode: 1, stdout: '' })
    expect(third.stderr).toMatch(/rotate alice --finish.*\(ERR_OVERLAP_FULL\)\n$/)
    expect(readFileSync(join(cwd, 'a2a-totp.json'))).toEqual(before)
    expect((await runCli(['rotate', 'alice', '--finish'], { cwd })).exitCode).toBe(0)
    const finished = await viewOf(cwd)
    expect([finished.seeds.length, finished.tokens.length]).toEqual([1, 1])
    await runCli(['rotate', 'alice'], { cwd })
    expect((await runCli(['rotate', 'alice', '--now'], { cwd })).exitCode).toBe(0)
    expect((await viewOf(cwd)).seeds).toHaveLength(1)
  })

  it('has nothing to finish twice, and says so', async () => {
    const cwd = await makeStore(['alice'])
    const run = await runCli(['rotate', '--all', '--finish'], { cwd })
    expect(run).toMatchObject({ exitCode: 0, stdout: '', stderr: 'nothing was superseded\n' })
  })

  it('rotates only what is older, of all peers when none is named', async () => {
    const cwd = await makeStore(['alice', 'bob'])
    expect(rowsOf(await runCli(['rotate', '--older-than', '90d', '--json'], { cwd }))).toEqual([])
    const now = later(91 * 24)
    const run = await runCli(['rotate', 'bob', '--older-than', '90d', '--json'], { cwd, now })
    expect(rowsOf(run).map(({ name }) => name)).toEqual(['bob'])
    const rest = await runCli(['rotate', '--older-than', '90d', '--json'], { cwd, now })
    expect(rowsOf(rest).map(({ name }) => name)).toEqual(['alice'])
  })

  it('asks before it ends at once what nobody named, and not where there is nothing', async () => {
    const cwd = await makeStore(['alice'])
    const young = await runCli(['rotate', '--older-than', '90d', '--now'], { cwd })
    expect(young).toMatchObject({ exitCode: 0, stderr: 'nothing to rotate\n' })
    await runCli(['add-peer', 'bob'], { cwd, now: later(90 * 24) })
    const asked = { cwd, now: later(91 * 24) }
    const before = readFileSync(join(cwd, 'a2a-totp.json'))
    const open = await runCli(['rotate', '--older-than', '90d', '--now'], asked)
    expect(open).toMatchObject({ exitCode: 2, stdout: '' })
    expect(open.stderr).toContain('End the credentials of alice of agent now?')
    expect(readFileSync(join(cwd, 'a2a-totp.json'))).toEqual(before)
    const yes = await runCli(['rotate', '--older-than', '90d', '--now', '--yes', '--json'], asked)
    expect(rowsOf(yes).map(({ name }) => name)).toEqual(['alice'])
  })

  it('renews a shared seed only for everybody', async () => {
    const cwd = await makeStore(['alice', 'bob'], ['--shared-seed'])
    const one = await runCli(['rotate', 'alice'], { cwd })
    expect(one).toMatchObject({ exitCode: 2, stdout: '' })
    expect(one.stderr).toContain('--all')
    const all = await runCli(['rotate', '--all', '--seed', '--json'], { cwd })
    expect(rowsOf(all).map(({ name }) => name)).toEqual(['alice', 'bob'])
    expect((await viewOf(cwd)).seeds).toHaveLength(2)
  })

  it.each([
    [[]],
    [['alice', '--all']],
    [['alice', '--now', '--overlap', '1h']],
    [['alice', '--finish', '--now']],
    [['alice', '--finish', '--reveal']],
    [['alice', '--finish', '--server-out', 'server.json', '--deliver', 'true']],
    [['alice', '--finish', '--allow-weak-seed']],
    [['alice', '--overlap', '24']],
    [['alice', '--overlap', '0h']],
    [['alice', '--overlap', '-1h']],
    [['--older-than', 'yesterday']],
  ])('refuses %j as wrong usage', async (args) => {
    const cwd = await makeStore(['alice'])
    const run = await runCli(['rotate', ...args], { cwd })
    expect(run).toMatchObject({ exitCode: 2, stdout: '' })
    expect(run.stderr).toMatch(/^error: .*\(ERR_USAGE\)\n$/)
  })

  it('knows every name, or rotates none', async () => {
    const cwd = await makeStore(['alice'])
    expect(await runCli(['rotate', 'alice', 'carol'], { cwd })).toMatchObject({ exitCode: 1, stdout: '' })
    expect((await viewOf(cwd)).seeds).toHaveLength(1)
  })

  it('refuses nobody under load, but the old credentials once they have ended', async () => {
    const cwd = await makeStore(['alice'])
    const storm = { peer: 'alice', flags: ['--overlap', '5s'], perSecond: 50 }
    expect(await rotationStorm(cwd, storm)).toMatchObject({ refused: 0, servedLate: 0 })
  })
})

/** security.md's figure 12, its end: what an operator does about a stolen token. */
it('--now gives service back to a peer whose stolen token somebody guesses with, and none to the thief', async () => {
  const cwd = await makeStore(['alice'])
  const file = join(cwd, 'server.json')
  const publish = (): Promise<CliRun> => runCli(['config', 'server', '--out', file, '--force'], { cwd })
  const handOut = async (): Promise<{ token: string; seed: Seed }> => {
    const { token, seed } = parseJson(
      await runCli(['config', 'client', 'alice', '--format', 'json'], { cwd }),
    )
    return { token: String(token), seed: Seed.fromBase32(String(seed)) }
  }
  await publish()
  using scheme = TOTPServerAuthScheme.fromFile(file)
  const ask = async (token: string, code: string): Promise<string> => {
    const fields = { Authorization: `Bearer ${token}`, 'X-TOTP': code }
    const { caller, refusal } = await scheme.authenticate(requestWith(fields))
    return caller?.peer ?? refusal?.reason ?? 'nothing'
  }
  const codeNow = (seed: Seed): string => generateCode(seed, defaultProfile, new Date())

  const before = await handOut()
  expect(await ask(before.token, codeNow(before.seed))).toBe('alice')
  const wrong = (n: number): string => String((Number(codeNow(before.seed)) + 1 + n) % 1e6).padStart(6, '0')
  for (let n = 0; n < 50; n++) await ask(before.token, wrong(n))
  expect(await ask(before.token, codeNow(before.seed))).toBe('guesses-exhausted')

  expect((await runCli(['rotate', 'alice', '--now'], { cwd })).exitCode).toBe(0)
  await publish()
  const after = await handOut()
  await expect.poll(() => ask(after.token, codeNow(after.seed)), { interval: 50 }).toBe('alice')
  expect(await ask(before.token, codeNow(after.seed))).toBe('token-refused')
  expect(await ask(after.token, codeNow(before.seed))).toBe('code-wrong')
})
