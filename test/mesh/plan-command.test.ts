import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeFolder, parseJson, runCli } from '../support/cli.js'

const file = `version: 1
agents:
  billing: {url: "https://billing.example", header: X-TOTP, serverFile: server.json}
peers:
  alice: {calls: [billing]}
`

/** A folder with a mesh, and a store as it was before. */
async function makeMesh(init: readonly string[] = [], peers: readonly string[] = ['alice']): Promise<string> {
  const cwd = makeFolder()
  writeFileSync(join(cwd, 'mesh.yaml'), file, { mode: 0o600 })
  mkdirSync(join(cwd, 'stores'), { mode: 0o700 })
  const store = ['--store', 'stores/billing.json']
  await runCli([...store, 'init', '--agent', 'billing', '--url', 'https://billing.example', ...init], { cwd })
  if (peers.length > 0) await runCli([...store, 'add-peer', ...peers], { cwd })
  return cwd
}

/** Everything in a folder, with times. */
const contentOf = (cwd: string): string[] =>
  readdirSync(cwd, { recursive: true, encoding: 'utf8' }).map((name) => {
    const path = join(cwd, name)
    const { mtimeMs } = statSync(path)
    return statSync(path).isFile() ? `${name} ${mtimeMs} ${readFileSync(path, 'latin1')}` : name
  })

describe('mesh plan', () => {
  it('shows what would change, with what has to be said, and changes nothing', async () => {
    const cwd = await makeMesh(['--header', 'X-Code'], ['alice', 'mallory'])
    const before = contentOf(cwd)
    const { exitCode, stdout, stderr } = await runCli(['mesh', 'plan'], { cwd, env: { LANG: 'C' } })
    expect(exitCode).toBe(0)
    expect(stdout).toBe(
      [
        'billing',
        '  ~ header: X-Code -> X-TOTP (needs --yes)',
        '  - mallory (needs --prune)',
        '  > server file',
        '',
        '1 to change, 1 to remove, 1 to deliver',
        '',
      ].join('\n'),
    )
    expect(stderr).toContain('next: a2a-totp mesh apply')
    expect(contentOf(cwd)).toEqual(before)
  })

  it('says it on one line where nothing has to be done', async () => {
    const cwd = await makeMesh()
    writeFileSync(join(cwd, 'mesh.yaml'), file.replace(', serverFile: server.json', ''))
    const run = await runCli(['mesh', 'plan', '--check'], { cwd })
    expect(run).toMatchObject({ exitCode: 0, stderr: '' })
    expect(run.stdout).toBe('nothing to do: 1 agent and 1 edge are as the file says\n')
  })

  it('names --prune as the next step where all that is left is a removal', async () => {
    const cwd = await makeMesh([], ['alice', 'mallory'])
    writeFileSync(join(cwd, 'mesh.yaml'), file.replace(', serverFile: server.json', ''))
    const { stderr } = await runCli(['mesh', 'plan'], { cwd })
    expect(stderr).toContain('next: a2a-totp mesh apply --prune\n')
  })

  it('exits with 1 for --check where something would change, also for a removal alone', async () => {
    const cwd = await makeMesh([], ['alice', 'mallory'])
    writeFileSync(join(cwd, 'mesh.yaml'), file.replace(', serverFile: server.json', ''))
    const run = await runCli(['mesh', 'plan', '--check', '--json'], { cwd })
    expect(run.exitCode).toBe(1)
    expect(parseJson(run)).toEqual({
      changes: [{ agent: 'billing', peer: 'mallory', action: 'remove', needs: 'prune', done: false }],
      remarks: [],
    })
  })

  it('prints one document with --json, in which nothing is done', async () => {
    const cwd = makeFolder()
    writeFileSync(join(cwd, 'mesh.yaml'), file, { mode: 0o600 })
    const run = await runCli(['mesh', 'plan', '--json'], { cwd })
    expect(run).toMatchObject({ exitCode: 0, stderr: '' })
    expect(parseJson(run)).toEqual({
      changes: [
        { agent: 'billing', action: 'create', done: false },
        { agent: 'billing', peer: 'alice', action: 'create', done: false },
        { agent: 'billing', action: 'deliver', done: false },
      ],
      remarks: [],
    })
  })

  it('takes the mesh file of --file, from another folder', async () => {
    const cwd = await makeMesh()
    const run = await runCli(['mesh', 'plan', '--file', join(cwd, 'mesh.yaml')], { cwd: makeFolder() })
    expect(run).toMatchObject({ exitCode: 0 })
    expect(run.stdout).toContain('server file')
  })

  it('refuses the store of another agent, and names what puts it right', async () => {
    const cwd = await makeMesh()
    await runCli(['--store', 'stores/billing.json', 'rename', '--agent', 'other', '--yes'], { cwd })
    const { exitCode, stdout, stderr } = await runCli(['mesh', 'plan'], { cwd })
    expect([exitCode, stdout]).toEqual([3, ''])
    expect(stderr).toContain('rename --agent billing')
  })
})
