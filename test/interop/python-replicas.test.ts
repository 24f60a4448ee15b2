import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { defaultProfile, type ReplayPolicy } from '../../src/core/profile.js'
import { codeOf, someInstant, wrongCodeOf } from '../support/guarded.js'
import { describeWith } from '../support/python.js'
import { hasRedis, RedisServer } from '../support/redis-server.js'
import { signedHeadersOf } from '../support/signed-headers.js'
import { processCount, Replicas } from '../support/state-processes.js'
import type { Volley } from '../support/state-worker.js'

const { period } = defaultProfile
const momentOf = (seconds: number): Date => new Date(someInstant.getTime() + seconds * 1000)
const copies = (code: string, count: number): string[] => Array.from({ length: count }, () => code)

/** The clock is faked, everything else is real. */
describeWith('a2a-1', 'two processes of TypeScript, two of Python and one Redis', () => {
  if (!hasRedis({ requiredInCi: true })) {
    it.skip('needs redis-server', () => undefined)
    return
  }
  let server: RedisServer
  let replicas: Replicas
  beforeEach(async () => {
    server = await RedisServer.start()
  })
  afterEach(async () => {
    replicas.stop()
    await server.stop()
  })

  /** Starts them, and lets the first codes under `once`, and the first proofs, pass, which are unknown. */
  const start = async (policy: ReplayPolicy): Promise<number> => {
    replicas = await Replicas.start(server.port, randomUUID(), policy, { ofPython: 2 })
    const at = momentOf(0)
    const signed = [signedHeadersOf('alice', at)]
    const tally = await replicas.fire({ at: at.getTime(), codes: [codeOf('alice', at)], signed })
    const unknown = policy === 'once' ? 2 : 1
    expect(tally['replay-unknown']).toBe(unknown * processCount)
    return 3 * period
  }

  /** To some of them; the first two are TypeScript's. */
  const only = (places: readonly number[], volley: Volley): Volley[] =>
    Array.from({ length: processCount }, (_, n) =>
      places.includes(n) ? volley : { ...volley, codes: [], signed: [] },
    )
  const ours = [0, 1]
  const pythons = [2, 3]

  it('accept exactly one of 64 equal requests to each, 50 time steps in a row', async () => {
    const begin = await start('once')
    for (let step = 0; step < 50; step++) {
      const at = momentOf(begin + step * period)
      const tally = await replicas.fire({ at: at.getTime(), codes: copies(codeOf('alice', at), 64) })
      expect(tally).toEqual({ accepted: 1, 'code-replayed': 64 * processCount - 1 })
    }
  })

  it.each<ReplayPolicy>(['once', 'reuse'])(
    'accept exactly one of 64 equal signed requests to each under %s, 20 in a row',
    async (policy) => {
      const begin = await start(policy)
      for (let round = 0; round < 20; round++) {
        const at = momentOf(begin + round)
        const signed = Array<Record<string, string>>(64).fill(signedHeadersOf('alice', at))
        const tally = await replicas.fire({ at: at.getTime(), codes: [], signed })
        expect(tally).toEqual({ accepted: 1, 'proof-replayed': 64 * processCount - 1 })
      }
    },
  )

  it.each([
    ['TypeScript', 'Python', ours, pythons],
    ['Python', 'TypeScript', pythons, ours],
  ])(
    'refuse at both what was accepted at %s, and a signed request spends the step at %s',
    async (_, __, first, second) => {
      const begin = await start('once')
      const at = momentOf(begin)
      const [some = 0] = first
      const one = { at: at.getTime(), codes: [codeOf('alice', at)], signed: [signedHeadersOf('alice', at)] }
      expect(await replicas.fire(...only([some], { ...one, codes: [] }))).toEqual({ accepted: 1 })
      expect(await replicas.fire(...only(second, one))).toEqual({ 'code-replayed': 2, 'proof-replayed': 2 })
      const older = { at: at.getTime(), codes: [codeOf('alice', at, { drift: -1 })] }
      expect(await replicas.fire(older)).toEqual({ 'code-replayed': processCount })
      const newer = { at: at.getTime(), codes: [codeOf('alice', at, { drift: 1 })] }
      expect(await replicas.fire(newer)).toEqual({ accepted: 1, 'code-replayed': processCount - 1 })
    },
  )

  it.each([
    ['TypeScript', ours, pythons],
    ['Python', pythons, ours],
  ])('hold at all a budget that was tripped at %s, until the token is rotated', async (_, first, second) => {
    const begin = await start('reuse')
    const at = momentOf(begin)
    const guess = (places: readonly number[], ...which: number[]): Promise<unknown> => {
      const codes = which.map((one) => wrongCodeOf(at, one))
      return replicas.fire(...only(places, { at: at.getTime(), codes }))
    }
    const [here = 0] = first
    const [there = 0] = second
    expect(await guess([there], 0, 1)).toEqual({ 'code-wrong': 2 })
    // The same code again is no guess, whoever hears it.
    expect(await guess([here], 0, 1, 2, 3, 4)).toEqual({ 'code-wrong': 5 })
    const right = { at: at.getTime(), codes: [codeOf('alice', at)] }
    expect(await replicas.fire(right)).toEqual({ 'guesses-exhausted': processCount })
    const signed = [signedHeadersOf('alice', at)]
    expect(await replicas.fire({ at: at.getTime(), codes: [], signed })).toEqual({
      accepted: 1,
      'proof-replayed': processCount - 1,
    })
    expect(await replicas.fire({ ...right, rotated: true })).toEqual({ accepted: processCount })
    expect(await replicas.fire(right)).toEqual({ 'guesses-exhausted': processCount })
  })

  it('evaluate as many guesses as the budgets allow, whoever hears them', async () => {
    const begin = await start('reuse')
    const at = momentOf(begin)
    const volleys = Array.from({ length: processCount }, (_, n) => ({
      at: at.getTime(),
      codes: [0, 1, 2, 3].map((one) => wrongCodeOf(at, 4 * n + one)),
    }))
    expect(await replicas.fire(...volleys)).toEqual({ 'code-wrong': 5, 'guesses-exhausted': 11 })
  })
})
