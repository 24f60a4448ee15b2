import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SeenTokens } from '../../src/server/scheme/seen-tokens.js'
import { heapUsed } from '../support/memory.js'

const limits = { most: 6, mostPerPeer: 2 }

describe('SeenTokens', () => {
  it('keeps the newest of each peer, and those of others with them', () => {
    const seen = new SeenTokens(limits)
    seen.remember('honest', 'alice')
    for (let n = 0; n < 1000; n++) seen.remember(`m${n}`, 'mallory')
    expect(['honest', 'm998', 'm999'].every((token) => seen.has(token))).toBe(true)
    expect(['m0', 'm997', 'never'].some((token) => seen.has(token))).toBe(false)
  })

  it('forgets the one that was not used for longest, of all and of a peer', () => {
    const seen = new SeenTokens({ most: 3, mostPerPeer: 2 })
    for (const peer of ['a', 'b', 'c', 'a', 'd']) seen.remember(`token of ${peer}`, peer)
    expect(['a', 'b', 'c', 'd'].map((peer) => seen.has(`token of ${peer}`))).toEqual([
      true,
      false,
      true,
      true,
    ])
    for (const token of ['x', 'token of a', 'y']) seen.remember(token, 'a')
    expect(['x', 'token of a', 'y'].map((token) => seen.has(token))).toEqual([false, true, true])
  })

  it('keeps nothing of a peer whose tokens are all forgotten', () => {
    const seen = new SeenTokens(limits)
    const before = heapUsed()
    for (let n = 0; n < 100_000; n++) seen.remember('t', `p${n}`)
    expect(heapUsed() - before).toBeLessThan(4 * 1024 * 1024)
    expect(seen.has('t')).toBe(true)
  })

  it('never has more than its limits allow, whatever comes', () => {
    const step = fc.tuple(fc.constantFrom('remember', 'forget'), fc.nat(40), fc.nat(9))
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const seen = new SeenTokens(limits)
        /** The tokens that a plain list would hold, newest last. */
        let model: { token: string; peer: string }[] = []
        for (const [action, number, owner] of steps) {
          const [token, peer] = [`t${number}`, `p${owner}`]
          model = model.filter((entry) => entry.token !== token)
          if (action === 'forget') seen.forget(token)
          else {
            seen.remember(token, peer)
            model.push({ token, peer })
            const own = model.filter((entry) => entry.peer === peer)
            if (own.length > limits.mostPerPeer) model.splice(model.indexOf(own[0] ?? { token, peer }), 1)
            if (model.length > limits.most) model.shift()
          }
          const held = Array.from({ length: 41 }, (_, n) => `t${n}`).filter((one) => seen.has(one))
          expect(new Set(held)).toEqual(new Set(model.map((entry) => entry.token)))
        }
      }),
      { numRuns: 200 },
    )
  })
})
