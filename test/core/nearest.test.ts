import { describe, expect, it } from 'vitest'
import { didYouMean, nearest } from '../../src/core/nearest.js'

describe('the nearest word', () => {
  it.each([
    ['alcie', 'alice'],
    ['ALICE', 'alice'],
    ['alic', 'alice'],
    ['alices', 'alice'],
    ['lice', 'alice'],
    ['bbo', 'bob'],
    ['rob', 'bob'],
    ['backup', 'backup-sync'],
    ['al', undefined],
    ['zed', undefined],
    ['', undefined],
    ['mallory', undefined],
    ['x'.repeat(100_000), undefined],
  ])('to %s is %s', (text, word) => {
    expect(nearest(text, ['alice', 'bob', 'backup-sync'])).toBe(word)
  })

  it.each<[string, string[], string | undefined]>([
    // The nearest, wherever it is in the list.
    ['bobb', ['rob', 'bob'], 'bob'],
    ['bobb', ['bob', 'rob'], 'bob'],
    // Three letters can be a part of a word, four can have two mistakes, and two letters can be missing or too many.
    ['syn', ['alice', 'backup-sync'], 'backup-sync'],
    ['axce', ['alice'], 'alice'],
    ['alicexx', ['alice'], 'alice'],
    // Letters in front count like others.
    ['icex', ['alice'], undefined],
    ['x', ['ab'], undefined],
    // Two letters that changed places, in either place, count as one.
    ['laice', ['alice'], 'alice'],
    ['alicd', ['alcie'], 'alcie'],
    // Half of a swap is none, and a swap beside two other mistakes is too much.
    ['alxyz', ['alice'], undefined],
    ['alxif', ['alice'], undefined],
    ['alcxf', ['alice'], undefined],
    ['xycie', ['alice'], undefined],
  ])('to %s among %j is %s', (text, words, word) => {
    expect(nearest(text, words)).toBe(word)
  })

  it('is one of several that contain the text only if there is just one', () => {
    expect(nearest('auth', ['auth.none', 'auth.valid'])).toBeUndefined()
  })
})

describe('did you mean', () => {
  it('asks for each word that has a near one, once', () => {
    expect(didYouMean(['alcie', 'zed', 'alic', 'bbo'], ['alice', 'bob'])).toBe('did you mean alice, bob?')
    expect(didYouMean(['zed'], ['alice', 'bob'])).toBeUndefined()
    expect(didYouMean(['zed'], [])).toBeUndefined()
  })

  it('knows other names, where the word is one of those allowed', () => {
    const otherNames = { yml: ['yaml', 'compose'] }
    expect(didYouMean(['YML'], ['json', 'yaml'], otherNames)).toBe('did you mean yaml?')
    expect(didYouMean(['yml'], ['json', 'compose'], otherNames)).toBe('did you mean compose?')
    expect(didYouMean(['yml'], ['json'], otherNames)).toBeUndefined()
    expect(didYouMean(['constructor'], ['json'], otherNames)).toBeUndefined()
  })
})
