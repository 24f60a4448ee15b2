import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Seed } from '../../src/core/seed.js'
import { redisState } from '../../src/server/redis.js'
import { PeerTokenAuth } from '../../src/server/scheme/delegates.js'
import type { PeerSeedsOptions, SeedInput } from '../../src/server/scheme/options.js'
import { memoryState } from '../../src/state/memory-state.js'
import type { State } from '../../src/state/state.js'
import { bearerOf, Clock, codeOf, headersOf, peers, requestWith, schemeFor } from '../support/guarded.js'
import { clients, type TestClient } from '../support/redis-clients.js'
import { hasRedis, RedisServer } from '../support/redis-server.js'

const seed = peers.alice.seed
const padded = Seed.fromBytes(Uint8Array.of(...seed.bytes, 0, 0))

/** Ways in which the seed of a used code can be listed anew. */
const lists: Readonly<Record<string, Readonly<Record<string, SeedInput>>>> = {
  'as it was': { alice: seed },
  'under another id, after an export and an import': { alice: { seeds: [{ id: 'imported', seed }] } },
  'beside another seed': {
    alice: {
      seeds: [
        { id: 'new', seed: peers.bob.seed },
        { id: 'seed-1', seed },
      ],
    },
  },
  'in other letters': { alice: seed.base32.toLowerCase() },
  'with zero bytes, which HMAC does not see': { alice: padded },
  'under the name of another peer': { alice: peers.bob.seed, bob: seed },
}

function spentCodes(name: string, make: () => Promise<State> | State): void {
  describe(`a code that was used under once, with ${name}`, () => {
    const schemeOf = (clock: Clock, state: State, given: Partial<PeerSeedsOptions> = {}) =>
      schemeFor(clock, { state, replay: 'once', ...given }).scheme

    it.each(Object.entries(lists))('stays used when its seed is listed %s', async (_how, peerSeeds) => {
      const clock = new Clock()
      const state = await make()
      const used = headersOf('alice', clock.at)
      expect((await schemeOf(clock, state).authenticate(requestWith(used))).caller?.peer).toBe('alice')
      const again = schemeOf(clock, state, { peerSeeds })
      const tried = (['alice', 'bob'] as const).map(async (peer) => {
        const fields = { Authorization: bearerOf(peer), 'X-TOTP': used['X-TOTP'] ?? '' }
        return (await again.authenticate(requestWith(fields))).refusal?.reason
      })
      const reasons = await Promise.all(tried)
      expect(reasons).toContain('code-replayed')
      expect(reasons).not.toContain(undefined)
    })

    it('stays used in a second scheme, and for both of two requests at once', async () => {
      const clock = new Clock()
      const state = await make()
      const schemes = [schemeOf(clock, state), schemeOf(clock, state)]
      const answers = await Promise.all(
        Array.from({ length: 16 }, async (_, n) =>
          schemes[n % 2]?.authenticate(requestWith(headersOf('alice', clock.at))),
        ),
      )
      expect(answers.filter((one) => one?.caller)).toHaveLength(1)
    })

    it.each([3600, -3600, 26 * 3600])(
      'stays used while the clock is off by %i s, and after',
      async (jump) => {
        const clock = new Clock()
        const state = await make()
        const scheme = schemeOf(clock, state)
        const used = headersOf('alice', clock.at)
        await scheme.authenticate(requestWith(used))
        clock.advance(jump)
        await scheme.authenticate(requestWith(headersOf('bob', clock.at)))
        expect((await scheme.authenticate(requestWith(used))).caller).toBeUndefined()
        clock.advance(-jump)
        await scheme.authenticate(
          requestWith({ ...headersOf('bob', clock.at), Authorization: 'Bearer nobody' }),
        )
        expect((await scheme.authenticate(requestWith(used))).refusal?.reason).toBe('code-replayed')
      },
    )

    it('stays used after the peer was removed and added again', async () => {
      const clock = new Clock()
      const state = await make()
      const used = headersOf('alice', clock.at)
      await schemeOf(clock, state).authenticate(requestWith(used))
      const without = schemeOf(clock, state, {
        peerSeeds: { bob: peers.bob.seed },
        delegate: new PeerTokenAuth({ [peers.bob.token]: 'bob' }),
      })
      await without.authenticate(requestWith(headersOf('bob', clock.at)))
      const again = schemeOf(clock, state, { peerSeeds: { alice: { seeds: [{ id: 'x', seed }] } } })
      expect((await again.authenticate(requestWith(used))).refusal?.reason).toBe('code-replayed')
    })

    it('is another code for another period, and its next one is accepted', async () => {
      const clock = new Clock()
      const state = await make()
      await schemeOf(clock, state).authenticate(requestWith(headersOf('alice', clock.at)))
      const slow = { algorithm: 'SHA1', digits: 6, period: 60 } as const
      const other = schemeOf(clock, state, { peerSeeds: { alice: { seeds: [{ seed }], period: 60 } } })
      const code = codeOf('alice', clock.at, { profile: slow })
      const fields = { Authorization: bearerOf('alice'), 'X-TOTP': code }
      expect((await other.authenticate(requestWith(fields))).caller?.peer).toBe('alice')
      clock.advance(30)
      const next = requestWith(headersOf('alice', clock.at))
      expect((await schemeOf(clock, state).authenticate(next)).caller?.peer).toBe('alice')
    })
  })
}

spentCodes('memoryState', () => memoryState({ since: new Date(0) }))

describe('with Redis', { skip: !hasRedis() }, () => {
  let server: RedisServer
  let client: TestClient
  beforeAll(async () => {
    server = await RedisServer.start()
    client = await clients.ioredis(server.port)
    await redisState(client.port, { timeoutMs: 20_000 }).decide({
      ...(await import('../state/attempts.js')).rightCode(1, { policy: 'reuse' }),
    })
  })
  afterAll(async () => {
    client.close()
    await server.stop()
  })

  spentCodes('redisState', async () => {
    const prefix = randomUUID()
    await client.command('SET', `{${prefix}}:begun`, '0')
    return redisState(client.port, { prefix, timeoutMs: 20_000 })
  })
})
