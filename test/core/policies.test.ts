import { describe, expect, it } from 'vitest'
import { handOutBetween } from '../../src/core/hand-out.js'
import { signedBrought, signedForNew } from '../../src/core/policies.js'
import { signedPolicies, type SignedPolicy } from '../../src/core/proof/profile.js'
import { signedOf } from '../../src/core/roster.js'
import { withAgentSettings, withPeerSettings } from '../../src/core/settings.js'
import { lookAt, peerOf, rosterOf, seedCredential } from '../support/roster.js'

const bare = peerOf('alice', { seeds: [] })
const shared = { sharedSeeds: [seedCredential('s', 7)] }

describe('the policy for proofs', () => {
  it('of a new agent follows its replay policy', () => {
    expect([signedForNew('reuse'), signedForNew('once')]).toEqual(['observe', 'accept'])
  })

  it.each<[own: SignedPolicy | undefined, inherited: SignedPolicy | undefined, SignedPolicy | undefined]>([
    [undefined, undefined, 'accept'],
    [undefined, 'off', 'accept'],
    [undefined, 'observe', 'accept'],
    [undefined, 'accept', undefined],
    [undefined, 'require', undefined],
    ['off', 'off', undefined],
    ['observe', undefined, undefined],
    ['require', 'off', undefined],
  ])('is brought by once where it is %s, and %s is inherited: %s', (own, inherited, brought) => {
    expect(signedBrought({ replay: 'once' }, own, inherited)).toBe(brought)
  })

  it('is brought by nothing but once, and never beside a policy that is named', () => {
    for (const replay of ['reuse', 'inherit', undefined] as const)
      expect(signedBrought({ replay }, undefined, 'off')).toBeUndefined()
    for (const signed of [...signedPolicies, 'inherit'] as const)
      expect(signedBrought({ replay: 'once', signed }, undefined, 'off')).toBeUndefined()
  })

  it('of a peer follows the agent until it has one, and again with inherit', () => {
    const before = rosterOf([peerOf('alice'), peerOf('bob')], { signed: 'observe' })
    const own = withPeerSettings(before, ['alice'], { signed: 'require' }, lookAt)
    const agent = withAgentSettings(own, { signed: 'accept' })
    const [alice, bob] = [...agent.peers.values()]
    if (!alice || !bob) throw new Error('no peers')
    expect([signedOf(agent, alice), signedOf(agent, bob)]).toEqual(['require', 'accept'])
    const back = withPeerSettings(agent, ['alice'], { signed: 'inherit' }, lookAt)
    expect(back.peers.get('alice')).not.toHaveProperty('signed')
  })

  it('of a store of before is off, and setting it to off changes nothing', () => {
    const before = rosterOf([peerOf('alice')])
    expect(withAgentSettings(before, { signed: 'off' })).toBe(before)
    expect(withAgentSettings(before, { url: 'https://h' })).not.toHaveProperty('signed')
  })
})

describe('what has to be handed out after a change of the policy for proofs', () => {
  it('is the card and everything of followers for the agent, and one fragment for a peer', () => {
    const before = rosterOf([peerOf('alice'), peerOf('bob', { signed: 'require' })])
    const agent = handOutBetween(before, withAgentSettings(before, { signed: 'accept' }), lookAt)
    expect(agent).toEqual({ server: true, card: true, peers: ['alice'] })
    const peer = withPeerSettings(before, ['bob'], { signed: 'accept' }, lookAt)
    expect(handOutBetween(before, peer, lookAt)).toEqual({ server: true, card: false, peers: ['bob'] })
  })
})

describe('peers that share a seed', () => {
  it('may have once where each request needs a proof', () => {
    const before = rosterOf([bare], shared)
    const after = withPeerSettings(before, ['alice'], { replay: 'once', signed: 'require' }, lookAt)
    expect(after.peers.get('alice')).toMatchObject({ replay: 'once', signed: 'require' })
    expect(() => withPeerSettings(after, ['alice'], { signed: 'accept' }, lookAt)).toThrow(/policy once/)
    expect(() => withPeerSettings(after, ['alice'], { signed: 'inherit' }, lookAt)).toThrow(/policy once/)
  })

  it('may not where what they follow stops to require one', () => {
    const peer = { ...bare, replay: 'once' as const }
    const before = rosterOf([peer], { ...shared, signed: 'require' })
    expect(() => withAgentSettings(before, { signed: 'accept' })).toThrow(/policy once/)
    expect(() => withAgentSettings(rosterOf([bare], shared), { replay: 'once' })).toThrow(
      /add --signed require/,
    )
  })

  it('can be put right one after the other in a store of before', () => {
    const once = { replay: 'once' } as const
    const before = rosterOf([{ ...bare, ...once }, peerOf('bob', { seeds: [], ...once })], shared)
    const after = withPeerSettings(before, ['alice'], { signed: 'require' }, lookAt)
    expect(after.peers.get('alice')).toMatchObject({ signed: 'require' })
  })
})
