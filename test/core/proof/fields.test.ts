import { describe, expect, it } from 'vitest'
import { combine, hasField, linesOf } from '../../../src/core/proof/fields.js'
import { linesOfProof, valuesOf } from '../../../src/core/proof/proof-fields.js'

/** A request whose `header` returns that, whatever its type says. */
const returning = (given: unknown): { header: () => readonly string[] } => ({
  header: () => given as readonly string[],
})

describe('the lines of a field', () => {
  it.each<[given: unknown, lines: readonly string[]]>([
    [undefined, []],
    [null, []],
    [[], []],
    ['a', ['a']],
    ['', ['']],
    [['a'], ['a']],
    [
      ['a', 'b'],
      ['a', 'b'],
    ],
  ])('are those that the request returns as %j', (given, lines) => {
    expect(linesOf(returning(given), 'x-totp')).toEqual(lines)
    expect(hasField(returning(given), 'x-totp')).toBe(lines.length > 0)
  })

  it.each<[given: unknown]>([[7], [[7]], [{}], [false], [[null]], [[undefined]]])(
    'are there and cannot be read where the request returns %j',
    (given) => {
      expect(linesOf(returning(given), 'x-totp')).toEqual(['\0'])
    },
  )

  it('leave those readable that are text', () => {
    expect(linesOf(returning(['a', 7, 'b']), 'x-totp')).toEqual(['a', '\0', 'b'])
  })
})

it.each<[lines: string[], value: string]>([
  [[], ''],
  [[''], ''],
  [[' \t '], ''],
  [['a'], 'a'],
  [['\t a b \t'], 'a b'],
  [[' a', 'b ', ''], 'a, b, '],
  [['\u00a0a\n'], '\u00a0a\n'],
])('the value of the lines %j is %j', (lines, value) => {
  expect(combine(lines)).toBe(value)
})

describe('the field lines of a proof', () => {
  const fields = { 'content-digest': 'c', 'signature-input': 'i', signature: 's' }

  it('have the names that RFC 9421 and RFC 9530 write', () => {
    expect(linesOfProof(fields)).toEqual([
      ['Content-Digest', 'c'],
      ['Signature-Input', 'i'],
      ['Signature', 's'],
    ])
  })

  it('are found by a name in lower case, all of them and in order', () => {
    const lines = [...linesOfProof(fields), ['SIGNATURE', 't'] as const]
    expect(valuesOf(lines, 'signature')).toEqual(['s', 't'])
    expect(valuesOf(lines, 'date')).toEqual([])
  })
})
