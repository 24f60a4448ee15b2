import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeFolder, parseJson, runCli, type CliRun } from '../support/cli.js'

const weak = 'GEZDGNBVGY3TQOJQ'

async function emptyStore(...init: string[]): Promise<string> {
  const cwd = makeFolder()
  expect((await runCli(['init', ...init], { cwd })).exitCode).toBe(0)
  return cwd
}

const give = async (cwd: string, stdin: string, ...args: string[]): Promise<CliRun> =>
  runCli(['import', '-', ...args], { cwd, stdin })

const textOf = (cwd: string): string => readFileSync(join(cwd, 'a2a-totp.json'), 'utf8')

/** The server file of an agent that has no peers. */
async function serverFile(...init: string[]): Promise<string> {
  const cwd = await emptyStore('--agent', 'billing', ...init)
  await runCli(['add-peer', 'alice'], { cwd })
  await runCli(['remove-peer', 'alice', '--yes'], { cwd })
  return (await runCli(['config', 'server'], { cwd })).stdout
}

describe('import of the server file of an agent without peers', () => {
  it('takes its name, profile and serial, as it says', async () => {
    const file = await serverFile('--window', '2', '--header', 'X-Code')
    const cwd = await emptyStore()
    const run = await give(cwd, file)
    expect(run.stdout).toBe('imported 0, skipped 0\n')
    expect(run.stderr).toContain('took the name and profile of agent billing from the file')
    const { agent, profile } = parseJson(await runCli(['list', '--json'], { cwd }))
    expect(agent).toBe('billing')
    expect(profile).toMatchObject({ window: 2, header: 'X-Code' })
    const { serial } = JSON.parse(file) as { serial: number }
    expect((JSON.parse(textOf(cwd)) as { serial: number }).serial).toBeGreaterThanOrEqual(serial)
  })

  it('takes the serial where nothing else differs, and does not claim to take a profile', async () => {
    const cwd = await emptyStore('--agent', 'billing')
    const file = await serverFile()
    expect((await give(cwd, file)).stderr).not.toContain('took')
    const { serial } = JSON.parse(file) as { serial: number }
    const after = textOf(cwd)
    expect((JSON.parse(after) as { serial: number }).serial).toBeGreaterThanOrEqual(serial)
    await give(cwd, file)
    expect(textOf(cwd), 'a second import changes nothing').toBe(after)
  })
})

describe('import of a client fragment', () => {
  it('takes nothing of the agent from one that it does not take', async () => {
    const fragment = {
      ...{ agent: 'billing', url: 'https://billing.example/a2a', header: 'X-Code', window: 2 },
      ...{ peer: 'alice', seed: weak, token: 'a2at_0123456789012345678901234567890123456789012' },
    }
    const cwd = await emptyStore()
    const before = textOf(cwd)
    const run = await give(cwd, JSON.stringify(fragment), '--partial')
    expect(run.stdout).toBe('imported 0, skipped 1\n')
    expect(run.stderr).not.toContain('took')
    expect(textOf(cwd)).toBe(before)
    const taken = await give(cwd, JSON.stringify(fragment), '--allow-weak-seed')
    expect(taken.stderr).toContain('took the name billing, the URL https://billing.example/a2a')
  })
})
