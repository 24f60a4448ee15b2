import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findJsonFault } from '../../src/core/json-fault.js'
import { requireJson } from '../../src/core/json.js'

const at = (line: number, column: number, expected: string): object => ({
  kind: 'syntax',
  line,
  column,
  expected,
})

describe('the fault of a text that is not JSON', () => {
  it.each([
    ['{\n  "a": 1\n  "b": 2\n}', at(3, 3, ', or }')],
    ['[1 2]', at(1, 4, ', or ]')],
    ['{"a":1,\n}', at(2, 1, 'a key in double quotes, since a comma may not be last')],
    ['[1,\r\n]', at(2, 1, 'a value, since a comma may not be last')],
    ['{"a" 1}', at(1, 6, ':')],
    ['{a:1}', at(1, 2, 'a key in double quotes, or }')],
    ["{'a':1}", at(1, 2, 'a key in double quotes, or }; JSON has " as its only quotes')],
    ['{"a":“b”}', at(1, 6, 'a value; JSON has " as its only quotes')],
    ['{\r  "a": 1, // one\r}', at(2, 11, 'a key in double quotes; JSON has no comments')],
    ['# store\n{}', at(1, 1, 'a value; JSON has no comments')],
    ['{} {}', at(1, 4, 'the end of the file')],
    ['', at(1, 1, 'a value, but the file ends here')],
    ['{"a":{"b":1}', at(1, 13, ', or }, but the file ends here')],
    ['{"a":"b', at(1, 8, '" at the end of the string, but the file ends here')],
    ['{"a":"b\n"}', at(1, 8, '" at the end of the string')],
    ['"\t"', at(1, 2, '\\t in place of a tab')],
    ['"\\x"', at(1, 3, 'one of " \\ / b f n r t u')],
    ['"\\u12g4"', at(1, 6, 'four hex digits')],
    ['"\\u12', at(1, 6, 'four hex digits, but the file ends here')],
    ['"a\rb"', at(1, 3, '" at the end of the string')],
    ['"a\u0000"', at(1, 3, 'an escape such as \\u0000 in place of a control character')],
    ['/* store */ {}', at(1, 1, 'a value; JSON has no comments')],
    ["[x']", at(1, 2, 'a value')],
    ['{"é😀": tru}', at(1, 8, 'a value')],
    ['[01]', at(1, 3, ', or ]')],
    ['[1.]', at(1, 4, 'a digit')],
    ['[-]', at(1, 3, 'a digit')],
    ['\uFEFF{}', at(1, 1, 'a value, but there is a byte order mark; save the file as UTF-8 without one')],
  ])('%j', (text, fault) => {
    expect(findJsonFault(text)).toEqual(fault)
  })

  it('a key that is there twice, also where it is spelled in another way', () => {
    expect(findJsonFault('{\n"p": {"a": 1, "b": 2},\n"\\u0070": 3}')).toEqual({
      kind: 'repeated-key',
      line: 3,
      column: 1,
      expected: 'another key, since this one is in line 2 already',
    })
    expect(findJsonFault('{"a":{"a":1},"b":[{"a":1},{"a":1}]}')).toBeUndefined()
  })

  it('is found exactly where JSON.parse finds one, in texts that differ from JSON by a little', () => {
    const mutated = fc
      .tuple(
        fc.json(),
        fc.nat(),
        fc.nat(3),
        fc.constantFrom(...'{}[],:"\\\n\t\u0000ae10.-+ '.split(/(?=[^])/u)),
      )
      .map(([text, where, drop, added]) => {
        const place = where % (text.length + 1)
        return text.slice(0, place) + added + text.slice(place + drop)
      })
    fc.assert(
      fc.property(fc.oneof(fc.json(), mutated), (text) => {
        let valid = true
        try {
          JSON.parse(text)
        } catch {
          valid = false
        }
        const fault = findJsonFault(text)
        if (valid) expect(fault?.kind).not.toBe('syntax')
        else expect(fault).toBeDefined()
      }),
      { numRuns: 3000 },
    )
  })

  it('is found at any depth', () => {
    const deep = 200_000
    expect(findJsonFault('['.repeat(deep))).toMatchObject({ line: 1, column: deep + 1 })
    expect(findJsonFault('{"a":'.repeat(deep) + '1' + '}'.repeat(deep))).toBeUndefined()
  })
})

describe('requireJson', () => {
  const read = (text: string, uniqueKeys = false): unknown =>
    requireJson(text, 'the file', (message) => new Error(message), { uniqueKeys })

  it('returns the value', () => {
    expect(read('{"a":[1,"x",null]}', true)).toEqual({ a: [1, 'x', null] })
    expect(read('{"a":1,"a":2}')).toEqual({ a: 2 })
    expect(read('{"a":"\\"","b":"\\u0022"}', true)).toEqual({ a: '"', b: '"' })
    expect(['null', '7', '[]', '[1,{}]', '"a"'].map((text) => read(text, true))).toEqual([
      null,
      7,
      [],
      [1, {}],
      'a',
    ])
  })

  it('lets a key be there twice unless asked to refuse it', () => {
    expect(requireJson('{"a":1,"a":2}', 'the file', (message) => new Error(message))).toEqual({ a: 2 })
  })

  it('says where the text is not JSON, and what would be right there', () => {
    expect(() => read('{"a":1\n"b":2}')).toThrow('the file is not JSON: line 2, column 1: expected , or }')
  })

  it('quotes nothing of the text', () => {
    const seed = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
    for (const text of [`{"seed":"${seed}" "a":1}`, seed, `{"${seed}":1,"${seed}":2}`, `'${seed}'`]) {
      expect(() => read(text, true)).toThrow(
        /^the file (is not JSON|has a key twice): line 1, column \d+: expected /,
      )
      expect(() => read(text, true)).not.toThrow(seed.slice(0, 6))
    }
  })

  it('refuses a repeated key if asked to, however the strings are written', () => {
    for (const text of ['{"a":1,"a":2}', '{"b":{"a":"\\"","a":"\\""}}', '[{"a":[],"a":"\\u0022"}]'])
      expect(() => read(text, true)).toThrow('the file has a key twice: line 1, column ')
    for (const text of ['{"a":1,"a":[1]}', '{"a":1,"\\u0061":2}', '{"a":"b","a":null,"b":"a\\\\"}'])
      expect(() => read(text, true)).toThrow('the file has a key twice: line 1, column ')
  })

  it('refuses a key that is repeated any number of times', () => {
    for (let times = 2; times <= 50; times++)
      expect(() => read(`{${Array(times).fill('"a":1').join()}}`, true)).toThrow('has a key twice')
  })

  it('names an encoding that is not UTF-8', () => {
    const utf16 = Buffer.from('{"a":1}', 'utf16le')
    for (const bytes of [utf16, Buffer.from(utf16).swap16(), Buffer.concat([Buffer.of(0xff, 0xfe), utf16])])
      expect(() => read(bytes.toString('utf8'))).toThrow('the file is UTF-16; save it as UTF-8')
  })
})
