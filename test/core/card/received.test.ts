import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { largestCard, readCard } from '../../../src/core/card/received.js'

const bytesOf = (text: string) => new TextEncoder().encode(text)
const read = (text: string) => readCard(bytesOf(text))

describe('the bytes of a card', () => {
  it('are an object of JSON in UTF-8', () => {
    expect(read('{"name":"ü 😀","a":[null,1,true,{"b":"c"}]}')).toEqual({
      ok: true,
      card: { name: 'ü 😀', a: [null, 1, true, { b: 'c' }] },
    })
    expect(read('\uFEFF{}')).toEqual({ ok: true, card: {} })
    expect(read('{"a":1,"a":2}')).toEqual({ ok: true, card: { a: 2 } })
  })

  it('may be 1 MiB, and no more', () => {
    expect(largestCard).toBe(1_048_576)
    const card = '{"name":"x"}'
    expect(read(card.padEnd(largestCard))).toEqual({ ok: true, card: { name: 'x' } })
    expect(read(card.padEnd(largestCard + 1))).toEqual({ ok: false, why: 'larger than 1 MiB' })
  })

  it.each([
    ['', 'not JSON'],
    ['<html>', 'not JSON'],
    [`{"a":${'['.repeat(1000)}${']'.repeat(1000)}}`, 'not JSON'],
    ['[]', 'not a JSON object'],
    ['null', 'not a JSON object'],
    ['"text"', 'not a JSON object'],
  ])('are no card if they are %j: %s', (text, why) => {
    expect(read(text)).toEqual({ ok: false, why })
  })

  it('are no card if they are not UTF-8', () => {
    expect(readCard(Uint8Array.of(0x7b, 0xff, 0x7d))).toEqual({ ok: false, why: 'not UTF-8' })
  })

  it.each([
    String.raw`{"name":"\uD800"}`,
    String.raw`{"name":"x\udFFFx"}`,
    String.raw`{"\uDbff":1}`,
    String.raw`{"a":[1,null,{"b":["c","\ud912"]}]}`,
    String.raw`{"a":"\uDE00\uD83D"}`,
  ])('are no card if a text in them is not Unicode: %s', (text) => {
    expect(read(text)).toEqual({ ok: false, why: 'text that is not Unicode' })
  })

  it.each([
    [String.raw`{"a":"\uD83D\uDE00"}`, { a: '😀' }],
    [String.raw`{"a":"\\uD800"}`, { a: String.raw`\uD800` }],
    [String.raw`{"a":"\\ud800","b":[1,null,true,{}]}`, { a: String.raw`\ud800`, b: [1, null, true, {}] }],
    [String.raw`{"a":"\ud7ff\ue000"}`, { a: '\ud7ff\ue000' }],
  ])('may have escapes: %s', (text, card) => {
    expect(read(text)).toEqual({ ok: true, card })
  })

  it('are read as JSON reads them, whatever the card says', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue()), (value) => {
        const text = JSON.stringify(value)
        expect(read(text)).toEqual({ ok: true, card: JSON.parse(text) as unknown })
      }),
    )
  })
})
