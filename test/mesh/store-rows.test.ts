import { describe, expect, it } from 'vitest'
import type { Peer, Roster } from '../../src/core/roster.js'
import type { Mesh, MeshAgent, MeshEdge } from '../../src/mesh/file/mesh.js'
import type { MeshChange } from '../../src/mesh/plan/plan.js'
import { rosterAfter } from '../../src/mesh/plan/roster-after.js'
import { storeRows } from '../../src/mesh/plan/store-rows.js'
import { meshOf, seededRandom } from '../support/mesh-plan.js'
import { lookAt, past, peerOf, rosterOf, seedCredential, tokenCredential } from '../support/roster.js'

const day = 86_400_000
const agent = 'billing'
const edge = { peer: 'alice', agent }
const after = (days: number): Date => new Date(lookAt.getTime() + days * day)
const storeOf = (peers: readonly Peer[]): Roster =>
  rosterOf(peers, { agent, url: `https://${agent}.example/a2a`, signed: 'observe' })

/** The rows of a store that is brought to what a mesh says. */
function rows(mesh: Mesh, before: Roster): MeshChange[] {
  const making = { at: lookAt, random: seededRandom(), prune: true, stagingId: 'r' }
  return storeRows(agent, before, rosterAfter(mesh, agent, before, making), lookAt)
}

const withAgent = (more: Partial<MeshAgent>): MeshChange[] =>
  rows(meshOf([{ name: agent, ...more }], [edge]), storeOf([peerOf('alice')]))
const withEdge = (more: Partial<MeshEdge>, peer: Partial<Peer> = {}): MeshChange[] =>
  rows(meshOf([{ name: agent }], [{ ...edge, ...more }]), storeOf([peerOf('alice', peer)]))

describe('the rows of an agent', () => {
  it.each([
    ['header', 'X-TOTP', 'X-Code'],
    ['window', 1, 2],
  ])('need a word for another %s, which every peer has to be told', (field, from, to) => {
    expect(withAgent({ [field]: to })).toEqual([{ agent, field, action: 'change', from, to, needs: 'yes' }])
  })

  it.each([
    ['digits', 6, 8],
    ['replay', 'reuse', 'once'],
    ['signed', 'observe', 'require'],
  ])('need none for other %s', (field, from, to) => {
    expect(withAgent({ signed: 'observe', [field]: to })).toEqual([
      { agent, field, action: 'change', from, to },
    ])
  })
})

describe('the rows of an edge', () => {
  it.each([
    ['algorithm', 'SHA1', 'SHA256'],
    ['digits', 6, 8],
    ['period', 30, 60],
  ])('rotate it for another %s, which needs a word', (field, from, to) => {
    expect(withEdge({ [field]: to })).toEqual([
      { agent, peer: 'alice', field, action: 'rotate', from, to, needs: 'yes' },
    ])
  })

  it('change its policies and its note without a word', () => {
    const row = { agent, peer: 'alice', action: 'change', from: null }
    expect(withEdge({ replay: 'once', signed: 'require', note: 'new' })).toEqual([
      { ...row, field: 'replay', to: 'once' },
      { ...row, field: 'signed', to: 'require' },
      { ...row, field: 'note', to: 'new' },
    ])
  })

  it('come by the names of peers, whatever the order in the store', () => {
    const peers = ['carol', 'alice', 'bob']
    const mesh = meshOf(
      [{ name: agent }],
      peers.map((peer) => ({ peer, agent, note: 'new' })),
    )
    const found = rows(mesh, storeOf(peers.map((peer) => peerOf(peer))))
    expect(found.map(({ peer }) => peer)).toEqual(['alice', 'bob', 'carol'])
  })
})

describe('the row of an end', () => {
  const moved = (from: Date | null, to: Date): MeshChange => ({
    ...{ agent, peer: 'alice', field: 'expires', action: 'change' },
    from: from?.toISOString() ?? null,
    to: to.toISOString(),
  })

  it('has that of the credentials in use, not of those that a rotation superseded', () => {
    const seeds = [seedCredential('s1', 1, after(2)), seedCredential('s2', 2)]
    const tokens = [tokenCredential('t1', 'a2at_1', after(2)), tokenCredential('t2', 'a2at_2')]
    expect(withEdge({ expires: after(1) }, { seeds, tokens })).toEqual([moved(null, after(1))])
  })

  it('has that of the seed where the token ends then already', () => {
    const tokens = [tokenCredential('t', 'a2at_t', after(1))]
    expect(withEdge({ expires: after(1) }, { tokens })).toEqual([moved(null, after(1))])
  })

  it('has when they ended, where the token has expired and is renewed', () => {
    const tokens = [tokenCredential('t', 'a2at_t', past)]
    expect(withEdge({ expires: after(1) }, { tokens })).toEqual([
      moved(past, after(1)),
      { agent, peer: 'alice', field: 'expires', action: 'rotate' },
    ])
  })
})

it('a store that is as the file says has no rows', () => {
  expect(withAgent({ header: 'X-TOTP' })).toEqual([])
})
