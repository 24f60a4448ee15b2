import { describe, expect, it } from 'vitest'
import { takeRounds } from '../../bench/rounds.js'
import { estimateOf, medianOf, pairedRatios } from '../../bench/stats.js'

describe('the statistics of the benchmarks', () => {
  it.each([
    [[3, 1, 2], 2],
    [[4, 1, 3, 2], 2.5],
    [[10, 9], 9.5],
  ])('takes the middle of %j', (samples, median) => {
    expect(medianOf(samples)).toBe(median)
  })

  it('gives the ranks of the binomial interval: 10 and 22 of 31', () => {
    const samples = Array.from({ length: 31 }, (_, index) => 31 - index)
    expect(estimateOf(samples)).toEqual({ median: 16, low: 10, high: 22 })
  })

  it('spans all samples when there are few', () => {
    expect(estimateOf([5, 7, 6])).toEqual({ median: 6, low: 5, high: 7 })
  })

  it('compares neighbours, so that a machine twice as slow for a while changes no ratio', () => {
    expect(pairedRatios([10, 20, 40], [5, 10, 20])).toEqual([2, 2, 2])
  })
})

describe('the rounds of the benchmarks', () => {
  it('begin with another variant each, and drop the one that warms up', async () => {
    const order: string[] = []
    const sampler = (name: string) => () => order.push(name)
    const samples = await takeRounds({ one: sampler('one'), other: sampler('other') }, 2, () =>
      order.push('|'),
    )
    expect(order.join(' ')).toBe('| one other | other one | one other')
    expect(samples).toEqual({ one: [6, 8], other: [5, 9] })
  })
})
