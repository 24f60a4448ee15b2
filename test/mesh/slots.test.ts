import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Locks, Slots } from '../../src/mesh/prove/slots.js'

/** Lets everything that can go on do so. */
const settle = (): Promise<void> => new Promise((done) => setImmediate(done))

describe('places for runs', () => {
  it('are never more than there are, whatever waits how often, and each run is made', async () => {
    const run = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.array(run, { maxLength: 12 }),
        async (most, runs) => {
          const slots = new Slots(most)
          let inside = 0
          let peak = 0
          const enter = (): void => void (peak = Math.max(peak, ++inside))
          const sleep = async (ticks: number): Promise<void> => {
            for (let left = ticks; left > 0; left--) await settle()
          }
          await Promise.all(
            runs.map((waits) =>
              slots.during(async (away) => {
                enter()
                for (const ticks of waits) {
                  inside -= 1
                  await away(ticks)
                  enter()
                  await Promise.resolve()
                }
                inside -= 1
              }, sleep),
            ),
          )
          expect(inside).toBe(0)
          expect(peak).toBeLessThanOrEqual(most)
          // All are free again.
          let free = 0
          for (let place = 0; place < most; place++) void slots.take().then(() => (free += 1))
          await settle()
          expect(free).toBe(most)
        },
      ),
      { numRuns: 50 },
    )
  })

  it('are given to another run while one waits, and back before those that have not begun', async () => {
    const slots = new Slots(1)
    const order: string[] = []
    let wake: () => void = () => undefined
    const sleep = (): Promise<void> => new Promise((done) => (wake = done))
    let end: () => void = () => undefined
    const first = slots.during(async (away) => {
      order.push('first begins')
      await away(1)
      order.push('first goes on')
    }, sleep)
    const second = slots.during(async () => {
      order.push('second begins')
      await new Promise<void>((done) => (end = done))
      order.push('second ends')
    })
    const third = slots.during(() => Promise.resolve(void order.push('third begins')))
    await settle()
    wake()
    await settle()
    end()
    await Promise.all([first, second, third])
    expect(order).toEqual(['first begins', 'second begins', 'second ends', 'first goes on', 'third begins'])
  })

  it('come back when a run ends while a part of it waits', async () => {
    const slots = new Slots(1)
    await slots.during((away) => {
      void away(60_000)
      return Promise.resolve()
    })
    await expect(slots.during(() => Promise.resolve('next'))).resolves.toBe('next')
  })

  it('are shared by parts of one run that wait at a time', async () => {
    const slots = new Slots(1)
    const wakes: (() => void)[] = []
    const sleep = (): Promise<void> => new Promise((done) => wakes.push(done))
    const run = slots.during((away) => Promise.all([away(1), away(1)]), sleep)
    await settle()
    for (const wake of wakes) {
      wake()
      await settle()
    }
    await run
    await expect(slots.during(() => Promise.resolve('next'))).resolves.toBe('next')
  })
})

describe('locks', () => {
  it('keep apart what has a key in common, and nothing else', async () => {
    const keys = fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { maxLength: 2 })
    await fc.assert(
      fc.asyncProperty(fc.array(keys, { maxLength: 10 }), async (all) => {
        const locks = new Locks()
        const held = new Map<string, number>()
        await Promise.all(
          all.map((own) =>
            locks.during(own, async () => {
              for (const key of own) {
                expect(held.get(key) ?? 0).toBe(0)
                held.set(key, 1)
              }
              await settle()
              for (const key of own) held.set(key, 0)
            }),
          ),
        )
      }),
      { numRuns: 50 },
    )
  })

  it('go on after what failed', async () => {
    const locks = new Locks()
    const failed = locks.during(['a'], () => Promise.reject(new Error('first')))
    const next = locks.during(['a'], () => Promise.resolve('second'))
    await expect(failed).rejects.toThrow('first')
    await expect(next).resolves.toBe('second')
  })
})
