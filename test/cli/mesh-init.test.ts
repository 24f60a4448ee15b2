import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateIdentity, identityToRecipient } from 'age-encryption'
import { describe, expect, it } from 'vitest'
import { parseMesh } from '../../src/mesh/file/parse.js'
import { makeFolder, parseJson, runCli, type CliRun } from '../support/cli.js'

/** A folder with the stores `billing.json` and `mail.json`, which have the peer alice in common. */
async function makeStores(): Promise<string> {
  const cwd = makeFolder()
  const lines = [
    ['--store', 'billing.json', 'init', '--agent', 'billing', '--url', 'https://billing.example', '--strict'],
    ['--store', 'billing.json', 'add-peer', 'alice', 'bob', '--note', 'nightly'],
    ['--store', 'mail.json', 'init', '--agent', 'mail', '--url', 'https://mail.example'],
    ['--store', 'mail.json', 'add-peer', 'alice'],
    ['--store', 'mail.json', 'add-peer', 'trap', '--canary'],
  ]
  for (const line of lines) {
    const { exitCode, stderr } = await runCli(line, { cwd })
    if (exitCode !== 0) throw new Error(stderr)
  }
  return cwd
}

const init = (cwd: string, ...args: string[]): Promise<CliRun> => runCli(['mesh', 'init', ...args], { cwd })
const textOf = (cwd: string, file = 'mesh.yaml'): string => readFileSync(join(cwd, file), 'utf8')

describe('mesh init STORE...', () => {
  it('writes what the stores hold, and prints where', async () => {
    const cwd = await makeStores()
    const run = await init(cwd, 'billing.json', 'mail.json', './billing.json')
    expect(run).toEqual({
      exitCode: 0,
      stdout: `${cwd}/mesh.yaml\n`,
      stderr: '2 agents, 3 edges\nnext: a2a-totp mesh plan\n',
    })
    const { agents, edges } = parseMesh(textOf(cwd), join(cwd, 'mesh.yaml'))
    expect([...agents.values()]).toMatchObject([
      { name: 'billing', url: 'https://billing.example', store: `${cwd}/billing.json`, signed: 'require' },
      { name: 'mail', url: 'https://mail.example', store: `${cwd}/mail.json`, signed: 'observe' },
    ])
    expect(edges.map(({ peer, agent, note }) => [peer, agent, note])).toEqual([
      ['alice', 'billing', 'nightly'],
      ['alice', 'mail', undefined],
      ['bob', 'billing', 'nightly'],
    ])
    expect(textOf(cwd)).not.toMatch(/trap|a2at_/)
    expect(statSync(join(cwd, 'mesh.yaml')).mode & 0o777).toBe(0o600)
  })

  it('names stores relative to the file, wherever that is, and prints JSON', async () => {
    const cwd = await makeStores()
    mkdirSync(join(cwd, 'ops'))
    const run = await init(cwd, 'mail.json', '--out', 'ops/team.yaml', '--json')
    expect(parseJson(run)).toEqual({ file: `${cwd}/ops/team.yaml`, agents: ['mail'], peers: ['alice'] })
    expect(textOf(cwd, 'ops/team.yaml')).toContain('    store: ../mail.json\n')
    symlinkSync(join(cwd, 'ops'), join(cwd, 'link'))
    expect((await init(cwd, 'mail.json', '--file', 'link/other.yaml')).exitCode).toBe(0)
    expect(textOf(cwd, 'ops/other.yaml')).toContain('    store: ../mail.json\n')
  })

  it('replaces no file without --force, nor puts one before a mesh.json that is in use', async () => {
    const cwd = await makeStores()
    writeFileSync(join(cwd, 'mesh.json'), '{}')
    const refused = await init(cwd, 'mail.json')
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' })
    expect(refused.stderr).toContain(`${cwd}/mesh.json already exists`)
    expect(existsSync(join(cwd, 'mesh.yaml'))).toBe(false)
    expect((await init(cwd, 'mail.json', '--out', 'mesh.yaml')).exitCode).toBe(0)
    expect((await init(cwd, 'billing.json', '--out', 'mesh.yaml')).exitCode).toBe(1)
    expect(textOf(cwd)).toContain('mail')
    expect((await init(cwd, 'billing.json', '--force')).exitCode).toBe(0)
    expect(textOf(cwd)).not.toContain('mail')
  })

  it('leaves the url empty where a store has none, and names the agent', async () => {
    const cwd = await makeStores()
    await runCli(['--store', 'bare.json', 'init', '--agent', 'bare'], { cwd })
    const run = await init(cwd, 'bare.json', 'mail.json')
    expect(run.exitCode).toBe(0)
    expect(run.stderr).toContain('fill in the empty url of bare in the file: its store has none')
    expect(textOf(cwd)).toContain('  bare:\n    url:   # the store has none')
  })

  it.each<[string, (cwd: string) => Promise<readonly string[]>, number, string]>([
    ['a store that is not there', () => Promise.resolve(['none.json']), 3, 'ERR_STORE_MISSING'],
    [
      'two stores of one agent',
      async (cwd) => {
        await runCli(['--store', 'other.json', 'init', '--agent', 'mail'], { cwd })
        return ['mail.json', 'other.json']
      },
      3,
      'mail.json and other.json are both of an agent named "mail"',
    ],
    [
      'a store with one seed for all',
      async (cwd) => {
        await runCli(['--store', 'shared.json', 'init', '--agent', 'shared', '--shared-seed'], { cwd })
        return ['shared.json']
      },
      3,
      'has one seed for all peers, and a mesh has one for each edge',
    ],
    [
      'a store that others can read',
      (cwd) => {
        chmodSync(join(cwd, 'mail.json'), 0o644)
        return Promise.resolve(['mail.json'])
      },
      3,
      'ERR_STORE_PERMISSIONS',
    ],
    [
      'two names of the file',
      () => Promise.resolve(['mail.json', '--out', 'a', '--file', 'b']),
      2,
      'omit one',
    ],
    ['an empty name', () => Promise.resolve(['mail.json', '--out', '']), 2, '--out needs the path'],
    ['standard output', () => Promise.resolve(['mail.json', '--out', '-']), 2, '--out needs the path'],
  ])('writes nothing for %s', async (_, argsOf, exitCode, words) => {
    const cwd = await makeStores()
    const run = await init(cwd, ...(await argsOf(cwd)))
    expect(run).toMatchObject({ exitCode, stdout: '' })
    expect(run.stderr).toContain(words)
    expect(existsSync(join(cwd, 'mesh.yaml'))).toBe(false)
  })

  it('reads encrypted stores with one key', async () => {
    const cwd = await makeStores()
    const identity = await generateIdentity()
    const recipient = await identityToRecipient(identity)
    const env = { A2A_TOTP_IDENTITY: identity }
    for (const store of ['billing.json', 'mail.json'])
      await runCli(['--store', store, 'encrypt', '--encrypt-to', recipient], { cwd })
    expect((await init(cwd, 'billing.json', 'mail.json')).stderr).toContain('ERR_STORE_KEY_MISSING')
    const run = await runCli(['mesh', 'init', 'billing.json', 'mail.json'], { cwd, env })
    expect(run.exitCode).toBe(0)
  })

  it('says so where commands will not find the file', async () => {
    const cwd = await makeStores()
    mkdirSync(join(cwd, 'open'))
    chmodSync(join(cwd, 'open'), 0o777)
    const { stderr } = await init(cwd, 'mail.json', '--out', 'open/mesh.yaml')
    expect(stderr).toContain('commands ignore this file unless --file or $A2A_TOTP_MESH names it')
  })
})

describe('mesh init without a store', () => {
  it('writes an example that is valid as it is', async () => {
    const cwd = makeFolder()
    const run = await init(cwd)
    expect(run).toMatchObject({ exitCode: 0, stdout: `${cwd}/mesh.yaml\n` })
    expect(run.stderr).toContain('next: edit it, then a2a-totp mesh plan')
    expect(parseMesh(textOf(cwd), join(cwd, 'mesh.yaml')).edges).toHaveLength(1)
    expect(parseJson(await init(cwd, '--json', '--force'))).toEqual({
      file: `${cwd}/mesh.yaml`,
      agents: ['billing'],
      peers: ['alice'],
    })
  })
})

describe('the mesh command', () => {
  it('does not take --store, which the file names, wherever it stands', async () => {
    const cwd = makeFolder()
    for (const args of [
      ['--store', 'x.json', 'mesh', 'init'],
      ['mesh', 'init', '--store', 'x.json'],
      ['mesh', '--store', 'x.json', 'init'],
    ]) {
      const run = await runCli(args, { cwd })
      expect(run).toMatchObject({ exitCode: 2, stdout: '' })
      expect(run.stderr).toContain('--store has no effect on a mesh')
    }
  })
})
