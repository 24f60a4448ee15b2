import { describe, expect, it } from 'vitest'
import { asBait, provisionCanary, withCanaries } from '../../src/core/canary.js'
import { peerNamed, withoutPeers, withPeers, type ProvisionOptions } from '../../src/core/provision.js'
import { canariesOf, type Canary, type Roster } from '../../src/core/roster.js'
import { finishRotation, rotate, type Rotation } from '../../src/core/rotation.js'
import { formatStore, parseStore } from '../../src/store/store-file.js'
import { changesBetween, namesChanged } from '../../src/core/changes.js'
import { makeClientJson } from '../../src/fragments/client-json.js'
import { makeServerFile } from '../../src/fragments/server-json.js'
import { codeOf, failureOf } from '../support/failure.js'
import {
  future,
  lookAt,
  madeAt,
  peerOf,
  rosterOf,
  seedCredential,
  tokenCredential,
} from '../support/roster.js'

let call = 0
const making: ProvisionOptions = {
  at: lookAt,
  random: (size) => Uint8Array.from({ length: size }, (_, index) => (index === 0 ? ++call : call >> 8)),
}
const trap: Canary = { name: 'trap', createdAt: madeAt, tokens: [tokenCredential('c1', 'a2at_bait')] }
const rosterWith = (...canaries: Canary[]): Roster => withCanaries(rosterOf([peerOf('alice')]), canaries)
const tokensOf = (roster: Roster, name = 'trap') => roster.canaries?.get(name)?.tokens ?? []
const token: Rotation = { seed: false, token: true, overlapMs: 3_600_000 }

describe('a canary', () => {
  it('is a token and a note, and has no seed', () => {
    const canary = provisionCanary({ name: 'trap', note: 'in the wiki' }, making)
    expect(canary).toMatchObject({ name: 'trap', note: 'in the wiki', createdAt: lookAt })
    expect(canary.tokens.map(({ token }) => token.value)).toEqual([expect.stringMatching(/^a2at_.{43}$/)])
    expect(Object.keys(canary)).not.toContain('seeds')
    expect(canary.tokens[0]).not.toHaveProperty('expiresAt')
  })

  it('ends where it is to', () => {
    const { tokens } = provisionCanary({ name: 'trap', expiresAt: future }, making)
    expect(tokens.map(({ expiresAt }) => expiresAt)).toEqual([future])
  })

  it('is no peer: no command that asks for one gets it', () => {
    const error = failureOf(() => peerNamed(rosterWith(trap), 'trap'))
    expect(error.code).toBe('ERR_SEED_MISSING')
    expect(error.message).toContain('"trap" is a canary')
  })

  it('shares neither its name nor its token with a peer or another canary', () => {
    const roster = rosterWith(trap)
    const named = (name: string, value: string): Canary => ({
      ...trap,
      name,
      tokens: [tokenCredential('c', value)],
    })
    expect(codeOf(() => withCanaries(roster, [named('alice', 'a2at_new')]))).toBe('ERR_PEER_EXISTS')
    expect(codeOf(() => withCanaries(roster, [named('trap', 'a2at_new')]))).toBe('ERR_PEER_EXISTS')
    expect(codeOf(() => withCanaries(roster, [named('other', 'a2at_token-of-alice')]))).toBe(
      'ERR_TOKEN_INVALID',
    )
    expect(codeOf(() => withCanaries(roster, [named('other', 'a2at_bait')]))).toBe('ERR_TOKEN_INVALID')
    expect(codeOf(() => withPeers(roster, [peerOf('trap')]))).toBe('ERR_PEER_EXISTS')
    const thief = peerOf('bob', { tokens: [tokenCredential('t', 'a2at_bait')] })
    expect(codeOf(() => withPeers(roster, [thief]))).toBe('ERR_TOKEN_INVALID')
  })

  it('is removed like a peer', () => {
    const after = withoutPeers(rosterWith(trap), ['trap', 'alice'])
    expect([after.peers.size, canariesOf(after)]).toEqual([0, []])
    expect(codeOf(() => withoutPeers(rosterWith(trap), ['trap', 'nobody']))).toBe('ERR_PEER_UNKNOWN')
  })

  it('gets a new token if it is named; both are watched until the overlap ends', () => {
    const after = rotate(rosterWith(trap), ['trap'], { ...token, seed: true }, making)
    expect(tokensOf(after).map(({ expiresAt }) => expiresAt?.toISOString())).toEqual([
      '2026-06-01T01:00:00.000Z',
      undefined,
    ])
    expect(makeServerFile({ roster: after, at: lookAt }).canaries).toHaveLength(2)
    expect(tokensOf(finishRotation(after, ['trap'], token, lookAt))).toHaveLength(1)
    expect(tokensOf(rotate(after, ['trap'], { ...token, overlapMs: 0 }, making))).toHaveLength(1)
  })

  it('keeps its token when every peer gets a new one, since the planted one would no longer be watched', () => {
    const before = rosterWith(trap)
    const after = rotate(before, 'all', token, making)
    expect(after.peers.get('alice')).not.toBe(before.peers.get('alice'))
    expect(tokensOf(after)).toBe(tokensOf(before))
  })

  it('has no seed to rotate, and is rotated beside peers and shared seeds', () => {
    const kinds = { ...token, seed: true, token: false }
    expect(codeOf(() => rotate(rosterWith(trap), ['trap'], kinds, making))).toBe('ERR_USAGE')
    const shared = { ...rosterWith(trap), sharedSeeds: [seedCredential('all', 7)] }
    expect(tokensOf(rotate(shared, ['trap'], { ...token, seed: true }, making))).toHaveLength(2)
    const both = rotate(rosterWith(trap), ['trap', 'alice'], { ...token, seed: true }, making)
    expect([tokensOf(both).length, both.peers.get('alice')?.seeds.length]).toEqual([2, 2])
  })

  it('is in the record of changes', () => {
    const before = rosterWith(trap)
    expect(namesChanged(changesBetween(rosterOf([peerOf('alice')]), before))).toContain('trap')
    expect(namesChanged(changesBetween(before, rotate(before, ['trap'], token, making)))).toEqual(['trap'])
  })
})

describe('bait', () => {
  it('has the token of the canary and a seed that is nobody’s, not even the shared one', () => {
    const shared = { ...rosterWith(trap), sharedSeeds: [seedCredential('all', 7)], url: 'https://a.example' }
    const bait = makeClientJson({ ...asBait(shared, trap, making), at: lookAt })
    expect(bait).toMatchObject({ peer: 'trap', agent: 'agent', token: 'a2at_bait', url: 'https://a.example' })
    const again = makeClientJson({ ...asBait(shared, trap, making), at: lookAt })
    const seeds = [bait, again].map((one) => (one as { seed: string }).seed)
    expect(new Set([...seeds, seedCredential('all', 7).seed.base32]).size).toBe(3)
  })

  it('looks like a peer of the agent, with its policies, in a roster without any other', () => {
    const before = { ...rosterWith(trap), replay: 'once', url: 'https://a.example' } as const
    const { roster, peer } = asBait({ ...before, signed: 'require' }, trap, making)
    const { agent, url, profile } = before
    const peers = new Map([['trap', peer]])
    expect(roster).toStrictEqual({ agent, url, profile, replay: 'once', signed: 'require', peers })
    expect(peer).toMatchObject({ name: 'trap', createdAt: madeAt, tokens: trap.tokens, digits: 6 })
    expect(asBait(before, trap, making).roster).not.toHaveProperty('signed')
  })
})

describe('a server file with canaries', () => {
  const file = makeServerFile({ roster: rosterWith(trap), at: lookAt })

  it('has their hashes beside the peers, and nothing of them elsewhere', () => {
    const { canaries, ...rest } = JSON.parse(JSON.stringify(file)) as Record<string, unknown>
    expect(canaries).toEqual([{ name: 'trap', id: 'c1', hash: trap.tokens[0]?.token.hash }])
    expect(JSON.stringify(rest)).not.toContain('trap')
    expect(JSON.stringify(file)).not.toContain('a2at_bait')
  })

  it('is without the key as before if there are none', () => {
    const without = makeServerFile({ roster: withoutPeers(rosterWith(trap), ['trap']), at: lookAt })
    expect(JSON.stringify(without)).toBe(
      JSON.stringify(makeServerFile({ roster: rosterOf([peerOf('alice')]), at: lookAt })),
    )
  })
})

describe('a store with canaries', () => {
  const text = formatStore(rosterWith({ ...trap, note: 'in the wiki' }))

  it('is read as it was written', () => {
    const { roster } = parseStore(text)
    expect(formatStore(roster)).toBe(text)
    expect(roster.canaries?.get('trap')).toMatchObject({ name: 'trap', note: 'in the wiki' })
  })

  it('is without the key as before if there are none', () => {
    const plain = formatStore(rosterOf([peerOf('alice')]))
    expect(formatStore(withoutPeers(rosterWith(trap), ['trap']))).toBe(plain)
    expect(plain).not.toContain('canaries')
  })

  it.each([
    ['canaries', [], 'canaries must be an object'],
    ['canaries.alice', { createdAt: '2026-01-01T00:00:00Z', tokens: [] }, 'must not have the name of a peer'],
    ['canaries.trap.tokens', [], 'canaries.trap.tokens must not be empty'],
    ['canaries.trap.seeds', [], 'canaries.trap.seeds is not known'],
    ['canaries.trap.tokens.0.token', 'a2at_token-of-alice', 'must differ from every other token'],
    ['canaries.a b', {}, 'canaries has a canary name that is not allowed'],
  ])('is refused with a bad %s', (path, value, words) => {
    const document = JSON.parse(text) as Record<string, unknown>
    const keys = path.split('.')
    const last = keys.pop() ?? ''
    let parent = document
    for (const key of keys) parent = parent[key] as Record<string, unknown>
    parent[last] = value
    const error = failureOf(() => parseStore(JSON.stringify(document)))
    expect(error.code).toBe('ERR_STORE_INVALID')
    expect(error.message).toContain(words)
    expect(error.message).not.toContain('a2at_')
  })
})
