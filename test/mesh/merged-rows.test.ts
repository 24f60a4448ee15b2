import { describe, expect, it } from 'vitest'
import { mergeRows } from '../../src/mesh/plan/merged-rows.js'
import type { MeshChange } from '../../src/mesh/plan/plan.js'

const creates = (...peers: string[]): MeshChange[] =>
  peers.map((peer) => ({ agent: 'billing', peer, action: 'create' }))

describe('rows for a person', () => {
  it('stay one by one up to three peers, and are one line from four on', () => {
    const three = creates('alice', 'bob', 'carol')
    expect(mergeRows(three)).toEqual(three)
    expect(mergeRows(creates('alice', 'bob', 'carol', 'dave'))).toEqual([
      { agent: 'billing', peer: 'alice, bob, carol, dave', action: 'create' },
    ])
  })

  it('are merged for the agents of one client file, never for the server files of several agents', () => {
    const servers: MeshChange[] = ['billing', 'search'].map((agent) => ({ agent, action: 'deliver' }))
    const clients = servers.map((row): MeshChange => ({ ...row, peer: 'alice' }))
    expect(mergeRows([...servers, ...clients])).toEqual([
      ...servers,
      { agent: 'billing, search', peer: 'alice', action: 'deliver' },
    ])
  })

  it('are merged only with rows of the same change, word and standing', () => {
    const rows = creates('alice', 'bob', 'carol', 'dave')
    const last = (more: Partial<MeshChange>): MeshChange[] =>
      rows.map((row, index) => (index === 3 ? { ...row, ...more } : row))
    const apart: Partial<MeshChange>[] = [
      { agent: 'search' },
      { action: 'remove' },
      { field: 'note' },
      { from: 6 },
      { to: 8 },
      { needs: 'yes' },
      { canary: true },
    ]
    for (const more of apart) expect(mergeRows(last(more))).toEqual(last(more))
    expect(mergeRows(rows, ({ peer }) => (peer === 'dave' ? 'failed' : 'done'))).toEqual(rows)
  })

  it('come in the order of the first of each', () => {
    const [alice, bob, carol, dave] = creates('alice', 'bob', 'carol', 'dave')
    const other: MeshChange = { agent: 'billing', peer: 'eve', action: 'remove' }
    const rows = [alice, other, bob, carol, dave].flatMap((row) => row ?? [])
    expect(mergeRows(rows).map(({ peer }) => peer)).toEqual(['alice, bob, carol, dave', 'eve'])
  })
})
