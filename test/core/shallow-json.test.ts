import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseShallowJson } from '../../src/core/shallow-json.js'

const nested = (depth: number, open: string, close: string): string =>
  open.repeat(depth) + close.repeat(depth)

describe('JSON from outside', () => {
  it.each(['{"a":[1,{"b":null}]}', '[]', '"["', '7', 'null'])('%s is read', (text) => {
    expect(parseShallowJson(text)).toEqual(JSON.parse(text))
  })

  it.each(['', '{', '[1,]', "{'a':1}"])('%j is not JSON', (text) => {
    expect(parseShallowJson(text)).toBeUndefined()
  })

  it('is read down to 200 levels, arrays and objects together', () => {
    expect(parseShallowJson(nested(200, '[', ']'))).toHaveLength(1)
    expect(parseShallowJson(`${'{"a":'.repeat(200)}1${'}'.repeat(200)}`)).toHaveProperty('a')
    expect(parseShallowJson(`${'[{"a":'.repeat(100)}1${'}]'.repeat(100)}`)).toHaveLength(1)
  })

  it('is not read from 201 levels on', () => {
    expect(parseShallowJson(nested(201, '[', ']'))).toBeUndefined()
    expect(parseShallowJson(`${'{"a":'.repeat(201)}1${'}'.repeat(201)}`)).toBeUndefined()
    expect(parseShallowJson(`[${'[{"a":'.repeat(100)}1${'}]'.repeat(100)}]`)).toBeUndefined()
    expect(parseShallowJson(nested(1_000_000, '[', ']'))).toBeUndefined()
  })

  it('may be as wide as it likes', () => {
    expect(parseShallowJson(`[${Array(1000).fill('[]').join()}]`)).toHaveLength(1000)
    expect(parseShallowJson(`[${Array(1000).fill('{}').join()}]`)).toHaveLength(1000)
  })

  it('may have any brackets, quotes and backslashes in its strings', () => {
    const text = fc.string({ unit: fc.constantFrom('[', '{', ']', '}', '"', '\\', 'a'), maxLength: 20 })
    fc.assert(
      fc.property(text, fc.constantFrom('[', '{', ']', '}', '\\', '"'), (some, many) => {
        const value = [some, { [some + many.repeat(300)]: some }]
        expect(parseShallowJson(JSON.stringify(value))).toEqual(value)
      }),
    )
  })

  it('is as deep as it is, whatever its strings contain', () => {
    const text = fc.string({ unit: fc.constantFrom(']', '}', '"', '\\', 'a'), maxLength: 300 })
    fc.assert(
      fc.property(text, (some) => {
        const string = JSON.stringify(some)
        expect(parseShallowJson(`[${string},${nested(199, '[', ']')}]`)).toBeDefined()
        expect(parseShallowJson(`[${string},${nested(200, '[', ']')}]`)).toBeUndefined()
      }),
    )
  })
})
