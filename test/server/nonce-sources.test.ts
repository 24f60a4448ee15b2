import { describe, expect, it } from 'vitest'
import { NonceSources } from '../../src/server/scheme/nonce-sources.js'

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
})
