import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeStore, parseJson, runCli } from '../support/cli.js'

const now = new Date('2026-03-01T12:00:00Z')
const later = (days: number): Date => new Date(now.getTime() + days * 86_400_000)

interface View {
  readonly peers: readonly {
    readonly seeds: readonly { readonly expiresAt: string | null }[]
    readonly tokens: readonly { readonly expiresAt: string | null }[]
  }[]
}

const endsIn = async (cwd: string): Promise<(string | null)[]> => {
  const { peers } = parseJson(await runCli(['list', '--json'], { cwd })) as unknown as View
  return peers.flatMap(({ seeds, tokens }) => [...seeds, ...tokens].map(({ expiresAt }) => expiresAt))
}

describe('a weak token', () => {
  it('is refused by add-peer, and reported by import, unless it is allowed', async () => {
    const place = async (): Promise<string> => {
      const cwd = await makeStore()
      writeFileSync(join(cwd, 'token'), 'abc\n')
      writeFileSync(join(cwd, 'peers.csv'), 'name,token\ncarol,abc\n')
      return cwd
    }
    const cwd = await place()
    const [add, bring] = [
      ['add-peer', 'alice', '--token-file', 'token'],
      ['import', 'peers.csv'],
    ]
    const added = await runCli(add, { cwd })
    expect(added).toMatchObject({ exitCode: 2, stdout: '' })
    expect(added.stderr).toContain('use a longer one, or pass --allow-weak-token (ERR_TOKEN_WEAK)')
    const canary = await runCli([...add, '--canary'], { cwd })
    expect(canary).toMatchObject({ exitCode: 2, stdout: '' })
    expect(parseJson(await runCli(['list', '--json'], { cwd }))['peers']).toEqual([])
    // What is imported is in use elsewhere.
    const brought = await runCli(bring, { cwd: await place() })
    expect(brought).toMatchObject({ exitCode: 0, stdout: 'imported 1, skipped 0\n' })
    expect(brought.stderr).toContain('warning: the token of carol may be guessed: less than 128 bits')
    for (const args of [add, bring]) {
      const allowed = await runCli([...args, '--allow-weak-token'], { cwd: await place() })
      expect(allowed.exitCode).toBe(0)
      expect(allowed.stderr).not.toContain('guessed')
    }
  })
})

describe('add-peer --expires', () => {
  it.each([
    ['2026-05-30T12:00:00Z', later(90)],
    [String(later(90).getTime() / 1000), later(90)],
    ['90d', later(90)],
    ['2w', later(14)],
  ])('%s ends the seed and the token of each new peer', async (time, end) => {
    const cwd = await makeStore()
    const run = await runCli(['add-peer', 'alice', 'bob', '--expires', time, '--json'], { cwd, now })
    expect(run.exitCode).toBe(0)
    expect(parseJson(run)['peers']).toMatchObject([
      { expiresAt: end.toISOString() },
      { expiresAt: end.toISOString() },
    ])
    expect(await endsIn(cwd)).toEqual(Array(4).fill(end.toISOString()))
    const before = new Date(end.getTime() - 1)
    expect((await runCli(['code', 'alice'], { cwd, now: before })).exitCode).toBe(0)
    expect(await runCli(['code', 'alice'], { cwd, now: end })).toMatchObject({ exitCode: 1, stdout: '' })
    const server = parseJson(await runCli(['config', 'server'], { cwd, now })) as {
      peers: Record<string, unknown>
    }
    const credentials = [{ expiresAt: end.toISOString() }]
    expect(server.peers['bob']).toMatchObject({ seeds: credentials, tokens: credentials })
  })

  it('is shown by list', async () => {
    const cwd = await makeStore()
    await runCli(['add-peer', 'alice', '--expires', '90d'], { cwd, now })
    expect((await runCli(['list'], { cwd, now })).stdout).toMatch(
      /s-\w{10} \(90d left\) {2}t-\w{10} \(90d left\)/,
    )
  })

  it('ends the token of a canary, and of a peer with the shared seed, which stays', async () => {
    const cwd = await makeStore([], ['--shared-seed'])
    expect((await runCli(['add-peer', 'alice', '--expires', '1d'], { cwd, now })).exitCode).toBe(0)
    expect((await runCli(['add-peer', 'bait', '--canary', '--expires', '1d'], { cwd, now })).exitCode).toBe(0)
    const end = later(1).toISOString()
    expect(await endsIn(cwd)).toEqual([null, end, end])
  })

  it.each([
    ['2026-03-01T12:00:00Z', '--expires is in the past'],
    ['0', '--expires is in the past'],
    ['soon', '--expires must be a time such as'],
    ['90', '--expires is in the past'],
    ['2026-02-30T00:00:00Z', '--expires must be a time such as'],
    ['999999999999', '--expires must be a time such as'],
    ['0d', '--expires must be a time such as'],
    ['', '--expires must be a time such as'],
  ])('%j is refused, and nothing is added', async (time, words) => {
    const cwd = await makeStore()
    const run = await runCli(['add-peer', 'alice', '--expires', time], { cwd, now })
    expect(run).toMatchObject({ exitCode: 2, stdout: '' })
    expect(run.stderr).toContain(words)
    expect(await endsIn(cwd)).toEqual([])
  })
})
