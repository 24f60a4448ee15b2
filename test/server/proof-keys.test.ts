import { randomBytes } from 'node:crypto'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { ProofKey } from '../../src/core/proof/key.js'
import { makeSeed } from '../../src/core/seed.js'
import type { SchemeSeed } from '../../src/server/scheme/peers.js'
import { ProofKeys } from '../../src/server/scheme/proof-keys.js'

const seedsOf = (count: number): SchemeSeed[] =>
  Array.from({ length: count }, (_, n) => ({
    id: `seed-${n}`,
    seed: makeSeed('SHA1', randomBytes),
    expiresAt: undefined,
    book: undefined,
    digest: undefined,
    proofKey: undefined,
  }))
const made = (seeds: readonly SchemeSeed[]): number => seeds.filter(({ proofKey }) => proofKey).length
const copied = (seeds: readonly SchemeSeed[]): SchemeSeed[] =>
  seeds.map((seed) => ({ ...seed, proofKey: undefined }))

describe('proof keys', () => {
  it('are made before a request needs them, since making one takes longer than all else of a decision', () => {
    const seeds = seedsOf(200)
    const keys = new ProofKeys('billing', seeds)
    expect(made(seeds)).toBe(200)
    for (const seed of seeds) expect(keys.of(seed)).toBe(seed.proofKey)
    const [first] = seeds
    expect(first?.proofKey?.keyid).toBe(first && new ProofKey(first.seed, 'billing').keyid)
  })

  it('of thousands of seeds are made while requests are served', async () => {
    const seeds = seedsOf(400)
    const keys = new ProofKeys('billing', seeds)
    expect(made(seeds)).toBeLessThan(400)
    const last = seeds.at(-1)
    if (!last) throw new Error('no seed')
    // Needed before its turn.
    const key = keys.of(last)
    await vi.waitFor(() => expect(made(seeds)).toBe(400))
    expect(last.proofKey).toBe(key)
  })

  it('of the first seeds are made first, and four in a turn of the event loop', async () => {
    const seeds = seedsOf(260)
    const madeNow = (): number[] => seeds.flatMap(({ proofKey }, n) => (proofKey ? [n] : []))
    new ProofKeys('billing', seeds)
    for (const count of [250, 254, 258, 260]) {
      expect(madeNow()).toEqual(Array.from({ length: count }, (_, n) => n))
      await new Promise(setImmediate)
    }
  })

  it('take no turn of the event loop where all were made at once', () => {
    const turns = vi.spyOn(globalThis, 'setImmediate')
    onTestFinished(() => turns.mockRestore())
    new ProofKeys('billing', seedsOf(250))
    expect(turns).not.toHaveBeenCalled()
    new ProofKeys('billing', seedsOf(251))
    expect(turns).toHaveBeenCalledTimes(1)
  })

  it('stay when a changed file has the same seeds', () => {
    const seeds = seedsOf(3)
    const before = new ProofKeys('billing', seeds)
    const after = [...copied(seeds.slice(1)), ...seedsOf(1)]
    new ProofKeys('billing', after, before)
    expect(after.map(({ proofKey }) => proofKey).slice(0, 2)).toEqual(
      seeds.slice(1).map(({ proofKey }) => proofKey),
    )
    expect(after[0]?.proofKey).toBe(seeds[1]?.proofKey)
    expect(made(after)).toBe(3)
  })

  it('are other ones once the agent has another name', () => {
    const seeds = seedsOf(1)
    const after = copied(seeds)
    new ProofKeys('shipping', after, new ProofKeys('billing', seeds))
    expect(after[0]?.proofKey?.keyid).toMatch(/^shipping\//)
  })

  it('of a file that is no longer in force are not made any more', async () => {
    const old = seedsOf(400)
    const before = new ProofKeys('billing', old)
    const known = made(old)
    new ProofKeys('billing', seedsOf(1), before)
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
    expect(made(old)).toBe(known)
  })
})
