import { describe, expect, it } from 'vitest'
import { Seed } from '../../src/core/seed.js'
import type { DeliveryRecord } from '../../src/mesh/apply/delivered.js'
import { remarksOn, remarksOnCallers, remarksOnUndeclared } from '../../src/mesh/plan/remarks.js'
import type { MeshEdge } from '../../src/mesh/file/mesh.js'
import { meshOf } from '../support/mesh-plan.js'
import { lookAt, madeAt, past, peerOf, rosterOf, seedCredential, tokenCredential } from '../support/roster.js'

const agent = 'billing'
const delivered = { digest: '', at: madeAt }
const recordOf = (some: { agents?: string[]; peers?: string[] }): DeliveryRecord => ({
  agents: new Map((some.agents ?? []).map((name) => [name, delivered])),
  peers: new Map((some.peers ?? []).map((name) => [name, delivered])),
})

describe('the remarks on an edge', () => {
  const edgeWith = (more: Partial<MeshEdge>) => meshOf([{ name: agent }], [{ peer: 'alice', agent, ...more }])
  const strong = tokenCredential('t', 'a2at_kQ3vX9bZ1mW7rT5yH2nJ8pL4sD6fG0aC-uE_iO')
  const weak = tokenCredential('t', 'a2at_x')
  const remarks = (more: Partial<MeshEdge>, peer: Parameters<typeof peerOf>[1]): string[] =>
    remarksOn(edgeWith(more), agent, rosterOf([peerOf('alice', peer)], { agent }), lookAt)

  it('say nothing of a weak token that other codes replace', () => {
    expect(remarks({}, { tokens: [weak] })).toHaveLength(1)
    expect(remarks({ digits: 8 }, { tokens: [weak] })).toEqual([])
  })

  it('say nothing of an expired token that the plan replaces, but name the weak seed that stays', () => {
    const tokens = [{ ...strong, expiresAt: past }]
    expect(remarks({ expires: 'never' }, { tokens })).toEqual([])
    const seeds = [{ ...seedCredential('s', 1), seed: Seed.fromBytes(new Uint8Array(10).fill(7)) }]
    expect(remarks({ expires: 'never' }, { tokens, seeds })).toEqual([
      'alice -> billing: its seed has less than 128 bits; run `a2a-totp mesh rotate --only alice:billing --seed`',
    ])
  })
})

describe('the remarks on what a mesh no longer names', () => {
  it('are on agents in the order of their names, whichever got its server file first', () => {
    const record = recordOf({ agents: ['search', agent, 'ledger', 'files'] })
    const remarks = remarksOnUndeclared(meshOf([{ name: agent }]), record)
    expect(remarks.map((remark) => remark.split(':')[0])).toEqual(['files', 'ledger', 'search'])
  })

  it('are on peers that call nothing any more, by name, with where their client files are', () => {
    const mesh = meshOf([{ name: agent }], [{ peer: 'alice', agent }], ['dave', 'bob', 'eve', 'carol'])
    const record = recordOf({ peers: ['alice', 'dave', 'eve', 'bob'] })
    const ending =
      'it calls no agent any more, so its client file stays as it was, with the credentials that it had; delete '
    expect(remarksOnCallers(mesh, record)).toEqual([
      `bob: ${ending}/mesh/clients/bob.json`,
      `dave: ${ending}/mesh/clients/dave.json`,
      `eve: ${ending}/mesh/clients/eve.json`,
    ])
    const byCommand = { ...mesh, peers: new Map([['dave', { name: 'dave', deliver: 'cat', line: 1 }]]) }
    expect(remarksOnCallers(byCommand, record)).toEqual([
      `dave: ${ending}it where its \`deliver\` command puts it`,
    ])
  })
})
