import { describe, expect, it } from 'vitest'
import { oneOf, parseWord } from '../../src/core/words.js'
import { failureOf } from '../support/failure.js'

describe('a rule of a few words', () => {
  const two = oneOf(['once', 'reuse'])
  const numbers = oneOf([6, 7, 8])

  it('allows these and nothing else, numbers not as texts', () => {
    expect(['once', 'reuse'].every((word) => parseWord('replay', two, word) === word)).toBe(true)
    expect(parseWord('digits', numbers, 7)).toBe(7)
    for (const value of ['6', 9, NaN, null, undefined, [6]]) expect(numbers.allows(value)).toBe(false)
  })

  it('names them in the error, and not the value', () => {
    const error = failureOf(() => parseWord('replay', two, 'a2at_x'))
    expect(error).toMatchObject({ code: 'ERR_CONFIG_INVALID', message: 'replay must be once or reuse' })
    expect(failureOf(() => parseWord('digits', numbers, '6')).message).toBe('digits must be one of 6, 7, 8')
  })
})
