import { describe, expect, it } from 'vitest'
import { limitsFor, riskOf, type Attempt, type Budget, type State } from '../../src/server/index.js'
import type { PeerSeedsOptions } from '../../src/server/scheme/options.js'
import { failureOf } from '../support/failure.js'
import {
  Clock,
  codeOf,
  headersOf,
  peers,
  requestWith,
  schemeFor,
  someInstant,
  wrongCodeOf,
} from '../support/guarded.js'

const right = headersOf('alice', someInstant)

/** The budgets that a state is asked to keep for each peer. */
async function budgetsOf(given: Partial<PeerSeedsOptions>): Promise<Record<string, readonly Budget[]>> {
  const asked: Attempt[] = []
  const state: State = {
    supports: { once: true },
    decide: (attempt) => {
      asked.push(attempt)
      return { kind: 'accepted' }
    },
  }
  const { scheme } = schemeFor(new Clock(), { ...given, state })
  for (const name of ['alice', 'bob'] as const) {
    const profile = { algorithm: 'SHA1', digits: name === 'bob' ? 8 : 6, period: 30 } as const
    const fields = { ...headersOf(name, someInstant), 'X-TOTP': codeOf(name, someInstant, { profile }) }
    await scheme.authenticate(requestWith(fields))
  }
  return Object.fromEntries(asked.map(({ peer, budgets }) => [peer, budgets]))
}

const eightForBob = {
  alice: peers.alice.seed,
  bob: { seeds: [{ seed: peers.bob.seed }], digits: 8 },
} as const

describe('the guesses that a scheme allows', () => {
  it.each([0, 1, 2] as const)("follow from each peer's digits and the window, here %i", async (window) => {
    expect(await budgetsOf({ peerSeeds: eightForBob, profile: { window } })).toEqual({
      alice: limitsFor({ digits: 6, window }),
      bob: limitsFor({ digits: 8, window }),
    })
  })

  it('follow from the risk that was chosen', async () => {
    const { alice = [], bob = [] } = await budgetsOf({ peerSeeds: eightForBob, throttle: { risk: 6e-4 } })
    expect([alice, bob].map((budgets) => budgets.map(({ limit }) => limit))).toEqual([
      [20, 80, 200],
      [2000, 8000, 20_000],
    ])
  })

  it('are unlimited with a risk of Infinity, and only then', async () => {
    expect(await budgetsOf({ throttle: { risk: Infinity } })).toMatchObject({ alice: [] })
    expect(await budgetsOf({ throttle: { risk: Infinity, budgets: [] } })).toMatchObject({ alice: [] })
    const unlimited = failureOf(() => schemeFor(new Clock(), { throttle: { budgets: [] } }))
    expect(unlimited).toMatchObject({ code: 'ERR_CONFIG_INVALID' })
    expect(unlimited.message).toContain('any number of guesses')
  })

  it('may be given, within the risk', async () => {
    const budgets = [{ limit: 2, seconds: 3600 }]
    expect(await budgetsOf({ peerSeeds: eightForBob, throttle: { budgets } })).toEqual({
      alice: budgets,
      bob: [{ limit: 200, seconds: 3600 }],
    })
    const profile = { window: 2 }
    const given = { profile, throttle: { budgets: [{ limit: 50, seconds: 86_400 }] } }
    expect(failureOf(() => schemeFor(new Clock(), given)).message).toContain('at least 2.5e-4')
  })

  it.each([0, -1, NaN, '1e-4', null])('need a risk that is a number above 0, not %j', (risk) => {
    const failure = failureOf(() => schemeFor(new Clock(), { throttle: { risk: risk as number } }))
    expect(failure).toMatchObject({ code: 'ERR_CONFIG_INVALID' })
    expect(failure.message).toContain('throttle.risk')
  })

  it('shrink with an insecure window, and where none is left the scheme does not start', async () => {
    const wide = { allowInsecureWindow: true, profile: { window: 20 } }
    const { alice = [] } = await budgetsOf(wide)
    expect(riskOf(alice, { digits: 6, window: 20 })).toBeLessThanOrEqual(1.5e-4)
    expect(alice.map(({ limit }) => limit)).toEqual([3, 3, 3])

    const wider = { allowInsecureWindow: true, profile: { window: 120 } }
    const { code, message } = failureOf(() => schemeFor(new Clock(), wider))
    expect(code).toBe('ERR_CONFIG_INVALID')
    expect(message).toContain('peer "alice": risk 1.5e-4 allows not even one guess a day')
    expect(message).toContain('use 7 digits, or a smaller window, or set throttle.risk to at least 2.5e-4')
    expect(() => schemeFor(new Clock(), { ...wider, throttle: { risk: 2.5e-4 } })).not.toThrow()
    expect(() => schemeFor(new Clock(), { ...wider, profile: { window: 120, digits: 7 } })).not.toThrow()
  })

  it('count for the peers alone: a profile that no peer has refuses nobody', async () => {
    const only = {
      peerSeeds: { bob: eightForBob.bob },
      delegate: { authenticateToken: () => ({ peer: 'bob' }) },
    }
    const { scheme } = schemeFor(new Clock(), {
      ...only,
      allowInsecureWindow: true,
      profile: { window: 120 },
    })
    const profile = { algorithm: 'SHA1', digits: 8, period: 30 } as const
    const sent = { ...headersOf('bob', someInstant), 'X-TOTP': codeOf('bob', someInstant, { profile }) }
    expect(await scheme.authenticate(requestWith(sent))).toMatchObject({ caller: { peer: 'bob' } })
  })

  it('are evaluated exactly as often in a day as the window allows', async () => {
    for (const [window, day] of [
      [0, 150],
      [2, 30],
    ] as const) {
      const clock = new Clock()
      const { scheme } = schemeFor(clock, { profile: { window } })
      let evaluated = 0
      // One guess every five minutes, so that neither the hour nor the half minute is what stops them.
      for (let n = 0; n < 287; n++) {
        const fields = { ...right, 'X-TOTP': wrongCodeOf(clock.at) }
        const { refusal } = await scheme.authenticate(requestWith(fields))
        if (refusal?.reason === 'code-wrong') evaluated += 1
        clock.advance(301)
      }
      expect(evaluated).toBe(day)
    }
  })
})
