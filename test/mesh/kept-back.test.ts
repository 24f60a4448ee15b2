import { mkdirSync, rmSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { agentsOf, MeshFolder, places, rowsOf, type ClientFile, type Row } from '../support/mesh-folder.js'

const two = (more: object = {}) => ({
  defaults: { ...places, replay: 'reuse', signed: 'off', ...more },
  agents: agentsOf('billing', 'ledger'),
  peers: { alice: { calls: ['billing', 'ledger'] }, bob: { calls: ['billing'] } },
})

const place = 'out/billing.server.json'

/** From now on nothing can be delivered to billing. */
function block(mesh: MeshFolder): void {
  rmSync(mesh.path(place))
  mkdirSync(mesh.path(place))
}

const partOf = (mesh: MeshFolder, agent = 'billing', peer = 'alice'): ClientFile['agents'][string] =>
  mesh.client(peer).agents[agent] ?? { url: '', token: '', seed: '' }

const clientRows = (rows: readonly Row[], agent = 'billing'): Row[] =>
  rows.filter((row) => row.agent === agent && row.action === 'deliver' && row.peer !== undefined)

const kept = (peer: string): object => ({
  ...{ agent: 'billing', peer, action: 'deliver', done: false },
  problem: 'not delivered: its agent billing has not got its server file',
})

async function blocked(more: object = {}): Promise<MeshFolder> {
  const mesh = new MeshFolder(two(more))
  await mesh.done('apply')
  block(mesh)
  return mesh
}

describe('a client file, while an agent has not got its server file', () => {
  it.each([
    ['an end at once', {}, ['rotate', '--now', '--yes']],
    ['other digits', { digits: 8 }, ['apply', '--yes']],
    ['another algorithm', { algorithm: 'SHA256' }, ['apply', '--yes']],
    ['another header', { header: 'X-OTP' }, ['apply', '--yes']],
    ['another window', { window: 2 }, ['apply', '--yes']],
  ])('has of it what still opens it, after %s', async (_, more, args) => {
    const mesh = await blocked()
    const before = { alice: mesh.client('alice').agents, bob: mesh.text('out/bob.client.json') }
    mesh.declare(two(more))
    const run = await mesh.run([...args, '--json'])
    expect(run.exitCode).toBe(1)
    expect(clientRows(rowsOf(run))).toMatchObject([kept('alice'), kept('bob')])
    expect(partOf(mesh)).toEqual(before.alice['billing'])
    expect(partOf(mesh, 'ledger')).not.toEqual(before.alice['ledger'])
    const again = await mesh.run(['apply', '--yes', '--json'])
    expect(clientRows(rowsOf(again))).toMatchObject([kept('alice'), kept('bob')])
    expect(partOf(mesh)).toEqual(before.alice['billing'])
    expect(mesh.text('out/bob.client.json')).toBe(before.bob)
    rmSync(mesh.path(place), { recursive: true })
    await mesh.done('apply', '--yes')
    expect(partOf(mesh)).not.toEqual(before.alice['billing'])
    expect(mesh.server('billing').peers['alice']?.seeds.map(({ seed }) => seed)).toContain(partOf(mesh).seed)
    expect(await mesh.rows('apply')).toEqual([])
  })

  it('waits where what the peer has cannot be made again, and is whole afterwards', async () => {
    const mesh = await blocked()
    mesh.declare(two({ header: 'X-OTP' }))
    await mesh.run(['apply', '--yes'])
    const before = mesh.text('out/alice.client.json')
    mesh.declare(two({ header: 'X-ANOTHER' }))
    const run = await mesh.run(['apply', '--yes', '--json'])
    expect(clientRows(rowsOf(run), 'ledger')).toEqual([{ ...kept('alice'), agent: 'ledger' }])
    expect(mesh.text('out/alice.client.json')).toBe(before)
    rmSync(mesh.path(place), { recursive: true })
    await mesh.done('apply', '--yes')
    expect([partOf(mesh), partOf(mesh, 'ledger')]).toMatchObject([
      { header: 'X-ANOTHER' },
      { header: 'X-ANOTHER' },
    ])
  })

  it.each([
    ['rotate', {}, ['rotate']],
    ['an apply for age', { rotateAfter: '1d' }, ['apply']],
  ])('is not said to be delivered by %s', async (_, more, args) => {
    const mesh = await blocked(more)
    const before = mesh.text('out/bob.client.json')
    const now = new Date(Date.now() + 2 * 86_400_000)
    const run = await mesh.run([...args, '--json'], { now })
    expect(run.exitCode).toBe(1)
    expect(mesh.text('out/bob.client.json')).toBe(before)
    expect(clientRows(rowsOf(run))).toMatchObject([kept('alice'), kept('bob')])
    expect(clientRows(rowsOf(run), 'ledger')).toEqual([
      { agent: 'ledger', peer: 'alice', action: 'deliver', done: true },
    ])
  })
})
