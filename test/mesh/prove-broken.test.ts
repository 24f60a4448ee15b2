import { describe, expect, it, onTestFinished } from 'vitest'
import { cellsOf, freshPeer, freshRoster, proveDrawn, withPeers } from '../support/mesh-agents.js'
import { withRemoved } from '../../src/core/removed.js'
import { defaultProfile } from '../../src/core/profile.js'
import { startTestAgent } from '../support/broken-agent.js'

const peers = { alice: ['billing', 'search'], bob: ['billing'], carol: ['search'] }
const rosters = () =>
  [freshRoster('billing', ['alice', 'bob']), freshRoster('search', ['alice', 'carol'])] as const

describe('a broken mesh', () => {
  it('is named where an agent has an old server file', async () => {
    const [billing, search] = rosters()
    const old = withPeers(billing, { bob: freshPeer('bob') })
    const { report } = await proveDrawn([billing, search], peers, { served: { billing: old } })
    expect(cellsOf(report)).toMatchObject({
      'alice billing': 'true pass',
      'bob billing': 'false fail',
      'alice search': 'true pass',
      'bob search': 'false pass',
    })
    expect(report.ok).toBe(false)
    expect(report.diagnosis).toBe(
      'the server file of billing is stale: the right credentials of bob are refused; deliver its server file (`a2a-totp mesh apply`)',
    )
  })

  it('is named where an agent has no peer of its store', async () => {
    const [billing, search] = rosters()
    const old = freshRoster('billing', ['alice', 'bob'])
    const { report } = await proveDrawn([billing, search], peers, { served: { billing: old } })
    expect(cellsOf(report)).toMatchObject({ 'alice billing': 'false fail', 'bob billing': 'false fail' })
    expect(report.diagnosis).toBe(
      "the server file of billing is stale, or another agent's: the right credentials of alice, bob are refused; deliver its server file (`a2a-totp mesh apply`)",
    )
  })

  it('is named where an agent has no guard', async () => {
    const [billing, search] = rosters()
    const open = {
      ...{ peers: [], profile: defaultProfile, now: () => new Date(), grpc: false },
      quirks: { waves: () => true },
    }
    const agent = await startTestAgent(open)
    onTestFinished(() => agent.close())
    const { report } = await proveDrawn([billing, search], peers, { urls: { search: agent.url } })
    expect(cellsOf(report)).toMatchObject({
      'alice billing': 'true pass',
      'bob search': 'true fail',
      'carol search': 'true fail',
    })
    expect(report.ok).toBe(false)
    expect(report.diagnosis).toBe(
      'search is not guarded: callers without any credentials are let in; put the guard, or `a2a-totp gate`, in front of it',
    )
  })

  it('is named where agents have the server files of each other', async () => {
    const [billing, search] = rosters()
    const { report } = await proveDrawn([billing, search], peers, {
      served: { billing: search, search: billing },
    })
    expect(cellsOf(report)).toMatchObject({
      'alice billing': 'false fail',
      'alice search': 'false fail',
      'bob billing': 'false fail',
      'carol search': 'false fail',
    })
    expect(report.diagnosis).toContain(
      "billing, search let none of their edges in: they have each other's server files",
    )
  })

  it('is named where two agents share credentials', async () => {
    const shared = freshPeer('alice')
    const { report } = await proveDrawn(
      [freshRoster('billing', [shared, 'bob']), freshRoster('search', [shared, 'carol'])],
      peers,
    )
    expect(report.checks.find(({ id }) => id === 'mesh.separate')).toMatchObject({
      status: 'fail',
      actual: '2 secrets shared',
    })
    expect(cellsOf(report)).toMatchObject({ 'bob search': 'null skip' })
    expect(report.diagnosis).toContain('edges share credentials, so they are crossed: alice in ')
  })

  it('is named where a removed peer is still let in', async () => {
    const [billing, search] = rosters()
    const at = new Date()
    const after = withRemoved(billing, ['bob'], at)
    const declared = { ...peers, bob: [] }
    const { report, refused } = await proveDrawn([after, search], declared, { served: { billing } })
    expect(cellsOf(report)).toMatchObject({ 'bob billing removed': 'true fail', 'bob search': 'false pass' })
    expect(report.checks.find(({ id }) => id === 'mesh.removed')).toMatchObject({
      status: 'fail',
      actual: '1 peer let in',
    })
    expect(report.diagnosis).toBe(
      'removed peer still let in: bob at billing; deliver the server file of billing (`a2a-totp mesh apply`)',
    )
    expect(refused).toEqual([])

    const delivered = await proveDrawn([after, search], declared)
    expect(cellsOf(delivered.report)).toMatchObject({ 'bob billing removed': 'false pass' })
    expect(delivered.report.ok).toBe(true)
    expect(delivered.refused).toEqual([{ agent: 'billing', name: 'bob', removedAt: at }])
  })
})
