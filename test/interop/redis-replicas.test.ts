import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { defaultProfile, type ReplayPolicy } from '../../src/core/profile.js'
import { defaultBudgets } from '../../src/state/budgets.js'
import { processCount, Replicas, sumOf } from '../support/state-processes.js'
import type { Tally } from '../support/state-worker.js'
import { codeOf, someInstant, wrongCodeOf } from '../support/guarded.js'
import { clients } from '../support/redis-clients.js'
import { hasRedis, RedisServer } from '../support/redis-server.js'
import { signedHeadersOf } from '../support/signed-headers.js'

const { period } = defaultProfile
const momentOf = (seconds: number): Date => new Date(someInstant.getTime() + seconds * 1000)
const copies = (code: string, count: number): string[] => Array.from({ length: count }, () => code)

/** The figures on replay and throttle in bench/FIGURES.md. The clock is faked, everything else is real. */
describe('four processes and one Redis', { skip: !hasRedis({ requiredInCi: true }) }, () => {
  let server: RedisServer
  let replicas: Replicas
  const start = async (policy: ReplayPolicy): Promise<void> => {
    replicas = await Replicas.start(server.port, randomUUID(), policy)
  }
  beforeEach(async () => {
    server = await RedisServer.start()
  })
  afterEach(async () => {
    replicas.stop()
    await server.stop()
  })

  /** The first codes under `once`, and the first proofs, are unknown: lets that pass, and gives the seconds it took. */
  const warmUp = async (): Promise<number> => {
    const at = momentOf(0)
    await replicas.fire({
      at: at.getTime(),
      codes: [codeOf('alice', at)],
      signed: [signedHeadersOf('alice', at)],
    })
    return 3 * period
  }

  it('accept exactly one of 64 identical requests to each, 200 time steps in a row', async () => {
    await start('once')
    const begin = await warmUp()
    const totals: Tally[] = []
    for (let step = 0; step < 200; step++) {
      const at = momentOf(begin + step * period)
      const tally = await replicas.fire({ at: at.getTime(), codes: copies(codeOf('alice', at), 64) })
      expect(tally).toEqual({ accepted: 1, 'code-replayed': 64 * processCount - 1 })
      totals.push(tally)
    }
    console.log(
      `figure 10: ${JSON.stringify(sumOf(totals))} in 200 time steps, 64 requests × ${processCount} processes`,
    )
  })

  it.each<ReplayPolicy>(['once', 'reuse'])(
    'accept exactly one of 64 equal signed requests to each under %s, 50 in a row in a few time steps',
    async (policy) => {
      await start(policy)
      const begin = await warmUp()
      const totals: Tally[] = []
      for (let round = 0; round < 50; round++) {
        const at = momentOf(begin + round)
        const signed = Array<Record<string, string>>(64).fill(signedHeadersOf('alice', at))
        const tally = await replicas.fire({ at: at.getTime(), codes: [], signed })
        expect(tally).toEqual({ accepted: 1, 'proof-replayed': 64 * processCount - 1 })
        totals.push(tally)
      }
      console.log(
        `figure 24, ${policy}: ${JSON.stringify(sumOf(totals))}, 50 × 64 requests × ${processCount}`,
      )
    },
  )

  it('accept all of 64 different signed requests to each in one time step, and then none of its plain ones', async () => {
    await start('once')
    const at = momentOf(await warmUp())
    const volleys = Array.from({ length: processCount }, () => ({
      at: at.getTime(),
      codes: [],
      signed: Array.from({ length: 64 }, () => signedHeadersOf('alice', at)),
    }))
    expect(await replicas.fire(...volleys)).toEqual({ accepted: 64 * processCount })
    const plain = { at: at.getTime(), codes: [codeOf('alice', at)] }
    expect(await replicas.fire(plain)).toEqual({ 'code-replayed': processCount })
  })

  it('accept no signed request twice whose replicas have clocks that differ by some seconds', async () => {
    await start('reuse')
    const begin = await warmUp()
    const accepted: number[] = []
    for (let round = 0; round < 40; round++) {
      const at = momentOf(begin + round * 20)
      const one = [signedHeadersOf('alice', at)]
      // Until its end, as each of them sees it.
      let sum = 0
      for (const after of [0, 30, 60, 61, 66]) {
        const volleys = Array.from({ length: processCount }, (_, n) => ({
          at: at.getTime() + (after + 3 * n - 5) * 1000,
          codes: [],
          signed: one,
        }))
        sum += (await replicas.fire(...volleys))['accepted'] ?? 0
      }
      accepted.push(sum)
    }
    expect(new Set(accepted)).toEqual(new Set([1]))
  })

  it('accept no signed request twice when Redis is flushed in mid-load, and recover', async () => {
    await start('reuse')
    const begin = await warmUp()
    const client = await clients.ioredis(server.port)
    const counts: number[] = []
    let unknown = 0
    for (let round = 0; round < 60; round++) {
      const at = momentOf(begin + round * 10)
      const signed = Array<Record<string, string>>(16).fill(signedHeadersOf('alice', at))
      const flush = round % 6 === 0 ? sleep(round / 10).then(() => client.command('FLUSHALL')) : undefined
      let sum = 0
      for (const after of [0, 1, 4]) {
        const tally = await replicas.fire({ at: at.getTime() + after * 1000, codes: [], signed })
        sum += tally['accepted'] ?? 0
        unknown += tally['replay-unknown'] ?? 0
      }
      await flush
      counts.push(sum)
    }
    client.close()
    expect(Math.max(...counts)).toBe(1)
    expect(counts.filter((count) => count === 1).length).toBeGreaterThan(5)
    expect(unknown).toBeGreaterThan(0)
    const once = counts.filter((count) => count === 1).length
    console.log(`figure 24, flushed 10 times: ${once} accepted once, 0 twice, ${unknown} unknown`)
  })

  it('accept no signed request twice when Redis crashes and comes back with an old snapshot', async () => {
    await start('reuse')
    const at = momentOf(await warmUp())
    const signed = [signedHeadersOf('alice', at)]
    const client = await clients.ioredis(server.port)
    await client.command('SAVE')
    client.close()
    expect(await replicas.fire({ at: at.getTime(), codes: [], signed })).toMatchObject({ accepted: 1 })
    await server.crash()
    await server.resume()
    for (const after of [0, 5, 30]) {
      const tally = await replicas.fire({ at: at.getTime() + after * 1000, codes: [], signed })
      expect(tally).toEqual({ 'replay-unknown': processCount })
    }
    const later = momentOf(6 * period + 60)
    const fresh = { at: later.getTime(), codes: [], signed: [signedHeadersOf('alice', later)] }
    expect(await replicas.fire(fresh)).toEqual({ accepted: 1, 'proof-replayed': processCount - 1 })
  })

  it('refuse the step before an accepted one, each of them', async () => {
    await start('once')
    const at = momentOf(await warmUp())
    const newer = { at: at.getTime(), codes: [codeOf('alice', at)] }
    expect(await replicas.fire(newer, { ...newer, codes: [] })).toMatchObject({ accepted: 1 })
    const older = { at: at.getTime(), codes: [codeOf('alice', at, { drift: -1 })] }
    expect(await replicas.fire(older)).toEqual({ 'code-replayed': processCount })
  })

  it('evaluate exactly as many guesses as the budgets allow, whatever the honest twin sends between', async () => {
    await start('reuse')
    const evaluated: number[] = []
    const totals: Tally[] = []
    const moments = [
      ...Array.from({ length: 120 }, (_, second) => second),
      ...Array.from({ length: 160 }, (_, n) => 120 + n * 600),
    ]
    for (const second of moments) {
      const at = momentOf(second)
      const good = copies(codeOf('alice', at), 10)
      const allowed = Math.min(
        ...defaultBudgets.map(
          ({ limit, seconds }) => limit - evaluated.filter((then) => then > second - seconds).length,
        ),
      )
      // Now one of them, now all at once, so that the twin succeeds close to a limit; no code twice in a time step.
      const guesses = Array.from({ length: processCount }, (_, n) => {
        const first = 2 * processCount * (second % period) + 2 * n
        if (second % 4 === 3) return [wrongCodeOf(at, first), wrongCodeOf(at, first + 1)]
        return n === second % processCount ? [wrongCodeOf(at, first)] : []
      })
      const tally = await replicas.fire(...guesses.map((codes) => ({ at: at.getTime(), codes })))
      const fresh = Math.min(allowed, guesses.flat().length)
      expect(tally['code-wrong'] ?? 0).toBe(fresh)
      for (let n = 0; n < fresh; n++) evaluated.push(second)
      // Once it is tripped, the honest twin is shut out as well; until then all of its codes pass.
      const twin = await replicas.fire({ at: at.getTime(), codes: good })
      expect(twin).toEqual(
        allowed > fresh ? { accepted: 10 * processCount } : { 'guesses-exhausted': 10 * processCount },
      )
      totals.push(tally, twin)
    }
    expect(evaluated.filter((then) => then < 86_400)).toHaveLength(50)
    console.log(`figure 12: ${JSON.stringify(sumOf(totals))}; guesses evaluated in the first day: 50`)
  })

  it('serve a peer again at once when its token is rotated', async () => {
    await start('reuse')
    const at = someInstant.getTime()
    const guesses = Array.from({ length: 6 }, (_, which) => wrongCodeOf(someInstant, which))
    await replicas.fire({ at, codes: guesses })
    const right = { at, codes: [codeOf('alice', someInstant)] }
    expect(await replicas.fire(right)).toEqual({ 'guesses-exhausted': processCount })
    expect(await replicas.fire({ ...right, rotated: true })).toEqual({ accepted: processCount })
  })

  it('accept nothing twice when Redis is flushed in mid-load, and recover', async () => {
    await start('once')
    const begin = await warmUp()
    const client = await clients.ioredis(server.port)
    const acceptedOf = new Map<string, number>()
    let unknown = 0
    for (let step = 0; step < 150; step++) {
      const at = momentOf(begin + step * period)
      const flush = step % 6 === 0 ? sleep(step / 10).then(() => client.command('FLUSHALL')) : undefined
      for (const drift of [0, -1, 1]) {
        const code = codeOf('alice', at, { drift })
        const tally = await replicas.fire({ at: at.getTime(), codes: copies(code, 8) })
        acceptedOf.set(code, (acceptedOf.get(code) ?? 0) + (tally['accepted'] ?? 0))
        unknown += tally['replay-unknown'] ?? 0
      }
      await flush
    }
    client.close()
    const counts = [...acceptedOf.values()]
    expect(Math.max(...counts)).toBe(1)
    expect(counts.filter((count) => count === 1).length).toBeGreaterThan(50)
    expect(unknown).toBeGreaterThan(0)
    const accepted = counts.filter((count) => count === 1).length
    console.log(
      `figure 13, flushed 25 times: ${accepted} codes accepted once, 0 twice, ${unknown} requests unknown`,
    )
  })

  it('accept nothing twice when Redis crashes and comes back with an old snapshot', async () => {
    await start('once')
    const at = momentOf(await warmUp())
    const used = { at: at.getTime(), codes: copies(codeOf('alice', at), 16) }
    const client = await clients.ioredis(server.port)
    await client.command('SAVE')
    client.close()
    expect(await replicas.fire(used)).toMatchObject({ accepted: 1 })
    await server.crash()
    await server.resume()
    const after = await replicas.fire(used)
    expect(after['accepted'] ?? 0).toBe(0)
    expect(after['replay-unknown']).toBeGreaterThan(0)
    const later = momentOf(6 * period + 60)
    expect(await replicas.fire({ at: later.getTime(), codes: [codeOf('alice', later)] })).toMatchObject({
      accepted: 1,
    })
  })
})
