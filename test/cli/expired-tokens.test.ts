import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeStore, parseJson, runCli, type CliRun } from '../support/cli.js'

async function done(cwd: string, args: string, stdin = ''): Promise<CliRun> {
  const ran = await runCli(args.split(' '), { cwd, stdin })
  expect(ran.exitCode, `${args}: ${ran.stderr}`).toBe(0)
  return ran
}

function expireToken(cwd: string): void {
  const path = join(cwd, 'a2a-totp.json')
  const store = JSON.parse(readFileSync(path, 'utf8')) as {
    peers: { alice: { tokens: { expiresAt?: string }[] } }
  }
  for (const token of store.peers.alice.tokens) token.expiresAt = '2026-01-01T00:00:00.000Z'
  writeFileSync(path, JSON.stringify(store))
}

/** A store in which the token of alice has expired, and her seed has not. */
async function withExpired(): Promise<string> {
  const cwd = await makeStore(['alice', 'bob'], ['--agent', 'billing'])
  expireToken(cwd)
  return cwd
}

const warning = '"alice" is without a token: its own have expired; run `a2a-totp rotate alice --token`'

describe('a peer whose tokens have all expired', () => {
  it.each(['json', 'yaml', 'kubernetes', 'maps'])(
    'is warned of by config server --format %s',
    async (format) => {
      const { stdout, stderr } = await done(await withExpired(), `config server --format ${format}`)
      expect(stdout).toContain('alice')
      expect(stderr).toContain(warning)
      expect(stderr).not.toContain('"bob" is')
    },
  )

  it('gets a new token where a store is built again from the server file', async () => {
    const old = await withExpired()
    const { stdout: file } = await done(old, 'config server')
    const cwd = await makeStore()
    const { stderr } = await done(cwd, 'import -', file)
    expect(stderr).toContain('created a new token for alice')
    expect(stderr).toContain('only the hash is known of the token of bob;')
    const code = 'code alice --at 59'
    expect((await done(cwd, code)).stdout).toBe((await done(old, code)).stdout)
    expect((await done(cwd, 'config client alice')).stdout).toMatch(/^A2A_TOTP_TOKEN=a2at_/m)
    const other = parseJson(await done(await makeStore(), 'import - --json', file))
    expect(other).toMatchObject({ imported: 2, made: [{ peer: 'alice', seed: false, token: true }] })
  })

  it('keeps the token that a store knows', async () => {
    const old = await makeStore(['alice', 'bob'], ['--agent', 'billing'])
    const { stdout: client } = await done(old, 'config client alice')
    const cwd = await makeStore([], ['--agent', 'billing'])
    await done(cwd, 'import -', client)
    expireToken(old)
    const { stdout } = await done(cwd, 'import - --json', (await done(old, 'config server')).stdout)
    expect(parseJson({ stdout })).toMatchObject({ imported: 1, peers: ['bob'], made: [] })
    expect((await done(cwd, 'config client alice')).stdout).toBe(client)
  })
})
