import { describe, expect, it } from 'vitest'
import { stageRotation, withStep } from '../../src/core/staged-rotation.js'
import { withRotationsOver } from '../../src/mesh/plan/deliver-rows.js'
import type { MeshChange } from '../../src/mesh/plan/plan.js'
import { meshOf, nothingYet, planFor, seededRandom, settled } from '../support/mesh-plan.js'
import { lookAt, madeAt, peerOf, rosterOf } from '../support/roster.js'

const day = 86_400_000
const agent = 'billing'
const edge = { peer: 'alice', agent }
const after = (days: number): Date => new Date(lookAt.getTime() + days * day)
const search = { peer: 'alice', agent: 'search' }
const deliveries = (changes: readonly MeshChange[]): MeshChange[] =>
  changes.filter(({ action }) => action === 'deliver')

describe('what is delivered', () => {
  it('needs the word that the change needs that it is for', () => {
    const edges = [edge, { peer: 'bob', agent: 'search' }]
    const state = settled(meshOf([{ name: agent }, { name: 'search' }], edges))
    const header = { agent, field: 'header', action: 'change', from: 'X-TOTP', to: 'X-Code', needs: 'yes' }
    const mesh = meshOf([{ name: agent, header: 'X-Code' }, { name: 'search' }], edges)
    const files = [
      { agent, action: 'deliver', needs: 'yes' },
      { agent, peer: 'alice', action: 'deliver', needs: 'yes' },
    ]
    expect(planFor(mesh, state).changes).toEqual([header, ...files])
    // A note is in no file, and needs no word.
    const noted = { ...mesh, edges: mesh.edges.map((one) => ({ ...one, note: 'new' })) }
    expect(deliveries(planFor(noted, state).changes)).toEqual(files)
  })

  it('is for each agent of a peer in the order of their names', () => {
    const mesh = meshOf([{ name: 'search' }, { name: agent }], [search, edge])
    const rows = deliveries(planFor(mesh, nothingYet).changes)
    expect(rows.map(({ peer, agent: name }) => [peer, name])).toEqual([
      [undefined, agent],
      [undefined, 'search'],
      ['alice', agent],
      ['alice', 'search'],
    ])
  })

  it('follows a rotation to both sides, since it will have been finished', () => {
    const mesh = meshOf([{ name: agent }], [{ ...edge, rotateAfterMs: 30 * day }])
    const state = settled(mesh, nothingYet, madeAt)
    expect(planFor(mesh, state).changes).toEqual([
      { agent, peer: 'alice', field: 'age', action: 'rotate' },
      { agent, action: 'deliver' },
      { agent, peer: 'alice', action: 'deliver' },
    ])
  })
})

describe('the client file of a peer that may no longer call an agent', () => {
  const agents = [{ name: agent }, { name: 'search' }]
  const state = settled(meshOf(agents, [edge, search]))

  it('keeps that agent, and is delivered without it only with prune', () => {
    const mesh = meshOf(agents, [search])
    expect(planFor(mesh, state).changes).toEqual([
      { agent, peer: 'alice', action: 'remove', needs: 'prune' },
      { agent, action: 'deliver', needs: 'prune' },
      { agent: 'search', peer: 'alice', action: 'deliver', needs: 'prune' },
    ])
    expect(planFor(mesh, settled(mesh, state)).changes).toEqual([])
  })

  it('is delivered for a change of that agent where nothing else is left in it', () => {
    const ending = { ...search, expires: after(1) }
    const before = settled(meshOf(agents, [edge, ending]))
    const mesh = meshOf([{ name: agent, header: 'X-Code' }, { name: 'search' }], [ending])
    expect(deliveries(planFor(mesh, before, after(2)).changes)).toEqual([
      { agent, action: 'deliver', needs: 'prune' },
      { agent: 'search', peer: 'alice', action: 'deliver', needs: 'yes' },
    ])
  })
})

describe('a client file whose credentials have ended since', () => {
  it('is not delivered again while others in it are valid', () => {
    const agents = [{ name: agent }, { name: 'search' }]
    const mesh = meshOf(agents, [{ ...edge, expires: after(1) }, search])
    expect(planFor(mesh, settled(mesh), after(2)).changes).toEqual([])
  })

  it('is not delivered for a change of its agent when it has no others', () => {
    const until = (url: string) => meshOf([{ name: agent, url }], [{ ...edge, expires: after(1) }])
    const state = settled(until('https://old.example'))
    const rows = (at: Date) => deliveries(planFor(until('https://new.example'), state, at).changes)
    expect(rows(lookAt)).toEqual([{ agent, peer: 'alice', action: 'deliver' }])
    expect(rows(after(2))).toEqual([])
  })
})

describe('a rotation at its end', () => {
  it.each(['staged', 'admitted', 'delivered', 'proved'] as const)(
    'has the new credentials in use and the old ones ending with the overlap, from step %s',
    (step) => {
      const staging = { id: 'x', seed: true, token: true, overlapMs: day }
      const making = { at: madeAt, random: seededRandom() }
      const staged = stageRotation(rosterOf([peerOf('alice'), peerOf('bob')]), ['alice'], staging, making)
      const roster = withStep(staged, 'alice', 'x', step)
      const over = withRotationsOver(roster, lookAt)
      const alice = over.peers.get('alice')
      expect(alice).not.toHaveProperty('pending')
      const lives = [alice?.seeds, alice?.tokens].map((some) =>
        some?.map(({ expiresAt, staged: isStaged }) => [expiresAt, isStaged]),
      )
      const expected = [
        [after(1), undefined],
        [undefined, undefined],
      ]
      expect(lives).toEqual([expected, expected])
      expect(over.peers.get('bob')).toBe(roster.peers.get('bob'))
    },
  )
})
