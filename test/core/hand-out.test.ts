import { describe, expect, it } from 'vitest'
import { handOutBetween, type HandOut } from '../../src/core/hand-out.js'
import { defaultProfile, type TOTPProfile } from '../../src/core/profile.js'
import type { Canary, Peer, Roster } from '../../src/core/roster.js'
import { future, lookAt, past, peerOf, rosterOf, seedCredential, tokenCredential } from '../support/roster.js'

const [alice, bob] = [peerOf('alice'), peerOf('bob')]
const trap: Canary = { name: 'trap', createdAt: lookAt, tokens: [tokenCredential('c1', 'a2at_bait')] }
const canaries = new Map([['trap', trap]])
const store = rosterOf([alice, bob], { canaries })

const everyone = ['alice', 'bob']
const nothing: HandOut = { server: false, card: false, peers: [] }
const server: HandOut = { ...nothing, server: true }
const after = (changed: Roster, before = store): HandOut => handOutBetween(before, changed, lookAt)
const withAlice = (changes: Partial<Peer>): HandOut =>
  after(rosterOf([{ ...alice, ...changes }, bob], { canaries }))
const withProfile = (changes: Partial<TOTPProfile>): HandOut =>
  after({ ...store, profile: { ...defaultProfile, ...changes } })

describe('what is to be handed out again', () => {
  it('is nothing after a change that no file shows', () => {
    expect(after(store)).toEqual(nothing)
    expect(after({ ...store, serial: 7, signed: 'off' })).toEqual(nothing)
    expect(withAlice({ note: 'nightly', createdAt: lookAt })).toEqual(nothing)
    expect(withAlice({ replay: 'reuse', signed: 'off' })).toEqual(nothing)
  })

  it('is nothing after what had expired is dropped', () => {
    const seeds = [seedCredential('old', 1, past), ...alice.seeds]
    const tokens = [tokenCredential('old', 'a2at_old', past), ...alice.tokens]
    const before = rosterOf([{ ...alice, seeds, tokens }, bob], {
      canaries: new Map([
        ['trap', { ...trap, tokens: [tokenCredential('c0', 'a2at_b', past), ...trap.tokens] }],
      ]),
    })
    expect(after(store, before)).toEqual(nothing)
  })

  it.each<[keyof TOTPProfile, Partial<TOTPProfile>, readonly string[]]>([
    // Each peer has its own of these: the agent's are those of peers to come.
    ['algorithm', { algorithm: 'SHA256' }, []],
    ['digits', { digits: 8 }, []],
    ['period', { period: 60 }, []],
    ['window', { window: 2 }, everyone],
    ['header', { header: 'X-Code' }, everyone],
  ])('is the server file and the card after another %s of the agent', (_, changes, peers) => {
    expect(withProfile(changes)).toEqual({ server: true, card: true, peers })
  })

  it('is what has the name, the URL or a policy of the agent', () => {
    expect(after({ ...store, agent: 'mail' })).toEqual({ ...server, peers: everyone })
    expect(after({ ...store, url: 'https://mail.example' })).toEqual({ ...nothing, peers: everyone })
    expect(after({ ...store, replay: 'once' })).toEqual({ ...server, peers: everyone })
    expect(after({ ...store, signed: 'accept' })).toEqual({ server: true, card: true, peers: everyone })
  })

  it.each<[what: string, changes: Partial<Peer>]>([
    ['algorithm', { algorithm: 'SHA256' }],
    ['digits', { digits: 8 }],
    ['period', { period: 60 }],
    ['replay policy', { replay: 'once' }],
    ['policy for proofs', { signed: 'require' }],
    ['seed', { seeds: [seedCredential('alice-s2', 9)] }],
    ['token', { tokens: [tokenCredential('alice-t2', 'a2at_second')] }],
  ])('is the server file and the fragment of a peer with another %s', (_, changes) => {
    expect(withAlice(changes)).toEqual({ ...server, peers: ['alice'] })
  })

  it('is the server file alone while the peer still uses what it has', () => {
    const staged = [...alice.seeds, { ...seedCredential('alice-s2', 9), staged: true as const }]
    expect(withAlice({ seeds: staged })).toEqual(server)
    expect(withAlice({ tokens: alice.tokens.map((one) => ({ ...one, expiresAt: future })) })).toEqual(server)
  })

  it('is the server file after a peer is renamed, since nothing of the peer depends on its name', () => {
    const renamed = { ...alice, name: 'alicia' }
    expect(after(rosterOf([renamed, bob], { canaries }))).toEqual(server)
    const more = { ...renamed, digits: 8 as const }
    expect(after(rosterOf([more, bob], { canaries }))).toEqual({ ...server, peers: ['alicia'] })
  })

  it('is the fragment of a new peer, and none of one that left', () => {
    expect(after(rosterOf([alice, bob, peerOf('carol')], { canaries }))).toEqual({
      ...server,
      peers: ['carol'],
    })
    expect(after(rosterOf([bob], { canaries }))).toEqual(server)
  })

  it('is the server file after a canary was added, renamed, rotated or removed', () => {
    const tokens = [tokenCredential('c2', 'a2at_other')]
    for (const all of [
      new Map([...canaries, ['lure', { ...trap, name: 'lure', tokens }] as const]),
      new Map([['snare', { ...trap, name: 'snare' }]]),
      new Map([['trap', { ...trap, tokens }]]),
      undefined,
    ])
      expect(after({ ...store, canaries: all })).toEqual(server)
  })

  it('is every fragment after a shared seed is renewed', () => {
    const bare = [alice, bob].map((peer) => ({ ...peer, seeds: [] }))
    const sharing = (...ids: number[]): Roster =>
      rosterOf(bare, { sharedSeeds: ids.map((id) => seedCredential(`s${id}`, id)) })
    expect(after(sharing(1, 2), sharing(1))).toEqual({ ...server, peers: everyone })
    expect(after(sharing(1), sharing(1))).toEqual(nothing)
    expect(after(sharing(1), store).peers).toEqual(everyone)
  })

  it('is worked out where every credential has expired', () => {
    const dead = {
      ...alice,
      seeds: [seedCredential('s', 1, past)],
      tokens: [tokenCredential('t', 'a2at_t', past)],
    }
    expect(withAlice(dead)).toEqual({ ...server, peers: ['alice'] })
    expect(after(rosterOf([dead]), rosterOf([dead]))).toEqual(nothing)
  })
})
