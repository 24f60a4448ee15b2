import { describe, expect, it } from 'vitest'
import { unknownPeers } from '../../src/core/unknown-peers.js'
import { madeAt, peerOf, rosterOf, tokenCredential } from '../support/roster.js'

const trap = { name: 'trap', createdAt: madeAt, tokens: [tokenCredential('c1', 'a2at_bait')] }
const roster = rosterOf([peerOf('alice')], { canaries: new Map([['trap', trap]]) })
const messageFor = (...names: string[]): string => unknownPeers(roster, names).message

describe('the error for names that are unknown', () => {
  it('has a code, and the command that adds the peer', () => {
    expect(unknownPeers(roster, ['robert'])).toMatchObject({
      code: 'ERR_PEER_UNKNOWN',
      message: 'no peer named "robert"; run `a2a-totp add-peer robert` first',
    })
  })

  it('names all of them', () => {
    expect(messageFor('robert', 'zoe')).toBe(
      'no peers named "robert", "zoe"; run `a2a-totp add-peer NAME` first',
    )
  })

  it('asks for the near peer or canary instead', () => {
    expect(messageFor('alise')).toBe('no peer named "alise"; did you mean alice?')
    expect(messageFor('trapp')).toBe('no peer named "trapp"; did you mean trap?')
    expect(messageFor('alise', 'tarp')).toBe('no peers named "alise", "tarp"; did you mean alice, trap?')
  })

  it('suggests no name that the store does not have', () => {
    const { message } = unknownPeers(rosterOf([]), ['robert'])
    expect(message).toBe('no peer named "robert"; run `a2a-totp add-peer robert` first')
  })

  it.each(['two words', 'bob"', 'a2at_secretsecret', 'GEZDGNBVGY3TQOJQ'])(
    'repeats %j in no command',
    (name) => {
      expect(messageFor(name)).toMatch(/; run `a2a-totp add-peer NAME` first$/)
    },
  )
})
