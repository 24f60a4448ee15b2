import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { algorithms, replayPolicies } from '../../src/core/profile.js'
import { signedPolicies } from '../../src/core/proof/profile.js'
import { provisionPeer, withPeers } from '../../src/core/provision.js'
import { canariesOf, policiesOf, type Peer, type Roster } from '../../src/core/roster.js'
import { rotate } from '../../src/core/rotation.js'
import { stageRotation, withStep } from '../../src/core/staged-rotation.js'
import { Token } from '../../src/core/token.js'
import { edgesTo, type Mesh, type MeshAgent, type MeshEdge } from '../../src/mesh/file/mesh.js'
import { planOf } from '../../src/mesh/plan/plan-of.js'
import { rosterAfter } from '../../src/mesh/plan/roster-after.js'
import { agentPolicies, edgePolicies } from '../../src/mesh/show/policies.js'
import type { StoreReading } from '../../src/mesh/show/store-reading.js'
import { checkRoster } from '../../src/store/roster-rules.js'
import { applied, cutOff, meshOf, nothingYet, seededRandom, type MeshState } from '../support/mesh-plan.js'

const day = 86_400_000
const start = new Date('2026-01-01T00:00:00Z')
const later = (ms: number, from = start): Date => new Date(from.getTime() + ms)

const agentNames = ['a1', 'a2', 'a3']
const peerNames = ['p1', 'p2', 'p3', 'p4']
const canaryNames = ['c1', 'c2']

const maybe = <T>(values: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(values, { nil: undefined })
const named = <T extends object>(record: T): T =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as T
const replay = fc.constantFrom(...replayPolicies)
const signed = fc.constantFrom(...signedPolicies)
const codes = {
  algorithm: maybe(fc.constantFrom(...algorithms)),
  digits: maybe(fc.constantFrom(6 as const, 8 as const)),
  period: maybe(fc.constantFrom(30, 60)),
}
const anyAgent = fc
  .record({
    ...codes,
    replay: maybe(replay),
    signed: maybe(signed),
    window: maybe(fc.constantFrom(0, 1, 2)),
    header: maybe(fc.constantFrom('X-TOTP', 'X-Code')),
    canaries: maybe(fc.uniqueArray(fc.constantFrom(...canaryNames))),
    serverFile: fc.constantFrom('/mesh/server.json', undefined),
    deliver: maybe(fc.constant('cat')),
  })
  .map(named)
const anyEdge = fc
  .record({
    ...codes,
    replay: maybe(fc.oneof(replay, fc.constant('inherit' as const))),
    signed: maybe(fc.oneof(signed, fc.constant('inherit' as const))),
    note: maybe(fc.constantFrom('one', 'two')),
    expires: maybe(
      fc.oneof(
        fc.constant('never' as const),
        fc.integer({ min: -5, max: 400 }).map((days) => later(days * day)),
      ),
    ),
    overlapMs: fc.constantFrom(day, 7 * day),
    rotateAfterMs: maybe(fc.constantFrom(3 * day, 30 * day)),
  })
  .map(named)

const anyMesh: fc.Arbitrary<Mesh> = fc
  .record({
    agents: fc.dictionary(fc.constantFrom(...agentNames), anyAgent, { minKeys: 1 }),
    edges: fc.dictionary(
      fc.constantFrom(...peerNames.flatMap((peer) => agentNames.map((agent) => `${peer}:${agent}`))),
      anyEdge,
    ),
    peers: fc.subarray(peerNames),
  })
  .map(({ agents, edges, peers }) =>
    meshOf(
      Object.entries(agents).map(([name, agent]) => ({ name, ...(agent as Partial<MeshAgent>) })),
      Object.entries(edges).flatMap(([pair, edge]) => {
        const [peer = '', agent = ''] = pair.split(':')
        return agent in agents ? [{ peer, agent, ...(edge as Partial<MeshEdge>) }] : []
      }),
      peers,
    ),
  )

/** What somebody does to a store with other commands. */
type Deed = (roster: Roster, peer: Peer | undefined, at: Date) => Roster
const random = seededRandom('deeds')
let staged = 0
const put = (roster: Roster, peer: Peer): Roster => ({
  ...roster,
  peers: new Map(roster.peers).set(peer.name, peer),
})
const deeds: Readonly<Record<string, Deed>> = {
  addsPeer: (roster, _peer, at) =>
    roster.peers.has('stranger')
      ? roster
      : withPeers(roster, [provisionPeer(roster, { name: 'stranger' }, { at, random })]),
  rotates: (roster, peer, at) => {
    if (!peer || peer.pending || peer.seeds.length > 1) return roster
    return rotate(roster, [peer.name], { seed: true, token: true, overlapMs: 2 * day }, { at, random })
  },
  rotatesToken: (roster, peer, at) => {
    if (peer?.pending !== undefined || !peer) return roster
    return rotate(roster, [peer.name], { seed: false, token: true, overlapMs: day }, { at, random })
  },
  stages: (roster, peer, at) => {
    if (!peer || peer.pending || peer.seeds.length > 1) return roster
    const staging = { id: `manual${staged++}`, seed: true, token: true, overlapMs: day }
    const after = stageRotation(roster, [peer.name], staging, { at, random })
    return staged % 2 === 0 ? after : withStep(after, peer.name, staging.id, 'delivered')
  },
  expires: (roster, peer, at) => {
    if (!peer) return roster
    const end = <C extends { readonly expiresAt?: Date }>(one: C): C => ({ ...one, expiresAt: at })
    return put(roster, { ...peer, seeds: peer.seeds.map(end) })
  },
  forgetsToken: (roster, peer) =>
    peer
      ? put(roster, {
          ...peer,
          tokens: peer.tokens.map((one) => ({ ...one, token: { value: undefined, hash: one.token.hash } })),
        })
      : roster,
  weakens: (roster, peer) =>
    peer?.tokens.length === 1
      ? put(roster, {
          ...peer,
          tokens: peer.tokens.map((one) => ({ ...one, token: Token.parse(`weak${staged++}`) })),
        })
      : roster,
}

interface Event {
  readonly agent: string
  readonly peer: string
  readonly deed: string
}
const anyEvent: fc.Arbitrary<Event> = fc.record({
  agent: fc.constantFrom(...agentNames),
  peer: fc.constantFrom(...peerNames),
  deed: fc.constantFrom(...Object.keys(deeds)),
})

/** A mesh that was applied, what was done to it since, and how long ago. */
const anyPast = fc.record({
  before: fc.option(anyMesh, { nil: undefined }),
  events: fc.array(anyEvent, { maxLength: 4 }),
  days: fc.constantFrom(0, 1, 5, 40),
})

function stateFrom({ before, events }: { before?: Mesh | undefined; events: readonly Event[] }): MeshState {
  if (!before) return nothingYet
  const whole = applied(before, nothingYet, start, planOf(before, { ...nothingYet, at: start }))
  const rosters = new Map(whole.rosters)
  for (const { agent, peer, deed } of events) {
    const roster = rosters.get(agent)
    if (roster) rosters.set(agent, deeds[deed]?.(roster, roster.peers.get(peer), later(day)) ?? roster)
  }
  return { ...whole, rosters }
}

/**
 * What an apply leaves. A rotation that somebody staged is finished first; what it brought may be old by then, and is rotated
 * by the next one.
 *
 * @param known what was there before; anything else was staged by an apply
 */
function settled(mesh: Mesh, state: MeshState, at: Date, { prune = true, known = state } = {}): MeshState {
  const once = applied(mesh, state, at, planOf(mesh, { ...state, at }), prune)
  const peers = [...known.rosters.values()].flatMap((roster) => [...roster.peers.values()])
  const isStaged = peers.some(({ pending }) => pending !== undefined)
  return isStaged ? applied(mesh, once, at, planOf(mesh, { ...once, at }), prune) : once
}

const withoutAge = (mesh: Mesh): Mesh => ({
  ...mesh,
  edges: mesh.edges.map((edge) => named({ ...edge, rotateAfterMs: undefined }) as MeshEdge),
})

const secretsOf = (rosters: Iterable<Roster>): string[] =>
  [...rosters].flatMap((roster) => [
    ...[...roster.peers.values()].flatMap(({ seeds }) => seeds.map(({ seed }) => seed.base32)),
    ...[...roster.peers.values(), ...canariesOf(roster)].flatMap(({ tokens }) =>
      tokens.flatMap(({ token }) => [token.hash, token.value ?? token.hash]),
    ),
  ])

describe('a plan', () => {
  it('is empty once it was applied', () => {
    fc.assert(
      fc.property(anyMesh, anyPast, (mesh, past) => {
        const state = stateFrom(past)
        const at = later(past.days * day + day)
        const after = settled(mesh, state, at)
        for (const roster of after.rosters.values()) checkRoster(roster)
        expect(planOf(mesh, { ...after, at }).changes).toEqual([])
      }),
      { numRuns: 200 },
    )
  })

  it('is empty after one more apply, wherever the one before was cut off', () => {
    const cut = {
      stores: fc.subarray(agentNames),
      servers: fc.subarray(agentNames),
      clients: fc.subarray(peerNames),
    }
    fc.assert(
      fc.property(anyMesh, anyPast, fc.record(cut), (mesh, past, done) => {
        const state = stateFrom(past)
        const at = later(past.days * day + day)
        const begun = cutOff(mesh, state, at, done)
        const next = later(60_000, at)
        const after = settled(mesh, begun, next, { known: state })
        expect(planOf(mesh, { ...after, at: next }).changes).toEqual([])
      }),
      { numRuns: 150 },
    )
  })

  it('leaves only removals once it was applied without pruning', () => {
    fc.assert(
      fc.property(anyMesh, anyPast, (mesh, past) => {
        const state = stateFrom(past)
        const at = later(past.days * day + day)
        const after = settled(mesh, state, at, { prune: false })
        const { changes } = planOf(mesh, { ...after, at })
        expect(changes.filter(({ needs }) => needs !== 'prune')).toEqual([])
      }),
    )
  })

  it('stays empty as time passes', () => {
    fc.assert(
      fc.property(anyMesh.map(withoutAge), anyPast, fc.integer({ min: 0, max: 500 }), (mesh, past, days) => {
        const state = stateFrom(past)
        const at = later(past.days * day + day)
        const after = applied(mesh, state, at, planOf(mesh, { ...state, at }))
        expect(planOf(mesh, { ...after, at: later(days * day, at) }).changes).toEqual([])
      }),
      { numRuns: 150 },
    )
  })

  it('does not depend on the order of agents, peers and calls in the file', () => {
    fc.assert(
      fc.property(anyMesh, anyPast, (mesh, past) => {
        const state = stateFrom(past)
        const at = later(past.days * day + day)
        const turned: Mesh = {
          ...mesh,
          agents: new Map([...mesh.agents].reverse()),
          peers: new Map([...mesh.peers].reverse()),
          edges: [...mesh.edges].reverse(),
        }
        expect(planOf(turned, { ...state, at })).toEqual(planOf(mesh, { ...state, at }))
        for (const name of mesh.agents.keys()) {
          const make = (some: Mesh) =>
            rosterAfter(some, name, state.rosters.get(name), {
              ...{ at, random: seededRandom(), prune: true, stagingId: 'r' },
            })
          expect(make(turned)).toEqual(make(mesh))
        }
      }),
    )
  })

  it('says exactly which stores an apply would change', () => {
    fc.assert(
      fc.property(anyMesh, anyPast, (mesh, past) => {
        const state = stateFrom(past)
        const at = later(past.days * day + day)
        const { changes } = planOf(mesh, { ...state, at })
        for (const name of mesh.agents.keys()) {
          const roster = state.rosters.get(name)
          const options = { at, random: seededRandom(), prune: true, stagingId: 'r' }
          const after = rosterAfter(mesh, name, roster, options)
          const rows = changes.filter(
            ({ agent, action, field }) => agent === name && action !== 'deliver' && field !== 'pending',
          )
          const isOver = changes.some(
            ({ agent, action, field }) => agent === name && action === 'change' && field === 'pending',
          )
          expect(after !== roster).toBe(rows.length > 0 || isOver)
        }
      }),
    )
  })

  it('names every change that depends on a word', () => {
    fc.assert(
      fc.property(anyMesh, anyPast, (mesh, past) => {
        const state = stateFrom(past)
        const at = later(past.days * day + day)
        const { changes } = planOf(mesh, { ...state, at })
        for (const name of mesh.agents.keys()) {
          const roster = state.rosters.get(name)
          const after = (prune: boolean, yes: boolean) =>
            rosterAfter(mesh, name, roster, { at, random: seededRandom(), stagingId: 'r', prune, yes })
          const own = changes.filter(({ agent, action }) => agent === name && action !== 'deliver')
          const needs = (word: string): boolean => own.some((row) => row.needs === word)
          if (!needs('yes')) expect(after(true, false)).toEqual(after(true, true))
          if (!needs('prune')) expect(after(false, true)).toEqual(after(true, true))
        }
      }),
      { numRuns: 200 },
    )
  })

  it('is the same when it is made again', () => {
    fc.assert(
      fc.property(anyMesh, anyPast, (mesh, past) => {
        const state = stateFrom(past)
        const at = later(past.days * day + day)
        expect(planOf(mesh, { ...state, at })).toEqual(planOf(mesh, { ...state, at }))
      }),
      { numRuns: 30 },
    )
  })

  it('never contains a seed or a token, nor a digest of one', () => {
    fc.assert(
      fc.property(anyMesh, anyPast, (mesh, past) => {
        const state = stateFrom(past)
        const at = later(past.days * day + day)
        const text = JSON.stringify(planOf(mesh, { ...state, at }))
        for (const secret of secretsOf(state.rosters.values())) expect(text).not.toContain(secret)
      }),
    )
  })
})

describe('the policies that mesh show tells', () => {
  it('are those that an apply brings', () => {
    fc.assert(
      fc.property(anyMesh, anyPast, (mesh, past) => {
        const state = stateFrom(past)
        const at = later(past.days * day + day)
        for (const agent of mesh.agents.values()) {
          const roster = state.rosters.get(agent.name)
          const options = { at, random: seededRandom(), prune: true, stagingId: 'r' }
          const after = rosterAfter(mesh, agent.name, roster, options)
          const reading: StoreReading = roster ? { state: 'read', roster } : { state: 'missing' }
          const { replay, signed = 'off' } = after
          expect(agentPolicies(agent, reading)).toEqual({ replay, signed })
          for (const edge of edgesTo(mesh, agent.name)) {
            const peer = after.peers.get(edge.peer)
            if (peer) expect(edgePolicies(edge, agent, reading)).toEqual(policiesOf(after, peer))
          }
        }
      }),
      { numRuns: 200 },
    )
  })
})
