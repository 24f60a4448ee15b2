import { describe, expect, it } from 'vitest'
import { isLive, newestLive, replayOf, seedsOf, type Credential } from '../../src/core/roster.js'
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
})
