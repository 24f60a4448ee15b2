import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defaultProfile } from '../../src/core/profile.js'
import { Seed } from '../../src/core/seed.js'
import { Token } from '../../src/core/token.js'
import { generateCodeOfStep, isCode, timeStepAt } from '../../src/core/totp.js'
import { wrongCodesAt, wrongCodesOf } from '../../src/probe/run/codes.js'
import { ValidCodes } from '../../src/probe/run/valid-codes.js'
import { alice, bob, midStep, stillClock } from '../support/probing.js'

const token = Token.parse(alice.token)

const anyOwner = fc.record({
  seed: fc.uint8Array({ minLength: 20, maxLength: 20 }).map((bytes) => Seed.fromBytes(bytes)),
  algorithm: fc.constantFrom('SHA1', 'SHA256', 'SHA512'),
  digits: fc.constantFrom(6, 7, 8),
  period: fc.integer({ min: 10, max: 120 }),
  window: fc.constantFrom(0, 1, 2),
})
const anyInstant = fc
  .integer({ min: 1_500_000_000, max: 4_000_000_000 })
  .map((seconds) => new Date(seconds * 1000))

describe('wrong codes', () => {
  it('are well-formed, and none is a code of the seed near now', () => {
    fc.assert(
      fc.property(anyOwner, anyInstant, (owner, at) => {
        const credentials = { ...defaultProfile, ...owner, token }
        const { wrong, expired, future } = wrongCodesAt({ credentials }, at)
        const now = timeStepAt(owner, at)
        const codesWithin = (steps: number): string[] =>
          Array.from({ length: 2 * steps + 1 }, (_, i) =>
            generateCodeOfStep(owner.seed, owner, now - steps + i),
          )
        for (const code of [wrong, expired, future]) expect(isCode(code, owner)).toBe(true)
        expect(codesWithin(10)).not.toContain(wrong)
        for (const code of [expired, future]) expect(codesWithin(owner.window + 2)).not.toContain(code)
      }),
      { numRuns: 100 },
    )
  })

  it('are no code of the seed nearer than the expired and the future one, nor one of another peer', () => {
    const anyWidth = fc.record({
      period: fc.constantFrom(15, 20, 30, 60, 300),
      window: fc.integer({ min: 0, max: 10 }),
      digits: fc.constantFrom(6, 8),
    })
    fc.assert(
      fc.property(anyOwner, anyOwner, anyWidth, anyInstant, (owner, other, width, at) => {
        const credentials = { ...defaultProfile, ...owner, ...width, token }
        const given = { credentials, otherPeer: { ...other, digits: width.digits } }
        const now = timeStepAt(credentials, at)
        const steps = Math.ceil(Math.max(300, (width.window + 3) * width.period) / width.period)
        const nearer = Array.from({ length: 2 * steps - 1 }, (_, i) =>
          generateCodeOfStep(owner.seed, credentials, now - steps + 1 + i),
        )
        const { wrong, expired, future, crossPeer } = wrongCodesAt(given, at)
        for (const code of [wrong, expired, future, crossPeer]) expect(nearer).not.toContain(code)
        for (const code of wrongCodesOf(given, at, 30)) expect(nearer).not.toContain(code)
        const ofOther = [-1, 0, 1].map((drift) =>
          generateCodeOfStep(other.seed, given.otherPeer, timeStepAt(other, at) + drift),
        )
        expect(ofOther).not.toContain(wrong)
      }),
      { numRuns: 100 },
    )
  })

  it.each([130_072_085, 130_084_509])(
    'leave out the code of another peer that is one of this peer of minutes around: step %i',
    (step) => {
      // Found by a search: such a code comes about once in a million seconds.
      const profile = { ...defaultProfile, period: 15 }
      const credentials = { ...profile, seed: alice.seed, token }
      const otherPeer = { ...profile, seed: bob.seed }
      expect(wrongCodesAt({ credentials, otherPeer }, new Date(step * 15_000))).toMatchObject({
        crossPeer: undefined,
        noCrossPeer: expect.stringContaining('run the probe again') as string,
      })
    },
  )

  it('are far enough off: 300 seconds, or three steps beyond the window', () => {
    fc.assert(
      fc.property(anyOwner, anyInstant, (owner, at) => {
        const credentials = { ...defaultProfile, ...owner, token }
        const { expired, future } = wrongCodesAt({ credentials }, at)
        const now = timeStepAt(owner, at)
        const steps = Math.ceil(Math.max(300, (owner.window + 3) * owner.period) / owner.period)
        const codes = (direction: number): string[] =>
          [0, 1].map((more) => generateCodeOfStep(owner.seed, owner, now + direction * (steps + more)))
        expect(codes(-1)).toContain(expired)
        expect(codes(1)).toContain(future)
      }),
      { numRuns: 50 },
    )
  })

  it('are the same at every instant of a time step, and others in the next', () => {
    const credentials = { ...defaultProfile, seed: alice.seed, token }
    const otherPeer = { ...defaultProfile, seed: bob.seed }
    const at = (ms: number) => wrongCodesAt({ credentials, otherPeer }, new Date(midStep.getTime() + ms))
    expect(at(0)).toEqual(at(-10_000))
    expect(at(0)).toEqual(at(19_999))
    expect(at(0).wrong).not.toBe(at(20_000).wrong)
  })

  it('come with the code of another peer whose codes are longer, which some agent may take', () => {
    const credentials = { ...defaultProfile, seed: alice.seed, token }
    const otherPeer = { ...defaultProfile, digits: 8 as const, seed: bob.seed }
    const { crossPeer, noCrossPeer } = wrongCodesAt({ credentials, otherPeer }, midStep)
    expect(crossPeer).toMatch(/^[0-9]{8}$/)
    expect(noCrossPeer).toBe('')
  })

  it('come with no code of another peer who has the same seed', () => {
    const credentials = { ...defaultProfile, seed: alice.seed, token }
    const otherPeer = { ...defaultProfile, seed: Seed.fromBase32(alice.seed.base32) }
    expect(wrongCodesAt({ credentials, otherPeer }, midStep)).toMatchObject({
      crossPeer: undefined,
      noCrossPeer: 'both peers have the same seed',
    })
  })
})

describe('valid codes', () => {
  const codesFor = (replay: 'once' | 'reuse', window: number, at = midStep) => {
    const clock = stillClock(at)
    const waits: number[] = []
    const sleep = (ms: number): Promise<void> => {
      waits.push(ms)
      return clock.sleep(ms)
    }
    const credentials = { ...defaultProfile, window, replay, seed: alice.seed, token }
    const codes = new ValidCodes({ credentials, now: clock.now, sleep, announce: () => undefined })
    return { codes, waits, clock }
  }
  const codeAt = (drift: number): string =>
    generateCodeOfStep(alice.seed, defaultProfile, timeStepAt(defaultProfile, midStep) + drift)

  it('take a time step each under once: before, now, after, then one a period', async () => {
    const { codes, waits } = codesFor('once', 1)
    const given = [await codes.next(), await codes.next(), await codes.next()]
    expect(given).toEqual([codeAt(-1), codeAt(0), codeAt(1)])
    expect(waits).toEqual([])
    expect([await codes.next(), await codes.next()]).toEqual([codeAt(2), codeAt(3)])
    expect(waits).toEqual([21_500, 30_000])
  })

  it('stay with the current step where the window is 0', async () => {
    const { codes, waits } = codesFor('once', 0)
    expect([await codes.next(), await codes.next()]).toEqual([codeAt(0), codeAt(1)])
    // A second and a half into it, for agents whose clock is a little behind.
    expect(waits).toEqual([21_500])
  })

  it('are the current one again and again under reuse, until the agent shows that it wants them once', async () => {
    const { codes } = codesFor('reuse', 1)
    expect([await codes.next(), await codes.next()]).toEqual([codeAt(0), codeAt(0)])
    codes.learnOnce()
    expect(await codes.next()).toBe(codeAt(1))
  })

  it('wait for the next step where the last second of this one would be too late', async () => {
    const { codes, waits } = codesFor('reuse', 0, new Date(midStep.getTime() + 19_500))
    expect(await codes.next()).toBe(codeAt(1))
    expect(waits).toEqual([500])
  })
})
