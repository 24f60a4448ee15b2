import { describe, expect, it } from 'vitest'
import { decodeUtf8, encodingOfMisread } from '../../src/core/encoding.js'

const decode = (bytes: Uint8Array): string => decodeUtf8(bytes, 'the store', (message) => new Error(message))

const texts = ['{"version": 1}', 'otpauth://totp/alice?secret=X', 'AGE-SECRET-KEY-1QQ\r\n', '# é\n{"a": "ü"}']

/** As iconv writes it. */
function encoded(text: string, width: 2 | 4, little: boolean, mark: boolean): Buffer {
  const units = mark ? `\uFEFF${text}` : text
  return Buffer.concat(
    Array.from(units, (unit) => {
      const bytes = Buffer.alloc(width)
      if (little) bytes.writeUInt16LE(unit.charCodeAt(0), 0)
      else bytes.writeUInt16BE(unit.charCodeAt(0), width - 2)
      return bytes
    }),
  )
}

describe('bytes that should be UTF-8', () => {
  it.each(texts)('%j is decoded, with or without a byte order mark', (text) => {
    expect(decode(Buffer.from(text))).toBe(text)
    expect(decode(Buffer.from(`\uFEFF${text}`))).toBe(text)
    expect(encodingOfMisread(text)).toBeUndefined()
  })

  it.each(
    texts.flatMap((text) =>
      ([2, 4] as const).flatMap((width) =>
        [true, false].flatMap((little) => [true, false].map((mark) => [text, width, little, mark] as const)),
      ),
    ),
  )(
    '%j in units of %d bytes, little end first %s, marked %s: named, and nothing quoted',
    (text, width, little, mark) => {
      const bytes = encoded(text, width, little, mark)
      const words = `the store is UTF-${8 * width}; save it as UTF-8`
      expect(() => decode(bytes)).toThrow(words)
    },
  )

  it.each(['日本語', '一覧', 'Ā'])('%s, which has few zeros, is told by the mark alone', (text) => {
    for (const width of [2, 4] as const)
      for (const little of [true, false])
        expect(() => decode(encoded(text, width, little, true))).toThrow(
          `the store is UTF-${8 * width}; save it as UTF-8`,
        )
  })

  it.each([
    ...['ff41', '41fe', 'fe41', '41ff', 'ff', 'fe'],
    ...['0000fe41', '000041ff', '0041feff', '4100feff', '4141feff', '0000ff41'],
  ])('beginning with %s, part of a mark, are in no encoding that could be named', (hex) => {
    expect(() => decode(Buffer.from(hex, 'hex'))).toThrow('the store is not UTF-8 text')
  })

  it('in Latin-1: said not to be UTF-8', () => {
    expect(() => decode(Buffer.from('{"note": "é"}', 'latin1'))).toThrow(
      'the store is not UTF-8 text; if it is text in Latin-1 or another encoding, save it as UTF-8',
    )
  })

  it.each(texts)('%j, read as UTF-8 all the same, is told from what is left of it', (text) => {
    const misread = (width: 2 | 4, little: boolean, mark: boolean): string | undefined =>
      encodingOfMisread(encoded(text, width, little, mark).toString())
    for (const little of [true, false]) {
      expect([misread(2, little, true), misread(4, little, false)]).toEqual(['UTF-16', 'UTF-32'])
    }
    expect(misread(4, true, true)).toBe('UTF-32')
  })

  it('a value that a shell took from a file in UTF-16, without its zeros', () => {
    const bytes = encoded('GEZDGNBVGY3TQOJQ', 2, true, true).filter((byte) => byte !== 0)
    expect(encodingOfMisread(Buffer.from(bytes).toString())).toBe('UTF-16')
  })

  it.each(['', 'a', '\0', 'a\0b', 'ab\uFFFD'])('%j shows no encoding', (text) => {
    expect(encodingOfMisread(text)).toBeUndefined()
  })
})
