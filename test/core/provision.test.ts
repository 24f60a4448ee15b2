import { describe, expect, it } from 'vitest'
import {
  peerNamed,
  peersNamed,
  provisionPeer,
  withoutPeers,
  withPeers,
  type ProvisionOptions,
} from '../../src/core/provision.js'
import { defaultProfile } from '../../src/core/profile.js'
import { Seed } from '../../src/core/seed.js'
import { Token } from '../../src/core/token.js'
import { codeOf, failureOf } from '../support/failure.js'
import { future, lookAt, peerOf, rosterOf, seedCredential } from '../support/roster.js'

/** Bytes that differ with each call. */
function making(): ProvisionOptions {
  let call = 0
  return { at: lookAt, random: (size) => new Uint8Array(size).fill(++call) }
}

describe('a new peer', () => {
  it('has the roster’s profile, one fresh seed and one fresh token, made now', () => {
    const roster = rosterOf([], {
      profile: { ...defaultProfile, algorithm: 'SHA512', digits: 8, period: 60 },
    })
    const peer = provisionPeer(roster, { name: 'alice' }, making())
    expect(peer).toMatchObject({
      name: 'alice',
      algorithm: 'SHA512',
      digits: 8,
      period: 60,
      createdAt: lookAt,
    })
    expect(peer.seeds.map(({ seed }) => seed.bits)).toEqual([512])
    expect(peer.tokens).toHaveLength(1)
    const ids = [...peer.seeds, ...peer.tokens].map(({ id }) => id)
    expect(ids).toEqual([
      expect.stringMatching(/^s-[0-9a-f]{10}$/),
      expect.stringMatching(/^t-[0-9a-f]{10}$/),
    ])
    expect(peer).not.toHaveProperty('replay')
    expect(peer).not.toHaveProperty('note')
  })

  it('keeps what it brings', () => {
    const [seed, token] = [Seed.fromBytes(new Uint8Array(32)), Token.parse('brought')]
    const brought = { algorithm: 'SHA256', digits: 7, period: 45, replay: 'once', note: 'n' } as const
    const peer = provisionPeer(rosterOf([]), { name: 'bob', seed, token, ...brought }, making())
    expect(peer).toMatchObject(brought)
    expect(peer.seeds.map((one) => one.seed)).toEqual([seed])
    expect(peer.tokens.map((one) => one.token)).toEqual([token])
    expect([...peer.seeds, ...peer.tokens].every((one) => !('expiresAt' in one))).toBe(true)
  })

  it('has its own policy for proofs, and ends with its seed and token, if it is to', () => {
    const request = { name: 'bob', signed: 'require', expiresAt: future } as const
    const peer = provisionPeer(rosterOf([]), request, making())
    expect(peer.signed).toBe('require')
    expect([...peer.seeds, ...peer.tokens].map(({ expiresAt }) => expiresAt)).toEqual([future, future])
    expect(provisionPeer(rosterOf([], { signed: 'require' }), { name: 'bob' }, making())).not.toHaveProperty(
      'signed',
    )
  })

  it('has no seed of its own where one is shared, and may not bring one', () => {
    const roster = rosterOf([], { sharedSeeds: [seedCredential('s', 1)] })
    expect(provisionPeer(roster, { name: 'alice' }, making()).seeds).toEqual([])
    const seed = Seed.fromBytes(new Uint8Array(20))
    expect(codeOf(() => provisionPeer(roster, { name: 'alice', seed }, making()))).toBe('ERR_USAGE')
    const once = { name: 'alice', replay: 'once' } as const
    expect(failureOf(() => provisionPeer(roster, once, making()))).toMatchObject({
      code: 'ERR_USAGE',
      message: expect.stringMatching(/^policy once: with one seed for all/) as string,
    })
    expect(
      failureOf(() => provisionPeer({ ...roster, replay: 'once' }, { name: 'alice' }, making())),
    ).toMatchObject({
      code: 'ERR_USAGE',
      message: expect.stringMatching(/^policy once, which the agent has: with one seed for all/) as string,
    })
  })

  it('makes the codes that the others make where one seed is shared', () => {
    const alice = peerOf('alice', { seeds: [], algorithm: 'SHA256', digits: 8, period: 60 })
    const roster = rosterOf([alice], { sharedSeeds: [seedCredential('s', 1)] })
    const same = { name: 'bob', algorithm: 'SHA256', digits: 8, period: 60 } as const
    expect(provisionPeer(roster, same, making())).toMatchObject(same)
    expect(failureOf(() => provisionPeer(roster, { name: 'bob' }, making()))).toMatchObject({
      code: 'ERR_USAGE',
      message:
        'this store has one seed for all peers, so they have one profile: that of "alice" is SHA256, 8 digits, 60 s',
    })
    expect(provisionPeer(rosterOf([alice]), { name: 'bob' }, making()).digits).toBe(6)
  })
})

describe('a roster', () => {
  const roster = rosterOf([peerOf('alice'), peerOf('bob')])

  it('gains peers without changing the one it was', () => {
    const after = withPeers(roster, [peerOf('carol'), peerOf('dave')])
    expect([...after.peers.keys()]).toEqual(['alice', 'bob', 'carol', 'dave'])
    expect([...roster.peers.keys()]).toEqual(['alice', 'bob'])
  })

  it('takes no name twice, neither an old one nor two new ones', () => {
    expect(codeOf(() => withPeers(roster, [peerOf('carol'), peerOf('alice')]))).toBe('ERR_PEER_EXISTS')
    expect(codeOf(() => withPeers(roster, [peerOf('carol'), peerOf('carol')]))).toBe('ERR_PEER_EXISTS')
  })

  it('takes no token twice, since a token tells who calls', () => {
    const thief = peerOf('carol', { tokens: peerOf('alice').tokens })
    const twins = [peerOf('carol'), peerOf('dave', { tokens: peerOf('carol').tokens })]
    expect(codeOf(() => withPeers(roster, [thief]))).toBe('ERR_TOKEN_INVALID')
    const error = failureOf(() => withPeers(roster, twins))
    expect(error.code).toBe('ERR_TOKEN_INVALID')
    expect(error.message).not.toContain('token-of')
  })

  it('loses peers, all of those named or none', () => {
    expect([...withoutPeers(roster, ['alice', 'alice']).peers.keys()]).toEqual(['bob'])
    expect(codeOf(() => withoutPeers(roster, ['alice', 'nobody']))).toBe('ERR_PEER_UNKNOWN')
    expect(roster.peers.size).toBe(2)
  })

  it('finds a peer by its name, or says how to add it', () => {
    expect(peerNamed(roster, 'bob').name).toBe('bob')
    expect(failureOf(() => peerNamed(roster, 'carol')).message).toContain('`a2a-totp add-peer carol`')
  })

  it('finds several peers in the order of their names given, or names all that it lacks', () => {
    expect(peersNamed(roster, ['bob', 'alice']).map(({ name }) => name)).toEqual(['bob', 'alice'])
    expect(failureOf(() => peersNamed(roster, ['xxxxxx', 'bob', 'yyyyyy'])).message).toMatch(
      /^no peers named "xxxxxx", "yyyyyy"; /,
    )
    const trap = { name: 'trap', createdAt: lookAt, tokens: [] }
    const baited = rosterOf([peerOf('alice')], { canaries: new Map([['trap', trap]]) })
    expect(codeOf(() => peersNamed(baited, ['alice', 'trap']))).toBe('ERR_SEED_MISSING')
  })

  it.each(['two words', 'x\n; rm', 'a2at_secretsecret'])('does not repeat %j as a command', (name) => {
    const { code, message } = failureOf(() => peerNamed(roster, name))
    expect(code).toBe('ERR_PEER_UNKNOWN')
    expect(message).toContain('`a2a-totp add-peer NAME`')
    expect(message).not.toContain('\n')
  })
})
