import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Token } from '../../src/core/token.js'
import { memoryState, TOTPServerAuthScheme } from '../../src/server/index.js'
import { parseJson, runCli } from '../support/cli.js'
import { frameworkAgents } from '../support/framework-agents.js'
import { agentsOf, MeshFolder, places, rowsOf } from '../support/mesh-folder.js'

const two = {
  defaults: places,
  agents: agentsOf('billing', 'ledger'),
  peers: { alice: { calls: ['billing', 'ledger'] }, bob: { calls: ['billing'] } },
}

async function applied(document: object = two): Promise<MeshFolder> {
  const mesh = new MeshFolder(document)
  await mesh.done('apply')
  return mesh
}

/** Whether an agent would let in what a peer has. */
function isKnown(mesh: MeshFolder, peer: string, agent: string): boolean {
  const { token = '', seed } = mesh.client(peer).agents[agent] ?? {}
  const own = mesh.server(agent).peers[peer]
  const { hash } = Token.parse(token)
  return own?.tokens.some((one) => one.hash === hash) === true && own.seeds.some((one) => one.seed === seed)
}

const pendingOf = (mesh: MeshFolder, agent = 'billing', peer = 'alice') =>
  mesh.store(agent).peers[peer]?.pending

describe('mesh rotate', () => {
  it('gives an edge new credentials at both ends, and the old ones an end', async () => {
    const mesh = await applied()
    const before = mesh.client('alice').agents
    expect((await mesh.rows('rotate', '--only', 'alice:billing')).every(({ done }) => done)).toBe(true)
    const after = mesh.client('alice').agents
    expect(after['billing']?.seed).not.toBe(before['billing']?.seed)
    expect(after['ledger']).toEqual(before['ledger'])
    const { seeds } = mesh.server('billing').peers['alice'] ?? { seeds: [] }
    expect(seeds.map(({ seed, expiresAt }) => [seed, expiresAt !== undefined])).toEqual([
      [before['billing']?.seed, true],
      [after['billing']?.seed, false],
    ])
    expect(isKnown(mesh, 'alice', 'billing')).toBe(true)
    expect(pendingOf(mesh)).toBeUndefined()
    expect(await mesh.rows('apply')).toEqual([])
  })

  it('keeps the old credentials while a peer has not got its file, and the next apply goes on', async () => {
    const mesh = await applied()
    const before = mesh.client('alice').agents['billing']
    rmSync(mesh.path('out/alice.client.json'))
    mkdirSync(mesh.path('out/alice.client.json'))
    const run = await mesh.run(['rotate', '--json'])
    expect(run.exitCode).toBe(1)
    expect(rowsOf(run)).toContainEqual(
      expect.objectContaining({
        agent: 'billing',
        peer: 'alice',
        action: 'rotate',
        done: false,
        problem: expect.any(String) as string,
      }),
    )
    expect(rowsOf(run)).toContainEqual({ agent: 'billing', peer: 'bob', action: 'rotate', done: true })
    expect(pendingOf(mesh)).toMatchObject({ step: 'admitted' })
    const [old] = mesh.server('billing').peers['alice']?.seeds ?? []
    expect(old).toEqual({ id: expect.any(String) as string, seed: before?.seed })
    rmSync(mesh.path('out/alice.client.json'), { recursive: true })
    expect((await mesh.rows('apply')).every(({ done }) => done)).toBe(true)
    expect(pendingOf(mesh)).toBeUndefined()
    expect(isKnown(mesh, 'alice', 'billing')).toBe(true)
    expect(mesh.client('alice').agents['billing']?.seed).not.toBe(before?.seed)
    expect(await mesh.rows('apply')).toEqual([])
  })

  it('hands out nothing new while an agent has not got its server file', async () => {
    const mesh = await applied()
    const before = mesh.text('out/alice.client.json')
    rmSync(mesh.path('out/billing.server.json'))
    mkdirSync(mesh.path('out/billing.server.json'))
    const run = await mesh.run(['rotate', '--only', 'alice:billing', '--json'])
    expect(run.exitCode).toBe(1)
    expect(pendingOf(mesh)).toMatchObject({ step: 'staged' })
    expect(mesh.text('out/alice.client.json')).toBe(before)
  })

  it('ends the old ones at once with --now, whatever the delivery to the peer does', async () => {
    const mesh = await applied()
    const before = mesh.client('alice').agents['billing']
    rmSync(mesh.path('out/alice.client.json'))
    mkdirSync(mesh.path('out/alice.client.json'))
    const asked = await mesh.run(['rotate', '--only', 'alice:billing', '--now'])
    expect(asked.exitCode).toBe(2)
    const run = await mesh.run(['rotate', '--only', 'alice:billing', '--now', '--yes'])
    expect(run.exitCode).toBe(1)
    expect(mesh.server('billing').peers['alice']?.seeds.map(({ seed }) => seed)).not.toContain(before?.seed)
  })

  it('rotates only what is older, and only what is named', async () => {
    const mesh = await applied()
    expect(await mesh.rows('rotate', '--older-than', '1d')).toEqual([])
    const later = new Date(Date.now() + 2 * 86_400_000)
    const run = await mesh.run(
      ['rotate', '--older-than', '1d', '--token', '--only', 'bob:billing', '--json'],
      { now: later },
    )
    expect(rowsOf(run).filter(({ action }) => action === 'rotate')).toEqual([
      { agent: 'billing', peer: 'bob', action: 'rotate', done: true },
    ])
    const bob = mesh.store('billing').peers['bob']
    expect([bob?.seeds.length, bob?.tokens.length]).toEqual([1, 2])
  })

  it('takes edges with commas or spaces between them', async () => {
    const mesh = new MeshFolder(two)
    await mesh.done('apply')
    const names = mesh.store('billing')
    await mesh.done('rotate', '--only', 'alice:billing,bob:billing')
    for (const peer of Object.keys(names.peers)) {
      expect(mesh.store('billing').peers[peer]).not.toEqual(names.peers[peer])
    }
    const run = await mesh.run(['rotate', '--only', ','])
    expect(run).toMatchObject({ exitCode: 2, stdout: '' })
  })

  it('asks for near names, and refuses what contradicts', async () => {
    const mesh = await applied()
    const unknown = await mesh.run(['rotate', '--only', 'alice:biling'])
    expect(unknown).toMatchObject({ exitCode: 1, stdout: '' })
    expect(unknown.stderr).toContain('alice:billing')
    expect((await mesh.run(['rotate', '--now', '--overlap', '1h'])).exitCode).toBe(2)
  })

  it('is done by apply for what is older than rotateAfter, with the overlap of the file', async () => {
    const mesh = await applied({ ...two, defaults: { ...places, rotateAfter: '30d', overlap: '2h' } })
    expect(await mesh.rows('apply')).toEqual([])
    const now = new Date(Date.now() + 31 * 86_400_000)
    const run = await mesh.run(['apply', '--json'], { now })
    expect(rowsOf(run).filter(({ action }) => action === 'rotate')).toHaveLength(3)
    expect(rowsOf(run).every(({ done }) => done)).toBe(true)
    const [old] = mesh.server('billing').peers['alice']?.seeds ?? []
    expect(old?.expiresAt).toBe(new Date(now.getTime() + 2 * 3_600_000).toISOString())
    expect(isKnown(mesh, 'alice', 'billing')).toBe(true)
    expect(rowsOf(await mesh.run(['apply', '--json'], { now }))).toEqual([])
  })

  it('with --prove waits for the agent, and hands out nothing that it does not let in', async () => {
    const mesh = await applied()
    const make = frameworkAgents['node:http']
    if (!make) throw new Error('no such agent')
    const scheme = TOTPServerAuthScheme.fromFile(join(mesh.cwd, 'out/billing.server.json'), {
      state: memoryState({ since: new Date(0) }),
    })
    const agent = await make(scheme)
    try {
      const agents = { ...two.agents, billing: { url: agent.origin } }
      mesh.declare({ ...two, agents })
      await mesh.done('apply')
      const before = mesh.text('out/alice.client.json')
      const run = await mesh.run(['rotate', '--prove', '--wait', '5', '--json'])
      expect(run.exitCode).toBe(1)
      const rotated = rowsOf(run).filter(({ action }) => action === 'rotate')
      expect(rotated.map(({ agent: name, done }) => [name, done])).toEqual([
        ['billing', true],
        ['ledger', false],
        ['billing', true],
      ])
      expect(pendingOf(mesh, 'ledger')).toMatchObject({ step: 'staged' })
      expect(mesh.client('alice').agents['ledger']).toEqual(
        (JSON.parse(before) as ReturnType<MeshFolder['client']>).agents['ledger'],
      )
      expect(isKnown(mesh, 'alice', 'billing')).toBe(true)
    } finally {
      scheme.close()
      await agent.close()
    }
  })
})

describe('an encrypted mesh', () => {
  it('is applied with one unlock for all of its stores', async () => {
    const mesh = new MeshFolder(two)
    const env = { A2A_TOTP_PASSPHRASE: 'correct horse battery staple' }
    expect((await mesh.run(['apply', '--passphrase'], { env })).exitCode).toBe(0)
    expect(mesh.text('stores/billing.json')).toContain('age-encryption.org')
    expect(rowsOf(await mesh.run(['apply', '--json'], { env }))).toEqual([])
    const locked = await mesh.run(['apply'])
    expect(locked).toMatchObject({ exitCode: 3, stdout: '' })
    expect(locked.stderr).toContain('ERR_STORE_KEY_MISSING')
    expect(locked.stderr).toContain(`the store of billing, ${mesh.path('stores/billing.json')}: `)
  })

  it('of which one store cannot be read says which', async () => {
    const mesh = await applied()
    const env = { A2A_TOTP_PASSPHRASE: 'correct horse battery staple' }
    const ledger = mesh.path('stores/ledger.json')
    await runCli(['--store', ledger, 'encrypt', '--passphrase'], { cwd: mesh.cwd, env })
    for (const [own, code] of [
      [{}, 'ERR_STORE_KEY_MISSING'],
      [{ A2A_TOTP_PASSPHRASE: 'another one' }, 'ERR_STORE_KEY_WRONG'],
    ] as const) {
      const run = await mesh.run(['plan'], { env: own })
      expect([run.exitCode, run.stdout]).toEqual([3, ''])
      expect(run.stderr).toContain(`error: the store of ledger, ${ledger}: `)
      expect(run.stderr).toContain(`(${code})`)
    }
    writeFileSync(ledger, '{')
    const broken = await mesh.run(['plan', '--json'], { env })
    expect(parseJson({ stdout: broken.stderr })).toMatchObject({ error: { code: 'ERR_STORE_INVALID' } })
    expect(broken.stderr).toContain(`the store of ledger, ${ledger}: the store is not JSON`)
  })
})
