import { describe, expect, it } from 'vitest'
import {
  isLive,
  newestLive,
  policiesOf,
  replayOf,
  seedsOf,
  signedOf,
  type Credential,
} from '../../src/core/roster.js'
import { future, lookAt, past, peerOf, rosterOf, seedCredential } from '../support/roster.js'

describe('a credential', () => {
  it('lives until the instant of its expiry, and without one for ever', () => {
    expect(isLive({}, lookAt)).toBe(true)
    expect(isLive({ expiresAt: future }, lookAt)).toBe(true)
    expect(isLive({ expiresAt: lookAt }, lookAt)).toBe(false)
    expect(isLive({ expiresAt: past }, lookAt)).toBe(false)
  })

  it('is handed out when it is the newest that lives', () => {
    const [old, ending, ended] = [
      seedCredential('old', 1),
      seedCredential('ending', 2, future),
      seedCredential('ended', 3, past),
    ]
    expect(newestLive([old, ending, ended], lookAt)?.id).toBe('ending')
    expect(newestLive([ended], lookAt)).toBeUndefined()
    expect(newestLive<Credential>([], lookAt)).toBeUndefined()
  })
})

describe('a staged credential', () => {
  const staged = (id: string): Credential => ({ id, createdAt: lookAt, staged: true })

  it('is used only where no other lives', () => {
    const old = seedCredential('old', 1, future)
    expect(newestLive<Credential>([old, staged('new')], lookAt)?.id).toBe('old')
    expect(newestLive<Credential>([old, staged('new')], future)?.id).toBe('new')
    expect(newestLive<Credential>([staged('one'), staged('two'), staged('new')], lookAt)?.id).toBe('new')
    expect(newestLive<Credential>([staged('new')], lookAt)?.id).toBe('new')
  })
})

describe('a peer in its roster', () => {
  const own = peerOf('alice')

  it('has its own seeds, or the shared ones and no other', () => {
    const sharedSeeds = [seedCredential('shared', 9)]
    expect(seedsOf(rosterOf([own]), own)).toBe(own.seeds)
    expect(seedsOf(rosterOf([own], { sharedSeeds }), own)).toBe(sharedSeeds)
  })

  it('has its own replay policy, or the agent’s', () => {
    const roster = rosterOf([], { replay: 'once' })
    expect(replayOf(roster, own)).toBe('once')
    expect(replayOf(roster, peerOf('bob', { replay: 'reuse' }))).toBe('reuse')
  })

  it('has its own policy for proofs, or the agent’s, which is off where there is none', () => {
    const bob = peerOf('bob', { signed: 'require' })
    expect([signedOf(rosterOf([]), own), signedOf(rosterOf([]), bob)]).toEqual(['off', 'require'])
    expect(policiesOf(rosterOf([], { replay: 'once', signed: 'accept' }), own)).toEqual({
      replay: 'once',
      signed: 'accept',
    })
  })
})
