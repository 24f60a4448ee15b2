import { describe, expect, it } from 'vitest'
import { makeFolder, runCli, type CliRun } from '../support/cli.js'

async function give(document: unknown): Promise<CliRun> {
  const cwd = makeFolder()
  await runCli(['init'], { cwd })
  return runCli(['import', '-', '--json'], { cwd, stdin: JSON.stringify(document) })
}

describe('import', () => {
  it('warns of credentials that have expired already, also of new ones', async () => {
    const { exitCode, stderr } = await give([
      { name: 'alice', expiresAt: '2020-01-01T00:00:00Z' },
      { name: 'bob', expiresAt: '9999-01-01T00:00:00Z' },
      { name: 'carol' },
    ])
    expect(exitCode).toBe(0)
    expect(stderr).toBe(
      'warning: what was imported for alice has expired already; run a2a-totp rotate NAME\n',
    )
  })
})

describe('export', () => {
  it.each([
    [['--replay', 'once'], 'init --replay once --signed accept'],
    [['--signed', 'require'], 'init --signed require'],
  ])('of a store made with %s warns that its policies are not in it', async (init, advice) => {
    const cwd = makeFolder()
    await runCli(['init', ...init], { cwd })
    await runCli(['add-peer', 'alice'], { cwd })
    await runCli(['add-peer', 'bob', '--replay', 'reuse', '--signed', 'observe'], { cwd })
    const { stderr } = await runCli(['export', '--reveal'], { cwd })
    expect(stderr).toContain(
      `the policies of the agent, which alice follows: import into a store made with ${advice}`,
    )
  })

  it('says nothing of policies that every new store has', async () => {
    const cwd = makeFolder()
    await runCli(['init'], { cwd })
    await runCli(['add-peer', 'alice'], { cwd })
    expect((await runCli(['export', '--reveal'], { cwd })).stderr).not.toContain('policies')
  })
})
