import { expect, it } from 'vitest'
import { asciiOf } from '../../src/core/ascii.js'

it.each([
  ['age1…', 'age1...'],
  ['2 × 3', '2 x 3'],
  ['±5 s', '+/-5 s'],
  ['alice → billing', 'alice -> billing'],
  ['6–8 digits', '6-8 digits'],
  ['no — never', 'no - never'],
  ['the peer’s seed', "the peer's seed"],
  ['…×…', '...x...'],
])('%s is written as %s where there is only ASCII', (text, written) => {
  expect(asciiOf(text)).toBe(written)
})

it.each(['', 'alice', "it's 2 x 3 ->", 'Jürgen 🙂 日本', 'a“b”'])('%j stays as it is', (text) => {
  expect(asciiOf(text)).toBe(text)
})
