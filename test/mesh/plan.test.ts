import { describe, expect, it } from 'vitest'
import type { SeedCredential } from '../../src/core/roster.js'
import { Seed } from '../../src/core/seed.js'
import { stageRotation, withStep } from '../../src/core/staged-rotation.js'
import type { Mesh } from '../../src/mesh/file/mesh.js'
import { planText } from '../../src/mesh/plan/plan-text.js'
import { remarksOnLostStores } from '../../src/mesh/plan/remarks.js'
import {
  meshOf,
  nothingYet,
  planFor as plan,
  recorded,
  seededRandom,
  settled,
  type MeshState,
} from '../support/mesh-plan.js'
import { lookAt, madeAt, past, peerOf, rosterOf, seedCredential, tokenCredential } from '../support/roster.js'

const day = 86_400_000
const agent = 'billing'
const edge = { peer: 'alice', agent }
const inStore = (...peers: Parameters<typeof rosterOf>): MeshState => {
  const roster = rosterOf(peers[0], { agent, url: `https://${agent}.example/a2a`, ...peers[1] })
  return { ...nothingYet, rosters: new Map([[agent, roster]]) }
}
/** A mesh whose files somebody hands out. */
const unplaced = (mesh: Mesh): Mesh => ({
  ...mesh,
  agents: new Map([...mesh.agents].map(([name, one]) => [name, without(one, 'serverFile')])),
  peers: new Map([...mesh.peers].map(([name, one]) => [name, without(one, 'clientFile')])),
})
const without = <T extends object>(one: T, key: keyof T): T =>
  Object.fromEntries(Object.entries(one).filter(([name]) => name !== key)) as T

const strong = tokenCredential('t', 'a2at_kQ3vX9bZ1mW7rT5yH2nJ8pL4sD6fG0aC-uE_iO')
const weakSeed = (): SeedCredential => ({
  ...seedCredential('s', 1),
  seed: Seed.fromBytes(new Uint8Array(10).fill(7)),
})
const both = { agents: [agent], peers: ['alice'] }

describe('a plan', () => {
  it('creates what is not there: stores first, then server files, then client files', () => {
    const mesh = meshOf(
      [{ name: 'search' }, { name: agent, canaries: ['bait'] }],
      [{ peer: 'bob', agent }, edge, { peer: 'alice', agent: 'search' }],
    )
    expect(plan(mesh).changes).toEqual([
      { agent, action: 'create' },
      { agent, peer: 'alice', action: 'create' },
      { agent, peer: 'bob', action: 'create' },
      { agent, peer: 'bait', action: 'create', canary: true },
      { agent: 'search', action: 'create' },
      { agent: 'search', peer: 'alice', action: 'create' },
      { agent, action: 'deliver' },
      { agent: 'search', action: 'deliver' },
      { agent, peer: 'alice', action: 'deliver' },
      { agent: 'search', peer: 'alice', action: 'deliver' },
      { agent, peer: 'bob', action: 'deliver' },
    ])
  })

  it('names the fields that differ, and what has to be said for those that reach every peer', () => {
    const mesh = unplaced(
      meshOf(
        [{ name: agent, header: 'X-Code', replay: 'once' }],
        [{ ...edge, note: 'new', signed: 'accept' }],
      ),
    )
    expect(plan(mesh, inStore([peerOf('alice')], { signed: 'require' })).changes).toEqual([
      { agent, field: 'header', action: 'change', from: 'X-TOTP', to: 'X-Code', needs: 'yes' },
      { agent, field: 'replay', action: 'change', from: 'reuse', to: 'once' },
      { agent, peer: 'alice', field: 'signed', action: 'change', from: null, to: 'accept' },
      { agent, peer: 'alice', field: 'note', action: 'change', from: null, to: 'new' },
    ])
    expect(plan(mesh, inStore([])).changes).toContainEqual({
      ...{ agent, field: 'header', action: 'change', from: 'X-TOTP', to: 'X-Code' },
    })
  })

  it('rotates by age, for other codes, and what is pending', () => {
    const mesh = unplaced(meshOf([{ name: agent }], [{ ...edge, rotateAfterMs: day }]))
    const state = inStore([peerOf('alice')])
    expect(plan(mesh, state).changes).toEqual([{ agent, peer: 'alice', field: 'age', action: 'rotate' }])
    const other = unplaced(meshOf([{ name: agent }], [{ ...edge, digits: 8, period: 60 }]))
    expect(plan(other, state).changes).toEqual([
      { agent, peer: 'alice', field: 'digits', action: 'rotate', from: 6, to: 8, needs: 'yes' },
      { agent, peer: 'alice', field: 'period', action: 'rotate', from: 30, to: 60, needs: 'yes' },
    ])
    const pending = {
      id: 'x',
      since: madeAt,
      step: 'admitted',
      seed: true,
      token: true,
      overlapMs: day,
    } as const
    const seeds = [seedCredential('old', 1), { ...seedCredential('new', 2), staged: true as const }]
    const tokens = [
      tokenCredential('t1', 'a2at_1'),
      { ...tokenCredential('t2', 'a2at_2'), staged: true as const },
    ]
    const started = inStore([peerOf('alice', { pending, seeds, tokens })])
    expect(plan(mesh, started).changes).toEqual([
      { agent, peer: 'alice', field: 'pending', action: 'rotate' },
    ])
    expect(plan(other, started).changes.map(({ field }) => field)).toEqual(['digits', 'period'])
    const ended = unplaced(meshOf([{ name: agent }], [{ ...edge, expires: past }]))
    expect(plan(ended, started).changes).toEqual([
      { agent, peer: 'alice', field: 'expires', action: 'change', from: null, to: lookAt.toISOString() },
      { agent, peer: 'alice', field: 'pending', action: 'change', from: 'admitted', to: null },
    ])
  })

  it('rotates an edge that has expired and gets a later end', () => {
    const mesh = unplaced(meshOf([{ name: agent }], [{ ...edge, expires: 'never' }]))
    const state = inStore([peerOf('alice', { seeds: [seedCredential('s', 1, past)] })])
    expect(plan(mesh, state).changes).toEqual([{ agent, peer: 'alice', field: 'expires', action: 'rotate' }])
  })

  it('delivers the server file once more for a rotation that is not finished, since old credentials then end', () => {
    const mesh = meshOf([{ name: agent }], [edge])
    const making = { at: lookAt, random: seededRandom() }
    const staging = { id: 'x', seed: true, token: true, overlapMs: day }
    const state = settled(mesh)
    const rosters = new Map(
      [...state.rosters].map(([name, one]) => {
        const roster = stageRotation(one, ['alice'], staging, making)
        return [name, withStep(roster, 'alice', 'x', 'delivered')] as const
      }),
    )
    // Both ends have the new credentials already.
    const delivered = recorded(mesh, state, rosters, lookAt, both)
    expect(plan(mesh, { rosters, delivered }).changes).toEqual([
      { agent, peer: 'alice', field: 'pending', action: 'rotate' },
      { agent, action: 'deliver' },
    ])
  })

  it('shows an end that moves, once for seed and token', () => {
    const soon = new Date(lookAt.getTime() + day)
    const mesh = unplaced(meshOf([{ name: agent }], [{ ...edge, expires: soon }]))
    expect(plan(mesh, inStore([peerOf('alice')])).changes).toEqual([
      { agent, peer: 'alice', field: 'expires', action: 'change', from: null, to: soon.toISOString() },
    ])
  })

  it('removes only with prune, and delivers for it only with prune', () => {
    const mesh = meshOf([{ name: agent }], [edge])
    const both = meshOf([{ name: agent }], [edge, { peer: 'bob', agent }])
    expect(plan(mesh, settled(both)).changes).toEqual([
      { agent, peer: 'bob', action: 'remove', needs: 'prune' },
      { agent, action: 'deliver', needs: 'prune' },
    ])
  })

  it('delivers to those alone whom a change concerns', () => {
    const two = (url: string): Mesh =>
      meshOf(
        [{ name: agent, url }, { name: 'search' }],
        [edge, { peer: 'alice', agent: 'search' }, { peer: 'bob', agent: 'search' }],
      )
    const state = settled(two('https://old.example'))
    const lost = { ...state, delivered: { ...state.delivered, peers: new Map() } }
    const rows = plan(two('https://new.example'), lost).changes.filter(({ action }) => action === 'deliver')
    expect(rows.map((one) => `${one.peer} ${one.agent}`)).toEqual([
      'alice billing',
      'alice search',
      'bob search',
    ])
    expect(plan(two('https://new.example'), state).changes).toEqual([
      { agent, field: 'url', action: 'change', from: 'https://old.example', to: 'https://new.example' },
      { agent, peer: 'alice', action: 'deliver' },
    ])
  })

  it('delivers again what went to another place, what was lost, and what another command changed', () => {
    const mesh = meshOf([{ name: agent }], [edge])
    const state = settled(mesh)
    expect(plan(mesh, state).changes).toEqual([])
    const elsewhere = meshOf([{ name: agent, serverFile: '/elsewhere.json' }], [edge])
    expect(plan(elsewhere, state).changes).toEqual([{ agent, action: 'deliver' }])
    const lost = { ...state, delivered: { ...state.delivered, peers: new Map() } }
    expect(plan(mesh, lost).changes).toEqual([{ agent, peer: 'alice', action: 'deliver' }])
    const rosters = new Map(
      [...state.rosters].map(([name, one]) => [name, { ...one, signed: 'require' as const }]),
    )
    const required = { ...state, rosters }
    expect(plan(mesh, required).changes).toEqual([
      { agent, action: 'deliver' },
      { agent, peer: 'alice', action: 'deliver' },
    ])
  })

  it('delivers nothing to a peer of which nothing is left to send', () => {
    const mesh = meshOf([{ name: agent }], [{ ...edge, expires: past }])
    expect(plan(mesh).changes).toEqual([
      { agent, action: 'create' },
      { agent, action: 'deliver' },
    ])
  })

  it('is empty as credentials expire that a rotation superseded', () => {
    const mesh = meshOf([{ name: agent }], [{ ...edge, rotateAfterMs: 30 * day }])
    const first = settled(mesh, nothingYet, madeAt)
    const rotatedAt = new Date(madeAt.getTime() + 30 * day)
    const second = settled(mesh, first, rotatedAt)
    for (const days of [0, 0.5, 1, 2, 29])
      expect(plan(mesh, second, new Date(rotatedAt.getTime() + days * day)).changes).toEqual([])
  })
})

describe('the remarks of a plan', () => {
  const mesh = meshOf([{ name: agent }], [edge])
  const hash = `sha256:${'0'.repeat(64)}`
  it.each([
    [
      'a token known by its hash',
      { tokens: [{ id: 't', createdAt: madeAt, token: { value: undefined, hash } }] },
      '--token',
    ],
    ['a weak token', { tokens: [tokenCredential('t', 'a2at_x')] }, '--token'],
    ['a weak seed', { seeds: [weakSeed()] }, '--seed'],
    ['expired credentials', { seeds: [seedCredential('s', 1, past)] }, 'for new ones'],
  ])('name the rotation that replaces %s', (_, overrides, option) => {
    const { remarks } = plan(mesh, inStore([peerOf('alice', { tokens: [strong], ...overrides })]))
    expect(remarks).toHaveLength(1)
    expect(remarks[0]).toContain('alice -> billing: ')
    expect(remarks[0]).toContain('`a2a-totp mesh rotate --only alice:billing')
    expect(remarks[0]).toContain(option)
  })

  it('are none for an edge that is well, or that the plan rotates', () => {
    expect(plan(mesh, inStore([peerOf('alice', { tokens: [strong] })])).remarks).toEqual([])
    const aged = meshOf([{ name: agent }], [{ ...edge, rotateAfterMs: day }])
    expect(plan(aged, inStore([peerOf('alice', { seeds: [weakSeed()] })])).remarks).toEqual([])
  })

  it('name an edge that has ended by its line, and until when a rotation has to wait', () => {
    const ended = meshOf([{ name: agent }], [{ ...edge, expires: past, line: 12 }])
    expect(plan(ended).remarks).toEqual([expect.stringContaining('line 12')])
    const soon = new Date(lookAt.getTime() + day)
    const seeds = [seedCredential('old', 1, soon), seedCredential('new', 2)]
    const aged = meshOf([{ name: agent }], [{ ...edge, rotateAfterMs: day }])
    const { remarks } = plan(aged, inStore([peerOf('alice', { seeds, tokens: [strong] })]))
    expect(remarks).toEqual([expect.stringContaining(soon.toISOString())])
  })

  it('name an agent that was taken out of the file and still lets its peers in', () => {
    const state = settled(meshOf([{ name: agent }, { name: 'search' }], [edge]))
    expect(plan(mesh, state).remarks).toEqual([expect.stringMatching(/^search: .*mesh apply --prune/)])
  })
})

describe('the remarks on agents', () => {
  const named = ['b', 'a', 'c'].map((name) => ({ name }))

  it('come in the order of their names, and of the peers', () => {
    const state = settled(meshOf([...named, { name: agent }]))
    const { remarks } = plan(meshOf([{ name: agent }]), state)
    expect(remarks.map((remark) => remark.slice(0, 2))).toEqual(['a:', 'b:', 'c:'])
    const edges = ['bob', 'alice', 'carol'].map((peer) => ({ peer, agent, expires: past }))
    const ended = plan(meshOf([{ name: agent }], edges)).remarks
    expect(ended.map((remark) => remark.split(' ')[0])).toEqual(['alice', 'bob', 'carol'])
  })

  it('name those whose store is gone, though they have a server file', () => {
    const mesh = meshOf(named)
    const { delivered, rosters } = settled(mesh)
    expect(remarksOnLostStores(mesh, delivered, rosters)).toEqual([])
    expect(remarksOnLostStores(mesh, nothingYet.delivered, new Map())).toEqual([])
    const left = new Map([...rosters].filter(([name]) => name !== 'b'))
    expect(remarksOnLostStores(mesh, delivered, left)).toEqual([
      'b: it has its server file, and its store /mesh/stores/b.json is not there; put it back, or it gets a new one with new ' +
        'credentials for all of its peers',
    ])
  })
})

describe('the canaries of a plan', () => {
  const with2 = meshOf([{ name: agent, canaries: ['trap', 'bait'] }])

  it('are created once, and removed when the file does not name them any more', () => {
    const state = settled(with2)
    expect(plan(with2, state).changes).toEqual([])
    const { changes } = plan(meshOf([{ name: agent, canaries: ['trap'] }]), state)
    expect(changes).toEqual([
      { agent, peer: 'bait', action: 'remove', canary: true, needs: 'prune' },
      { agent, action: 'deliver', needs: 'prune' },
    ])
  })

  it('stay where the file says nothing of them', () => {
    expect(plan(meshOf([{ name: agent }]), settled(with2)).changes).toEqual([])
  })

  it('are called so on a terminal', () => {
    expect(planText(plan(with2), { unicode: false }).split('\n').slice(1, 4)).toEqual([
      '  + store',
      '  + bait (canary)',
      '  + trap (canary)',
    ])
  })
})
