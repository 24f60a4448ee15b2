import { describe, expect, it } from 'vitest'
import { stageRotation } from '../../src/core/staged-rotation.js'
import type { Peer } from '../../src/core/roster.js'
import type { MeshEdge } from '../../src/mesh/file/mesh.js'
import { peerAfter } from '../../src/mesh/plan/edge-after.js'
import { seededRandom } from '../support/mesh-plan.js'
import { lookAt, madeAt, past, peerOf, rosterOf, seedCredential, tokenCredential } from '../support/roster.js'

const day = 86_400_000
const ended: MeshEdge = { peer: 'alice', agent: 'billing', overlapMs: day, line: 1, expires: past }

function after(edge: MeshEdge, peer: Peer): Peer {
  const options = { at: lookAt, random: seededRandom(), stagingId: 'r-1', yes: true }
  return peerAfter(rosterOf([peer], { agent: 'billing' }), edge, peer, options)
}

describe('an edge that has ended', () => {
  it('still gets the policies and the note of the file', () => {
    const settings = { replay: 'once', signed: 'require', note: 'gone' } as const
    expect(after({ ...ended, ...settings }, peerOf('alice'))).toMatchObject(settings)
  })

  it.each([
    ['seed', { tokens: [tokenCredential('t', 'a2at_t', past)] }, [lookAt, past]],
    ['token', { seeds: [seedCredential('s', 1, past)] }, [past, lookAt]],
  ])('has its last live credential end, also if that is its %s alone', (_, overrides, ends) => {
    const { seeds, tokens } = after(ended, peerOf('alice', overrides))
    expect([...seeds, ...tokens].map(({ expiresAt }) => expiresAt)).toEqual(ends)
  })

  it('has nothing left of a rotation that was not handed out', () => {
    const staging = { id: 'x', seed: true, token: true, overlapMs: day }
    const roster = stageRotation(rosterOf([peerOf('alice')]), ['alice'], staging, {
      ...{ at: madeAt, random: seededRandom() },
    })
    const peer = after(ended, roster.peers.get('alice') ?? peerOf('alice'))
    expect(peer).not.toHaveProperty('pending')
    for (const one of [...peer.seeds, ...peer.tokens]) expect(one).not.toHaveProperty('staged')
  })
})
