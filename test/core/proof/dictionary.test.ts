import { describe, expect, it } from 'vitest'
import { parseDictionary, parseMembers } from '../../../src/core/proof/dictionary.js'
import { isCanonical } from '../../../src/core/proof/canonical.js'

describe('a dictionary (RFC 8941 §4.2.2)', () => {
  it.each([
    [''],
    [' '],
    ['  a=1'],
    ['a=1 '],
    ['\ta=1\t'],
    ['a'],
    ['a;b'],
    ['a;b=1;b=2'],
    ['a;  b'],
    ['a=?1'],
    ['a=?0;b=?1'],
    ['*a=1'],
    ['*'],
    ['a_-.*9=1'],
    ['a=1,b=2'],
    ['a=1 \t , \t b=2'],
    ['a="", b=""'],
    ['a="\\"\\\\"'],
    ['a=tok/en:*'],
    ['a=*'],
    ['a=999999999999999'],
    ['a=-999999999999999'],
    ['a=-0'],
    ['a=007'],
    ['a=123456789012.123'],
    ['a=0.5;b=-0.0'],
    ['a=::'],
    ['a=:YQ==:'],
    ['a=:YQ:'],
    ['a=:YQ=:'],
    ['a=:YR==:'],
    ['a=()'],
    ['a=(   )'],
    ['a=( 1   2 )'],
    ['a=("x";y;z=1 :YQ==: tok ?0 1.5);p'],
    ['a=(1);b=2, c'],
  ])('is %j', (text) => {
    expect(parseDictionary([text])).toBeDefined()
  })

  it.each([
    ['a comma at the end', 'a=1,'],
    ['a comma at the end, and a blank', 'a=1, '],
    ['a comma at the beginning', ',a=1'],
    ['two commas', 'a=1,,b=2'],
    ['a comma alone', ','],
    ['no comma', 'a=1 b=2'],
    ['a semicolon after whitespace', 'a ;b'],
    ['a tab after a semicolon', 'a;\tb'],
    ['a semicolon and nothing', 'a;'],
    ['a label in capital letters', 'A=1'],
    ['a capital letter in a label', 'aB=1'],
    ['a label that begins with a digit', '1a=1'],
    ['a label that begins with a dash', '-a=1'],
    ['a label that begins with an underscore', '_a=1'],
    ['a label in quotes', '"a"=1'],
    ['no label', '=1'],
    ['no value', 'a='],
    ['a blank before the value', 'a= 1'],
    ['a blank before the equals sign', 'a =1'],
    ['a parameter in capital letters', 'a;B'],
    ['a parameter without the value that is announced', 'a;b='],
    ['a parameter with a list', 'a;b=(1)'],
    ['an integer of 16 digits', 'a=1234567890123456'],
    ['an integer of 16 zeros', 'a=0000000000000000'],
    ['a decimal with 13 digits before the point', 'a=1234567890123.1'],
    ['a decimal with 4 digits after the point', 'a=1.1234'],
    ['a decimal with none after it', 'a=1.'],
    ['a decimal with none before it', 'a=.5'],
    ['two points', 'a=1.2.3'],
    ['a plus sign', 'a=+1'],
    ['a minus sign alone', 'a=-'],
    ['two minus signs', 'a=--1'],
    ['an exponent', 'a=1e3'],
    ['a boolean in words that is neither', 'a=?2'],
    ['a question mark alone', 'a=?'],
    ['a string without end', 'a="b'],
    ['a string that ends in a backslash', 'a="b\\'],
    ['an escape of another character', 'a="\\n"'],
    ['a string of single quotes', "a='b'"],
    ['a line break in a string', 'a="b\nc"'],
    ['a tab in a string', 'a="b\tc"'],
    ['a delete character in a string', 'a="\x7f"'],
    ['a character beyond ASCII in a string', 'a="é"'],
    ['a character beyond ASCII in a token', 'a=é'],
    ['a token that begins with a colon', 'a=:b'],
    ['bytes without end', 'a=:YQ=='],
    ['bytes with a blank', 'a=:YQ ==:'],
    ['bytes with more padding than fits', 'a=:YWI==:'],
    ['bytes with padding where none fits', 'a=:YWJj=:'],
    ['bytes in the other alphabet', 'a=:_-8=:'],
    ['bytes with padding inside', 'a=:Y=Q=:'],
    ['bytes with too much padding', 'a=:YQ===:'],
    ['bytes of padding alone', 'a=:====:'],
    ['bytes of one character', 'a=:Y:'],
    ['a list without end', 'a=(1'],
    ['a list with commas', 'a=(1,2)'],
    ['a list with a tab', 'a=(1\t2)'],
    ['a list with nothing between items', 'a=("x""y")'],
    ['a list in a list', 'a=((1))'],
    ['a list with a closing bracket too many', 'a=(1))'],
    ['a line break between members', 'a=1,\nb=2'],
    ['a line break at the end', 'a=1\n'],
    ['folding', 'a=1,\r\n b=2'],
    ['a zero byte', 'a=1\0'],
    ['a blank that is none of ASCII', 'a=1,\u00a0b=2'],
    ['a date of RFC 9651', 'a=@1659578233'],
    ['a text of RFC 9651', 'a=%"f%c3%bc"'],
    ['a label twice', 'a=1, a=1'],
    ['a label twice, others between', 'a=1, b, a;c'],
  ])('is not one with %s', (_, text) => {
    expect(parseDictionary([text])).toBeUndefined()
  })

  it.each([
    [['a=1', 'b=2'], 2],
    [[' a=1\t', '\tb=2 '], 2],
    [['a=("x"', '"y")'], undefined],
    [['a="x', 'y"'], 1],
    [['a=1', ''], undefined],
    [['', 'a=1'], undefined],
    [['', ''], undefined],
    [['a=1', 'a=2'], undefined],
    [[], 0],
  ])('combines the lines %j', (lines, members) => {
    expect(parseDictionary(lines)?.length).toBe(members)
  })

  it('has every member of a label for those who ask', () => {
    expect(parseMembers(['a=1, b=2', 'a=3'])?.map(({ text }) => text)).toEqual(['1', '2', '3'])
  })

  it('has the values and the parameters as they were written', () => {
    expect(parseDictionary(['a=("x\\"";y 1.50);z="\\\\";z, b;c'])).toEqual([
      {
        label: 'a',
        value: [
          {
            value: { kind: 'string', value: 'x"', text: '"x\\""' },
            parameters: [{ key: 'y', value: { kind: 'boolean', value: true, text: '' } }],
          },
          { value: { kind: 'decimal', value: 1.5, text: '1.50' }, parameters: [] },
        ],
        parameters: [
          { key: 'z', value: { kind: 'string', value: '\\', text: '"\\\\"' } },
          { key: 'z', value: { kind: 'boolean', value: true, text: '' } },
        ],
        text: '("x\\"";y 1.50);z="\\\\";z',
      },
      {
        label: 'b',
        value: { kind: 'boolean', value: true, text: '' },
        parameters: [{ key: 'c', value: { kind: 'boolean', value: true, text: '' } }],
        text: '',
      },
    ])
  })
})

describe('a member as RFC 8941 §4.1 writes it', () => {
  const canonical = (text: string): boolean | undefined => {
    const [member] = parseDictionary([`a=${text}`]) ?? []
    return member && isCanonical(member)
  }

  it.each([
    '("x" "y");b=1;c="d"',
    '()',
    '(1 -1 0 1.5 -0.001 12.0 ?0 ?1 tok :YQ==: :: "\\"")',
    '("x";y;z=?0)',
    '1;a;b=tok',
    '999999999999999',
    '123456789012.123',
    ':YQ==:',
    '?1',
  ])('is %s', (text) => {
    expect(canonical(text)).toBe(true)
  })

  it.each([
    '( "x")',
    '("x" )',
    '("x"  "y")',
    '("x"); b=1',
    '("x";  y)',
    '("x");b=01',
    '("x");b=-0',
    '("x");b=-0.0',
    '("x");b=1.50',
    '("x");b=01.5',
    '("x");b=?1',
    '("x";y=?1)',
    '("x";y;y)',
    '("x");b=1;b=1',
    '(:YQ:)',
    '(:YR==:)',
  ])('is not %s', (text) => {
    expect(canonical(text)).toBe(false)
  })
})
