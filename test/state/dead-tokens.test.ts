import { describe, expect, it } from 'vitest'
import { DeadTokens, tokenTag } from '../../src/state/dead-tokens.js'
import type { Attempt } from '../../src/state/state.js'
import { heapUsed } from '../support/memory.js'
import { inStep, someStep, wrongCode } from './attempts.js'

const attempt = (seeds: readonly string[], live: readonly string[] | undefined): Attempt =>
  wrongCode('1', inStep(someStep), { seeds, liveTokens: () => live })
const unlisted = (seeds: readonly string[]): Attempt => wrongCode('1', inStep(someStep), { seeds })
const [old, now] = [tokenTag('old'), tokenTag('now')]

describe('the tag of a token', () => {
  it('is short, its own, and no number', () => {
    const tags = Array.from({ length: 100 }, (_, n) => tokenTag(`sha256:${n}`))
    for (const [n, tag] of tags.entries()) {
      expect(tag).toMatch(/^t[\w-]{7}$/)
      expect(tokenTag(`sha256:${n}`)).toBe(tag)
    }
    expect(new Set(tags).size).toBe(100)
  })

  it('is forgotten at some time, so that tokens which come and go fill no memory', () => {
    const before = heapUsed()
    for (let n = 0; n < 300_000; n++) tokenTag(`come and gone ${n}`)
    expect(heapUsed() - before).toBeLessThan(25_000_000)
  })
})

describe('tokens that are no longer live', () => {
  it('are learned from the tags of guesses, once each, and known from then on', () => {
    const dead = new DeadTokens()
    expect(dead.known(attempt(['s'], ['now']))).toEqual([])
    expect(dead.learn(attempt(['s'], ['now']), [old, now, old])).toEqual([old])
    expect(dead.known(attempt(['s'], ['now']))).toEqual([old])
    expect(dead.known(attempt(['another', 's'], ['now']))).toEqual([old])
  })

  it('are known of their seed alone', () => {
    const dead = new DeadTokens()
    dead.learn(attempt(['s'], ['now']), [old])
    expect(dead.known(attempt(['another'], ['now']))).toEqual([])
  })

  it('are none of those that are live again', () => {
    const dead = new DeadTokens()
    dead.learn(attempt(['s'], ['now']), [old])
    expect(dead.known(attempt(['s'], ['now', 'old']))).toEqual([])
    expect(dead.learn(attempt(['s'], ['now', 'old']), [old, now])).toEqual([])
    // They were forgotten with that.
    expect(dead.known(attempt(['s'], ['now']))).toEqual([])
  })

  it('cannot be told where the delegate does not list its tokens', () => {
    const dead = new DeadTokens()
    expect(dead.learn(unlisted(['s']), [old])).toEqual([])
    expect(dead.learn(attempt(['s'], undefined), [old])).toEqual([])
    dead.learn(attempt(['s'], ['now']), [old])
    expect(dead.known(unlisted(['s']))).toEqual([])
    expect(dead.known(attempt(['s'], undefined))).toEqual([])
  })

  it('are not looked for where no guess was made', () => {
    const unasked = wrongCode('1', inStep(someStep), {
      seeds: ['s'],
      liveTokens: () => {
        throw new Error('asked')
      },
    })
    expect(new DeadTokens().learn(unasked, [])).toEqual([])
    expect(new DeadTokens().known(unasked)).toEqual([])
    const dead = new DeadTokens()
    dead.learn(attempt(['another'], ['now']), [old])
    expect(dead.known(unasked)).toEqual([])
  })

  it('are remembered of the last thousand seeds', () => {
    const dead = new DeadTokens()
    for (let n = 0; n < 1001; n++) dead.learn(attempt([`s${n}`], ['now']), [old])
    const known = (n: number): number => dead.known(attempt([`s${n}`], ['now'])).length
    expect([0, 1, 1000].map(known)).toEqual([0, 1, 1])
  })

  it('lose no place to seeds without any', () => {
    const dead = new DeadTokens()
    dead.learn(attempt(['s'], ['now']), [old])
    for (let n = 0; n < 1001; n++) dead.learn(attempt([`s${n}`], ['now']), [now])
    expect(dead.known(attempt(['s'], ['now']))).toEqual([old])
  })
})
