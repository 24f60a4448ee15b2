import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeFolder, makeStore, parseJson, runCli } from '../support/cli.js'

const bytesOf = (cwd: string): string => readFileSync(join(cwd, 'a2a-totp.json'), 'utf8')
const clientOf = async (cwd: string, name: string): Promise<Record<string, unknown>> =>
  parseJson(await runCli(['config', 'client', name, '--format', 'json'], { cwd }))

/** RFC 6238's 20 ASCII bytes, in base32. */
const rfcSeed = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'

describe('add-peer', () => {
  it('takes no token for a name, and does not print it', async () => {
    const cwd = await makeStore(['alice'])
    const { token } = await clientOf(cwd, 'alice')
    for (const args of [
      ['add-peer', String(token)],
      ['rename', 'alice', String(token)],
    ]) {
      const run = await runCli(args, { cwd })
      expect(run).toMatchObject({ exitCode: 2, stdout: '' })
      expect(run.stderr).not.toContain(token)
    }
  })

  it('gives each peer a seed and a token of its own, and prints neither', async () => {
    const cwd = await makeStore()
    const run = await runCli(['add-peer', 'alice', 'bob', '--json'], { cwd })
    expect(run.exitCode).toBe(0)
    const { peers } = parseJson(run) as { peers: Record<string, unknown>[] }
    expect(peers.map((peer) => Object.keys(peer))).toEqual(
      Array(2).fill(['name', 'seedId', 'tokenId', 'expiresAt']),
    )
    const [alice, bob] = [await clientOf(cwd, 'alice'), await clientOf(cwd, 'bob')]
    expect(alice['seed']).toMatch(/^[A-Z2-7]{32}$/)
    expect(alice['token']).toMatch(/^a2at_[A-Za-z0-9_-]{43}$/)
    expect(alice['seed']).not.toBe(bob['seed'])
    expect(alice['token']).not.toBe(bob['token'])
    expect(run.stdout + run.stderr).not.toContain(alice['seed'])
    expect(run.stdout + run.stderr).not.toContain(alice['token'])
  })

  it.each([
    ['SHA1', 32],
    ['SHA256', 52],
    ['SHA512', 103],
  ])('makes seeds that suit %s', async (algorithm, letters) => {
    const cwd = await makeStore()
    await runCli(['add-peer', 'alice', '--algorithm', algorithm], { cwd })
    expect((await clientOf(cwd, 'alice'))['seed']).toHaveLength(letters)
  })

  it('prints seed, token and key URI with --reveal', async () => {
    const cwd = await makeStore([], ['--agent', 'billing'])
    const { peers } = parseJson(await runCli(['add-peer', 'alice', '--reveal', '--json'], { cwd })) as {
      peers: { seed: string; token: string; uri: string }[]
    }
    const alice = await clientOf(cwd, 'alice')
    expect(peers[0]).toMatchObject({ seed: alice['seed'], token: alice['token'] })
    expect(peers[0]?.uri).toBe(
      `otpauth://totp/billing:alice?issuer=billing&secret=${String(alice['seed'])}&algorithm=SHA1&digits=6&period=30`,
    )
    const text = await runCli(['add-peer', 'bob', '--reveal'], { cwd })
    expect(text.stdout).toContain(String((await clientOf(cwd, 'bob'))['token']))
  })

  it('keeps what a peer was made with', async () => {
    const cwd = await makeStore([], ['--digits', '7'])
    await runCli(
      ['add-peer', 'alice', '--digits', '8', '--period', '60', '--replay', 'once', '--note', 'CI'],
      { cwd },
    )
    await runCli(['add-peer', 'bob'], { cwd })
    const { peers } = parseJson(await runCli(['list', '--json'], { cwd })) as {
      peers: Record<string, unknown>[]
    }
    expect(peers).toMatchObject([
      { name: 'alice', digits: 8, period: 60, replay: 'once', note: 'CI' },
      { name: 'bob', digits: 7, period: 30, replay: 'reuse', note: null },
    ])
  })

  it('takes a seed and a token that somebody else issued', async () => {
    const cwd = await makeStore()
    const seed = rfcSeed.toLowerCase().replace(/(.{4})/g, '$1 ')
    const token = 'abc.DEF-123_~+/q8RtYw2ZxN5=='
    const run = await runCli(['add-peer', 'alice', '--seed-file', '-'], { cwd, stdin: `${seed}\n` })
    expect(run.exitCode).toBe(0)
    expect(
      (await runCli(['add-peer', 'bob', '--token-file', '-'], { cwd, stdin: `${token}\n` })).exitCode,
    ).toBe(0)
    expect((await clientOf(cwd, 'alice'))['seed']).toBe(rfcSeed)
    expect((await clientOf(cwd, 'bob'))['token']).toBe(token)
    const code = await runCli(['code', 'alice', '--at', '59'], { cwd })
    expect(code.stdout).toBe('287082\n')
  })

  it.each([
    ['an unknown letter', 'GEZDGNBVGY3TQOJ1', 'ERR_SEED_INVALID'],
    ['nothing', '', 'ERR_SEED_INVALID'],
    ['a cut-off seed', `${rfcSeed}A`, 'ERR_SEED_INVALID'],
    ['80 bits', 'JBSWY3DPEHPK3PXP', 'ERR_SEED_WEAK'],
  ])('refuses a seed of %s, does not echo it, and adds nobody', async (_, seed, code) => {
    const cwd = await makeStore(['bob'])
    const before = bytesOf(cwd)
    const run = await runCli(['add-peer', 'alice', '--seed-file', '-'], { cwd, stdin: seed })
    expect(run).toMatchObject({ exitCode: 2, stdout: '' })
    expect(run.stderr).toContain(`(${code})`)
    if (seed) expect(run.stderr).not.toContain(seed)
    expect(bytesOf(cwd)).toBe(before)
  })

  it('takes a weak seed only when told to', async () => {
    const cwd = await makeStore()
    const args = ['add-peer', 'alice', '--seed-file', '-', '--allow-weak-seed']
    expect((await runCli(args, { cwd, stdin: 'JBSWY3DPEHPK3PXP' })).exitCode).toBe(0)
    const code = await runCli(['code', 'alice', '--at', '59'], { cwd })
    expect(code.exitCode).toBe(0)
    expect(code.stderr).toContain('warning: this seed has 80 bits')
    const server = await runCli(['config', 'server'], { cwd })
    expect(server).toMatchObject({ exitCode: 3, stdout: '' })
    expect(server.stderr).toMatch(/the seed of alice has less than 128 bits.*rotate alice --seed --now/)
    expect((await runCli(['config', 'server', '--format', 'env'], { cwd })).stderr).toBe('')
  })

  it.each(['not a token', 'täst', 'a=b', '', 'two\nlines'])('refuses the token %j', async (token) => {
    const cwd = await makeStore()
    const before = bytesOf(cwd)
    const run = await runCli(['add-peer', 'alice', '--token-file', '-'], { cwd, stdin: token })
    expect(run).toMatchObject({ exitCode: 2, stdout: '' })
    expect(bytesOf(cwd)).toBe(before)
  })

  it('refuses a token that tells two peers apart no longer', async () => {
    const cwd = await makeStore()
    await runCli(['add-peer', 'alice', '--token-file', '-'], { cwd, stdin: 'same-token-0aZ9bY8cX7dW6eV5f' })
    const run = await runCli(['add-peer', 'bob', '--token-file', '-'], {
      cwd,
      stdin: 'same-token-0aZ9bY8cX7dW6eV5f',
    })
    expect(run).toMatchObject({ exitCode: 2, stdout: '' })
    expect(run.stderr).not.toContain('same-token-0aZ9bY8cX7dW6eV5f')
  })

  it('adds all names or none', async () => {
    const cwd = await makeStore(['bob'])
    const before = bytesOf(cwd)
    const run = await runCli(['add-peer', 'alice', 'bob', 'carol'], { cwd })
    expect(run).toMatchObject({ exitCode: 1, stdout: '' })
    expect(run.stderr).toContain('(ERR_PEER_EXISTS)')
    expect(bytesOf(cwd)).toBe(before)
    const missing = await runCli(['add-peer', 'alice', 'bob', '--if-missing', '--json'], { cwd })
    expect(parseJson(missing)).toMatchObject({ peers: [{ name: 'alice' }] })
    const nothing = await runCli(['add-peer', 'bob', '--if-missing'], { cwd })
    expect(nothing).toMatchObject({ exitCode: 0, stdout: '' })
    expect(nothing.stderr).toBe('already exists, not changed: bob\n')
  })

  it.each([
    [['add-peer']],
    [['add-peer', '-bad']],
    [['add-peer', 'a/b']],
    [['add-peer', 'ünïcode']],
    [['add-peer', 'x'.repeat(65)]],
    [['add-peer', 'alice', 'alice']],
    [['add-peer', 'alice', 'bob', '--seed-file', '-']],
    [['add-peer', 'alice', '--seed-file', '-', '--token-file', '-']],
    [['add-peer', 'alice', '--digits', '5']],
    [['add-peer', 'alice', '--seed=GEZDGNBVGY3TQOJQ']],
  ])('refuses %j as wrong usage', async (args) => {
    const cwd = await makeStore()
    const before = bytesOf(cwd)
    const run = await runCli(args, { cwd })
    expect(run).toMatchObject({ exitCode: 2, stdout: '' })
    expect(run.stderr).toMatch(/^error: [^\n]*\(ERR_[A-Z_]+\)\n$/)
    expect(run.stderr).not.toContain('GEZDGNBVGY3TQOJQ')
    expect(bytesOf(cwd)).toBe(before)
  })

  it('says where a seed file is missing without repeating what was given', async () => {
    const cwd = await makeStore()
    const run = await runCli(['add-peer', 'alice', '--seed-file', rfcSeed], { cwd })
    expect(run).toMatchObject({ exitCode: 3, stdout: '' })
    expect(run.stderr).toContain('--seed-file')
    expect(run.stderr).not.toContain(rfcSeed)
  })

  it('asks for a store first', async () => {
    const run = await runCli(['add-peer', 'alice'], { cwd: makeFolder() })
    expect(run).toMatchObject({ exitCode: 3, stdout: '' })
    expect(run.stderr).toContain('a2a-totp init')
  })

  it('takes names that JavaScript objects have already', async () => {
    const names = ['constructor', 'toString', 'hasOwnProperty', '0', '42']
    const cwd = await makeStore(names)
    const { peers } = parseJson(await runCli(['list', '--json'], { cwd })) as { peers: { name: string }[] }
    expect(new Set(peers.map(({ name }) => name))).toEqual(new Set(names))
    expect((await runCli(['code', 'valueOf'], { cwd })).exitCode).toBe(1)
    const server = parseJson(await runCli(['config', 'server'], { cwd })) as {
      peers: Record<string, unknown>
    }
    expect(new Set(Object.keys(server.peers))).toEqual(new Set(names))
  })
})
