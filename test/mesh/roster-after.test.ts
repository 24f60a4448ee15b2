import { describe, expect, it } from 'vitest'
import type { Peer, Roster } from '../../src/core/roster.js'
import { defaultProfile } from '../../src/core/profile.js'
import { stageRotation, withStep } from '../../src/core/staged-rotation.js'
import type { Mesh } from '../../src/mesh/file/mesh.js'
import { rosterAfter, type AfterOptions } from '../../src/mesh/plan/roster-after.js'
import { failureOf } from '../support/failure.js'
import { meshOf, seededRandom } from '../support/mesh-plan.js'
import { lookAt, madeAt, peerOf, rosterOf, seedCredential, tokenCredential } from '../support/roster.js'

const day = 86_400_000
const agent = 'billing'
const edge = { peer: 'alice', agent }
const soon = new Date(lookAt.getTime() + day)

function after(mesh: Mesh, roster: Roster | undefined, options: Partial<AfterOptions> = {}): Roster {
  const random = seededRandom()
  return rosterAfter(mesh, agent, roster, { at: lookAt, random, prune: false, stagingId: 'r-1', ...options })
}

const storeOf = (peers: readonly Peer[], overrides: Partial<Roster> = {}): Roster =>
  rosterOf(peers, { agent, url: `https://${agent}.example/a2a`, signed: 'observe', ...overrides })

const alice = (roster: Roster): Peer => {
  const peer = roster.peers.get('alice')
  if (!peer) throw new Error('no alice')
  return peer
}

describe('a store of a mesh', () => {
  it('is created as init makes it, with what the file names', () => {
    const roster = after(meshOf([{ name: agent, replay: 'once', digits: 8 }]), undefined)
    expect(roster).toMatchObject({
      ...{ agent, url: 'https://billing.example/a2a', replay: 'once', signed: 'accept' },
      profile: { ...defaultProfile, digits: 8 },
    })
    expect(after(meshOf([{ name: agent }]), undefined)).toMatchObject({ replay: 'reuse', signed: 'observe' })
  })

  it('has everything that the file names of an agent, and of its edges, and no more', () => {
    const codes = { algorithm: 'SHA256', digits: 8, period: 60 } as const
    const named = { ...codes, window: 2, header: 'X-Code', signed: 'require', replay: 'once' } as const
    const roster = after(meshOf([{ name: agent, ...named }]), undefined)
    expect(roster).toMatchObject({ signed: 'require', replay: 'once' })
    expect(roster.profile).toEqual({ ...codes, window: 2, header: 'X-Code' })

    const own = { ...codes, replay: 'once', signed: 'require', note: 'a note' } as const
    const both = after(
      meshOf(
        [{ name: agent }],
        [
          { ...edge, ...own },
          { peer: 'bob', agent },
        ],
      ),
      undefined,
    )
    expect(alice(both)).toMatchObject(own)
    expect(both.peers.get('bob')).toMatchObject({ algorithm: 'SHA1', digits: 6, period: 30 })
    for (const field of ['replay', 'signed', 'note', 'pending'])
      expect(both.peers.get('bob')).not.toHaveProperty(field)
    const inherited = { ...edge, replay: 'inherit', signed: 'inherit' } as const
    expect(alice(after(meshOf([{ name: agent }], [inherited]), undefined))).not.toHaveProperty('signed')
  })

  it('changes to what the file names later', () => {
    const mesh = meshOf(
      [{ name: agent, digits: 8, period: 60, algorithm: 'SHA512', signed: 'accept' }],
      [edge],
    )
    const roster = after(mesh, storeOf([peerOf('alice')]))
    expect(roster.profile).toMatchObject({ digits: 8, period: 60, algorithm: 'SHA512' })
    expect(roster.signed).toBe('accept')
    const own = { replay: 'once', signed: 'require', note: 'new' } as const
    expect(
      alice(after(meshOf([{ name: agent }], [{ ...edge, ...own }]), storeOf([peerOf('alice')]))),
    ).toMatchObject(own)
  })

  it('is of an agent that the file names', () => {
    const failure = failureOf(() => after(meshOf([{ name: 'search' }]), undefined))
    expect(failure).toMatchObject({
      code: 'ERR_CONFIG_INVALID',
      message: '/mesh/mesh.yaml: no agent "billing"',
    })
  })

  it('has a peer for each edge, each with a seed and a token of its own', () => {
    const roster = after(meshOf([{ name: agent }], [edge, { peer: 'bob', agent }]), undefined)
    const peers = [...roster.peers.values()]
    expect(peers.map(({ name }) => name)).toEqual(['alice', 'bob'])
    expect(new Set(peers.map(({ seeds }) => seeds[0]?.seed.base32)).size).toBe(2)
    expect(new Set(peers.map(({ tokens }) => tokens[0]?.token.value)).size).toBe(2)
  })

  it('is made of the same randomness whatever the order in the file', () => {
    const peers = ['dave', 'alice', 'carol', 'bob']
    const names = ['wiki', 'bait', 'trap']
    const made = (edges: readonly string[], canaries: readonly string[]): Roster =>
      after(
        meshOf(
          [{ name: agent, canaries }],
          edges.map((peer) => ({ peer, agent })),
        ),
        undefined,
      )
    const roster = made(peers, names)
    expect([...roster.peers.keys()]).toEqual([...peers].sort())
    expect([...(roster.canaries?.keys() ?? [])]).toEqual([...names].sort())
    expect(made(peers.toReversed(), names.toReversed())).toEqual(roster)
    expect(made([...peers].sort(), [...names].sort())).toEqual(roster)
  })

  it('keeps what the file does not name', () => {
    const before = storeOf([peerOf('alice', { replay: 'once', note: 'a note' })], {
      profile: { ...defaultProfile, window: 2, header: 'X-Code' },
      replay: 'once',
    })
    expect(after(meshOf([{ name: agent }], [edge]), before)).toBe(before)
  })

  it('has an own policy for proofs with once, as set and add-peer bring it', () => {
    const mesh = meshOf([{ name: agent }], [{ ...edge, replay: 'once' }])
    expect(alice(after(mesh, undefined)).signed).toBe('accept')
    expect(alice(after(mesh, storeOf([peerOf('alice')]))).signed).toBe('accept')
  })

  it('has no own policy where the edge inherits', () => {
    const mesh = meshOf([{ name: agent }], [{ ...edge, replay: 'inherit', signed: 'inherit' }])
    const roster = after(mesh, storeOf([peerOf('alice', { replay: 'once', signed: 'require' })]))
    expect(alice(roster)).not.toHaveProperty('replay')
    expect(alice(roster)).not.toHaveProperty('signed')
    expect(alice(after(mesh, undefined))).not.toHaveProperty('replay')
  })

  it('loses peers and canaries that the file does not name only with prune, and keeps the last credentials of peers', () => {
    const bait = { name: 'bait', createdAt: madeAt, tokens: [tokenCredential('bait-t1', 'a2at_bait')] }
    const before = storeOf([peerOf('alice'), peerOf('mallory')], { canaries: new Map([['bait', bait]]) })
    const mesh = meshOf([{ name: agent, canaries: [] }], [edge])
    expect(after(mesh, before)).toBe(before)
    const pruned = after(mesh, before, { prune: true })
    expect([...pruned.peers.keys()]).toEqual(['alice'])
    expect(pruned.canaries?.size).toBe(0)
    expect(pruned.removed).toMatchObject([{ name: 'mallory', removedAt: lookAt }])
  })

  it('keeps its canaries where the file names none, and gets those that it names', () => {
    const bait = { name: 'bait', createdAt: madeAt, tokens: [tokenCredential('bait-t1', 'a2at_bait')] }
    const before = storeOf([], { canaries: new Map([['bait', bait]]) })
    expect(after(meshOf([{ name: agent }]), before, { prune: true })).toBe(before)
    const mesh = meshOf([{ name: agent, canaries: ['bait', 'wiki'] }])
    expect([...(after(mesh, before).canaries ?? [])].map(([name]) => name)).toEqual(['bait', 'wiki'])
  })

  it('holds back what reaches every peer, and other codes, unless told otherwise', () => {
    const mesh = meshOf([{ name: agent, header: 'X-Code', window: 0 }], [{ ...edge, digits: 8 }])
    const before = storeOf([peerOf('alice')])
    expect(after(mesh, before, { yes: false })).toBe(before)
    expect(after(mesh, before)).toMatchObject({ profile: { header: 'X-Code', window: 0 } })
    expect(after(mesh, storeOf([]), { yes: false })).toMatchObject({ profile: { header: 'X-Code' } })
  })
})

describe('an edge of a mesh', () => {
  const oldAfter = (rotateAfterMs: number): Mesh => meshOf([{ name: agent }], [{ ...edge, rotateAfterMs }])

  it('gets new credentials staged beside the old ones when these are too old', () => {
    const before = storeOf([peerOf('alice')])
    const { seeds, tokens, pending } = alice(after(oldAfter(30 * day), before))
    expect(seeds.map(({ staged = false }) => staged)).toEqual([false, true])
    expect(tokens.map(({ staged = false }) => staged)).toEqual([false, true])
    expect(seeds[0]?.expiresAt).toBeUndefined()
    expect(pending).toMatchObject({ id: 'r-1', step: 'staged', seed: true, token: true, overlapMs: day })
  })

  it('is rotated at the age of the file, and not before', () => {
    const before = storeOf([peerOf('alice')])
    const age = lookAt.getTime() - madeAt.getTime()
    expect(alice(after(oldAfter(age), before)).pending).toBeDefined()
    expect(after(oldAfter(age + 1), before)).toBe(before)
  })

  it('has only the one replaced that is too old', () => {
    const fresh = { ...tokenCredential('fresh', 'a2at_fresh'), createdAt: lookAt }
    const before = storeOf([peerOf('alice', { tokens: [fresh] })])
    expect(alice(after(oldAfter(30 * day), before)).pending).toMatchObject({ seed: true, token: false })
  })

  it('has a token that cannot be sent replaced with the seed, since the peer gets both by one file', () => {
    const token = { value: undefined, hash: `sha256:${'0'.repeat(64)}` }
    const tokens = [{ id: 't', createdAt: lookAt, token }]
    for (const [mesh, seeds] of [
      [oldAfter(30 * day), [seedCredential('s', 1)]],
      [meshOf([{ name: agent }], [{ ...edge, expires: soon }]), [seedCredential('s', 1, madeAt)]],
    ] as const) {
      const before = storeOf([peerOf('alice', { seeds, tokens })])
      expect(alice(after(mesh, before)).pending).toMatchObject({ seed: true, token: true })
    }
    expect(
      after(oldAfter(365 * day), storeOf([peerOf('alice', { tokens })])).peers.get('alice'),
    ).not.toHaveProperty('pending')
  })

  it('is not rotated while it has as many live seeds as it may have', () => {
    const seeds = [seedCredential('old', 1, soon), seedCredential('new', 2)]
    const before = storeOf([peerOf('alice', { seeds })])
    expect(after(oldAfter(30 * day), before)).toBe(before)
    expect(alice(after(oldAfter(30 * day), before, { at: soon })).pending).toBeDefined()
    const fresh = { ...seedCredential('new', 2), createdAt: lookAt }
    const ofToken = storeOf([peerOf('alice', { seeds: [seedCredential('old', 1, soon), fresh] })])
    expect(alice(after(oldAfter(30 * day), ofToken)).pending).toMatchObject({ seed: false, token: true })
  })

  it('is not rotated again while a rotation is not finished', () => {
    const staging = { id: 'other', seed: true, token: true, overlapMs: day }
    const making = { at: new Date(lookAt.getTime() - 60 * day), random: seededRandom('other') }
    const before = stageRotation(storeOf([peerOf('alice')]), ['alice'], staging, making)
    expect(after(oldAfter(30 * day), before)).toBe(before)
  })

  it('gets a new seed for other codes, and no old seed stays', () => {
    const mesh = meshOf([{ name: agent }], [{ ...edge, digits: 8, algorithm: 'SHA256' }])
    const peer = alice(after(mesh, storeOf([peerOf('alice')])))
    expect(peer).toMatchObject({ digits: 8, algorithm: 'SHA256', pending: { seed: true, token: true } })
    expect(peer.seeds.map(({ seed, staged }) => [seed.bits, staged])).toEqual([[256, true]])
    expect(peer.tokens).toHaveLength(2)
  })

  it.each(['staged', 'delivered'] as const)(
    'gets other codes also while a rotation is not finished, at step %s',
    (step) => {
      const staging = { id: 'other', seed: true, token: true, overlapMs: day }
      const making = { at: lookAt, random: seededRandom('other') }
      const staged = stageRotation(storeOf([peerOf('alice')]), ['alice'], staging, making)
      const before = withStep(staged, 'alice', 'other', step)
      const mesh = meshOf([{ name: agent }], [{ ...edge, digits: 8 }])
      const peer = alice(after(mesh, before))
      expect(peer).toMatchObject({ digits: 8, pending: { id: 'r-1', step: 'staged' } })
      expect(peer.seeds).toHaveLength(1)
      expect(peer.tokens).toHaveLength(1)
    },
  )

  it('passes its end on to the credentials that follow', () => {
    const peer = peerOf('alice', {
      seeds: [seedCredential('s', 1, soon)],
      tokens: [tokenCredential('t', 'a2at_t', soon)],
    })
    const { seeds, tokens } = alice(after(oldAfter(30 * day), storeOf([peer])))
    expect([...seeds, ...tokens].map(({ expiresAt }) => expiresAt)).toEqual([soon, soon, soon, soon])
  })

  it('ends at the time of the file, and then is not created', () => {
    const until = (expires: Date | 'never'): Mesh => meshOf([{ name: agent }], [{ ...edge, expires }])
    const before = storeOf([peerOf('alice')])
    expect(alice(after(until(soon), before)).seeds[0]?.expiresAt).toEqual(soon)
    expect(alice(after(until(soon), undefined)).tokens[0]?.expiresAt).toEqual(soon)
    expect(alice(after(until('never'), after(until(soon), before))).seeds[0]).not.toHaveProperty('expiresAt')
    expect(after(until(lookAt), undefined).peers.size).toBe(0)
  })

  it('ends now where the file says that it has ended, with a rotation that was pending', () => {
    const ended = meshOf([{ name: agent }], [{ ...edge, expires: madeAt, rotateAfterMs: day, digits: 8 }])
    const staging = { id: 'other', seed: true, token: true, overlapMs: day }
    const making = { at: madeAt, random: seededRandom('other') }
    for (const before of [
      storeOf([peerOf('alice')]),
      stageRotation(storeOf([peerOf('alice')]), ['alice'], staging, making),
    ]) {
      const roster = after(ended, before)
      const { seeds, tokens, pending, digits } = alice(roster)
      expect([...seeds, ...tokens].map(({ expiresAt }) => expiresAt)).toEqual(
        [...seeds, ...tokens].map(() => lookAt),
      )
      expect([pending, digits]).toEqual([undefined, 6])
      expect(after(ended, roster)).toBe(roster)
    }
  })

  it('has what is old replaced with what has expired', () => {
    const seeds = [seedCredential('s', 1, lookAt)]
    const before = storeOf([peerOf('alice', { seeds })])
    const mesh = meshOf([{ name: agent }], [{ ...edge, expires: 'never', rotateAfterMs: 1 }])
    expect(alice(after(mesh, before)).pending).toMatchObject({ seed: true, token: true })
  })

  it('stays expired unless the file gives it another end', () => {
    const gone = peerOf('alice', { seeds: [seedCredential('s', 1, madeAt)] })
    const before = storeOf([gone])
    for (const named of [{}, { rotateAfterMs: day }, { digits: 8 as const }, { note: undefined }])
      expect(after(meshOf([{ name: agent }], [{ ...edge, ...named }]), before)).toBe(before)
    const revived = alice(after(meshOf([{ name: agent }], [{ ...edge, expires: soon }]), before))
    expect(revived.pending).toMatchObject({ seed: true, token: false })
    expect(revived.seeds.at(-1)?.expiresAt).toEqual(soon)
    expect(revived.tokens.map(({ expiresAt }) => expiresAt)).toEqual([soon])
  })
})

describe('a store that a mesh cannot use', () => {
  const mesh = meshOf([{ name: agent }], [edge])

  it('is that of another agent, or one whose peers share a seed', () => {
    const other = failureOf(() => after(mesh, storeOf([], { agent: 'search' })))
    expect(other).toMatchObject({ code: 'ERR_CONFIG_INVALID' })
    expect(other.message).toContain('a2a-totp --store /mesh/stores/billing.json rename --agent billing')
    const shared = storeOf([], { sharedSeeds: [seedCredential('s', 1)] })
    expect(failureOf(() => after(mesh, shared))).toMatchObject({ code: 'ERR_CONFIG_INVALID' })
  })

  it('has a canary with the name of an edge, or a peer with that of a canary', () => {
    const bait = { name: 'alice', createdAt: madeAt, tokens: [tokenCredential('t', 'a2at_bait')] }
    const withBait = storeOf([], { canaries: new Map([['alice', bait]]) })
    const wanting = meshOf([{ name: agent, canaries: ['bob'] }])
    for (const [some, roster] of [
      [mesh, withBait],
      [wanting, storeOf([peerOf('bob')])],
      [meshOf([{ name: agent, canaries: ['alice'] }], [edge]), undefined],
    ] as const)
      expect(failureOf(() => after(some, roster))).toMatchObject({ code: 'ERR_CONFIG_INVALID' })
    expect(failureOf(() => after(mesh, withBait)).message).toBe(
      '"alice" is both a peer and a canary of "billing"; give one of them another name, or remove it from the store first',
    )
  })
})
