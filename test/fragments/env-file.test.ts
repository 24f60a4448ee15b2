import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assignment, envFile, writableUrl } from '../../src/fragments/env-file.js'
import { readByDotenv, sourcedBySh } from '../support/env-readers.js'

const nasty = fc.string({
  unit: fc.constantFrom(...Array.from('aZ9 ~#$"\'`!&;|<>(){}[]*?=+/:@%^,.-_\\\n\r\t\u0000\u2028é☃')),
  maxLength: 12,
})

/** The line, or nothing where there is no spelling that both read the same. */
function lineOf(variable: string, value: string): string | undefined {
  try {
    return assignment(variable, value)
  } catch {
    return undefined
  }
}

describe('an assignment in an env file', () => {
  it('is read as the same value by sh and by dotenv, whatever the value', () => {
    const property = fc.property(fc.array(nasty, { minLength: 30, maxLength: 60 }), (values) => {
      const written = values.flatMap((value, index) => {
        const variable = `V${index}`
        const line = lineOf(variable, value)
        return line === undefined ? [] : [{ variable, value, line }]
      })
      const text = `${written.map(({ line }) => line).join('\n')}\n`
      const expected = Object.fromEntries(written.map(({ variable, value }) => [variable, value]))
      expect(sourcedBySh(text, Object.keys(expected))).toEqual(expected)
      expect(readByDotenv(text)).toEqual(expected)
    })
    fc.assert(property, { numRuns: 30 })
  })

  it.each([
    ['a2at_AZaz09-_', 'V=a2at_AZaz09-_'],
    ['abc/+==', 'V=abc/+=='],
    ['https://h:1/a2a?x=%20', "V='https://h:1/a2a?x=%20'"],
    ['~/file', "V='~/file'"],
    ['$HOME `id` #1 "x"', `V='$HOME \`id\` #1 "x"'`],
    ["it's", `V="it's"`],
    ['', "V=''"],
  ])('spells %j as %s', (value, line) => {
    expect(assignment('V', value)).toBe(line)
  })

  it.each(["it's $5", 'it\'s "x"', "it's `x`", 'one\ntwo', 'C:\\x', "\\'", 'nul\0'])(
    'refuses %j, which has no spelling for both, and does not quote it',
    (value) => {
      expect(() => assignment('V', value)).toThrow(
        expect.objectContaining({
          code: 'ERR_CONFIG_INVALID',
          message: expect.not.stringContaining(value) as string,
        }),
      )
    },
  )
})

describe('a URL for an env file', () => {
  it.each(['https://h/', 'https://h/a b?$x=#y', "https://h/it's"])('leaves %j as it is', (url) => {
    expect(writableUrl(url)).toBe(url)
  })

  it('is always writable, and stays the same URL once its percent signs are decoded', () => {
    fc.assert(
      fc.property(nasty, (path) => {
        const url = `https://h/${path.replaceAll('%', '')}`
        expect(decodeURIComponent(writableUrl(url))).toBe(url)
        expect(readByDotenv(assignment('U', writableUrl(url)))['U']).toBe(writableUrl(url))
      }),
    )
  })
})

describe('an env file', () => {
  it('has its comments first, and ends in a newline', () => {
    expect(envFile(['one', 'two'], { A: '1', B: '2 3' })).toBe("# one\n# two\nA=1\nB='2 3'\n")
  })
})
