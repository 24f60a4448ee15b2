import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Canary, Roster } from '../../src/core/roster.js'
import { Token, TokenHash } from '../../src/core/token.js'
import { memoryState, TOTPServerAuthScheme, type AuthEvent } from '../../src/server/index.js'
import { rosterOptions } from '../../src/server/scheme/roster.js'
import { failureOf } from '../support/failure.js'
import { headersOf, peers, requestWith, rosterOf, someInstant } from '../support/guarded.js'

const right = headersOf('alice', someInstant)

/** A scheme for a roster, and what becomes of a request. */
function schemeOf(roster: Roster) {
  const events: AuthEvent[] = []
  const scheme = new TOTPServerAuthScheme({
    ...rosterOptions(roster),
    state: memoryState({ since: new Date(0) }),
    now: () => someInstant,
    onEvent: (event) => events.push(event),
  })
  const ask = async (fields: Record<string, string>): Promise<string> => {
    const { caller, refusal } = await scheme.authenticate(requestWith(fields))
    // The use of a canary is reported in the next turn.
    await turn()
    return caller?.peer ?? refusal?.reason ?? 'nothing'
  }
  return { scheme, events, ask }
}

describe('a scheme for a roster', () => {
  it('lets its peers in, whether their tokens are known or only the hashes of these', async () => {
    const { hash } = Token.parse(peers.alice.token)
    const tokens = [{ id: 't', createdAt: new Date(0), token: TokenHash.parse(hash) }]
    for (const roster of [rosterOf(), rosterOf('reuse', { tokens })]) {
      const alice = new Map([...roster.peers].slice(0, 1))
      expect(await schemeOf({ ...roster, peers: alice }).ask(right)).toBe('alice')
    }
  })

  it('reports each token of each of its canaries', async () => {
    const canary = (name: string, ids: readonly string[]): [string, Canary] => {
      const createdAt = new Date(0)
      const tokens = ids.map((id) => ({ id, createdAt, token: Token.parse(`a2at_${id}`) }))
      return [name, { name, createdAt, tokens }]
    }
    const canaries = new Map([canary('trap', ['one', 'two']), canary('snare', ['three'])])
    const { events, ask } = schemeOf({ ...rosterOf(), canaries })
    expect(await ask(right)).toBe('alice')
    expect(events.splice(0)).toMatchObject([{ type: 'authenticated' }])
    for (const [id, name] of Object.entries({ one: 'trap', three: 'snare' })) {
      expect(await ask({ ...right, Authorization: `Bearer a2at_${id}` })).toBe('token-refused')
      expect(events.splice(0)).toContainEqual(
        expect.objectContaining({ type: 'canary_used', canary: name, id }),
      )
    }
  })

  it('looks at no proofs where the store is from before there were any', () => {
    const { scheme } = schemeOf(rosterOf())
    expect(scheme).toMatchObject({ agent: 'agent', signed: 'off', readsProofs: false, requiresProofs: false })
  })

  it('does not start where peers share a seed whose codes each of them would spend for the others', () => {
    const sharedSeeds = [{ id: 's', createdAt: new Date(0), seed: peers.alice.seed }]
    const failure = failureOf(() => schemeOf({ ...rosterOf('once', { seeds: [] }), sharedSeeds }))
    expect(failure).toMatchObject({ code: 'ERR_CONFIG_INVALID' })
    expect(failure.message).toContain('would spend the codes of the others')
  })
})
