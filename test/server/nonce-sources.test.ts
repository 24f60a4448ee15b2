import { describe, expect, it } from 'vitest'
import { isSameSource, NonceSources } from '../../src/server/scheme/nonce-sources.js'

const [home, away] = ['192.0.2.1', '198.51.100.7']

describe('where accepted proofs came from', () => {
  it('is remembered of the 5000 newest', () => {
    const sources = new NonceSources()
    for (let n = 0; n <= 5000; n++) sources.remember(`nonce ${n}`, home)
    expect(sources.second('nonce 0', away)).toBeUndefined()
    expect(sources.second('nonce 1', away)).toEqual([home, away])
    expect(sources.second('nonce 5000', away)).toEqual([home, away])
  })

  it('is not remembered where a header field said more than an address', () => {
    const sources = new NonceSources()
    const [longest, tooLong] = ['x'.repeat(64), 'x'.repeat(65)]
    sources.remember('one', longest)
    sources.remember('other', tooLong)
    expect(sources.second('one', home)).toEqual([longest, home])
    expect(sources.second('other', home)).toBeUndefined()
  })

  it('is nothing of a proof or a source that nobody knows', () => {
    const sources = new NonceSources()
    sources.remember(undefined, home)
    sources.remember('nonce', undefined)
    expect(sources.second(undefined, away)).toBeUndefined()
    expect(sources.second('nonce', away)).toBeUndefined()
    sources.remember('nonce', home)
    expect(sources.second('nonce', undefined)).toBeUndefined()
    expect(sources.second('nonce', away)).toEqual([home, away])
  })

  it('is not forgotten for a proof that nobody knows, nor for a header field that said too much', () => {
    const sources = new NonceSources()
    for (let n = 0; n < 5000; n++) sources.remember(`nonce ${n}`, home)
    sources.remember(undefined, home)
    sources.remember('without a source', undefined)
    sources.remember('with too long a source', 'x'.repeat(65))
    expect(sources.second('nonce 0', away)).toEqual([home, away])
  })
})

describe('two sources are the same', () => {
  it.each([
    [home, home],
    [`::ffff:${home}`, home],
    [`::FFFF:${home}`, `::ffff:${home}`],
    ['2001:db8::2', '2001:db8::2'],
  ])('%s and %s', (one, other) => {
    expect(isSameSource(one, other)).toBe(true)
    expect(isSameSource(other, one)).toBe(true)
  })

  it.each([
    [home, away],
    ['1::ffff:2.3.4.5', '12.3.4.5'],
    ['::ffff:c000:201', 'c000:201'],
    [`::${home}`, home],
  ])('but not %s and %s', (one, other) => {
    expect(isSameSource(one, other)).toBe(false)
    expect(isSameSource(other, one)).toBe(false)
  })
})
