import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { TOTPError } from '../../src/core/errors.js'
import { Token } from '../../src/core/token.js'
import { applyMesh, type Intent } from '../../src/mesh/apply/apply-mesh.js'
import type { MeshWork } from '../../src/mesh/apply/ports.js'
import type { MeshAgent } from '../../src/mesh/file/mesh.js'
import { parseMesh } from '../../src/mesh/file/parse.js'
import { makeFolder, parseJson, runCli } from '../support/cli.js'
import { agentsOf, MeshFolder, places, rowsOf } from '../support/mesh-folder.js'

const calls = (...names: string[]) => ({ calls: names })
const two = {
  defaults: places,
  agents: agentsOf('billing', 'ledger'),
  peers: { alice: calls('billing', 'ledger'), bob: calls('billing') },
}

/** All files of a mesh, with what is in them. */
function contents(mesh: MeshFolder): Record<string, string> {
  return Object.fromEntries(
    ['stores', 'out'].flatMap((folder) =>
      readdirSync(mesh.path(folder)).map((name) => [
        name,
        readFileSync(join(mesh.path(folder), name), 'utf8'),
      ]),
    ),
  )
}

describe('mesh apply', () => {
  it('says on one line what many peers of an agent got, and on one what a peer got', async () => {
    const names = ['p1', 'p2', 'p3', 'p4']
    const mesh = new MeshFolder({
      defaults: places,
      agents: agentsOf('billing', 'ledger'),
      peers: Object.fromEntries(names.map((name) => [name, calls('billing', 'ledger')])),
    })
    const lines = (await mesh.done('apply')).stdout.trimEnd().split('\n')
    expect(lines).toEqual([
      ...['billing', 'ledger'].flatMap((agent) => [
        `create ${agent}: done`,
        `create p1, p2, p3, p4 -> ${agent}: done`,
      ]),
      ...['billing', 'ledger'].map((agent) => `deliver the server file of ${agent}: done`),
      ...names.map((name) => `deliver the client file of ${name} (billing, ledger): done`),
    ])
  })

  it('gives each edge a seed and a token of its own, and both ends their files', async () => {
    const mesh = new MeshFolder(two)
    const run = await mesh.done('apply')
    expect(run.stdout.split('\n')).toContain('create alice -> billing: done')
    const alice = mesh.client('alice').agents
    expect(Object.keys(alice)).toEqual(['billing', 'ledger'])
    for (const [agent, { token, seed, url }] of Object.entries(alice)) {
      expect(url).toBe(two.agents[agent]?.url)
      const known = mesh.server(agent).peers['alice']
      expect(known?.tokens.map(({ hash }) => hash)).toEqual([Token.parse(token).hash])
      expect(known?.seeds.map((one) => one.seed)).toEqual([seed])
    }
    expect(alice['billing']?.seed).not.toBe(alice['ledger']?.seed)
    expect(Object.keys(mesh.server('billing').peers).sort()).toEqual(['alice', 'bob'])
    for (const file of [
      'out/alice.client.json',
      'out/billing.server.json',
      'stores/billing.json',
      'mesh.yaml.state',
    ])
      expect(statSync(mesh.path(file)).mode & 0o777, file).toBe(0o600)
  })

  it('changes nothing the second time', async () => {
    const mesh = new MeshFolder(two)
    await mesh.done('apply')
    const before = contents(mesh)
    expect(await mesh.rows('apply')).toEqual([])
    expect(contents(mesh)).toEqual(before)
  })

  it('keeps no secret in the record of what was delivered', async () => {
    const mesh = new MeshFolder(two)
    await mesh.done('apply')
    const { token, seed } = mesh.client('bob').agents['billing'] ?? { token: '', seed: '' }
    for (const secret of [token, seed, Token.parse(token).hash])
      expect(mesh.text('mesh.yaml.state')).not.toContain(secret)
  })

  it('delivers again what is missing or was changed at its place', async () => {
    const mesh = new MeshFolder(two)
    await mesh.done('apply')
    const before = contents(mesh)
    rmSync(mesh.path('out/bob.client.json'))
    const server = mesh.server('ledger')
    writeFileSync(mesh.path('out/ledger.server.json'), JSON.stringify({ ...server, peers: {} }))
    expect((await mesh.rows('apply')).map(({ agent, peer, action }) => [agent, peer, action])).toEqual([
      ['ledger', undefined, 'deliver'],
      ['billing', 'bob', 'deliver'],
    ])
    expect(contents(mesh)).toEqual(before)
  })

  it('prints what would change with --dry-run, and changes nothing', async () => {
    const mesh = new MeshFolder(two)
    const run = await mesh.run(['apply', '--dry-run', '--json'])
    expect(run.exitCode).toBe(0)
    expect(rowsOf(run).every(({ done }) => !done)).toBe(true)
    expect(readdirSync(mesh.cwd)).toEqual(['mesh.yaml'])
  })

  it('says whose files are to be handed out where the file names no place', async () => {
    const mesh = new MeshFolder({ agents: agentsOf('billing'), peers: { alice: calls('billing') } })
    const run = await mesh.done('apply')
    expect(run.stderr).toContain('a2a-totp mesh config server billing --out FILE\n')
    expect(run.stderr).toContain('a2a-totp mesh config client alice')
    expect((await mesh.done('apply')).stderr).not.toContain('mesh config')
  })

  it('asks before it replaces a store that is gone, and that an agent has its server file from', async () => {
    const mesh = new MeshFolder(two)
    await mesh.done('apply')
    const before = mesh.server('billing')
    rmSync(mesh.path('stores/billing.json'))
    expect((await mesh.run(['plan'])).stderr).toMatch(
      /^billing: it has its server file, and its store .* is not there/m,
    )
    const refused = await mesh.run(['apply'])
    expect(refused).toMatchObject({ exitCode: 2, stdout: '' })
    expect(refused.stderr).toContain('  billing: ')
    expect(existsSync(mesh.path('stores/billing.json'))).toBe(false)
    expect(mesh.server('billing')).toEqual(before)
    await mesh.done('apply', '--yes')
    expect(mesh.server('billing')).not.toEqual(before)
  })

  it('records a change of each store, which undo takes back as one', async () => {
    const mesh = new MeshFolder(two)
    await mesh.done('apply')
    mesh.declare({ ...two, peers: { ...two.peers, carol: calls('billing') } })
    await mesh.done('apply')
    expect(mesh.text('stores/billing.json.log').trim().split('\n')).toHaveLength(2)
    expect(mesh.text('stores/billing.json.log')).toContain('"command":"mesh apply"')
    const undo = await runCli(['--store', 'stores/billing.json', 'undo', '--yes'], { cwd: mesh.cwd })
    expect(undo.exitCode).toBe(0)
    expect(Object.keys(mesh.store('billing').peers).sort()).toEqual(['alice', 'bob'])
  })

  it('removes nobody without --prune, and asks first with it', async () => {
    const mesh = new MeshFolder(two)
    await mesh.done('apply')
    mesh.declare({ ...two, peers: { alice: two.peers.alice } })
    const kept = await mesh.run(['apply', '--json'])
    expect(kept.exitCode).toBe(0)
    expect(rowsOf(kept).map(({ peer, action, done }) => [peer, action, done])).toEqual([
      ['bob', 'remove', false],
      [undefined, 'deliver', false],
    ])
    expect((await mesh.run(['apply'])).stderr).toContain(
      '1 entry of the stores is not in the file; --prune removes it\n',
    )
    const before = contents(mesh)
    const asked = await mesh.run(['apply', '--prune'])
    expect(asked.exitCode).toBe(2)
    expect(asked.stderr).toContain('remove bob -> billing')
    expect(asked.stderr).toContain('ERR_CONFIRMATION_NEEDED')
    expect(contents(mesh)).toEqual(before)
    expect((await mesh.rows('apply', '--prune', '--yes')).every(({ done }) => done)).toBe(true)
    expect(Object.keys(mesh.server('billing').peers)).toEqual(['alice'])
  })

  it('leaves a peer what it has of an agent until its credentials are pruned there', async () => {
    const mesh = new MeshFolder(two)
    await mesh.done('apply')
    const before = mesh.client('alice').agents
    mesh.declare({ ...two, peers: { ...two.peers, alice: calls('billing') } })
    const rows = async (...args: string[]): Promise<unknown[]> =>
      (await mesh.rows(...args)).map(({ agent, peer, action, done }) => [agent, peer, action, done])
    const removal = (done: boolean): unknown[] => [
      ['ledger', 'alice', 'remove', done],
      ['ledger', undefined, 'deliver', done],
      ['billing', 'alice', 'deliver', done],
    ]
    expect(await rows('apply')).toEqual(removal(false))
    expect(mesh.client('alice').agents).toEqual(before)
    // What else is new reaches the peer all the same.
    await mesh.done('rotate', '--only', 'alice:billing', '--now', '--yes')
    expect(mesh.client('alice').agents).toMatchObject({ ledger: before['ledger'] })
    expect(mesh.client('alice').agents['billing']).not.toEqual(before['billing'])
    expect(await rows('apply', '--prune', '--yes')).toEqual(removal(true))
    expect(Object.keys(mesh.client('alice').agents)).toEqual(['billing'])
    expect((await mesh.run(['plan', '--check'])).exitCode).toBe(0)
  })

  it('tells a peer nothing of an agent whose store has it by another way', async () => {
    const mesh = new MeshFolder({ ...two, peers: { ...two.peers, bob: calls('billing') } })
    await mesh.done('apply')
    await runCli(['--store', 'stores/ledger.json', 'add-peer', 'bob'], { cwd: mesh.cwd })
    await mesh.done('rotate', '--only', 'bob:billing', '--now', '--yes')
    expect(Object.keys(mesh.client('bob').agents)).toEqual(['billing'])
  })

  it('names the client file of a peer that calls no agent any more, until it is deleted', async () => {
    const mesh = new MeshFolder(two)
    await mesh.done('apply')
    mesh.declare({ ...two, peers: { ...two.peers, bob: calls() } })
    const remark = expect.stringMatching(/^bob: .*out\/bob\.client\.json$/) as string
    const { stderr } = await mesh.done('apply', '--prune', '--yes')
    expect(stderr.trimEnd().split('\n')).toContainEqual(remark)
    expect(parseJson(await mesh.done('plan', '--check', '--json'))['remarks']).toEqual([remark])
    rmSync(mesh.path('out/bob.client.json'))
    expect(parseJson(await mesh.done('plan', '--check', '--json'))['remarks']).toEqual([])
  })

  it('replaces no file that is not one of that agent or peer', async () => {
    const mesh = new MeshFolder({ ...two, agents: agentsOf('billing', 'ledger') })
    mkdirSync(mesh.path('out'))
    writeFileSync(mesh.path('out/billing.server.json'), '{"mine":true}')
    writeFileSync(mesh.path('out/alice.client.json'), 'mine')
    const run = await mesh.run(['apply', '--json'])
    expect(run.exitCode).toBe(1)
    expect(mesh.text('out/billing.server.json')).toBe('{"mine":true}')
    expect(mesh.text('out/alice.client.json')).toBe('mine')
    const failed = rowsOf(run).filter(({ done }) => !done)
    expect(failed.map(({ problem }) => problem)).toContainEqual(
      expect.stringContaining('is not a server file of billing'),
    )
    expect(failed.map(({ problem }) => problem)).toContainEqual(
      expect.stringContaining('is not a client file of alice'),
    )
    expect(Object.keys(mesh.server('ledger').peers)).toEqual(['alice'])
  })

  it('leaves an edge out of a client file while its agent has not got its server file', async () => {
    const mesh = new MeshFolder(two)
    mkdirSync(mesh.path('out/billing.server.json'), { recursive: true })
    const run = await mesh.run(['apply', '--json'])
    expect(run.exitCode).toBe(1)
    expect(Object.keys(mesh.client('alice').agents)).toEqual(['ledger'])
    expect(existsSync(mesh.path('out/bob.client.json'))).toBe(false)
    expect(rowsOf(run)).toContainEqual(
      expect.objectContaining({
        agent: 'billing',
        peer: 'alice',
        action: 'deliver',
        done: false,
        problem: expect.any(String) as string,
      }),
    )
    rmSync(mesh.path('out/billing.server.json'), { recursive: true })
    await mesh.done('apply')
    expect(Object.keys(mesh.client('alice').agents)).toEqual(['billing', 'ledger'])
    expect(Object.keys(mesh.client('bob').agents)).toEqual(['billing'])
  })

  it('leaves an edge in a client file that its agent knew before', async () => {
    const mesh = new MeshFolder(two)
    await mesh.done('apply')
    rmSync(mesh.path('out/billing.server.json'))
    mkdirSync(mesh.path('out/billing.server.json'))
    mesh.declare({
      ...two,
      peers: { alice: calls('billing', 'ledger'), bob: calls('billing', 'ledger'), carol: calls('billing') },
    })
    expect((await mesh.run(['apply'])).exitCode).toBe(1)
    expect(Object.keys(mesh.client('bob').agents)).toEqual(['billing', 'ledger'])
    expect(existsSync(mesh.path('out/carol.client.json'))).toBe(false)
  })

  it('changes the other stores where one cannot be created', async () => {
    const mesh = new MeshFolder({})
    const store = join(mesh.home, 'missing/billing.json')
    mesh.declare({ ...two, agents: { ...two.agents, billing: { url: 'http://127.0.0.1:1', store } } })
    const run = await mesh.run(['apply', '--json'])
    expect(run.exitCode).toBe(1)
    for (const { agent, action, done, problem } of rowsOf(run).filter(({ peer }) => peer !== 'alice')) {
      expect(done, `${agent} ${action}`).toBe(agent === 'ledger')
      if (action === 'create' && agent === 'billing') expect(problem).toContain('the folder does not exist')
    }
    expect(Object.keys(mesh.client('alice').agents)).toEqual(['ledger'])
    mkdirSync(join(mesh.home, 'missing'))
    await mesh.done('apply')
    expect(Object.keys(mesh.client('alice').agents)).toEqual(['billing', 'ledger'])
  })

  it('writes nothing that an agent would refuse, and then changes nothing', async () => {
    const mesh = new MeshFolder(two)
    await mesh.done('apply')
    const weak = mesh.path('weak')
    writeFileSync(weak, 'JBSWY3DPEHPK3PXP')
    await runCli(
      ['--store', 'stores/billing.json', 'add-peer', 'carol', '--seed-file', 'weak', '--allow-weak-seed'],
      { cwd: mesh.cwd },
    )
    mesh.declare({ ...two, peers: { ...two.peers, carol: calls('billing', 'ledger') } })
    const before = contents(mesh)
    const run = await mesh.run(['apply'])
    expect(run).toMatchObject({ exitCode: 3, stdout: '' })
    expect(run.stderr).toContain('less than 128 bits')
    expect(contents(mesh)).toEqual(before)
    await mesh.done('apply', '--allow-weak-seed')
    expect(Object.keys(mesh.client('carol').agents)).toEqual(['billing', 'ledger'])
  })

  it('gives two runs at once the same result as one', async () => {
    const mesh = new MeshFolder(two)
    const runs = await Promise.all([mesh.run(['apply', '--json']), mesh.run(['apply', '--json'])])
    expect(runs.map(({ exitCode }) => exitCode)).toEqual([0, 0])
    expect(runs.map((run) => rowsOf(run).length).sort((a, b) => a - b)[0]).toBe(0)
    expect(await mesh.rows('apply')).toEqual([])
  })

  it('does nothing by a file that was changed while it waited for another run', async () => {
    const cwd = makeFolder()
    const asked: string[] = []
    const work = {
      mesh: parseMesh(
        'version: 1\nagents: {a: {url: https://a.example}}\npeers: {}\n',
        join(cwd, 'mesh.yaml'),
      ),
      requireCurrent() {
        throw new TOTPError('ERR_CONFIG_INVALID', 'it was changed')
      },
      stores: ({ name }: MeshAgent) => asked.push(name),
    } as unknown as MeshWork
    await expect(applyMesh(work, {} as Intent)).rejects.toThrow('it was changed')
    expect(asked).toEqual([])
    expect(readdirSync(cwd)).toEqual([])
  })

  it('keeps stores and files out of git', async () => {
    const mesh = new MeshFolder(two)
    const { execFileSync } = await import('node:child_process')
    execFileSync('git', ['init', '-q'], { cwd: mesh.cwd })
    const { stderr } = await mesh.run(['apply'])
    // One line for all of them.
    expect(stderr.match(/gitignore/g)).toHaveLength(1)
    expect(stderr).toContain('added to .gitignore: billing.json, ledger.json, ')
    const seen = execFileSync('git', ['status', '--porcelain', '-uall'], { cwd: mesh.cwd }).toString()
    expect(seen.trim().split('\n').sort()).toEqual([
      '?? .gitignore',
      '?? mesh.yaml',
      '?? out/.gitignore',
      '?? stores/.gitignore',
    ])
  })
})

describe('mesh config', () => {
  it('names `mesh apply` where there is no store yet', async () => {
    const run = await new MeshFolder(two).run(['config', 'server', 'billing'])
    expect(run).toMatchObject({ exitCode: 3, stdout: '' })
    expect(run.stderr).toContain('run `a2a-totp mesh apply` first (ERR_STORE_MISSING)')
  })

  it('prints what an agent and a peer need, to a file with the rules of secrets', async () => {
    const mesh = new MeshFolder(two)
    await mesh.done('apply')
    const server = await mesh.done('config', 'server', 'billing')
    expect(JSON.parse(server.stdout)).toEqual(mesh.server('billing'))
    const client = await mesh.done('config', 'client', 'alice')
    expect(JSON.parse(client.stdout)).toEqual(mesh.client('alice'))
    await mesh.done('config', 'client', 'alice', '--out', 'alice.json')
    expect(statSync(mesh.path('alice.json')).mode & 0o777).toBe(0o600)
    expect((await mesh.run(['config', 'client', 'alice', '--out', 'alice.json'])).exitCode).toBe(1)
  })

  it.each([
    ['config', 'server', 'billing'],
    ['config', 'client', 'alice'],
    ['rotate', '--now', '--yes'],
  ])('is of no other agent than the file says: %s %s', async (...args) => {
    const mesh = new MeshFolder(two)
    await mesh.done('apply')
    const [billing, ledger] = [mesh.path('stores/billing.json'), mesh.path('stores/ledger.json')]
    const held = mesh.text('stores/ledger.json')
    copyFileSync(ledger, billing)
    const run = await mesh.run(args)
    expect(run).toMatchObject({ exitCode: 3, stdout: '' })
    expect(run.stderr).toContain('rename --agent billing')
    expect(mesh.text('stores/billing.json')).toBe(held)
  })

  it('asks for near names', async () => {
    const mesh = new MeshFolder(two)
    await mesh.done('apply')
    for (const [args, meant] of [
      [['server', 'biling'], 'billing'],
      [['client', 'alcie'], 'alice'],
    ] as const) {
      const run = await mesh.run(['config', ...args])
      expect(run).toMatchObject({ exitCode: 1, stdout: '' })
      expect(run.stderr).toContain(`did you mean ${meant}?`)
    }
  })
})
