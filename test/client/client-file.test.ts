import { chmodSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { parseClientFile } from '../../src/client/file/client-file.js'
import { BearerTokenAuth, TOTPClientAuthScheme } from '../../src/client/index.js'
import { Seed } from '../../src/core/seed.js'
import { generateCode } from '../../src/core/totp.js'
import { defaultProfile } from '../../src/core/profile.js'
import { makeFolder, makeStore, runCli } from '../support/cli.js'
import { readByDotenv } from '../support/env-readers.js'
import { failureOf } from '../support/failure.js'

const seed = (byte: number): string => Seed.fromBytes(Buffer.alloc(20, byte)).base32
const token = (letter: string): string => letter.repeat(43)

/** One agent, as a client file has it. */
const entry = (more: object = {}): Record<string, unknown> => ({
  ...{ url: null, token: token('t'), seed: seed(1), replay: 'reuse', signed: 'off' },
  ...more,
})

const fileWith = (agents: Record<string, object>): string =>
  JSON.stringify({ version: 1, peer: 'alice', agents })

function written(text: string): string {
  const path = join(makeFolder(), 'alice.json')
  writeFileSync(path, text, { mode: 0o600 })
  return path
}

/** How long a proof for a request lives, in seconds. */
async function proofLifeOf(scheme: TOTPClientAuthScheme): Promise<number> {
  const request = { binding: 'http', method: 'GET', url: 'https://h/', headers: {} } as const
  const { 'Signature-Input': input = '' } = await scheme.authorize(request)
  const [, created, expires] = /created=(\d+);expires=(\d+)/.exec(input) ?? []
  return Number(expires) - Number(created)
}

describe('a client file', () => {
  it('is what config client prints', async () => {
    const cwd = await makeStore(['alice'], ['--agent', 'billing', '--digits', '8', '--signed', 'accept'])
    const { stdout } = await runCli(['config', 'client', 'alice', '--format', 'json'], { cwd })
    const path = written(stdout)
    const scheme = TOTPClientAuthScheme.fromFile(path)
    const { seed: base32, token: bearer } = JSON.parse(stdout) as { seed: string; token: string }
    expect(scheme).toMatchObject({ agent: 'billing', signed: 'accept', replay: 'reuse', signs: true })
    expect(scheme.profile).toMatchObject({ digits: 8, window: 1 })
    const headers = await scheme.authorize({})
    expect(headers['Authorization']).toBe(`Bearer ${bearer}`)
    expect(headers['X-TOTP']).toBe(
      generateCode(Seed.fromBase32(base32), { ...defaultProfile, digits: 8 }, new Date()),
    )
    scheme.close()
  })

  it('has proofs live as long as the variables of the same peer do', async () => {
    const cwd = await makeStore(['alice'], ['--agent', 'billing', '--signed', 'accept'])
    const printed = async (format: string): Promise<string> =>
      (await runCli(['config', 'client', 'alice', '--format', format], { cwd })).stdout
    for (const [name, value] of Object.entries(readByDotenv(await printed('env')))) vi.stubEnv(name, value)
    const ofVariables = new TOTPClientAuthScheme({ delegate: new BearerTokenAuth() })
    vi.unstubAllEnvs()
    const ofFile = TOTPClientAuthScheme.fromFile(written(await printed('json')))
    expect([await proofLifeOf(ofFile), await proofLifeOf(ofVariables)]).toEqual([60, 60])
    ofFile.close()
  })

  it('may have several agents, of which one is named', async () => {
    const path = written(fileWith({ billing: entry(), stock: entry({ token: token('s') }) }))
    const scheme = TOTPClientAuthScheme.fromFile(path, { agent: 'stock' })
    expect(await scheme.authorize({})).toMatchObject({ Authorization: `Bearer ${token('s')}` })
    expect(scheme.agent).toBe('stock')
    scheme.close()
    expect(() => TOTPClientAuthScheme.fromFile(path)).toThrow(/several agents; name one of billing, stock/)
    expect(() => TOTPClientAuthScheme.fromFile(path, { agent: 'shop' })).toThrow(
      /does not have the agent shop/,
    )
  })

  it('of one agent may have it at the top alone', () => {
    const file = parseClientFile(JSON.stringify({ version: 1, agent: 'billing', ...entry() }))
    expect([...file.agents.keys()]).toEqual(['billing'])
  })

  it.each([
    ['{', /not JSON/],
    ['{# A2A_TOTP_SEED=0189', /not JSON: line 1, column 2: (?!.*format env)/],
    ['# of alice\n\nA2A_TOTP_SEED=0189\n', /not JSON: line 1.*looks like --format env; use .*--format json/],
    ['export A2A_TOTP_SEED=0189', /looks like --format env/],
    ['[]', /must be a JSON object/],
    ['{}', /version must be 1/],
    ['{"version":2}', /version must be 1/],
    ['{"version":1}', /has no agents/],
    [fileWith({ billing: entry({ token: 'two words' }) }), /agents\.billing\.token: token is not/],
    [fileWith({ billing: entry({ seed: '0189' }) }), /agents\.billing\.seed: /],
    [fileWith({ billing: { token: token('t') } }), /agents\.billing\.seed is missing/],
    [fileWith({ billing: entry({ digits: 9 }) }), /agents\.billing\.digits must be/],
    [fileWith({ billing: entry({ signed: 'maybe' }) }), /agents\.billing\.signed: /],
    [fileWith({ billing: entry({ url: 'ftp://agent' }) }), /agents\.billing\.url must be/],
    [fileWith({ 'no name': entry() }), /name of an agent must be/],
    ['{"version":1,"agents":{"a":{},"a":{}}}', /twice|repeat/],
  ])('that is wrong names the field and not its value: %s', (text, message) => {
    const error = failureOf(() => parseClientFile(text)).message
    expect(error).toMatch(message)
    expect(error).not.toMatch(/two words|0189|maybe|ftp:/)
  })

  it('is followed, and credentials that are replaced are used from then on', async () => {
    const path = written(fileWith({ billing: entry() }))
    const scheme = TOTPClientAuthScheme.fromFile(path)
    writeFileSync(`${path}.new`, fileWith({ billing: entry({ token: token('n'), digits: 8 }) }))
    renameSync(`${path}.new`, path)
    await vi.waitFor(async () =>
      expect(await scheme.authorize({})).toMatchObject({ Authorization: `Bearer ${token('n')}` }),
    )
    expect(scheme.profile.digits).toBe(8)
    scheme.close()
  })

  it('is followed by its path, where a link is swapped as a mounted secret is', async () => {
    const [first, second] = [
      written(fileWith({ billing: entry() })),
      written(fileWith({ billing: entry({ token: token('n') }) })),
    ]
    const link = join(makeFolder(), 'link.json')
    symlinkSync(first, link)
    const scheme = TOTPClientAuthScheme.fromFile(link)
    symlinkSync(second, `${link}.new`)
    renameSync(`${link}.new`, link)
    await vi.waitFor(async () =>
      expect(await scheme.authorize({})).toMatchObject({ Authorization: `Bearer ${token('n')}` }),
    )
    scheme.close()
  })

  it('that breaks leaves the last good credentials in force, and is a warning each time', async () => {
    const path = written(fileWith({ billing: entry() }))
    const warnings: string[] = []
    const scheme = TOTPClientAuthScheme.fromFile(path, {
      onWarning: (message) => void warnings.push(message),
    })
    writeFileSync(path, fileWith({ billing: entry({ seed: '0189' }) }))
    await vi.waitFor(() => expect(warnings).toHaveLength(1))
    expect(warnings[0]).toMatch(/^client file .*alice\.json: agents\.billing\.seed: .*stay in force/)
    expect(await scheme.authorize({})).toMatchObject({ Authorization: `Bearer ${token('t')}` })
    writeFileSync(path, fileWith({ shop: entry(), stock: entry() }))
    await vi.waitFor(() => expect(warnings).toHaveLength(2))
    expect(warnings[1]).toMatch(/several agents/)
    writeFileSync(path, fileWith({ billing: entry({ token: token('n') }) }))
    await vi.waitFor(async () =>
      expect(await scheme.authorize({})).toMatchObject({ Authorization: `Bearer ${token('n')}` }),
    )
    scheme.close()
  })

  it('that everybody can read is a warning', () => {
    const path = written(fileWith({ billing: entry() }))
    chmodSync(path, 0o644)
    const warnings: string[] = []
    TOTPClientAuthScheme.fromFile(path, { onWarning: (message) => void warnings.push(message) }).close()
    expect(warnings).toEqual([expect.stringMatching(/every user of this machine can read/)])
  })

  it('that is missing is an error that names it', () => {
    const path = join(makeFolder(), 'none.json')
    expect(() => TOTPClientAuthScheme.fromFile(path)).toThrow(`client file ${path}: cannot be read`)
  })
})

describe('credentials that are replaced', () => {
  it('keep the time steps of a seed that stays: under once none is used twice', async () => {
    let at = 0
    const options = {
      delegate: { headers: () => Promise.resolve({}) },
      seed: seed(1),
      replay: 'once',
    } as const
    const sleep = vi.fn((ms: number) => Promise.resolve(void (at += ms)))
    const scheme = new TOTPClientAuthScheme({ ...options, now: () => new Date(at), sleep })
    const first = await scheme.authorize({})
    scheme.use({ ...options, delegate: { headers: () => Promise.resolve({ Authorization: 'Bearer new' }) } })
    const second = await scheme.authorize({})
    expect(second['X-TOTP']).not.toBe(first['X-TOTP'])
    expect(sleep).toHaveBeenCalledOnce()
    scheme.use({ ...options, seed: seed(2) })
    await scheme.authorize({})
    expect(sleep).toHaveBeenCalledOnce()
  })

  it('stay as they are if the new ones are wrong', async () => {
    const delegate = { headers: () => Promise.resolve({}) }
    const scheme = new TOTPClientAuthScheme({ delegate, seed: seed(1), now: () => new Date(0) })
    const before = await scheme.authorize({})
    expect(() => scheme.use({ delegate, seed: '0189' })).toThrow()
    expect(await scheme.authorize({})).toEqual(before)
  })
})
