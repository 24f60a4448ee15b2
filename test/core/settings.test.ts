import { describe, expect, it } from 'vitest'
import { defaultProfile } from '../../src/core/profile.js'
import type { Canary, Peer, Roster } from '../../src/core/roster.js'
import { withAgentSettings, withPeerSettings, type PeerSettings } from '../../src/core/settings.js'
import { codeOf, failureOf } from '../support/failure.js'
import {
  future,
  lookAt,
  madeAt,
  past,
  peerOf,
  rosterOf,
  seedCredential,
  tokenCredential,
} from '../support/roster.js'

const [alice, bob] = [peerOf('alice'), peerOf('bob')]
const shared = { sharedSeeds: [seedCredential('s', 7)] }
const bare = peerOf('alice', { seeds: [] })
const later = new Date('2026-07-01T00:00:00Z')

describe('the settings of an agent', () => {
  it('are changed where they are given, and stay otherwise', () => {
    const before = rosterOf([alice], { url: 'https://h', signed: 'require' })
    const after = withAgentSettings(before, { digits: undefined, period: 60, header: 'X-Code' })
    expect(after).toEqual({ ...before, profile: { ...defaultProfile, period: 60, header: 'X-Code' } })
    expect(withAgentSettings(before, { url: 'https://i' })).toEqual({ ...before, url: 'https://i' })
    expect(withAgentSettings(before, { url: null }).url).toBeUndefined()
    expect(withAgentSettings(before, { signed: 'observe' })).toEqual({ ...before, signed: 'observe' })
  })

  it('are the same object where they are there already', () => {
    const before = rosterOf([alice], { url: 'https://h' })
    expect(withAgentSettings(before, { url: 'https://h', digits: 6, replay: 'reuse' })).toBe(before)
  })

  it('may be policy once with proofs that are accepted, where each peer has a seed', () => {
    const after = withAgentSettings(rosterOf([alice]), { replay: 'once' })
    expect(after).toMatchObject({ replay: 'once', signed: 'accept' })
    expect(codeOf(() => withAgentSettings(rosterOf([bare], shared), { replay: 'once' }))).toBe('ERR_USAGE')
  })

  it.each([{ digits: 8 }, { period: 60 }, { algorithm: 'SHA512' }] as const)(
    'may be %j for peers to come, but not where they share the seed of those that are there',
    (settings) => {
      expect(withAgentSettings(rosterOf([alice]), settings).profile).toMatchObject(settings)
      expect(withAgentSettings(rosterOf([], shared), settings).profile).toMatchObject(settings)
      const error = failureOf(() => withAgentSettings(rosterOf([bare], shared), settings))
      expect(error.code).toBe('ERR_USAGE')
      expect(error.message).toBe(
        'this store has one seed for all peers, so they have one profile: that of "alice" is SHA1, 6 digits, 30 s',
      )
    },
  )

  it('may change otherwise where a seed is shared, and return to what the peers have', () => {
    expect(withAgentSettings(rosterOf([bare], shared), { window: 2 }).profile.window).toBe(2)
    const odd = rosterOf([bare], { ...shared, profile: { ...defaultProfile, digits: 8 } })
    expect(withAgentSettings(odd, { window: 2 }).profile).toMatchObject({ digits: 8, window: 2 })
    expect(withAgentSettings(odd, { digits: 6 }).profile).toEqual(defaultProfile)
  })
})

describe('the settings of peers', () => {
  const set = (peer: Peer, settings: PeerSettings): Peer | undefined =>
    withPeerSettings(rosterOf([peer]), [peer.name], settings, lookAt).peers.get(peer.name)

  it('are changed of all that are named, and of no other', () => {
    const before = rosterOf([alice, bob, peerOf('carol')])
    const after = withPeerSettings(before, ['alice', 'bob', 'alice'], { note: 'x' }, lookAt)
    expect([...after.peers.values()].map(({ note }) => note)).toEqual(['x', 'x', undefined])
    expect(after).not.toHaveProperty('canaries')
  })

  it('are changed of nobody where one of the names is unknown', () => {
    const names = ['alice', 'bobb', 'zed']
    const error = failureOf(() => withPeerSettings(rosterOf([alice, bob]), names, { note: 'x' }, lookAt))
    expect(error.code).toBe('ERR_PEER_UNKNOWN')
    expect(error.message).toBe('no peers named "bobb", "zed"; did you mean bob?')
  })

  it('are the same object where they are there already', () => {
    const before = rosterOf([peerOf('alice', { note: 'x', replay: 'once', signed: 'require' })])
    const again: PeerSettings[] = [{}, { note: 'x', replay: 'once', signed: 'require', expires: 'never' }]
    for (const settings of again) expect(withPeerSettings(before, ['alice'], settings, lookAt)).toBe(before)
  })

  it('keep the note and the policies that nothing is said of, and lose those that are taken away', () => {
    const own = peerOf('alice', { note: 'x', replay: 'once', signed: 'require' })
    expect(set(own, { expires: 'never', note: 'y' })).toEqual({ ...own, note: 'y' })
    expect(set(own, { replay: 'reuse' })).toEqual({ ...own, replay: 'reuse' })
    const { note, ...unremarked } = own
    expect(note).toBe('x')
    expect(set(own, { note: '' })).toStrictEqual(unremarked)
    expect(set(own, { replay: 'inherit', signed: 'inherit' })).toStrictEqual(peerOf('alice', { note: 'x' }))
  })

  it('may be policy once with proofs that are accepted, unless the peer shares its seed', () => {
    const before = rosterOf([bare], shared)
    expect(codeOf(() => withPeerSettings(before, ['alice'], { replay: 'once' }, lookAt))).toBe('ERR_USAGE')
    expect(set(alice, { replay: 'once' })).toMatchObject({ replay: 'once', signed: 'accept' })
  })
})

describe('a new end', () => {
  const endsOf = (peer: Peer, expires: Date | 'never'): (string | undefined)[][] => {
    const after = withPeerSettings(rosterOf([peer]), [peer.name], { expires }, lookAt).peers.get(peer.name)
    return [after?.seeds, after?.tokens].map(
      (own) => own?.map(({ expiresAt }) => expiresAt?.toISOString()) ?? [],
    )
  }
  const iso = (at: Date): string => at.toISOString()

  it('is that of the seeds and tokens that are live', () => {
    const peer = peerOf('alice', { tokens: [tokenCredential('t', 'a2at_1', future)] })
    expect(endsOf(peer, later)).toEqual([[iso(later)], [iso(later)]])
    expect(endsOf(peer, 'never')).toEqual([[undefined], [undefined]])
  })

  it('revives nothing that expired', () => {
    const peer = peerOf('alice', { seeds: [seedCredential('s1', 1, past), seedCredential('s2', 2, future)] })
    expect(endsOf(peer, later)[0]).toEqual([iso(past), iso(later)])
    expect(endsOf(peer, 'never')[0]).toEqual([iso(past), undefined])
    const newer = peerOf('alice', { seeds: [seedCredential('s1', 1), seedCredential('s2', 2, past)] })
    expect(endsOf(newer, later)[0]).toEqual([iso(later), iso(past)])
    expect(endsOf(newer, 'never')[0]).toEqual([undefined, iso(past)])
  })

  it('comes no later for what a rotation superseded than it does already', () => {
    const peer = peerOf('alice', {
      seeds: [seedCredential('s1', 1, future), seedCredential('s2', 2, later), seedCredential('s3', 3)],
      tokens: [tokenCredential('t1', 'a2at_1'), tokenCredential('t2', 'a2at_2', future)],
    })
    const middle = new Date('2026-06-15T00:00:00Z')
    expect(endsOf(peer, middle)).toEqual([
      [iso(future), iso(middle), iso(middle)],
      [iso(middle), iso(middle)],
    ])
    expect(endsOf(peer, 'never')).toEqual([
      [iso(future), iso(later), undefined],
      [undefined, undefined],
    ])
  })

  it('is not for a seed that all peers share', () => {
    const before = rosterOf([bare], shared)
    const after = withPeerSettings(before, ['alice'], { expires: later }, lookAt)
    expect(after.sharedSeeds).toBe(before.sharedSeeds)
    expect(after.peers.get('alice')).toMatchObject({ seeds: [], tokens: [{ expiresAt: later }] })
  })

  it.each<[string, Partial<Peer>]>([
    ['seed', { seeds: [seedCredential('s', 1, past)] }],
    ['token', { tokens: [tokenCredential('t', 'a2at_1', past)] }],
  ])('is refused where no %s is live', (kind, expired) => {
    for (const expires of [later, 'never'] as const) {
      const error = failureOf(() => endsOf(peerOf('alice', expired), expires))
      expect(error.code).toBe('ERR_CREDENTIAL_EXPIRED')
      expect(error.message).toBe(
        `every ${kind} of "alice" has expired, and cannot be revived; run \`a2a-totp rotate alice\` for a new one`,
      )
    }
  })
})

describe('the settings of a canary', () => {
  const trap: Canary = { name: 'trap', createdAt: madeAt, tokens: [tokenCredential('c', 'a2at_bait')] }
  const other: Canary = { ...trap, name: 'other', note: 'o', tokens: [tokenCredential('d', 'a2at_d')] }
  const before: Roster = rosterOf([alice], { canaries: new Map([trap, other].map((one) => [one.name, one])) })
  const set = (settings: PeerSettings, roster = before): Roster =>
    withPeerSettings(roster, ['trap'], settings, lookAt)

  it('are its note and its end', () => {
    const noted = set({ note: 'in the wiki' })
    expect(noted.canaries?.get('trap')).toEqual({ ...trap, note: 'in the wiki' })
    expect(noted.canaries?.get('other')).toBe(other)
    expect(noted.peers.get('alice')).toBe(alice)
    expect(set({ expires: later }, noted).canaries?.get('trap')).toEqual({
      ...trap,
      note: 'in the wiki',
      tokens: [{ ...trap.tokens[0], expiresAt: later }],
    })
    expect(set({ note: '' }, noted).canaries?.get('trap')).toStrictEqual(trap)
  })

  it('are changed together with those of peers', () => {
    const after = withPeerSettings(before, ['alice', 'trap'], { note: 'x' }, lookAt)
    expect([after.peers.get('alice')?.note, after.canaries?.get('trap')?.note]).toEqual(['x', 'x'])
  })

  it.each<PeerSettings>([{ replay: 'once' }, { signed: 'require' }, { replay: 'inherit', note: 'x' }])(
    'are not %j, since it has no codes',
    (settings) => {
      const error = failureOf(() => set(settings))
      expect(error.code).toBe('ERR_USAGE')
      expect(error.message).toBe(
        '"trap" is a canary, which has no codes and no policy; --note and --expires apply to it',
      )
    },
  )

  it('cannot revive an expired token', () => {
    const expired = { ...trap, tokens: [tokenCredential('c', 'a2at_bait', past)] }
    const roster = rosterOf([], { canaries: new Map([['trap', expired]]) })
    expect(failureOf(() => set({ expires: later }, roster)).message).toMatch(/^every token of "trap"/)
  })
})
