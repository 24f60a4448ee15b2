import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeStore, parseJson, runCli } from '../support/cli.js'
import { temporaryFolder } from '../support/folder.js'

const names = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace', 'heidi', 'ivan', 'judy']

interface Finding {
  readonly id: string
  readonly severity: string
  readonly subject: string
}

describe('what doctor prints', () => {
  it('has one line for each kind of finding, the serious first, and a summary', async () => {
    const cwd = await makeStore(names)
    chmodSync(join(cwd, 'a2a-totp.json'), 0o644)
    const run = await runCli(['doctor'], { cwd })
    const lines = run.stdout.trimEnd().split('\n')
    const ids = lines.map((line) => line.split('  ')[1])
    expect(ids).toEqual(expect.arrayContaining(['store-mode', 'unencrypted', 'replay-reuse', 'guesses']))
    expect(new Set(ids).size).toBe(lines.length)
    expect(lines[0]).toMatch(/^serious {2}/)
    const [reuse] = lines.filter((line) => line.includes('replay-reuse'))
    expect(reuse).toMatch(
      /^note {2}replay-reuse {2}10 peers: alice, bob, carol and 7 more: policy reuse: .*; fix: a2a-totp set --replay once$/,
    )
    const { findings } = parseJson(await runCli(['doctor', '--json'], { cwd })) as { findings: Finding[] }
    const count = (severity: string): number => findings.filter((one) => one.severity === severity).length
    expect(count('note')).toBeGreaterThan(20)
    expect(run.stderr).toMatch(
      new RegExp(`^${count('serious')} serious, ${count('warning')} warnings, ${count('note')} notes$`, 'm'),
    )
  })

  it('names the peers of a fix while they are few, or some have a policy of their own', async () => {
    const cwd = await makeStore(['alice', 'bob'], ['--replay', 'once'])
    await runCli(['add-peer', 'carol', 'dave', '--replay', 'reuse', '--signed', 'off'], { cwd })
    const { stdout } = await runCli(['doctor'], { cwd })
    expect(stdout).toContain('2 peers: carol, dave: policy reuse')
    expect(stdout).toContain('fix: a2a-totp set carol dave --replay once\n')
  })

  it('with --verbose has a block for each finding', async () => {
    const cwd = await makeStore(names)
    const { stdout } = await runCli(['doctor', '--verbose'], { cwd })
    const { findings } = parseJson(await runCli(['doctor', '--json'], { cwd })) as { findings: Finding[] }
    expect(stdout.match(/^ {2}fix: .+$/gm)).toHaveLength(findings.length)
    for (const { severity, subject } of findings) expect(stdout).toContain(`${severity}  ${subject}: `)
  })

  it('names the store in its commands where they would work on another one', async () => {
    const cwd = await makeStore(['alice'])
    const elsewhere = temporaryFolder()
    const path = join(cwd, 'a2a-totp.json')
    const { stdout } = await runCli(['doctor', path], { cwd: elsewhere })
    expect(stdout).toContain(`fix: a2a-totp --store ${path} set alice --replay once`)
    expect((await runCli(['doctor', path], { cwd })).stdout).toContain(
      'fix: a2a-totp set alice --replay once',
    )
    await runCli(['--store', 'other.json', 'init'], { cwd })
    await runCli(['--store', 'other.json', 'add-peer', 'alice'], { cwd })
    const both = await runCli(['doctor', path, 'other.json'], { cwd })
    expect(both.stdout).toContain(
      'fix: a2a-totp set alice --replay once; a2a-totp --store other.json set alice --replay once',
    )
    const { findings } = parseJson(await runCli(['doctor', path, 'other.json', '--json'], { cwd })) as {
      findings: Record<string, string>[]
    }
    const stores = findings.filter(({ id }) => id === 'replay-reuse').map(({ store }) => store)
    expect(stores).toEqual([path, join(cwd, 'other.json')])
  })
})
