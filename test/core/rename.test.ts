import { describe, expect, it } from 'vitest'
import { withAgentName, withRenamed } from '../../src/core/rename.js'
import type { Canary, Roster } from '../../src/core/roster.js'
import { failureOf } from '../support/failure.js'
import { madeAt, peerOf, rosterOf, tokenCredential } from '../support/roster.js'

const trapNamed = (name: string): Canary => ({
  name,
  createdAt: madeAt,
  tokens: [tokenCredential(`${name}-t1`, `a2at_bait-${name}`)],
})
const [alice, bob, carol] = [peerOf('alice', { note: 'nightly' }), peerOf('bob'), peerOf('carol')]
const canaries = new Map(['trap', 'lure'].map((name) => [name, trapNamed(name)]))
const roster = rosterOf([alice, bob, carol], { canaries })
const token = `a2at_${'x'.repeat(43)}`

describe('another name', () => {
  it('leaves a peer its place and everything else', () => {
    const after = withRenamed(roster, 'bob', 'robert')
    expect([...after.peers]).toEqual([
      ['alice', alice],
      ['robert', { ...bob, name: 'robert' }],
      ['carol', carol],
    ])
    expect(after).toEqual({ ...roster, peers: after.peers })
    expect([...roster.peers.keys()]).toEqual(['alice', 'bob', 'carol'])
  })

  it('leaves a canary its place and everything else', () => {
    const after = withRenamed(roster, 'trap', 'snare')
    expect([...(after.canaries ?? [])]).toEqual([
      ['snare', { ...trapNamed('trap'), name: 'snare' }],
      ['lure', trapNamed('lure')],
    ])
    expect(after.peers).toBe(roster.peers)
  })

  it('is no change where it is the same', () => {
    expect(withRenamed(roster, 'bob', 'bob')).toBe(roster)
    expect(withRenamed(roster, 'trap', 'trap')).toBe(roster)
  })

  it.each([
    ['alice', 'a peer "alice" already exists; choose another name, or remove it first'],
    ['lure', 'a canary "lure" already exists; choose another name, or remove it first'],
  ])('is not %s, which is taken', (to, message) => {
    for (const from of ['bob', 'trap'])
      expect(failureOf(() => withRenamed(roster, from, to))).toMatchObject({
        code: 'ERR_PEER_EXISTS',
        message,
      })
  })

  it.each<[what: string, roster: Roster]>([
    ['with canaries', roster],
    ['without canaries', rosterOf([alice, bob, carol])],
  ])('is for nothing that is not there: %s', (_, store) => {
    for (const to of ['dave', 'nobody']) {
      const { code, message } = failureOf(() => withRenamed(store, 'nobody', to))
      expect([code, message]).toEqual([
        'ERR_PEER_UNKNOWN',
        expect.stringMatching(/^no peer named "nobody"; /),
      ])
    }
    expect([...withRenamed(store, 'bob', 'dave').peers.keys()]).toEqual(['alice', 'dave', 'carol'])
  })

  it('is one that is allowed, and is not a token', () => {
    for (const [from, to] of [
      ['two words', 'dave'],
      ['bob', 'two words'],
      ['bob', token],
    ] as const) {
      const { code, message } = failureOf(() => withRenamed(roster, from, to))
      expect(code).toBe('ERR_NAME_INVALID')
      expect(message).toMatch(/^peer name is /)
    }
  })
})

describe('another name of the agent', () => {
  it('changes nothing else, and nothing at all where it is the same', () => {
    expect(withAgentName(roster, 'mail')).toEqual({ ...roster, agent: 'mail' })
    expect(withAgentName(roster, 'agent')).toBe(roster)
  })

  it.each(['two words', '', token])('is not %j', (name) => {
    const { code, message } = failureOf(() => withAgentName(roster, name))
    expect(code).toBe('ERR_NAME_INVALID')
    expect(message).toMatch(/^agent name is /)
  })
})
