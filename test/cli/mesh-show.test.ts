import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeFolder, parseJson, runCli, type CliRun } from '../support/cli.js'

const file = `version: 1
agents:
  billing: { url: https://billing.example, replay: once }
  crm: { url: https://crm.example, replay: once }
peers:
  alice: { calls: [billing, crm] }
  crm: { calls: [billing] }
`

interface Shown {
  readonly storesRead: number
  readonly agents: readonly {
    readonly name: string
    readonly store: string
    readonly problem: string | null
  }[]
  readonly edges: readonly { readonly peer: string; readonly agent: string; readonly state: string }[]
  readonly undeclared: readonly object[]
}

/** A folder with a mesh file, and the store of billing: alice is in it, and mallory, whom the file does not name. */
async function makeMesh(init: readonly string[] = [], env: Record<string, string> = {}): Promise<string> {
  const cwd = makeFolder()
  mkdirSync(join(cwd, 'stores'), { mode: 0o700 })
  writeFileSync(join(cwd, 'mesh.yaml'), file)
  const store = ['--store', join(cwd, 'stores/billing.json')]
  await runCli([...store, 'init', '--agent', 'billing', ...init], { cwd, env })
  const { exitCode, stderr } = await runCli([...store, 'add-peer', 'alice', 'mallory'], { cwd, env })
  expect(exitCode, stderr).toBe(0)
  return cwd
}

const show = (cwd: string, ...args: readonly string[]): Promise<CliRun> =>
  runCli(['mesh', 'show', ...args], { cwd })
const shown = (run: CliRun): Shown => parseJson(run) as unknown as Shown

describe('mesh show', () => {
  it('refuses an --out whose name says another format, and draws a table in a text file', async () => {
    const cwd = await makeMesh()
    const run = await show(cwd, '--out', 'mesh.pdf')
    expect(run).toMatchObject({ exitCode: 2, stdout: '' })
    expect(run.stderr).toContain('.svg')
    expect(existsSync(join(cwd, 'mesh.pdf'))).toBe(false)
    expect(await show(cwd, '--out', 'mesh.txt')).toMatchObject({ exitCode: 0 })
  })

  it('shows the file, what its stores have, and who else is let in', async () => {
    const cwd = await makeMesh()
    const run = await show(cwd, '--json')
    expect(run).toMatchObject({ exitCode: 0, stderr: '' })
    const { storesRead, edges, undeclared } = shown(run)
    expect([storesRead, edges.map(({ state }) => state), undeclared]).toEqual([
      1,
      ['live', 'missing', 'missing'],
      [{ peer: 'mallory', agent: 'billing' }],
    ])
    const table = await show(cwd)
    expect(table.stdout).toContain('mallory -> billing: not in the file')
    expect(table.stdout).toMatch(/^alice +oo +oa\+$/m)
  })

  it('asks for no key: a locked store is drawn from the file, and named', async () => {
    const identity = await generateX25519Identity()
    const env = { A2A_TOTP_IDENTITY: identity }
    const cwd = await makeMesh(['--encrypt-to', await identityToRecipient(identity)], env)
    const run = await show(cwd, '--format', 'json')
    expect(run).toMatchObject({ exitCode: 0 })
    expect(run.stderr).toContain('stores could not be read: billing')
    expect(shown(run).agents[0]).toMatchObject({
      store: 'locked',
      problem: expect.stringContaining('$A2A_TOTP_IDENTITY') as string,
    })
    const opened = await runCli(['mesh', 'show', '--json'], { cwd, env })
    expect(shown(opened).agents[0]).toMatchObject({ store: 'read', problem: null })
  })

  it('takes the store of another agent for none of its own', async () => {
    const cwd = await makeMesh()
    writeFileSync(
      join(cwd, 'mesh.yaml'),
      file.replaceAll('billing', 'payments').replace('replay: once', 'store: stores/billing.json'),
    )
    const { agents, edges } = shown(await show(cwd, '--json'))
    expect(agents[0]).toMatchObject({
      store: 'unusable',
      problem: expect.stringContaining('"billing"') as string,
    })
    expect(edges[0]).toMatchObject({ state: 'unknown' })
  })

  it('opens no store with --no-stores, and then shows the same bytes on every day', async () => {
    const cwd = await makeMesh()
    for (const format of ['table', 'json', 'mermaid', 'svg', 'html']) {
      const on = async (day: string): Promise<string> => {
        const now = new Date(`${day}T00:00:00Z`)
        return (await runCli(['mesh', 'show', '--no-stores', '--format', format], { cwd, now })).stdout
      }
      expect(await on('2026-03-01')).toBe(await on('2026-09-01'))
      expect(await on('2026-03-01')).not.toContain('mallory')
    }
    expect((await show(cwd, '--no-stores')).stderr).toContain('drawn from the file alone')
  })

  it('writes what the name of the file ends in, readable only by its owner', async () => {
    const cwd = await makeMesh()
    const starts = {
      'm.svg': /^<\?xml/,
      'm.html': /^<!doctype html>/,
      'm.mmd': /^flowchart/,
      'm.json': /^\{/,
      'm.txt': /^mesh\.yaml:/,
    }
    for (const [name, start] of Object.entries(starts)) {
      expect(await show(cwd, '--out', name)).toMatchObject({ exitCode: 0, stdout: '' })
      expect(readFileSync(join(cwd, name), 'utf8')).toMatch(start)
      expect(statSync(join(cwd, name)).mode & 0o777).toBe(0o600)
    }
    expect(await show(cwd, '--out', 'm.svg')).toMatchObject({ exitCode: 1 })
  })

  it('replaces neither the mesh file nor a store, even with --force', async () => {
    const cwd = await makeMesh()
    const before = readFileSync(join(cwd, 'stores/billing.json'), 'utf8')
    for (const out of ['mesh.yaml', 'stores/billing.json', 'stores/../stores/crm.json']) {
      const run = await show(cwd, '--force', '--out', out)
      expect(run.stderr).toContain('ERR_FILE_EXISTS')
    }
    expect(readFileSync(join(cwd, 'mesh.yaml'), 'utf8')).toBe(file)
    expect(readFileSync(join(cwd, 'stores/billing.json'), 'utf8')).toBe(before)
    expect(existsSync(join(cwd, 'stores/crm.json'))).toBe(false)
  })

  it('prints a picture as one document with --json', async () => {
    const cwd = await makeMesh()
    expect(parseJson(await show(cwd, '--json', '--format', 'mermaid'))).toMatchObject({
      format: 'mermaid',
      content: expect.stringMatching(/^flowchart LR\n/) as string,
    })
  })
})
