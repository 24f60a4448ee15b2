import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sleep, StepQueue, type StepQueueOptions, type Wait } from '../../src/client/scheme/step-queue.js'
import { FakeClock } from '../support/client-scheme.js'

const period = 30
const stepOf = (clock: FakeClock) => Math.floor(clock.at.getTime() / 1000 / period)

function queueOn(clock: FakeClock, options: Partial<StepQueueOptions> = {}) {
  const waits: Wait[] = []
  const queue = new StepQueue({
    profile: { period },
    maxWaitMs: 31_000,
    onWait: (wait) => waits.push(wait),
    now: clock.now,
    sleep: clock.sleep,
    ...options,
  })
  return { queue, waits }
}

/** A clock on which those who wait are woken by hand. */
class ManualClock extends FakeClock {
  readonly #sleepers: (() => void)[] = []

  override sleep = (): Promise<void> => new Promise((wake) => this.#sleepers.push(wake))

  async pass(seconds: number): Promise<void> {
    this.advance(seconds)
    for (const wake of this.#sleepers.splice(0)) wake()
    await settled()
  }
}

const settled = () => new Promise((done) => setImmediate(done))

describe('a time step', () => {
  it('is given at once when nobody used it', async () => {
    const clock = new FakeClock()
    const { queue, waits } = queueOn(clock)
    expect(await queue.next()).toBe(stepOf(clock))
    expect(waits).toEqual([])
  })

  it('that is used makes the next request wait for the next one, and say so', async () => {
    const clock = new FakeClock()
    const { queue, waits } = queueOn(clock)
    const first = await queue.next()
    clock.advance(12)
    expect(await queue.next()).toBe(first + 1)
    expect(waits).toEqual([{ waitMs: 18_000, timeStep: first + 1 }])
    expect(stepOf(clock)).toBe(first + 1)
  })

  it('is never given twice, nor an older one, unless the clock is set back by minutes', async () => {
    const moves = fc.array(fc.integer({ min: -90, max: 200 }), { minLength: 1, maxLength: 20 })
    await fc.assert(
      fc.asyncProperty(moves, async (seconds) => {
        const clock = new FakeClock()
        const { queue } = queueOn(clock, { maxWaitMs: Infinity })
        const given: number[] = []
        for (const move of seconds) {
          clock.advance(move)
          given.push(await queue.next())
          expect(stepOf(clock)).toBe(given.at(-1))
        }
        expect(given).toEqual([...new Set(given)].sort((a, b) => a - b))
      }),
      { numRuns: 100 },
    )
  })

  it('is one of now again once a clock that was far ahead was set back', async () => {
    const clock = new FakeClock()
    const { queue, waits } = queueOn(clock)
    clock.advance(3600)
    await queue.next()
    await queue.share()
    clock.advance(-3600)
    const now = stepOf(clock)
    expect(await queue.next()).toBe(now)
    expect(await queue.next()).toBe(now + 1)
    expect(waits).toHaveLength(1)
  })

  it.each([1, 2, 3, 4])('that the agent may have accepted is waited for: %s steps ahead', async (steps) => {
    const clock = new FakeClock()
    const { queue } = queueOn(clock, { maxWaitMs: Infinity })
    clock.advance(30 * steps)
    const used = await queue.next()
    clock.advance(-30 * steps)
    expect(await queue.next()).toBe(used + 1)
  })

  it('goes to each of those who ask at the same time, in their order', async () => {
    const clock = new FakeClock()
    const { queue } = queueOn(clock, { maxWaitMs: Infinity })
    const first = stepOf(clock)
    const given = await Promise.all(Array.from({ length: 20 }, () => queue.next()))
    expect(given).toEqual(Array.from({ length: 20 }, (_, index) => first + index))
  })

  it('is waited for again when the timer was early', async () => {
    const clock = new FakeClock()
    const early = (ms: number) => clock.sleep(Math.max(1, ms - 5))
    const { queue, waits } = queueOn(clock, { sleep: early })
    const first = await queue.next()
    expect(await queue.next()).toBe(first + 1)
    expect(waits).toHaveLength(1)
  })

  it('is the current one after a long sleep of the machine, and those behind still get their own', async () => {
    const clock = new ManualClock()
    const { queue } = queueOn(clock, { maxWaitMs: Infinity })
    const first = await queue.next()
    const [second, third] = [queue.next(), queue.next()]
    await settled()
    await clock.pass(3000)
    expect(await second).toBe(first + 100)
    await clock.pass(30)
    expect(await third).toBe(first + 101)
  })

  it('is not before the instant that the agent named', async () => {
    const clock = new FakeClock()
    const { queue, waits } = queueOn(clock, { maxWaitMs: 61_000 })
    const first = stepOf(clock)
    const notBefore = new Date(clock.at.getTime() + 60_000)
    expect(await queue.next({ notBefore })).toBe(first + 2)
    expect(waits).toEqual([{ waitMs: 60_000, timeStep: first + 2 }])
    expect(await queue.next({ notBefore: new Date(0) })).toBe(first + 3)
  })
})

describe('the limit', () => {
  it('fails a request at once that would have to wait longer, and spends nothing', async () => {
    const clock = new ManualClock()
    const { queue, waits } = queueOn(clock)
    const first = await queue.next()
    const second = queue.next()
    await expect(queue.next()).rejects.toMatchObject({
      code: 'ERR_STEP_SPENT',
      message: expect.stringContaining('60 s') as string,
    })
    await clock.pass(30)
    expect(await second).toBe(first + 1)
    const third = queue.next()
    await settled()
    await clock.pass(30)
    expect(await third).toBe(first + 2)
    expect(waits).toHaveLength(2)
  })

  it('may be none at all: then no request ever waits', async () => {
    const clock = new FakeClock()
    const { queue } = queueOn(clock, { maxWaitMs: 0 })
    const first = await queue.next()
    clock.advance(29.999)
    await expect(queue.next()).rejects.toMatchObject({ code: 'ERR_STEP_SPENT' })
    clock.advance(0.001)
    expect(await queue.next()).toBe(first + 1)
  })

  it('holds for a clock that was set back', async () => {
    const clock = new FakeClock()
    const { queue } = queueOn(clock)
    await queue.next()
    clock.advance(-120)
    await expect(queue.next()).rejects.toMatchObject({ code: 'ERR_STEP_SPENT' })
  })
})

describe('a signal', () => {
  it('that is aborted already ends it before anything is spent', async () => {
    const clock = new FakeClock()
    const { queue } = queueOn(clock)
    const reason = new Error('enough')
    await expect(queue.next({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(await queue.next()).toBe(stepOf(clock))
  })

  it('frees the place of whoever gives up, in front or behind, for those who still wait', async () => {
    const clock = new ManualClock()
    const { queue } = queueOn(clock, { maxWaitMs: Infinity })
    const first = await queue.next()
    const [front, middle] = [new AbortController(), new AbortController()]
    const results = Promise.allSettled([
      queue.next({ signal: front.signal }),
      queue.next({ signal: middle.signal }),
      queue.next(),
    ])
    await settled()
    middle.abort(new Error('middle'))
    front.abort(new Error('front'))
    await settled()
    await clock.pass(30)
    expect(await results).toMatchObject([
      { reason: { message: 'front' } },
      { reason: { message: 'middle' } },
      { value: first + 1 },
    ])
  })

  it('ends a wait in real time', async () => {
    const clock = new FakeClock()
    const { queue } = queueOn(clock, { sleep })
    await queue.next()
    await expect(queue.next({ signal: AbortSignal.timeout(20) })).rejects.toMatchObject({
      name: 'TimeoutError',
    })
  })

  it('is not needed: real time passes by itself', async () => {
    const now = () => new Date()
    const { queue, waits } = queueOn(new FakeClock(), { profile: { period: 1 }, now, sleep })
    const given = [await queue.next(), await queue.next()]
    expect(given[1]).toBeGreaterThan(given[0] ?? Infinity)
    expect(Math.floor(Date.now() / 1000)).toBeGreaterThanOrEqual(given[1] ?? Infinity)
    expect(waits.length).toBeLessThanOrEqual(1)
  })

  it('is let go of when the wait is over', async () => {
    const clock = new FakeClock()
    const { queue } = queueOn(clock)
    const { signal } = new AbortController()
    const listeners = new Set<unknown>()
    signal.addEventListener = (_type: string, listener: unknown) => void listeners.add(listener)
    signal.removeEventListener = (_type: string, listener: unknown) => void listeners.delete(listener)
    await queue.next({ signal })
    await queue.next({ signal })
    expect(listeners.size).toBe(0)
  })
})

describe('a step that signed requests share', () => {
  it('is the current one, used or not, without a wait', async () => {
    const clock = new FakeClock()
    const { queue, waits } = queueOn(clock)
    const used = await queue.next()
    expect(await Promise.all([queue.share(), queue.share()])).toEqual([used, used])
    clock.advance(30)
    expect(await queue.share()).toBe(used + 1)
    expect(waits).toEqual([])
  })

  it('is used up for the others, for whom it does not wait', async () => {
    const clock = new ManualClock()
    const { queue } = queueOn(clock)
    const shared = await queue.share()
    const waiting = queue.next()
    await settled()
    expect(await queue.share()).toBe(shared)
    await clock.pass(30)
    expect(await waiting).toBe(shared + 1)
  })

  it('begins when the agent accepts a code again', async () => {
    const clock = new FakeClock()
    const { queue } = queueOn(clock)
    const notBefore = new Date(clock.at.getTime() + 30_000)
    expect(await queue.share({ notBefore })).toBe(stepOf(clock))
    expect(clock.at).toEqual(notBefore)
    await expect(queue.share({ notBefore: new Date(clock.at.getTime() + 120_000) })).rejects.toMatchObject({
      code: 'ERR_STEP_SPENT',
    })
  })

  it('is taken by nobody whose signal is aborted', async () => {
    const { queue } = queueOn(new FakeClock())
    await expect(queue.share({ signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' })
  })
})

describe('a queue of limited length', () => {
  it('lets that many wait, and refuses one more at once without a step', async () => {
    const clock = new ManualClock()
    const { queue } = queueOn(clock, { maxWaitMs: Infinity, maxQueued: 2 })
    const first = await queue.next()
    const waiting = [queue.next(), queue.next()]
    await expect(queue.next()).rejects.toMatchObject({ code: 'ERR_STEP_SPENT', why: 'queue' })
    await clock.pass(30)
    await clock.pass(30)
    expect(await Promise.all(waiting)).toEqual([first + 1, first + 2])
  })

  it('of none lets the requests through that need not wait', async () => {
    const clock = new ManualClock()
    const { queue } = queueOn(clock, { maxWaitMs: Infinity, maxQueued: 0 })
    const first = await queue.next()
    await expect(queue.next()).rejects.toMatchObject({ why: 'queue', freeInMs: 30_000 })
    await clock.pass(30)
    expect(await queue.next()).toBe(first + 1)
  })

  it('counts no request whose step has begun, even while others come in', async () => {
    const clock = new ManualClock()
    const { queue } = queueOn(clock, { maxWaitMs: Infinity, maxQueued: 1 })
    const both = [queue.next(), queue.next()]
    await expect(queue.next()).rejects.toMatchObject({ why: 'queue' })
    await settled()
    await clock.pass(30)
    expect(await Promise.all(both)).toHaveLength(2)
  })

  it('has room again once a waiting request has left', async () => {
    const clock = new ManualClock()
    const { queue } = queueOn(clock, { maxWaitMs: Infinity, maxQueued: 1 })
    const first = await queue.next()
    const leaving = new AbortController()
    const left = queue.next({ signal: leaving.signal })
    leaving.abort()
    await expect(left).rejects.toThrow()
    const next = queue.next()
    await settled()
    await clock.pass(30)
    expect(await next).toBe(first + 1)
  })
})
