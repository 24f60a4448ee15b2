import { describe, expect, it } from 'vitest'
import { withKnownAgent, type KnownAgent, type Rebuilt } from '../../src/core/rebuild.js'
import type { Canary, Roster } from '../../src/core/roster.js'
import { canariesNamed, canaryOf, hashesOf, knownAgent, knownPeer } from '../support/known-agent.js'
import { madeAt, peerOf, rosterOf, tokenCredential } from '../support/roster.js'

const take = (roster: Roster, file: KnownAgent): Rebuilt => withKnownAgent(roster, file, false)
const alice = peerOf('alice')
const trap = canaryOf('trap', 'a2at_bait')
/** The canary as a server file has it, with other ids. */
const inFile = (...values: string[]): Canary => {
  const one = canaryOf('trap', ...values)
  return { ...one, tokens: hashesOf(one.tokens).map((token) => ({ ...token, id: `file-${token.id}` })) }
}

describe('a canary', () => {
  const planted = { ...canaryOf('trap', 'a2at_bait'), note: 'in the wiki', createdAt: madeAt }

  it('that is in both has the ids of the file, and the token, note and age of the store', () => {
    const roster = rosterOf([alice], { canaries: canariesNamed(planted) })
    const after = take(roster, knownAgent([], { canaries: [inFile('a2at_bait')] }))
    expect([after.added, after.completed, after.conflicts]).toEqual([[], ['trap'], []])
    expect(after.roster.canaries).toEqual(
      canariesNamed({ ...planted, tokens: [tokenCredential('file-trap-c0', 'a2at_bait')] }),
    )
    const again = take(after.roster, knownAgent([], { canaries: [inFile('a2at_bait')] }))
    expect([again.completed, again.roster.canaries]).toEqual([[], after.roster.canaries])
  })

  it('with another token is left as it is', () => {
    const roster = rosterOf([alice], { canaries: canariesNamed(planted) })
    const after = take(roster, knownAgent([], { canaries: [inFile('a2at_other')] }))
    expect(after.conflicts).toEqual([
      { name: 'trap', message: 'the canary "trap" has another token in the store' },
    ])
    expect([after.added, after.completed, after.roster.canaries]).toEqual([[], [], canariesNamed(planted)])
  })

  it('is what a peer was whose planted file was imported first', () => {
    const bait = peerOf('trap', { tokens: [tokenCredential('t', 'a2at_bait')] })
    const file = knownAgent([knownPeer(alice)], { serial: 7, canaries: [inFile('a2at_bait', 'a2at_newer')] })
    const { roster, added, completed, conflicts } = take(rosterOf([alice, bait]), file)
    expect([added, completed, conflicts]).toEqual([[], ['trap'], []])
    expect([...roster.peers.keys(), roster.serial]).toEqual(['alice', 7])
    const newer = inFile('a2at_bait', 'a2at_newer').tokens.slice(1)
    expect(roster.canaries).toEqual(
      canariesNamed({
        name: 'trap',
        createdAt: madeAt,
        tokens: [tokenCredential('file-trap-c0', 'a2at_bait'), ...newer],
      }),
    )
  })

  it('has the name of no peer', () => {
    const peer = peerOf('trap')
    const one = take(rosterOf([alice, peer]), knownAgent([], { canaries: [trap] }))
    expect(one.conflicts).toEqual([
      { name: 'trap', message: 'the store has a peer named "trap", and the file a canary' },
    ])
    expect([one.added, one.roster.canaries]).toEqual([[], undefined])
    const other = take(rosterOf([alice], { canaries: canariesNamed(trap) }), knownAgent([knownPeer(peer)]))
    expect(other.conflicts).toEqual([
      { name: 'trap', message: 'the store has a canary named "trap", and the file a peer' },
    ])
    expect([other.added, [...other.roster.peers.keys()]]).toEqual([[], ['alice']])
  })
})
