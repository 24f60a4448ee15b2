import { expect, it } from 'vitest'
import { asList, asObject, asText, isObject, parseJson } from '../../src/core/json.js'

it.each([{}, { a: 1 }])('%j is an object', (value) => {
  expect(isObject(value)).toBe(true)
  expect(asObject(value)).toBe(value)
})

it.each([null, undefined, [], 'x', 1, true])('%j is none, and reads as an empty one', (value) => {
  expect(isObject(value)).toBe(false)
  expect(asObject(value)).toEqual({})
})

it('lists and texts are read as such, and anything else as empty', () => {
  const list = [1]
  expect(asList(list)).toBe(list)
  expect(asText('x')).toBe('x')
  for (const value of [null, undefined, {}, 1]) expect([asList(value), asText(value)]).toEqual([[], ''])
})

it('a JSON text is parsed, and any other is undefined', () => {
  expect(['{"a":[1]}', 'null', '""'].map(parseJson)).toEqual([{ a: [1] }, null, ''])
  expect(['', '{', 'undefined', "{'a':1}", '\uFEFF{}'].map(parseJson)).toEqual(Array(5).fill(undefined))
})
