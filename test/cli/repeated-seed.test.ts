import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeFolder, parseJson, runCli, type CliRun } from '../support/cli.js'

const seed = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJR'
const warning = /^warning: bob has a seed that another peer has too, so each can make the codes of the other/m

/** A store with the peer alice, who has the seed. */
async function storeWith(...init: string[]): Promise<string> {
  const cwd = makeFolder()
  writeFileSync(join(cwd, 'seed'), seed)
  await runCli(['init', ...init], { cwd })
  await runCli(['add-peer', 'alice', '--seed-file', 'seed'], { cwd })
  return cwd
}

/** What brings bob, with the seed of alice. */
const sources: Record<string, (cwd: string, ...profile: string[]) => Promise<CliRun>> = {
  'add-peer': async (cwd, ...profile) =>
    runCli(['add-peer', 'bob', '--seed-file', 'seed', ...profile], { cwd }),
  'import of a peer': async (cwd, ...profile) => {
    const words = profile.map((word) => word.replace('--', ''))
    const fields = words.flatMap((word, at) => (at % 2 ? [] : [[word, words[at + 1]]]))
    const peer = { name: 'bob', seed, ...(Object.fromEntries(fields) as object) }
    return runCli(['import', '-'], { cwd, stdin: JSON.stringify([peer]) })
  },
  'import of a server file': async (cwd, ...profile) => {
    const from = makeFolder()
    writeFileSync(join(from, 'seed'), seed)
    await runCli(['init'], { cwd: from })
    await runCli(['add-peer', 'bob', '--seed-file', 'seed', ...profile], { cwd: from })
    const { stdout } = await runCli(['config', 'server'], { cwd: from })
    return runCli(['import', '-', '--force'], { cwd, stdin: stdout })
  },
}

describe.each(Object.entries(sources))('%s, of a seed that another peer has', (_, bring) => {
  it('warns where an agent takes it', async () => {
    const cwd = await storeWith()
    const run = await bring(cwd)
    expect(run.exitCode, run.stderr).toBe(0)
    expect(run.stderr).toMatch(warning)
    expect(await runCli(['config', 'server'], { cwd })).toMatchObject({ exitCode: 0 })
  })

  it.each([
    ['digits', [], ['--digits', '8']],
    ['policy once', [], ['--replay', 'once']],
  ])('refuses it with other %s, which no agent takes', async (__, init, profile) => {
    const cwd = await storeWith(...init)
    const run = await bring(cwd, ...profile)
    expect(run).toMatchObject({ stdout: '' })
    expect(run.exitCode).toBeGreaterThan(1)
    expect(run.stderr).toContain('"bob" has a seed of peer "alice"')
    expect(run.stderr).not.toContain(seed)
    expect(parseJson(await runCli(['list', '--json'], { cwd }))['peers']).toHaveLength(1)
    expect(await runCli(['config', 'server'], { cwd })).toMatchObject({ exitCode: 0 })
  })

  it('takes it under policy once where a proof is required', async () => {
    const cwd = await storeWith('--replay', 'once', '--signed', 'require')
    const run = await bring(cwd, '--replay', 'once', '--signed', 'require')
    expect(run.exitCode, run.stderr).toBe(0)
    expect(run.stderr).toMatch(warning)
    expect(await runCli(['config', 'server'], { cwd })).toMatchObject({ exitCode: 0 })
  })
})

describe('a seed that is nobody else’s', () => {
  it('brings no warning', async () => {
    const cwd = await storeWith()
    const added = await runCli(['add-peer', 'carol', '--seed-file', '-'], {
      cwd,
      stdin: seed.replace(/R$/, 'Q'),
    })
    expect(added.stderr).not.toContain('warning')
  })

  it('is one of several entries of a file, of which --partial keeps the good ones', async () => {
    const cwd = makeFolder()
    await runCli(['init'], { cwd })
    const peers = ['a', 'b', 'c'].map((name) => ({ name, seed, digits: name === 'b' ? 8 : 6 }))
    const run = await runCli(['import', '-', '--partial', '--json'], { cwd, stdin: JSON.stringify(peers) })
    expect(parseJson(run)).toMatchObject({ imported: 2, peers: ['a', 'c'], skipped: 1 })
    expect(run.stderr).toMatch(/^warning: c has a seed that another peer has too/m)
  })
})
