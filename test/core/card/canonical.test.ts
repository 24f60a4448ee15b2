import { describe, expect, it } from 'vitest'
import { canonicalJson } from '../../../src/core/card/canonical.js'
import { codeOf } from '../../support/failure.js'

describe('the canonical text of JSON', () => {
  it('is that of the sample of RFC 8785 §3.2.2', () => {
    const sample = JSON.parse(
      String.raw`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`,
    ) as unknown
    expect(canonicalJson(sample)).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    )
  })

  it('has keys in the order of UTF-16 code units: the sample of RFC 8785 §3.2.3', () => {
    const sample = {
      '\u20ac': 'Euro Sign',
      '\r': 'Carriage Return',
      '\ufb33': 'Hebrew Letter Dalet With Dagesh',
      '1': 'One',
      '\ud83d\ude00': 'Emoji: Grinning Face',
      '\u0080': 'Control',
      '\u00f6': 'Latin Small Letter O With Diaeresis',
    }
    const order = Object.values(JSON.parse(canonicalJson(sample).replace('"1":', '"_1":')) as object)
    expect(order).toEqual([
      'Carriage Return',
      'One',
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji: Grinning Face',
      'Hebrew Letter Dalet With Dagesh',
    ])
  })

  it('leaves out what JSON cannot say, and keeps keys that mean something to JavaScript', () => {
    expect(canonicalJson({ b: undefined, a: [undefined, -0] })).toBe('{"a":[null,0]}')
    expect(canonicalJson(JSON.parse('{"toString":1,"__proto__":{"x":1}}'))).toBe(
      '{"__proto__":{"x":1},"toString":1}',
    )
  })

  it.each([{ name: '\ud800' }, { '\udc00': 1 }, ['\udc00\ud800']])(
    'does not exist for lone surrogates: %#',
    (value) => {
      expect(codeOf(() => canonicalJson(value))).toBe('ERR_CARD_INVALID')
    },
  )
})
