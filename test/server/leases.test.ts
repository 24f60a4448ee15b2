import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { TOTPError } from '../../src/core/errors.js'
import { Leases, type Grant, type LeaseRules } from '../../src/server/scheme/leases.js'
import { wellPut } from '../support/failure.js'
import { peers, someInstant } from '../support/guarded.js'

/** Time passes only where a test says so, for the clock as for the timers. */
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: someInstant })
})
afterEach(() => vi.useRealTimers())

const now = (): Date => new Date()
const mark = {}
const rules: LeaseRules = { mark, endOf: () => Infinity }

/** A grant under the rules in force, which ends some milliseconds from the beginning on. */
const endingAfter = (ms: number): Grant => ({
  peer: 'alice',
  tokenHash: '',
  tokenEndsAt: Infinity,
  seed: peers.alice.seed,
  endsAt: someInstant.getTime() + ms,
  rules: mark,
})

/** Something open, which says how often it was ended and looked at. */
const open = (isOver = false) => ({
  end: vi.fn<(reason: TOTPError) => void>(),
  isOver: vi.fn(() => isOver),
})

/** How many milliseconds later the next timer is due. */
function nextTimer(): number {
  const before = Date.now()
  vi.advanceTimersToNextTimer()
  return Date.now() - before
}

describe('what is tied to a grant', () => {
  it('ends the very instant that the grant does, once, and is forgotten', () => {
    const leases = new Leases(rules, now)
    const stream = open()
    leases.tie(stream, endingAfter(700))
    vi.advanceTimersByTime(699)
    expect(stream.end).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(stream.end).toHaveBeenCalledOnce()
    expect(vi.getTimerCount()).toBe(0)
    leases.review({ mark: {}, endOf: () => -Infinity })
    expect(stream.end).toHaveBeenCalledOnce()
  })

  it('ends the instant that the grant does even if the clock stands still there', () => {
    let at = someInstant
    const leases = new Leases(rules, () => at)
    const stream = open()
    leases.tie(stream, endingAfter(700))
    at = new Date(someInstant.getTime() + 700)
    vi.advanceTimersByTime(700)
    expect(stream.end).toHaveBeenCalledOnce()
  })

  it.each([0, -1, -Infinity])('ends at once if the grant ended %d ms from now', (ms) => {
    const leases = new Leases(rules, now)
    const stream = open()
    leases.tie(stream, endingAfter(ms))
    expect(stream.end).toHaveBeenCalledOnce()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('is not ended once it was released', () => {
    const leases = new Leases(rules, now)
    const [released, other] = [open(), open()]
    leases.tie(released, endingAfter(100))
    leases.tie(other, endingAfter(100))
    leases.release(released)
    vi.advanceTimersByTime(1000)
    expect(released.end).not.toHaveBeenCalled()
    expect(other.end).toHaveBeenCalledOnce()
  })

  it.each([[[30, 10, 20]], [[10, 20, 30]], [[20, 30, 10]], [[30, 20, 10]], [[10, 10, 30]]])(
    'ends at its own time, in whichever order it was tied: after %j s',
    (seconds) => {
      const leases = new Leases(rules, now)
      const ends: number[] = []
      for (const second of seconds) {
        const end = (): void => void ends.push((Date.now() - someInstant.getTime()) / 1000)
        leases.tie({ end, isOver: () => false }, endingAfter(second * 1000))
        expect(vi.getTimerCount()).toBe(1)
      }
      vi.advanceTimersByTime(60_000)
      expect(ends).toEqual(seconds.toSorted((a, b) => a - b))
      expect(vi.getTimerCount()).toBe(0)
    },
  )

  it('ends whatever becomes of the others that end with it', () => {
    const leases = new Leases(rules, now)
    const [broken, stream] = [open(), open()]
    broken.end.mockImplementation(() => {
      throw new Error('already closed')
    })
    leases.tie(broken, endingAfter(100))
    leases.tie(stream, endingAfter(100))
    vi.advanceTimersByTime(100)
    expect(stream.end).toHaveBeenCalledOnce()
    expect(() => leases.tie(broken, endingAfter(0))).not.toThrow()
  })

  it('is told what has become of the credentials, and what to do', () => {
    const leases = new Leases(rules, now)
    const reasonOf = (grant: Grant): TOTPError => {
      const stream = open()
      leases.tie(stream, grant)
      return wellPut(stream.end.mock.lastCall?.[0] ?? expect.fail())
    }
    const [expired, revoked] = [reasonOf(endingAfter(0)), reasonOf(endingAfter(-Infinity))]
    expect(expired.code).toBe('ERR_CREDENTIAL_EXPIRED')
    expect(expired.message).toMatch(/"alice" used has expired; send a new request/)
    expect(revoked.code).toBe('ERR_CREDENTIAL_REVOKED')
    expect(revoked.message).toMatch(/"alice" used was revoked; send a new request/)
  })
})

describe('changed rules', () => {
  const changed = (endOf: (grant: Grant) => number): LeaseRules => ({ mark: {}, endOf })

  it('end what they no longer allow, and let the rest go on until they say', () => {
    const leases = new Leases(rules, now)
    const [alice, bob] = [open(), open()]
    leases.tie(alice, endingAfter(Infinity))
    leases.tie(bob, { ...endingAfter(Infinity), peer: 'bob' })
    const later = someInstant.getTime() + 5000
    leases.review(changed(({ peer }) => (peer === 'alice' ? -Infinity : later)))
    expect(alice.end).toHaveBeenCalledOnce()
    vi.advanceTimersByTime(4999)
    expect(bob.end).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(bob.end).toHaveBeenCalledOnce()
  })

  it('decide about a grant of older rules when something is tied to it, and about one of their own never again', () => {
    const leases = new Leases(rules, now)
    const endOf = vi.fn(() => -Infinity)
    const next = changed(endOf)
    leases.review(next)
    const [late, own, again] = [open(), open(), open()]
    leases.tie(own, { ...endingAfter(1000), rules: next.mark })
    expect(endOf).not.toHaveBeenCalled()
    expect(own.end).not.toHaveBeenCalled()
    const grant = endingAfter(1000)
    leases.tie(late, grant)
    leases.tie(again, grant)
    expect(late.end).toHaveBeenCalledOnce()
    expect(again.end).toHaveBeenCalledOnce()
    expect(endOf).toHaveBeenCalledOnce()
  })

  it('leave alone what is over', () => {
    const leases = new Leases(rules, now)
    const stream = open(true)
    leases.tie(stream, endingAfter(Infinity))
    leases.review(changed(() => -Infinity))
    expect(stream.end).not.toHaveBeenCalled()
  })
})

describe('the timer', () => {
  it('is not needed for what never ends, nor is the clock', () => {
    const clock = vi.fn(now)
    new Leases(rules, clock).tie(open(), endingAfter(Infinity))
    expect(vi.getTimerCount()).toBe(0)
    expect(clock).not.toHaveBeenCalled()
  })

  it.each([
    [500, [500]],
    [1000, [1000]],
    [2500, [1000, 1000, 500]],
    [1, [25]],
    [1010, [1000, 25]],
  ])('looks at the clock each second, and ends what ends in %d ms after looks %j ms apart', (ms, looks) => {
    const leases = new Leases(rules, now)
    const stream = open()
    leases.tie(stream, endingAfter(ms))
    for (const wait of looks) {
      expect(stream.end).not.toHaveBeenCalled()
      expect(nextTimer()).toBe(wait)
    }
    expect(stream.end).toHaveBeenCalledOnce()
  })

  it('sees within a second that the clock was set', () => {
    let ahead = 0
    const leases = new Leases(rules, () => new Date(Date.now() + ahead))
    const stream = open()
    leases.tie(stream, endingAfter(3_600_000))
    vi.advanceTimersByTime(5000)
    expect(stream.end).not.toHaveBeenCalled()
    ahead = 3_600_000
    vi.advanceTimersByTime(1000)
    expect(stream.end).toHaveBeenCalledOnce()
  })

  it('stops within a second once all that can expire was released', () => {
    const leases = new Leases(rules, now)
    const stream = open()
    leases.tie(stream, endingAfter(3_600_000))
    leases.release(stream)
    vi.advanceTimersByTime(1000)
    expect(vi.getTimerCount()).toBe(0)
    // What comes next starts it again, even if it ends later.
    const next = open()
    leases.tie(next, endingAfter(7_200_000))
    vi.advanceTimersByTime(7_200_000)
    expect(next.end).toHaveBeenCalledOnce()
  })
})

describe('what is over and was never released', () => {
  it('is dropped once a thousand things are tied, and the rest is not looked at again before twice as many are', () => {
    const leases = new Leases(rules, now)
    const grant = endingAfter(500)
    const tied = (count: number, isOver = false) =>
      Array.from({ length: count }, () => {
        const stream = open(isOver)
        leases.tie(stream, grant)
        return stream
      })
    const looksAt = (streams: readonly ReturnType<typeof open>[]): Set<number> =>
      new Set(streams.map(({ isOver }) => isOver.mock.calls.length))

    const over = tied(24, true)
    const going = tied(1000)
    expect(looksAt([...over, ...going])).toEqual(new Set([0]))
    tied(1)
    expect(looksAt([...over, ...going])).toEqual(new Set([1]))
    // 1001 are left.
    tied(1001)
    expect(looksAt(going)).toEqual(new Set([1]))
    tied(1)
    expect(looksAt(going)).toEqual(new Set([2]))
    expect(looksAt(over)).toEqual(new Set([1]))

    vi.advanceTimersByTime(500)
    expect(going.every(({ end }) => end.mock.calls.length === 1)).toBe(true)
    expect(over.some(({ end }) => end.mock.calls.length > 0)).toBe(false)
  })
})
